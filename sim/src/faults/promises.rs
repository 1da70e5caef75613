//! The promises of the design, as what holds of the world at a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use stopgap_core::backup_set::{self, BackupSet};
use stopgap_core::error::ErrorName;
use stopgap_core::inventory::{InstanceState, SnapshotState};
use stopgap_core::ports::LifecycleState;
use stopgap_core::records::{Run, RunState};
use stopgap_core::set_tags;

use super::play::Scenario;
use super::stage::{FLOOR, POLICY, Setting, Stage, at, home};
use super::trouble::{Act, Trouble};
use crate::aws::{Called, Down, Machine, World};
use crate::stepfunctions::Status;

/// How long an instance may be down before a critical ticket tells of it, for each thing that goes wrong: the retries of the
/// states that lead to the start take as long.
const KNOWN_WITHIN: SignedDuration = SignedDuration::from_mins(30);
/// How soon the instance of a run that was stopped runs again: a look of the rescuer, and a start.
const GIVEN_BACK_WITHIN: SignedDuration = SignedDuration::from_mins(6);
/// How much longer than EC2 needs an instance is down, where nothing delays it.
const OVERHEAD: SignedDuration = SignedDuration::from_secs(10);

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    /// Which of the seven.
    pub promise: u8,
    /// What is wrong, in words.
    pub what: String,
    /// Whether an instance is left stopped and nobody knows.
    pub left_stopped: bool,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "promise {}: {}", self.promise, self.what)
    }
}

/// When it is looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum When {
    /// An hour after the backup was due, whatever still goes wrong.
    InTheNight,
    /// When all is mended and at rest.
    Mended,
    /// After another night, in which nothing went wrong.
    NightAfter,
}

/// What is looked at.
pub(super) struct Moment<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) stage: &'a Stage,
    pub(super) moment: When,
    pub(super) calls: &'a [Called],
}

/// The message of a ticket.
struct Told {
    at: Timestamp,
    key: String,
    kind: String,
    action: String,
    sequence: u64,
    instance: String,
    error: String,
}

/// What does not hold.
pub(super) fn broken(moment: &Moment<'_>) -> Vec<Broken> {
    moment.stage.stopgap.aws.look(|world| {
        let told = told(world);
        let mut check = Check { moment, world, told: &told, broken: Vec::new() };
        for id in &moment.stage.subjects {
            check.comes_back(id);
            check.is_backed_up(id);
        }
        check.stays_stopped();
        check.deletes_nothing_else();
        check.tells_once();
        check.catches_everything();
        if moment.moment >= When::Mended {
            check.holds_nothing();
        }
        check.broken
    })
}

fn told(world: &World) -> Vec<Told> {
    let messages = world.published.iter().map(|(at, notice)| {
        let text = |name: &str| notice.document[name].as_str().unwrap_or_default().to_owned();
        Told {
            at: *at,
            key: text("dedup_key"),
            kind: text("kind"),
            action: text("action"),
            sequence: notice.document["sequence"].as_u64().unwrap_or(0),
            instance: text("instance"),
            error: text("error"),
        }
    });
    messages.collect()
}

struct Check<'a> {
    moment: &'a Moment<'a>,
    world: &'a World,
    told: &'a [Told],
    broken: Vec<Broken>,
}

impl Check<'_> {
    fn breaks(&mut self, promise: u8, what: impl Into<String>) {
        self.broken.push(Broken { promise, what: what.into(), left_stopped: false });
    }

    fn is_left_stopped(&mut self, what: String) {
        self.broken.push(Broken { promise: 1, what, left_stopped: true });
    }

    fn now(&self) -> Timestamp {
        self.moment.stage.stopgap.runtime.clock().now()
    }

    fn has(&self, wanted: impl Fn(&Trouble) -> bool) -> bool {
        self.moment.scenario.troubles.iter().any(wanted)
    }

    /// How long an instance may be down without a ticket.
    fn known_within(&self) -> SignedDuration {
        let troubles = i32::try_from(self.moment.scenario.troubles.len().max(1)).unwrap_or(i32::MAX);
        let while_down = match self.moment.scenario.setting {
            // The policy asks for it: as long as snapshots may take.
            Setting::CompletedFirst => SignedDuration::from_hours(48),
            _ => SignedDuration::ZERO,
        };
        KNOWN_WITHIN * troubles + while_down
    }

    /// Promise 1, and 6.
    fn comes_back(&mut self, id: &str) {
        let Some(machine) = self.world.machine(id) else { return };
        if !ran_before(machine) || machine.instance.state.is_gone() {
            return;
        }
        for down in &machine.downs {
            let known_by = down.from + self.known_within();
            let knows = |told: &&Told| {
                told.kind == "left-stopped" && told.instance == *id && told.action != "resolve"
            };
            let known =
                self.told.iter().filter(knows).any(|told| down.from <= told.at && told.at <= known_by);
            if down.until.unwrap_or(self.now()) > known_by && !known {
                self.is_left_stopped(format!(
                    "the instance was down for over {:#}, and nobody was told",
                    self.known_within()
                ));
            }
            self.is_short(down);
            self.is_given_back(down);
        }
        // Each run stops its instance once; one that has lost its lease, never again.
        let machines = &self.moment.stage.stopgap.step_functions;
        let of = |execution: &crate::stepfunctions::Execution| {
            execution.machine_arn == self.moment.stage.stopgap.instance
                && execution.input["instance_id"] == *id
        };
        if machine.downs.len() > 1
            && machine.downs.len() > machines.executions().iter().filter(|e| of(e)).count()
        {
            self.breaks(5, "the instance was stopped more often than there were runs");
        }
        let runs = machine.instance.state == InstanceState::Running;
        let down_since = machine.downs.last().map_or(self.now(), |down| down.from);
        if !runs && self.moment.moment >= When::Mended {
            self.breaks(1, format!("the instance is {} although all is mended", machine.instance.state));
        } else if !runs && !self.is_open("left-stopped", id) && down_since + self.known_within() < self.now()
        {
            self.is_left_stopped(format!(
                "the instance is {}, and no critical ticket is open",
                machine.instance.state
            ));
        }
        let groups: Vec<_> = self.world.places.values().flat_map(|place| place.groups.values()).collect();
        if groups.iter().any(|group| !group.replaced.is_empty()) {
            self.breaks(1, "Auto Scaling replaced the instance");
        }
        let out_of_service = |state: &LifecycleState| *state != LifecycleState::InService;
        if self.moment.moment >= When::Mended
            && groups.iter().any(|g| g.members.get(id).is_some_and(out_of_service))
        {
            self.breaks(1, "the instance is not in service in its Auto Scaling group");
        }
    }

    /// Promise 1: a run that somebody stops gives its instance back within minutes.
    fn is_given_back(&mut self, down: &Down) {
        let alone = matches!(
            self.moment.scenario.troubles.as_slice(),
            [Trouble::State(place, Act::Aborted | Act::TimedOut)] if !place.contains('.')
        );
        let acted = self.moment.stage.acted.borrow().first().copied();
        let Some((acted, until)) = acted.zip(down.until).filter(|(acted, until)| alone && acted <= until)
        else {
            return;
        };
        let took = until.duration_since(acted.max(down.from));
        if took > GIVEN_BACK_WITHIN && self.moment.scenario.setting == Setting::Night {
            self.breaks(1, format!("the instance ran again {took:#} after its run was stopped"));
        }
    }

    /// Promise 6: where nothing delays it, the time down is EC2's own and a few seconds.
    fn is_short(&mut self, down: &Down) {
        let Some(overhead) = down.overhead() else { return };
        let over = |at: Timestamp| down.from - SignedDuration::from_secs(2) <= at && Some(at) <= down.until;
        let wrong = self.moment.calls.iter().any(|call| call.wrong && over(call.at));
        let acted = self.moment.stage.acted.borrow().iter().any(|at| over(*at));
        let otherwise = self.has(|trouble| matches!(trouble, Trouble::World(_) | Trouble::Event(..)));
        let waits = self.moment.scenario.setting == Setting::CompletedFirst;
        if !wrong && !acted && !otherwise && !waits && overhead > OVERHEAD {
            self.breaks(6, format!("down for {overhead:#} more than EC2 needs, though nothing delayed it"));
        }
    }

    /// Promise 2.
    fn stays_stopped(&mut self) {
        let by_hand = self.has(|trouble| matches!(trouble, Trouble::State(_, Act::StartedByHand)));
        for machine in self.world.machines().filter(|machine| !ran_before(machine)) {
            let moved = machine.past.iter().any(|(_, state, _)| *state == InstanceState::Pending);
            if moved && !by_hand {
                self.breaks(2, "an instance that was stopped before was started");
            }
        }
    }

    /// Promise 3, and 5.
    fn is_backed_up(&mut self, id: &str) {
        let snapshots: Vec<_> = self.world.snapshots().collect();
        let sets = backup_set::group(snapshots.iter().copied()).sets;
        let of_night = |set: &&BackupSet<'_>| {
            set.instance_id == id && set.policy().as_str() == POLICY && set.at() >= at(0, 0)
        };
        let sets: Vec<&BackupSet<'_>> = sets.iter().filter(of_night).collect();
        let first = sets.iter().find(|set| set.at() == at(2, 0));
        let complete = first.is_some_and(|set| set.is_complete());
        let run = self.run_of(id);
        let settled = self.moment.moment >= When::Mended;
        let tells = |told: &Told| {
            told.instance == *id
                && ["backup-failed", "backup-missed", "backup-refused"].contains(&&*told.kind)
        };
        // Whoever takes an instance out of a policy, or terminates it before its run has begun (or begun again), is owed no
        // backup of it.
        let is_begun = run.as_ref().is_some_and(|run| !run.awaits_retry);
        let unselected = self.has(|trouble| matches!(trouble, Trouble::State(_, Act::TagsChanged)))
            || !is_begun && self.has(|trouble| matches!(trouble, Trouble::State(_, Act::Terminated)));
        // The fleet begins no run of a member that the policy skips.
        let skipped = self.moment.scenario.setting == Setting::Skip && run.is_none();
        if settled && !complete && !self.told.iter().any(tells) && !unselected && !skipped {
            self.breaks(3, "there is no backup, and no ticket tells of it");
        }
        if run.is_some_and(|run| run.state == RunState::Complete) && !complete {
            self.breaks(3, "the run is recorded as complete, and its backup is not");
        }
        for set in sets.iter().filter(|set| set.is_complete()) {
            let copied: BTreeSet<&str> = set
                .snapshots
                .iter()
                .filter(|snapshot| snapshot.state == SnapshotState::Completed)
                .map(|snapshot| snapshot.volume_id.as_str())
                .collect();
            if let Some(missing) = self.attached_throughout(id).iter().find(|v| !copied.contains(v.as_str()))
            {
                self.breaks(3, format!("a backup counts as complete without {missing}"));
            }
        }
        for set in &sets {
            // Where one ended in error, all are made again.
            if set.snapshots.iter().any(|snapshot| snapshot.state == SnapshotState::Error) {
                continue;
            }
            let mut copies: BTreeMap<&str, usize> = BTreeMap::new();
            for snapshot in &set.snapshots {
                *copies.entry(&snapshot.volume_id).or_default() += 1;
            }
            if copies.values().any(|copies| *copies > 1) {
                self.breaks(5, format!("{} has a volume twice", set.occurrence));
            }
        }
        if self.moment.moment == When::NightAfter {
            let again = sets.iter().any(|set| set.at() > at(2, 0) && set.is_complete());
            let selected = self.world.machine(id).is_some_and(|machine| {
                !machine.instance.state.is_gone() && machine.instance.tags.contains_key("Backup")
            });
            if selected && !again && self.moment.scenario.setting != Setting::Skip {
                self.breaks(3, "the night after, in which nothing goes wrong, has no backup");
            }
        }
    }

    /// The volumes that nobody attached or detached meanwhile.
    fn attached_throughout(&self, id: &str) -> Vec<String> {
        let devices =
            self.world.machine(id).map(|machine| machine.instance.devices.as_slice()).unwrap_or_default();
        let throughout = devices.iter().filter(|device| device.attached_at == Some(Timestamp::UNIX_EPOCH));
        throughout.map(|device| device.volume_id.clone()).collect()
    }

    fn run_of(&self, id: &str) -> Option<Run> {
        let occurrence = format!("{POLICY}/{}", at(2, 0)).parse().ok()?;
        let (_, body) = self.world.table.get(&Run::key(&occurrence, &home(), id))?;
        serde_json::from_value(body.clone()).ok()
    }

    /// Promise 4.
    fn deletes_nothing_else(&mut self) {
        for deleted in &self.world.watch.deleted {
            let snapshot = &deleted.snapshot;
            let occurrence = snapshot.tags.get(set_tags::OCCURRENCE).cloned().unwrap_or_default();
            if self.moment.stage.before.others.contains(&snapshot.id) {
                self.breaks(4, format!("{occurrence} is none of the policy's, and was deleted"));
            }
            let own = occurrence.split_once('/').and_then(|(_, time)| time.parse::<Timestamp>().ok());
            let counts = own.is_some_and(|own| deleted.complete.contains(&own));
            if counts && deleted.complete.len() <= FLOOR {
                self.breaks(4, format!("{occurrence} was deleted, which the floor needs"));
            }
            if counts && own.as_ref() == deleted.complete.last() {
                self.breaks(4, format!("{occurrence} was deleted, the newest complete backup"));
            }
        }
    }

    /// Promise 7: what fails goes a way that the machine declares, and ends.
    fn catches_everything(&mut self) {
        let machines = &self.moment.stage.stopgap.step_functions;
        for execution in machines.executions() {
            let ends_by_itself = || {
                let history = machines.history(&execution.arn);
                history.iter().rev().nth(1).is_some_and(|event| event.event_type == "FailStateEntered")
            };
            if execution.status == Status::Failed && !ends_by_itself() {
                let error = execution.error.as_deref().unwrap_or_default();
                self.breaks(7, format!("an execution ended by {error}, which nothing caught"));
            }
            if execution.status == Status::Running && self.moment.moment == When::NightAfter {
                self.breaks(5, "an execution never ends");
            }
        }
    }

    /// Promise 7.
    fn tells_once(&mut self) {
        if self.told.iter().any(|told| told.error == ErrorName::LeaseLost.as_str()) {
            self.breaks(7, "a run that had lost its lease told of it");
        }
        let mut by_key: BTreeMap<&str, Vec<&Told>> = BTreeMap::new();
        for told in self.told {
            let messages = by_key.entry(&told.key).or_default();
            // At least once: a message may come twice, under one number.
            if !messages.iter().any(|other| other.sequence == told.sequence && other.action == told.action) {
                messages.push(told);
            }
        }
        for (key, messages) in &by_key {
            let mut open = false;
            for told in messages {
                let again = open && told.action == "open" && told.sequence > 1 && !self.is_unmarked();
                open = told.action != "resolve";
                if again {
                    self.breaks(7, format!("{key} was opened while it was open"));
                }
            }
            if open && self.moment.moment == When::NightAfter && !self.stays_open() {
                self.breaks(7, format!("{key} is still open after a night in which nothing went wrong"));
            }
            let runs =
                |id: &str| self.world.machine(id).is_some_and(|m| m.instance.state == InstanceState::Running);
            let of = messages.first().map_or("", |told| told.instance.as_str());
            if open
                && self.moment.moment >= When::Mended
                && key.contains("/left-stopped/")
                && runs(of)
                && !self.is_unrecorded()
            {
                self.breaks(7, format!("{key} is still open although the instance runs"));
            }
        }
        // An instance that is down and a backup that is not there are two matters; two of the latter are one too many. What
        // befalls a fleet may befall each of its instances.
        let matters: Vec<&str> =
            by_key.keys().copied().filter(|key| !key.contains("/left-stopped/")).collect();
        let single = self.moment.scenario.troubles.len() == 1 && self.moment.stage.subjects.len() == 1;
        if single && matters.len() > 1 && !self.is_unrecorded() {
            self.breaks(7, format!("one failure, and {} tickets: {}", matters.len(), matters.join(", ")));
        }
    }

    /// Whether a ticket was told of without being recorded: the table was out of reach. Nobody can know of it later.
    fn is_unrecorded(&self) -> bool {
        self.told.iter().any(|told| told.sequence == 0)
    }

    /// Whether a message was sent that could not be marked as sent. Nobody can know whether it arrived, so it is opened again.
    fn is_unmarked(&self) -> bool {
        let write = |call: &&Called| call.wrong && call.site.operation == "TransactWriteItems";
        let tells = |call: &Called| call.site.place.contains("Notify");
        self.moment.calls.iter().filter(write).any(tells)
            || self.has(|t| matches!(t, Trouble::State(_, Act::TableDown)))
    }

    /// Whether nothing mends it: the instance is gone, no longer selected, or refused by its policy; or nobody knows of it.
    fn stays_open(&self) -> bool {
        self.moment.scenario.setting == Setting::Skip
            || self.is_unrecorded()
            || self.has(|trouble| matches!(trouble, Trouble::State(_, Act::Terminated | Act::TagsChanged)))
    }

    fn is_open(&self, kind: &str, id: &str) -> bool {
        let mut of = self.told.iter().filter(|told| told.kind == kind && told.instance == *id);
        of.next_back().is_some_and(|told| told.action != "resolve")
    }

    /// Nothing is left of a run when all is over.
    fn holds_nothing(&mut self) {
        // Without the rescuer, what a run leaves is the next run's to give back; and here there is none.
        let no_other = self.moment.scenario.setting == Setting::Skip
            || self.has(|trouble| matches!(trouble, Trouble::State(_, Act::Terminated | Act::TagsChanged)));
        let lost = !self.moment.scenario.rescuer && (self.moment.moment < When::NightAfter || no_other);
        let held: Vec<String> = self
            .world
            .table
            .keys()
            .filter(|key| ["leases", "intents", "slots"].contains(&key.partition.as_str()))
            .map(|key| key.partition.clone())
            .collect();
        if !held.is_empty() && !lost {
            self.breaks(1, format!("{} left held when all is over", held.join(", ")));
        }
        let groups: Vec<_> = self.world.places.values().flat_map(|place| place.groups.values()).collect();
        let gone = self.has(|trouble| matches!(trouble, Trouble::State(_, Act::Terminated)));
        for group in groups {
            if !group.suspended.is_empty() && !lost {
                let processes = group.suspended.iter().cloned().collect::<Vec<_>>().join(", ");
                self.breaks(1, format!("{processes} left suspended"));
            }
            if group.desired != self.moment.stage.before.desired && !gone && !lost {
                self.breaks(1, format!("the group's desired capacity is left at {}", group.desired));
            }
        }
    }
}

/// Whether nothing is left of a night: nothing held, no ticket open, the backup there.
pub(super) fn nothing_left(stage: &Stage) -> bool {
    stage.stopgap.aws.look(|world| {
        let free = world.table.iter().all(|(key, (_, body))| match key.partition.as_str() {
            "leases" | "intents" | "slots" => false,
            "tickets" => body["status"] == "resolved" && body["sent"] == true,
            partition => !partition.starts_with("waiting#"),
        });
        let told = told(world);
        // The newest message of each ticket tells.
        let open: BTreeMap<&str, bool> =
            told.iter().map(|told| (told.key.as_str(), told.action != "resolve")).collect();
        let last = format!("{POLICY}/{}", at(2, 0));
        let whole = |id: &String| {
            let of = |snapshot: &&stopgap_core::inventory::Snapshot| {
                snapshot.tags.get(set_tags::INSTANCE) == Some(id)
                    && snapshot.tags.get(set_tags::OCCURRENCE) == Some(&last)
                    && snapshot.state == SnapshotState::Completed
            };
            world.snapshots().filter(of).count() >= 2
        };
        free && open.values().all(|open| !open) && stage.subjects.iter().all(whole)
    })
}

fn ran_before(machine: &Machine) -> bool {
    machine.past.first().is_some_and(|(_, state, _)| *state == InstanceState::Running)
}
