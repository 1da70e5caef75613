//! A story for each kind of ticket: what goes wrong on the shipped machines, goes on going wrong, and is mended.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::Timestamp;
use serde_json::json;
use stopgap_core::inventory::Location;
use stopgap_core::policy::ROLE_PREFIX;
use stopgap_core::ports::{FaultKind, Notice};
use stopgap_core::ticket::Kind;
use stopgap_sim::aws::{FaultName, Injection, InstanceSpec, Site, Wrong};
use stopgap_tests::{Scene, evening, home, nightly};

/// What is published from the trouble to its end, of each kind. They are told once.
pub(crate) fn tell(kind: Kind) -> &'static [Notice] {
    static TOLD: OnceLock<BTreeMap<Kind, Vec<Notice>>> = OnceLock::new();
    let told = TOLD.get_or_init(|| Kind::ALL.iter().map(|kind| (*kind, told(*kind))).collect());
    &told[&kind]
}

fn told(kind: Kind) -> Vec<Notice> {
    let scene = match kind {
        Kind::LeftStopped => left_stopped(),
        Kind::RescueFailed => rescue_failed(),
        Kind::BackupFailed => backup_failed(),
        Kind::BackupMissed => backup_missed(),
        Kind::BackupRefused => backup_refused(),
        Kind::AlarmsSilenced => alarms_silenced(),
        Kind::PruneFailed => prune_failed(),
        Kind::TagsIncomplete => tags_incomplete(),
        Kind::PlanFailed => plan_failed(),
    };
    scene.stopgap.aws.look(|world| world.published.iter().map(|(_, notice)| notice.clone()).collect())
}

fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

fn until(scene: &Scene, time: &str) {
    scene.stopgap.runtime.run_until(at(time));
}

/// A scene with fleet and rescuer at work for three nights.
fn at_work(scene: Scene) -> Scene {
    scene.stopgap.schedule(evening(), at("2026-11-23T08:00:00Z"));
    scene.stopgap.rescue(evening(), at("2026-11-23T08:00:00Z"));
    scene
}

fn named(spec: InstanceSpec) -> InstanceSpec {
    spec.tag("Name", "orders-db")
}

fn faults(scene: &Scene, id: &str, faults: &[FaultName]) {
    scene.stopgap.aws.change(|world| {
        world.machine_mut(id).expect("it is there").faults = faults.iter().copied().collect();
    });
}

/// No capacity; then capacity, and no grant for the key; then all is well.
fn left_stopped() -> Scene {
    let scene = at_work(Scene::nightly(1));
    let id = scene.add(|spec| named(spec).fault(FaultName::NoCapacity));
    until(&scene, "2026-11-21T02:30:00Z");
    faults(&scene, &id, &[FaultName::KmsGrantMissing]);
    until(&scene, "2026-11-21T03:00:00Z");
    faults(&scene, &id, &[]);
    until(&scene, "2026-11-22T01:00:00Z");
    scene
}

/// The rescuer may not read the table; then the table is out of order; then all is well.
fn rescue_failed() -> Scene {
    let scene = Scene::nightly(2);
    scene.stopgap.rescue(evening(), at("2026-11-21T04:00:00Z"));
    until(&scene, "2026-11-21T01:59:00Z");
    // The first call of a look is its only one then.
    for (nth, kind) in [(1, FaultKind::AccessDenied), (2, FaultKind::AccessDenied), (3, FaultKind::NotFound)]
    {
        let at = Site::new("rescue.FindDebts", "Query", nth);
        scene.stopgap.aws.change(|world| {
            world.watch.arm(Injection { at, lasts: false, wrong: Wrong::Refused(kind) });
        });
    }
    until(&scene, "2026-11-21T03:00:00Z");
    scene
}

/// Snapshots that end in error for two nights.
fn backup_failed() -> Scene {
    let scene = at_work(Scene::nightly(3));
    let id = scene.add(|spec| named(spec).fault(FaultName::SnapshotError));
    until(&scene, "2026-11-22T12:00:00Z");
    faults(&scene, &id, &[]);
    until(&scene, "2026-11-23T08:00:00Z");
    scene
}

/// Nobody plans for two nights.
fn backup_missed() -> Scene {
    let scene = Scene::nightly(4);
    scene.add(named);
    for (from, to) in [
        ("2026-11-21T01:45:00Z", "2026-11-21T01:45:00Z"),
        ("2026-11-21T05:00:00Z", "2026-11-22T01:45:00Z"),
        ("2026-11-22T05:00:00Z", "2026-11-23T04:00:00Z"),
    ] {
        scene.stopgap.schedule(at(from), at(to));
    }
    until(&scene, "2026-11-23T08:00:00Z");
    scene
}

/// A member of a group that the policy says to leave alone, asked for by hand three times; at last the group is gone.
fn backup_refused() -> Scene {
    let scene = Scene::new(5, &[nightly(json!({ "autoscaling": "skip" }))]);
    let id = scene.add(named);
    scene.group(1, &[&id], 0);
    for morning in ["2026-11-21T09:00:00Z", "2026-11-22T09:00:00Z", "2026-11-23T09:00:00Z"] {
        until(&scene, morning);
        if morning.starts_with("2026-11-23") {
            scene.stopgap.aws.change(|world| {
                for place in world.places.values_mut() {
                    place.groups.clear();
                }
            });
        }
        scene.start(json!({ "instance_id": id }));
    }
    until(&scene, "2026-11-23T12:00:00Z");
    scene
}

/// The alarms of an instance cannot be switched on again; the rescuer can, a few minutes later.
fn alarms_silenced() -> Scene {
    let scene = at_work(Scene::new(9, &[nightly(json!({ "alarms": "silence" }))]));
    let id = scene.add(named);
    scene.stopgap.aws.add_alarm(&home(), "orders-db is not responding", &[&id], true);
    refuse(&scene, "RestoreAlarms", "EnableAlarmActions");
    until(&scene, "2026-11-22T12:00:00Z");
    scene
}

/// The first deletion is refused.
fn prune_failed() -> Scene {
    let scene = at_work(Scene::nightly(6));
    let id = scene.add(named);
    for day in 10..16 {
        scene.add_set(&id, at(&format!("2026-11-{day}T02:00:00Z")));
    }
    refuse(&scene, "PruneSnapshots", "DeleteSnapshot");
    until(&scene, "2026-11-22T12:00:00Z");
    scene
}

/// Refuses the first such call, as if a right were missing.
fn refuse(scene: &Scene, state: &str, operation: &'static str) {
    scene.stopgap.aws.change(|world| {
        let at = Site::new(state, operation, 1);
        world.watch.arm(Injection { at, lasts: false, wrong: Wrong::Refused(FaultKind::AccessDenied) });
    });
}

/// More tags than a snapshot takes, for two nights.
fn tags_incomplete() -> Scene {
    let scene = at_work(Scene::nightly(7));
    let many = |mut spec: InstanceSpec| {
        spec.tags.extend((0..48).map(|n| (format!("Tag{n:02}"), "x".to_owned())));
        spec
    };
    let id = scene.add(|spec| many(named(spec)));
    until(&scene, "2026-11-22T12:00:00Z");
    scene.stopgap.aws.change(|world| {
        let machine = world.machine_mut(&id).expect("it is there");
        machine.instance.tags.retain(|key, _| !key.starts_with("Tag4"));
    });
    until(&scene, "2026-11-23T08:00:00Z");
    scene
}

/// An account whose role does not let stopgap in.
fn plan_failed() -> Scene {
    let account = "111122223333";
    let scene = at_work(Scene::new(8, &[nightly(json!({ "targets": [{ "account": account }] }))]));
    scene.add(|spec| named(spec).at(&Location::new(account, &home().region)));
    until(&scene, "2026-11-21T02:50:00Z");
    scene.stopgap.aws.add_role(account, ROLE_PREFIX);
    until(&scene, "2026-11-21T08:00:00Z");
    scene
}
