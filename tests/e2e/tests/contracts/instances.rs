//! EC2: instances and their volumes.

use std::collections::BTreeSet;

use stopgap_core::inventory::{Instance, InstanceState, Location};
use stopgap_core::ports::{FaultKind, Which, all_pages};

use crate::world::{eventually, kind};
use crate::{World, contracts};

contracts! {
    an_instance_is_described_with_its_volumes_and_tags,
    a_volume_is_described_with_its_size_tags_and_attachment,
    an_instance_nobody_knows_is_not_found,
    a_volume_nobody_knows_is_not_found,
    one_unknown_id_fails_the_whole_question,
    an_empty_list_of_ids_asks_nothing,
    more_instances_than_a_page_holds_come_in_pages,
    all_volumes_are_those_of_all_instances,
    an_instance_that_is_stopped_passes_through_stopping,
    stopping_what_is_stopped_is_no_error,
    an_instance_that_is_started_passes_through_pending,
    starting_what_runs_is_no_error,
    starting_what_is_still_stopping_is_a_conflict,
    stopping_what_is_terminated_is_a_conflict,
    starting_what_is_terminated_is_a_conflict,
    stopping_and_starting_what_nobody_knows_is_not_found,
    stopping_what_is_protected_is_rejected,
}

/// Has the form of an id, and belongs to nothing.
const NO_INSTANCE: &str = "i-0123456789abcdef0";

pub(crate) async fn describe(world: &dyn World, at: &Location, id: &str) -> Instance {
    let ids = Which::Ids(vec![id.to_owned()]);
    let page = eventually(world, "the instance", async || {
        // A read may lag behind the instance's start.
        world.ports().ec2.describe_instances(at, &ids, None).await.ok()
    });
    let page = page.await;
    assert_eq!((page.items.len(), page.next), (1, None));
    page.items.into_iter().next().unwrap()
}

async fn arrives(world: &dyn World, id: &str, state: InstanceState) {
    let here = world.here();
    let is_there = async || (describe(world, &here, id).await.state == state).then_some(());
    eventually(world, state.as_str(), is_there).await;
}

async fn add_instances(world: &dyn World, at: &Location, count: usize) -> BTreeSet<String> {
    let mut added = BTreeSet::new();
    for _ in 0..count {
        added.insert(world.add_instance(at, 0).await);
    }
    added
}

/// A running instance, brought to a stop.
async fn stopped(world: &dyn World) -> String {
    let id = world.add_instance(&world.here(), 0).await;
    world.ports().ec2.stop_instance(&world.here(), &id).await.unwrap();
    arrives(world, &id, InstanceState::Stopped).await;
    id
}

async fn an_instance_is_described_with_its_volumes_and_tags(world: &dyn World) {
    let id = world.add_instance(&world.here(), 2).await;
    let instance = describe(world, &world.here(), &id).await;
    assert_eq!(
        (&instance.id, &instance.location, instance.state),
        (&id, &world.here(), InstanceState::Running)
    );
    assert_eq!(instance.name(), Some("precious"));
    assert_eq!(instance.devices.len(), 3);
    let volumes: BTreeSet<_> = instance.devices.iter().map(|device| &device.volume_id).collect();
    let devices: BTreeSet<_> = instance.devices.iter().map(|device| &device.device).collect();
    assert_eq!((volumes.len(), devices.len()), (3, 3));
    let roots: Vec<bool> =
        instance.devices.iter().map(|device| instance.is_root(&device.volume_id)).collect();
    assert_eq!(roots.into_iter().filter(|is_root| *is_root).count(), 1, "one volume is the root");
    assert_eq!(instance.auto_scaling_group(), None);
}

async fn a_volume_is_described_with_its_size_tags_and_attachment(world: &dyn World) {
    let (here, id) = (world.here(), world.add_instance(&world.here(), 1).await);
    let devices = describe(world, &here, &id).await.devices;
    let ids = devices.iter().map(|device| device.volume_id.clone()).collect();
    let page = world.ports().ec2.describe_volumes(&here, &Which::Ids(ids), None).await.unwrap();
    assert_eq!((page.items.len(), page.next), (2, None));
    for volume in page.items {
        let device = devices.iter().find(|device| device.volume_id == volume.id).unwrap();
        assert_eq!(volume.size_gib, 8);
        assert_eq!(volume.tags.get("Data").map(String::as_str), Some("precious"));
        let attached: Vec<_> = volume.attachments.iter().map(|a| (&a.instance_id, &a.device)).collect();
        assert_eq!(attached, [(&id, &device.device)]);
    }
}

async fn an_instance_nobody_knows_is_not_found(world: &dyn World) {
    let unknown = Which::Ids(vec![NO_INSTANCE.to_owned()]);
    let answer = world.ports().ec2.describe_instances(&world.here(), &unknown, None).await;
    assert_eq!(kind(answer).map(drop), Err(FaultKind::NotFound));
}

async fn a_volume_nobody_knows_is_not_found(world: &dyn World) {
    let unknown = Which::Ids(vec!["vol-0123456789abcdef0".to_owned()]);
    let answer = world.ports().ec2.describe_volumes(&world.here(), &unknown, None).await;
    assert_eq!(kind(answer).map(drop), Err(FaultKind::NotFound));
}

async fn one_unknown_id_fails_the_whole_question(world: &dyn World) {
    let id = world.add_instance(&world.here(), 0).await;
    let ids = Which::Ids(vec![id, NO_INSTANCE.to_owned()]);
    let answer = world.ports().ec2.describe_instances(&world.here(), &ids, None).await;
    assert_eq!(kind(answer).map(drop), Err(FaultKind::NotFound));
}

async fn an_empty_list_of_ids_asks_nothing(world: &dyn World) {
    world.add_instance(&world.here(), 1).await;
    let (ec2, here, none) = (world.ports().ec2, world.here(), Which::Ids(Vec::new()));
    let instances = ec2.describe_instances(&here, &none, None).await.unwrap();
    let volumes = ec2.describe_volumes(&here, &none, None).await.unwrap();
    assert_eq!((instances.items, instances.next), (Vec::new(), None));
    assert_eq!((volumes.items, volumes.next), (Vec::new(), None));
}

async fn more_instances_than_a_page_holds_come_in_pages(world: &dyn World) {
    // Where nobody else has any.
    let there = Location::new(world.here().account, "eu-north-1");
    let added = add_instances(world, &there, world.page() + 1).await;
    let ec2 = world.ports().ec2;
    let first = ec2.describe_instances(&there, &Which::All, None).await.unwrap();
    assert!(first.next.is_some(), "{} instances at once", first.items.len());
    let all = all_pages(|page| ec2.describe_instances(&there, &Which::All, page)).await.unwrap();
    assert_eq!(all.len(), added.len());
    assert_eq!(all.into_iter().map(|instance| instance.id).collect::<BTreeSet<_>>(), added);
}

async fn all_volumes_are_those_of_all_instances(world: &dyn World) {
    let there = Location::new(world.here().account, "eu-central-1");
    let added = add_instances(world, &there, 3).await;
    let volumes =
        all_pages(|page| world.ports().ec2.describe_volumes(&there, &Which::All, page)).await.unwrap();
    let attached = volumes.iter().flat_map(|volume| &volume.attachments);
    assert_eq!(attached.map(|attachment| attachment.instance_id.clone()).collect::<BTreeSet<_>>(), added);
    assert_eq!(volumes.len(), 3);
}

async fn an_instance_that_is_stopped_passes_through_stopping(world: &dyn World) {
    let id = world.add_instance(&world.here(), 0).await;
    let change = world.ports().ec2.stop_instance(&world.here(), &id).await.unwrap();
    assert_eq!((change.from, change.to), (InstanceState::Running, InstanceState::Stopping));
    arrives(world, &id, InstanceState::Stopped).await;
}

async fn stopping_what_is_stopped_is_no_error(world: &dyn World) {
    let id = stopped(world).await;
    let change = world.ports().ec2.stop_instance(&world.here(), &id).await.unwrap();
    assert_eq!((change.from, change.to), (InstanceState::Stopped, InstanceState::Stopped));
    assert_eq!(describe(world, &world.here(), &id).await.state, InstanceState::Stopped);
}

async fn an_instance_that_is_started_passes_through_pending(world: &dyn World) {
    let id = stopped(world).await;
    let change = world.ports().ec2.start_instance(&world.here(), &id).await.unwrap();
    assert_eq!((change.from, change.to), (InstanceState::Stopped, InstanceState::Pending));
    arrives(world, &id, InstanceState::Running).await;
}

async fn starting_what_runs_is_no_error(world: &dyn World) {
    let id = world.add_instance(&world.here(), 0).await;
    let change = world.ports().ec2.start_instance(&world.here(), &id).await.unwrap();
    assert_eq!((change.from, change.to), (InstanceState::Running, InstanceState::Running));
    assert_eq!(describe(world, &world.here(), &id).await.state, InstanceState::Running);
}

async fn starting_what_is_still_stopping_is_a_conflict(world: &dyn World) {
    let (ec2, here) = (world.ports().ec2, world.here());
    // An instance may be stopped before the call comes; then another one is tried.
    let refused = eventually(world, "a start while the instance is stopping", async || {
        let id = world.add_instance(&here, 0).await;
        ec2.stop_instance(&here, &id).await.unwrap();
        kind(ec2.start_instance(&here, &id).await).err().map(|fault| (fault, id))
    });
    let (fault, id) = refused.await;
    assert_eq!(fault, FaultKind::Conflict);
    arrives(world, &id, InstanceState::Stopped).await;
}

async fn stopping_what_is_terminated_is_a_conflict(world: &dyn World) {
    let id = world.add_terminated_instance().await;
    let answer = world.ports().ec2.stop_instance(&world.here(), &id).await;
    assert_eq!(kind(answer), Err(FaultKind::Conflict));
}

async fn starting_what_is_terminated_is_a_conflict(world: &dyn World) {
    let id = world.add_terminated_instance().await;
    let answer = world.ports().ec2.start_instance(&world.here(), &id).await;
    assert_eq!(kind(answer), Err(FaultKind::Conflict));
}

async fn stopping_and_starting_what_nobody_knows_is_not_found(world: &dyn World) {
    let (ec2, here) = (world.ports().ec2, world.here());
    assert_eq!(kind(ec2.stop_instance(&here, NO_INSTANCE).await), Err(FaultKind::NotFound));
    assert_eq!(kind(ec2.start_instance(&here, NO_INSTANCE).await), Err(FaultKind::NotFound));
}

async fn stopping_what_is_protected_is_rejected(world: &dyn World) {
    let id = world.add_instance(&world.here(), 0).await;
    world.protect_from_stop(&id).await;
    let answer = world.ports().ec2.stop_instance(&world.here(), &id).await;
    assert_eq!(kind(answer), Err(FaultKind::Rejected));
    assert_eq!(describe(world, &world.here(), &id).await.state, InstanceState::Running);
}
