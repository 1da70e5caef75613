//! What a preflight asks of EC2 and KMS.

use stopgap_core::inventory::SnapshotState;
use stopgap_core::ports::{CreateSnapshots, FaultKind, SnapshotQuery, all_pages};

use crate::instances::describe;
use crate::world::{eventually, kind};
use crate::{World, contracts};

contracts! {
    stop_protection_is_told,
    stop_protection_of_what_nobody_knows_is_not_found,
    an_instance_without_a_scheduled_event_has_none,
    a_volume_that_was_never_modified_is_no_error,
    an_instance_type_with_a_store_of_its_own_is_told_and_one_without_is_not,
    a_spot_request_nobody_knows_is_no_error,
    pending_snapshots_are_told_of_the_volumes_that_are_asked_about,
    a_key_is_enabled_until_it_is_disabled,
    a_key_nobody_knows_is_not_found,
    nothing_is_asked_about_nothing,
}

async fn volumes(world: &dyn World, id: &str) -> Vec<String> {
    let devices = describe(world, &world.here(), id).await.devices;
    devices.into_iter().map(|device| device.volume_id).collect()
}

async fn stop_protection_is_told(world: &dyn World) {
    let id = world.add_instance(&world.here(), 0).await;
    let ask = async || world.ports().ec2.is_stop_protected(&world.here(), &id).await;
    assert_eq!(kind(ask().await), Ok(false));
    world.protect_from_stop(&id).await;
    assert_eq!(kind(ask().await), Ok(true));
}

async fn stop_protection_of_what_nobody_knows_is_not_found(world: &dyn World) {
    let answer = world.ports().ec2.is_stop_protected(&world.here(), "i-0123456789abcdef0").await;
    assert_eq!(kind(answer), Err(FaultKind::NotFound));
}

async fn an_instance_without_a_scheduled_event_has_none(world: &dyn World) {
    let id = world.add_instance(&world.here(), 0).await;
    let answer = world.ports().ec2.scheduled_events(&world.here(), &[id]).await;
    assert_eq!(kind(answer), Ok(Vec::new()));
}

async fn a_volume_that_was_never_modified_is_no_error(world: &dyn World) {
    let id = world.add_instance(&world.here(), 1).await;
    let volumes = volumes(world, &id).await;
    let (ec2, here) = (world.ports().ec2, world.here());
    let answer = all_pages(|page| ec2.modifications(&here, &volumes, page)).await;
    assert_eq!(kind(answer), Ok(Vec::new()));
}

async fn an_instance_type_with_a_store_of_its_own_is_told_and_one_without_is_not(world: &dyn World) {
    let types = ["i3.large", "t3.micro", "no.such"].map(str::to_owned);
    let (ec2, here) = (world.ports().ec2, world.here());
    let found = kind(all_pages(|page| ec2.instance_storage(&here, &types, page)).await).unwrap();
    let found: Vec<_> =
        found.iter().map(|storage| (storage.instance_type.as_str(), storage.size_gb)).collect();
    assert_eq!(found, [("i3.large", 475)]);
}

async fn a_spot_request_nobody_knows_is_no_error(world: &dyn World) {
    let (ec2, here) = (world.ports().ec2, world.here());
    let unknown = ["sir-12345678".to_owned()];
    let answer = all_pages(|page| ec2.spot_requests(&here, &unknown, page)).await;
    assert_eq!(kind(answer), Ok(Vec::new()));
}

async fn pending_snapshots_are_told_of_the_volumes_that_are_asked_about(world: &dyn World) {
    let (ec2, here) = (world.ports().ec2, world.here());
    let (id, other) = (world.add_instance(&here, 1).await, world.add_instance(&here, 0).await);
    let volumes = volumes(world, &id).await;
    for instance_id in [&id, &other] {
        let request = CreateSnapshots {
            instance_id: instance_id.clone(),
            exclude_root: false,
            exclude_volumes: Vec::new(),
            description: String::new(),
            tags: [("k".to_owned(), "v".to_owned())].into(),
        };
        ec2.create_snapshots(&here, &request).await.unwrap();
    }
    let query = SnapshotQuery::PendingOf(volumes[..1].to_vec());
    let pending = async || kind(all_pages(|page| ec2.describe_snapshots(&here, &query, page)).await).unwrap();
    let seen = eventually(world, "the pending snapshot", async || {
        Some(pending().await).filter(|found| !found.is_empty())
    })
    .await;
    let of: Vec<_> = seen.iter().map(|snapshot| (&snapshot.volume_id, snapshot.state)).collect();
    assert_eq!(of, [(&volumes[0], SnapshotState::Pending)]);
    eventually(world, "its end", async || pending().await.is_empty().then_some(())).await;
}

async fn a_key_is_enabled_until_it_is_disabled(world: &dyn World) {
    let key = world.add_key().await;
    let ask = async || kind(world.ports().keys.key_state(&world.here(), &key).await).unwrap();
    assert!(!ask().await.is_unusable());
    world.disable_key(&key).await;
    assert_eq!(ask().await.0, "Disabled");
    assert!(ask().await.is_unusable());
}

async fn a_key_nobody_knows_is_not_found(world: &dyn World) {
    let here = world.here();
    let key =
        format!("arn:aws:kms:{}:{}:key/00000000-0000-0000-0000-000000000000", here.region, here.account);
    let answer = world.ports().keys.key_state(&here, &key).await;
    assert_eq!(kind(answer), Err(FaultKind::NotFound));
}

async fn nothing_is_asked_about_nothing(world: &dyn World) {
    let (ec2, here) = (world.ports().ec2, world.here());
    world.add_instance(&here, 0).await;
    assert_eq!(kind(ec2.scheduled_events(&here, &[]).await), Ok(Vec::new()));
    assert!(ec2.modifications(&here, &[], None).await.unwrap().items.is_empty());
    assert!(ec2.instance_storage(&here, &[], None).await.unwrap().items.is_empty());
    assert!(ec2.spot_requests(&here, &[], None).await.unwrap().items.is_empty());
    let none = SnapshotQuery::PendingOf(Vec::new());
    assert!(ec2.describe_snapshots(&here, &none, None).await.unwrap().items.is_empty());
}
