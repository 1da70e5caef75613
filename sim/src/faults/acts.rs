//! What people, and AWS, do in the middle of a run.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use stopgap_core::inventory::{Attachment, BlockDevice, InstanceState, Volume};

use super::stage::{POLICY, Stage, at, mended_at};
use super::trouble::{Act, Place, Trouble};
use crate::aws::{Aws, TABLE, TOPIC, place_of};

/// How long after a state was entered it happens: a function has been invoked by then, and has its first call under way.
const MOMENT: Duration = Duration::from_millis(50);
/// The same for what happens between the plan of a pruning and its first deletion.
const PLANNED: Duration = Duration::from_millis(110);
/// How long services cannot be reached.
const OUTAGE: SignedDuration = SignedDuration::from_mins(10);
/// How long after an abort a run is redriven: before the rescuer hears of it, and after it has done its work.
const BEFORE_RESCUE: Duration = Duration::from_millis(500);
const AFTER_RESCUE: Duration = Duration::from_secs(600);

/// Lets each of these acts happen when its state is entered for the first time, unless all has been mended by then.
pub(super) fn await_states(stage: &Rc<Stage>, troubles: &[Trouble]) {
    let acts: Vec<(Place, Act)> = troubles
        .iter()
        .filter_map(|trouble| match trouble {
            Trouble::State(place, act) => Some((Place::clone(place), *act)),
            _ => None,
        })
        .collect();
    if acts.is_empty() {
        return;
    }
    let waiting = Rc::new(RefCell::new(acts));
    // The service keeps its listeners, so they must not keep the service.
    let weak = Rc::downgrade(stage);
    let clock = stage.stopgap.runtime.clock();
    stage.stopgap.step_functions.subscribe_to_states(move |machine, execution, state| {
        if clock.now() >= mended_at() {
            return;
        }
        let place = place_of(machine, state);
        let mut now = Vec::new();
        waiting.borrow_mut().retain(|(wanted, act)| {
            let here = **wanted == *place;
            if here {
                now.push(*act);
            }
            !here
        });
        for act in now {
            let (weak, execution, clock) = (weak.clone(), execution.to_owned(), clock.clone());
            clock.clone().spawn(async move {
                clock.sleep(act.comes_after()).await;
                if let Some(stage) = weak.upgrade() {
                    stage.act(act, &execution);
                }
            });
        }
    });
}

impl Act {
    /// How long after its state was entered it happens. A ticket is out within a moment, so that the topic must be gone before.
    pub(super) fn comes_after(self) -> Duration {
        match self {
            Self::SetsDeleted => PLANNED,
            Self::TopicDown => Duration::ZERO,
            _ => MOMENT,
        }
    }
}

impl Stage {
    /// Does it, to the execution and its instance.
    fn act(&self, act: Act, execution: &str) {
        let machines = &self.stopgap.step_functions;
        let now = self.stopgap.runtime.clock().now();
        let subject = self.subject_of(execution);
        let outage = |operations: &[&'static str]| {
            self.stopgap.aws.change(|world| {
                let until = now.saturating_add(OUTAGE).unwrap_or(now);
                world.watch.outages.extend(operations.iter().map(|operation| (*operation, until)));
            });
        };
        self.acted.borrow_mut().push(now);
        match act {
            Act::Aborted => machines.stop_execution(execution, None, Some("a person pressed stop")),
            Act::TimedOut => machines.time_out_execution(execution),
            Act::RedrivenBefore | Act::RedrivenAfter => {
                machines.stop_execution(execution, None, Some("a person pressed stop"));
                self.redrive(
                    execution,
                    if act == Act::RedrivenBefore { BEFORE_RESCUE } else { AFTER_RESCUE },
                );
            }
            Act::Twice => {
                let occurrence = format!("{POLICY}/{}", at(2, 0));
                let input = json!({ "instance_id": subject, "policy": POLICY, "occurrence": occurrence });
                // Refused or not, it is the same to the first.
                let _ = machines.start_execution(&self.stopgap.instance, None, input);
            }
            Act::Terminated => self.stopgap.aws.terminate(&subject),
            Act::StartedByHand => self.stopgap.aws.start_by_hand(&subject),
            Act::TagsChanged => self.stopgap.aws.change(|world| {
                if let Some(machine) = world.machine_mut(&subject) {
                    machine.instance.tags.remove("Backup");
                }
            }),
            Act::VolumeAttached => self.stopgap.aws.attach_volume(&subject),
            Act::VolumeDetached => self.stopgap.aws.detach_volume(&subject),
            Act::SetsDeleted => self.delete_older(),
            Act::TableDown => outage(&TABLE),
            Act::TopicDown => outage(&TOPIC),
        }
    }

    fn redrive(&self, execution: &str, after: Duration) {
        let (clock, machines) = (self.stopgap.runtime.clock(), self.stopgap.step_functions.clone());
        let execution = execution.to_owned();
        self.stopgap.runtime.clock().spawn(async move {
            clock.sleep(after).await;
            let _ = machines.redrive_execution(&execution);
        });
    }

    /// The instance that an execution is about; the first where it is about all.
    fn subject_of(&self, execution: &str) -> String {
        let of = self.subjects.iter().find(|id| execution.contains(id.as_str()));
        of.or(self.subjects.first()).cloned().unwrap_or_default()
    }
}

impl Aws {
    /// Starts an instance, as a person with the console does: nothing happens unless it is stopped.
    pub(super) fn start_by_hand(&self, id: &str) {
        let (aws, id) = (self.clone(), id.to_owned());
        self.clock().clone().spawn(async move {
            let at = aws.look(|world| world.machine(&id).map(|machine| machine.instance.location.clone()));
            if let Some(at) = at {
                let _ = stopgap_core::ports::Ec2::start_instance(&aws, &at, &id).await;
            }
        });
    }

    /// Terminates an instance, as a person does; its Auto Scaling group forgets it.
    pub fn terminate(&self, id: &str) {
        let now = self.clock().now();
        self.change(|world| {
            if let Some(machine) = world.machine_mut(id) {
                machine.enter(now, InstanceState::Terminated, Some("Client.UserInitiatedShutdown"));
            }
            for group in world.places.values_mut().flat_map(|place| place.groups.values_mut()) {
                group.members.remove(id);
            }
        });
        self.emit_state(id, InstanceState::Terminated);
    }

    /// Attaches a new volume.
    pub(super) fn attach_volume(&self, id: &str) {
        let now = self.clock().now();
        self.change(|world| {
            let volume_id = world.id("vol");
            let Some(machine) = world.machine_mut(id) else { return };
            let device = "/dev/sdz".to_owned();
            let attached_at = Some(now);
            machine.instance.devices.push(BlockDevice {
                device: device.clone(),
                volume_id: volume_id.clone(),
                attached_at,
            });
            let location = machine.instance.location.clone();
            let attachments = vec![Attachment { instance_id: id.to_owned(), device, attached_at }];
            let volume = Volume {
                id: volume_id.clone(),
                size_gib: 8,
                volume_type: "gp3".to_owned(),
                kms_key_id: None,
                tags: Default::default(),
                attachments,
            };
            world.places.entry(location).or_default().volumes.insert(volume_id, volume);
        });
    }

    /// Detaches every volume but the root.
    pub(super) fn detach_volume(&self, id: &str) {
        self.change(|world| {
            let Some(machine) = world.machine_mut(id) else { return };
            let root = machine.instance.root_device.clone();
            let gone: Vec<String> = machine
                .instance
                .devices
                .extract_if(.., |device| Some(&device.device) != root.as_ref())
                .map(|device| device.volume_id)
                .collect();
            for place in world.places.values_mut() {
                for id in &gone {
                    if let Some(volume) = place.volumes.get_mut(id) {
                        volume.attachments.clear();
                    }
                }
            }
        });
    }
}
