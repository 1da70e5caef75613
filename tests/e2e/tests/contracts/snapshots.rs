//! EC2: snapshots.

use std::collections::BTreeSet;

use stopgap_core::inventory::{Snapshot, SnapshotState, Tags};
use stopgap_core::ports::{CreateSnapshots, CreatedSnapshot, FaultKind, SnapshotQuery, all_pages};
use stopgap_core::set_tags;

use crate::instances::describe;
use crate::world::{eventually, kind};
use crate::{World, contracts};

contracts! {
    every_volume_is_snapshot_with_all_tags,
    snapshots_complete_by_themselves,
    the_root_volume_can_be_left_out,
    data_volumes_can_be_left_out,
    leaving_out_the_root_as_a_data_volume_is_rejected,
    snapshots_of_an_instance_nobody_knows_are_not_found,
    more_tags_than_a_snapshot_may_have_make_no_snapshot,
    a_reserved_tag_makes_no_snapshot,
    snapshots_of_an_instance_are_those_tagged_so,
    our_snapshots_are_those_that_carry_our_tags,
    more_snapshots_than_a_page_holds_come_in_pages,
    a_snapshot_nobody_knows_is_not_found,
    an_empty_list_of_snapshots_asks_nothing,
    tags_are_added_and_overwritten,
    tagging_nothing_is_done,
    tagging_one_snapshot_nobody_knows_is_not_found,
    tagging_beyond_the_limit_is_refused_and_changes_nothing,
    a_deleted_snapshot_is_gone,
    deleting_a_snapshot_twice_is_not_found,
    deleting_a_snapshot_of_an_image_is_a_conflict,
}

const NO_SNAPSHOT: &str = "snap-0123456789abcdef0";

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A request for all volumes, with the tags that stopgap gives every snapshot.
fn request(instance_id: &str) -> CreateSnapshots {
    let ours = [(set_tags::INSTANCE, instance_id), (set_tags::OCCURRENCE, "nightly/2026-11-21T02:00:00Z")];
    CreateSnapshots {
        instance_id: instance_id.to_owned(),
        exclude_root: false,
        exclude_volumes: Vec::new(),
        description: "nightly".to_owned(),
        tags: tags(&ours),
    }
}

async fn create(world: &dyn World, request: &CreateSnapshots) -> Vec<CreatedSnapshot> {
    world.ports().ec2.create_snapshots(&world.here(), request).await.unwrap()
}

/// The only snapshot of a new instance.
async fn one(world: &dyn World) -> String {
    let id = world.add_instance(&world.here(), 0).await;
    create(world, &request(&id)).await[0].id.clone()
}

fn ids(snapshots: &[CreatedSnapshot]) -> BTreeSet<String> {
    snapshots.iter().map(|snapshot| snapshot.id.clone()).collect()
}

fn volumes(snapshots: &[CreatedSnapshot]) -> BTreeSet<String> {
    snapshots.iter().map(|snapshot| snapshot.volume_id.clone()).collect()
}

async fn find(world: &dyn World, query: &SnapshotQuery) -> Vec<Snapshot> {
    let here = world.here();
    all_pages(|page| world.ports().ec2.describe_snapshots(&here, query, page)).await.unwrap()
}

/// The snapshots of an instance, once all are seen.
async fn of_instance(world: &dyn World, instance_id: &str, count: usize) -> Vec<Snapshot> {
    let query = SnapshotQuery::OfInstance(instance_id.to_owned());
    eventually(world, "all snapshots of the instance", async || {
        Some(find(world, &query).await).filter(|found| found.len() == count)
    })
    .await
}

/// The root volume of an instance, and its data volumes.
async fn disks(world: &dyn World, instance_id: &str) -> (String, Vec<String>) {
    let instance = describe(world, &world.here(), instance_id).await;
    let all = instance.devices.iter().map(|device| device.volume_id.clone());
    let (mut roots, data): (Vec<_>, Vec<_>) = all.partition(|id| instance.is_root(id));
    (roots.pop().unwrap(), data)
}

async fn every_volume_is_snapshot_with_all_tags(world: &dyn World) {
    let id = world.add_instance(&world.here(), 2).await;
    let (root, data) = disks(world, &id).await;
    let request = request(&id);
    let created = create(world, &request).await;
    assert_eq!(volumes(&created), data.into_iter().chain([root]).collect());
    for snapshot in of_instance(world, &id, 3).await {
        let made = created.iter().find(|made| made.id == snapshot.id).expect("no other");
        assert_eq!((&snapshot.volume_id, &snapshot.tags), (&made.volume_id, &request.tags));
        assert_eq!((snapshot.description.as_str(), snapshot.size_gib), ("nightly", 8));
        assert_eq!(snapshot.owner, Some(world.here().account));
        assert_eq!(snapshot.started_at.as_second(), made.started_at.as_second());
    }
}

async fn snapshots_complete_by_themselves(world: &dyn World) {
    let id = world.add_instance(&world.here(), 1).await;
    create(world, &request(&id)).await;
    let query = SnapshotQuery::OfInstance(id);
    eventually(world, "two complete snapshots", async || {
        let found = find(world, &query).await;
        let is_on_its_way =
            |s: &Snapshot| matches!(s.state, SnapshotState::Pending | SnapshotState::Completed);
        assert!(found.iter().all(is_on_its_way), "{found:?}");
        (found.iter().filter(|snapshot| snapshot.state == SnapshotState::Completed).count() == 2)
            .then_some(())
    })
    .await;
}

async fn the_root_volume_can_be_left_out(world: &dyn World) {
    let id = world.add_instance(&world.here(), 2).await;
    let (_, data) = disks(world, &id).await;
    let created = create(world, &CreateSnapshots { exclude_root: true, ..request(&id) }).await;
    assert_eq!(volumes(&created), data.into_iter().collect());
}

async fn data_volumes_can_be_left_out(world: &dyn World) {
    let id = world.add_instance(&world.here(), 2).await;
    let (root, data) = disks(world, &id).await;
    let request = CreateSnapshots { exclude_volumes: vec![data[0].clone()], ..request(&id) };
    assert_eq!(volumes(&create(world, &request).await), BTreeSet::from([root, data[1].clone()]));
}

async fn leaving_out_the_root_as_a_data_volume_is_rejected(world: &dyn World) {
    let id = world.add_instance(&world.here(), 1).await;
    let (root, _) = disks(world, &id).await;
    let request = CreateSnapshots { exclude_volumes: vec![root], ..request(&id) };
    let answer = world.ports().ec2.create_snapshots(&world.here(), &request).await;
    assert_eq!(kind(answer), Err(FaultKind::Rejected));
}

async fn snapshots_of_an_instance_nobody_knows_are_not_found(world: &dyn World) {
    let answer = world.ports().ec2.create_snapshots(&world.here(), &request("i-0123456789abcdef0")).await;
    assert_eq!(kind(answer), Err(FaultKind::NotFound));
}

fn many_tags(count: usize) -> Tags {
    (0..count).map(|n| (format!("key {n}"), String::new())).collect()
}

async fn more_tags_than_a_snapshot_may_have_make_no_snapshot(world: &dyn World) {
    let id = world.add_instance(&world.here(), 0).await;
    let mut request = request(&id);
    request.tags.extend(many_tags(49));
    let answer = world.ports().ec2.create_snapshots(&world.here(), &request).await;
    assert_eq!(kind(answer), Err(FaultKind::LimitExceeded));
    assert_eq!(find(world, &SnapshotQuery::OfInstance(id)).await, []);
}

async fn a_reserved_tag_makes_no_snapshot(world: &dyn World) {
    let id = world.add_instance(&world.here(), 0).await;
    let mut request = request(&id);
    request.tags.extend(tags(&[("aws:cloudformation:stack-name", "someone's")]));
    let answer = world.ports().ec2.create_snapshots(&world.here(), &request).await;
    assert_eq!(kind(answer), Err(FaultKind::Rejected));
    assert_eq!(find(world, &SnapshotQuery::OfInstance(id)).await, []);
}

async fn snapshots_of_an_instance_are_those_tagged_so(world: &dyn World) {
    let (one, other) =
        (world.add_instance(&world.here(), 1).await, world.add_instance(&world.here(), 1).await);
    let mut created = create(world, &request(&one)).await;
    created.extend(create(world, &request(&one)).await);
    create(world, &request(&other)).await;
    world.add_image(&one).await;
    let found = of_instance(world, &one, 4).await;
    assert_eq!(found.into_iter().map(|snapshot| snapshot.id).collect::<BTreeSet<_>>(), ids(&created));
}

async fn our_snapshots_are_those_that_carry_our_tags(world: &dyn World) {
    let id = world.add_instance(&world.here(), 1).await;
    let ours = ids(&create(world, &request(&id)).await);
    let others = create(world, &CreateSnapshots { tags: tags(&[("made-by", "hand")]), ..request(&id) }).await;
    let image = world.add_image(&id).await;
    let found = eventually(world, "our snapshots", async || {
        let found: BTreeSet<String> =
            find(world, &SnapshotQuery::Ours).await.into_iter().map(|snapshot| snapshot.id).collect();
        found.is_superset(&ours).then_some(found)
    });
    let found = found.await;
    assert!(found.is_disjoint(&ids(&others)) && !found.contains(&image), "{found:?}");
}

async fn more_snapshots_than_a_page_holds_come_in_pages(world: &dyn World) {
    let id = world.add_instance(&world.here(), 20).await;
    let mut created = BTreeSet::new();
    while created.len() <= world.page() {
        match world.ports().ec2.create_snapshots(&world.here(), &request(&id)).await {
            Ok(made) => created.extend(ids(&made)),
            // Some of each volume have to complete first.
            Err(fault) if fault.kind == FaultKind::LimitExceeded => world.wait().await,
            Err(fault) => panic!("{fault:?}"),
        }
    }
    let found = of_instance(world, &id, created.len()).await;
    assert_eq!(found.into_iter().map(|snapshot| snapshot.id).collect::<BTreeSet<_>>(), created);
    let query = SnapshotQuery::OfInstance(id);
    let first = world.ports().ec2.describe_snapshots(&world.here(), &query, None).await.unwrap();
    assert!(first.next.is_some(), "{} snapshots at once", first.items.len());
}

async fn a_snapshot_nobody_knows_is_not_found(world: &dyn World) {
    let there = one(world).await;
    for asked in [vec![NO_SNAPSHOT.to_owned()], vec![there, NO_SNAPSHOT.to_owned()]] {
        let query = SnapshotQuery::Ids(asked);
        let answer = world.ports().ec2.describe_snapshots(&world.here(), &query, None).await;
        assert_eq!(kind(answer).map(drop), Err(FaultKind::NotFound));
    }
}

async fn an_empty_list_of_snapshots_asks_nothing(world: &dyn World) {
    one(world).await;
    assert_eq!(find(world, &SnapshotQuery::Ids(Vec::new())).await, []);
}

async fn seen(world: &dyn World, snapshot_id: &str) -> Snapshot {
    let query = SnapshotQuery::Ids(vec![snapshot_id.to_owned()]);
    let found = eventually(world, "the snapshot", async || {
        world.ports().ec2.describe_snapshots(&world.here(), &query, None).await.ok()
    });
    found.await.items.into_iter().next().unwrap()
}

async fn tags_are_added_and_overwritten(world: &dyn World) {
    let id = world.add_instance(&world.here(), 1).await;
    let snapshots: Vec<String> = ids(&create(world, &request(&id)).await).into_iter().collect();
    for add in [tags(&[("device", "/dev/xvda"), ("Data", "precious")]), tags(&[("device", "/dev/sdf")])] {
        world.ports().ec2.tag_snapshots(&world.here(), &snapshots, &add).await.unwrap();
    }
    for snapshot in &snapshots {
        let mut expected = request(&id).tags;
        expected.extend(tags(&[("device", "/dev/sdf"), ("Data", "precious")]));
        assert_eq!(seen(world, snapshot).await.tags, expected);
    }
}

async fn tagging_nothing_is_done(world: &dyn World) {
    let (ec2, here, id) = (world.ports().ec2, world.here(), one(world).await);
    let before = seen(world, &id).await.tags;
    assert_eq!(ec2.tag_snapshots(&here, &[], &tags(&[("a", "b")])).await, Ok(()));
    assert_eq!(ec2.tag_snapshots(&here, std::slice::from_ref(&id), &Tags::new()).await, Ok(()));
    assert_eq!(seen(world, &id).await.tags, before);
}

async fn tagging_one_snapshot_nobody_knows_is_not_found(world: &dyn World) {
    let there = one(world).await;
    let before = seen(world, &there).await.tags;
    let asked = [there.clone(), NO_SNAPSHOT.to_owned()];
    let answer = world.ports().ec2.tag_snapshots(&world.here(), &asked, &tags(&[("a", "b")])).await;
    assert_eq!(kind(answer), Err(FaultKind::NotFound));
    assert_eq!(seen(world, &there).await.tags, before);
}

async fn tagging_beyond_the_limit_is_refused_and_changes_nothing(world: &dyn World) {
    let (ec2, here, id) = (world.ports().ec2, world.here(), one(world).await);
    let before = seen(world, &id).await.tags;
    let asked = std::slice::from_ref(&id);
    assert_eq!(kind(ec2.tag_snapshots(&here, asked, &many_tags(49)).await), Err(FaultKind::LimitExceeded));
    assert_eq!(seen(world, &id).await.tags, before);
    assert_eq!(ec2.tag_snapshots(&here, asked, &many_tags(48)).await, Ok(()));
    assert_eq!(seen(world, &id).await.tags.len(), 50);
}

async fn a_deleted_snapshot_is_gone(world: &dyn World) {
    let id = world.add_instance(&world.here(), 1).await;
    let created = create(world, &request(&id)).await;
    world.ports().ec2.delete_snapshot(&world.here(), &created[0].id).await.unwrap();
    assert_eq!(of_instance(world, &id, 1).await[0].id, created[1].id);
}

async fn deleting_a_snapshot_twice_is_not_found(world: &dyn World) {
    let (ec2, here, id) = (world.ports().ec2, world.here(), one(world).await);
    assert_eq!(ec2.delete_snapshot(&here, &id).await, Ok(()));
    assert_eq!(kind(ec2.delete_snapshot(&here, &id).await), Err(FaultKind::NotFound));
}

async fn deleting_a_snapshot_of_an_image_is_a_conflict(world: &dyn World) {
    let instance = world.add_instance(&world.here(), 0).await;
    let id = world.add_image(&instance).await;
    assert_eq!(kind(world.ports().ec2.delete_snapshot(&world.here(), &id).await), Err(FaultKind::Conflict));
    assert_eq!(seen(world, &id).await.id, id);
}
