//! What a night leaves behind, and whether the next one can differ for it.

use stopgap_core::backup_set;
use stopgap_core::inventory::InstanceState;
use stopgap_core::ports::{Key, LifecycleState};
use stopgap_core::records::{PlannedUntil, Run, RunState};
use stopgap_core::set_tags;

use super::instance::ran_before;
use super::{Told, told};
use crate::aws::{Machine, World};
use crate::faults::stage::{self, FLOOR, POLICY, Stage, at};

/// Whether a night has left no more than one in which nothing goes wrong leaves, so that the next is a night like any other:
/// nothing runs, is held or is still to be told, the backup is there, what retention deletes is gone, and the instances and
/// all around them are as before.
pub(in crate::faults) fn are_usual(stage: &Stage) -> bool {
    let Stage { stopgap, subjects, before, .. } = stage;
    stopgap.step_functions.is_idle()
        && stopgap.aws.look(|world| {
            // What is broken on purpose may remember more than the world shows.
            world.sabotage.is_none()
                && world.table.iter().all(|(key, (_, body))| is_usual_record(key, body))
                && are_all_resolved(&told(world))
                && world.machines().all(is_as_before)
                && subjects.iter().all(|id| is_selected(world, id) && has_its_backups(world, id))
                && before.others.iter().all(|id| world.snapshots().any(|snapshot| snapshot.id == *id))
                && surroundings_are_as_before(stage, world)
        })
}

/// What each night leaves in the table. Tokens of executions that have ended stay there for as long as they might have been
/// waited for; they answer nobody.
fn is_usual_record(key: &Key, body: &serde_json::Value) -> bool {
    match key.partition.as_str() {
        "policies" => true,
        "fleet" => serde_json::from_value(body.clone()).is_ok_and(|mark: PlannedUntil| {
            mark.at >= at(2, 0) && mark.behind.is_empty() && mark.untold.is_empty()
        }),
        "tickets" => body["status"] == "resolved" && body["sent"] == true,
        partition if partition.starts_with("run#") => {
            serde_json::from_value(body.clone()).is_ok_and(|run: Run| run.state == RunState::Complete)
        }
        partition => partition.starts_with("waiting#"),
    }
}

/// Whether the newest message of each ticket is that it is resolved.
fn are_all_resolved(told: &[Told]) -> bool {
    let newest = |key: &str| told.iter().rev().find(|told| told.key == key);
    told.iter().all(|of| newest(&of.key).is_some_and(|newest| newest.action == "resolve"))
}

fn is_as_before(machine: &Machine) -> bool {
    let usual = if ran_before(machine) { InstanceState::Running } else { InstanceState::Stopped };
    machine.instance.state == usual
}

fn is_selected(world: &World, id: &str) -> bool {
    world.machine(id).is_some_and(|machine| machine.instance.tags.contains_key("Backup"))
}

/// The night's own, and as many in all as retention keeps, which are as many as its floor.
fn has_its_backups(world: &World, id: &str) -> bool {
    let of_policy = world.snapshots().filter(|snapshot| {
        let tag = |name| snapshot.tags.get(name).map(String::as_str);
        tag(set_tags::INSTANCE) == Some(id) && tag(set_tags::POLICY) == Some(POLICY)
    });
    let sets = backup_set::group(of_policy).sets;
    sets.len() == FLOOR
        && sets.iter().all(backup_set::BackupSet::is_complete)
        && sets.iter().any(|set| set.at() == at(2, 0))
}

fn surroundings_are_as_before(stage: &Stage, world: &World) -> bool {
    let Stage { stopgap, subjects, before, .. } = stage;
    let mut groups = world.places.values().flat_map(|place| place.groups.values());
    stage::acting(world) == before.alarms
        && stage::serving(&stopgap.aws, subjects) == before.targets
        && groups.all(|group| {
            group.suspended.is_empty()
                && group.replaced.is_empty()
                && group.desired == before.desired
                && group.members.values().all(|state| *state == LifecycleState::InService)
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use stopgap_core::inventory::SnapshotState;
    use stopgap_core::ports::Notice;
    use stopgap_core::records::Behind;

    use super::*;
    use crate::aws::Sabotage;
    use crate::faults::stage::{Setting, build, home};
    use crate::machines::Machines;

    /// A night in which nothing goes wrong, at rest.
    fn after_a_night(setting: Setting) -> Stage {
        let machines = Machines::shipped().expect("the machines are in order");
        let stage = build(&machines, setting, 1, 2).expect("the stage is in order");
        stage.stopgap.schedule(at(2, 0), at(2, 45));
        stage.stopgap.runtime.run_until(at(3, 11));
        stage
    }

    #[test]
    fn a_night_without_trouble_leaves_the_usual() {
        for setting in [
            Setting::Night,
            Setting::CompletedFirst,
            Setting::Suspend,
            Setting::Balanced,
            Setting::StoppedBefore,
            Setting::ShortPatience,
        ] {
            assert!(are_usual(&after_a_night(setting)), "{setting:?}");
        }
    }

    #[test]
    fn a_night_without_a_backup_does_not() {
        for setting in [Setting::Skip, Setting::Busy] {
            assert!(!are_usual(&after_a_night(setting)), "{setting:?}");
        }
    }

    /// What a night may leave that the next one meets.
    #[test]
    fn whatever_else_is_left_is_seen() {
        type Leave = fn(&mut World);
        fn put(world: &mut World, partition: &str, body: serde_json::Value) {
            let key = Key { partition: partition.to_owned(), sort: "one".to_owned() };
            world.table.insert(key, (1, body));
        }
        fn place(world: &mut World) -> &mut crate::aws::Place {
            world.places.get_mut(&home()).expect("there is a place")
        }
        fn newest(world: &mut World) -> &mut stopgap_core::inventory::Snapshot {
            let copies = place(world).snapshots.values_mut();
            &mut copies.max_by_key(|copy| copy.made).expect("there is a backup").snapshot
        }
        fn record<T: serde::de::DeserializeOwned>(world: &World, partition: &str) -> T {
            let mut of = world.table.iter().filter(|(key, _)| key.partition.starts_with(partition));
            let (_, (_, body)) = of.next().expect("a night leaves one");
            serde_json::from_value(body.clone()).expect("it is in order")
        }
        let leftovers: [(&str, Leave); 20] = [
            ("a lease", |world| put(world, "leases", json!({}))),
            ("an intent", |world| put(world, "intents", json!({}))),
            ("a slot", |world| put(world, "slots", json!({}))),
            ("what is to be sent", |world| put(world, "outbox", json!({}))),
            ("an open ticket", |world| put(world, "tickets", json!({ "status": "open", "sent": true }))),
            ("a ticket whose message is not out", |world| {
                put(world, "tickets", json!({ "status": "resolved", "sent": false }));
            }),
            ("a ticket that is open and not recorded", |world| {
                let document = json!({ "dedup_key": "one", "action": "open" });
                let (subject, text, chat) = (String::new(), String::new(), json!(null));
                let notice = Notice { subject, document, text, attributes: BTreeMap::new(), chat };
                world.published.push((at(3, 0), notice));
            }),
            ("a run that is not complete", |world| {
                let mut run: Run = record(world, "run#");
                run.state = RunState::Missed;
                put(world, "run#another", json!(run));
            }),
            ("a place that could not be read", |world| {
                let mut mark: PlannedUntil = record(world, "fleet");
                mark.behind.push(Behind { location: home(), until: at(1, 45) });
                world.table.insert(PlannedUntil::key(), (2, json!(mark)));
            }),
            ("a place in which something missed may be untold", |world| {
                let mut mark: PlannedUntil = record(world, "fleet");
                mark.untold.push(Behind { location: home(), until: at(1, 45) });
                world.table.insert(PlannedUntil::key(), (2, json!(mark)));
            }),
            ("a plan that was never made", |world| {
                world.table.insert(PlannedUntil::key(), (2, json!(PlannedUntil::everywhere(at(1, 45)))));
            }),
            ("another policy's backup that was deleted", |world| {
                let policy = set_tags::POLICY;
                place(world)
                    .snapshots
                    .retain(|_, copy| copy.snapshot.tags.get(policy).is_none_or(|of| of != "weekly"));
            }),
            ("an instance that is down", |world| {
                let mut running = place(world).machines.values_mut().filter(|machine| ran_before(machine));
                let machine = running.next().expect("there is an instance");
                machine.enter(at(3, 0), InstanceState::Stopped, None);
            }),
            ("an instance that is not selected any more", |world| {
                for machine in place(world).machines.values_mut() {
                    machine.instance.tags.remove("Backup");
                }
            }),
            ("a pending snapshot", |world| newest(world).state = SnapshotState::Pending),
            ("a set that is not whole", |world| {
                let day_before = format!("{POLICY}/2026-11-19T02:00:00Z");
                newest(world).tags.insert(set_tags::OCCURRENCE.to_owned(), day_before);
            }),
            ("suspended processes", |world| {
                let groups = place(world).groups.values_mut();
                groups.for_each(|group| group.suspended.extend(["Launch".to_owned()]));
            }),
            ("a capacity that is too small", |world| {
                place(world).groups.values_mut().for_each(|group| group.desired = 1);
            }),
            ("a member in Standby", |world| {
                for group in place(world).groups.values_mut() {
                    group.members.values_mut().for_each(|state| *state = LifecycleState::Standby);
                }
            }),
            ("silent alarms", |world| place(world).alarms.values_mut().for_each(|alarm| alarm.acts = false)),
        ];
        for (what, leave) in leftovers {
            let stage = after_a_night(Setting::Night);
            assert!(are_usual(&stage), "before: {what}");
            stage.stopgap.aws.change(leave);
            assert!(!are_usual(&stage), "{what}");
        }
    }

    #[test]
    fn a_target_that_gets_no_requests_is_seen() {
        let stage = after_a_night(Setting::Balanced);
        stage.stopgap.aws.change(|world| {
            let groups = world.places.values_mut().flat_map(|place| place.target_groups.values_mut());
            groups.for_each(|group| group.targets.clear());
        });
        assert!(!are_usual(&stage));
    }

    #[test]
    fn of_what_is_broken_on_purpose_nothing_is_usual() {
        let stage = after_a_night(Setting::Night);
        stage.stopgap.aws.change(|world| world.sabotage = Some(Sabotage::BlindLookup));
        assert!(!are_usual(&stage));
    }
}
