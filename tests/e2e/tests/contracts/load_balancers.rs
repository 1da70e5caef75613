//! The target groups of load balancers.

use stopgap_core::ports::{FaultKind, Health, Registration, Target, all_pages};

use crate::world::{eventually, kind};
use crate::{World, contracts};

contracts! {
    a_group_of_instances_is_among_all_groups,
    a_new_group_has_no_targets,
    an_instance_is_registered_once_for_each_port,
    registering_twice_is_once,
    what_is_deregistered_is_drained_and_gone,
    deregistering_what_is_not_registered_is_no_error,
    what_drains_can_be_registered_again,
    an_instance_that_is_not_running_is_not_registered,
    a_target_group_nobody_knows_is_not_found,
}

const NO_GROUP: &str =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/nobody/0123456789abcdef";

fn ports(ports: &[u16]) -> Vec<Registration> {
    ports.iter().map(|port| Registration { port: *port, quic_server_id: None }).collect()
}

async fn targets(world: &dyn World, group: &str) -> Vec<Target> {
    let mut found = world.ports().load_balancers.targets(&world.here(), group).await.unwrap();
    found.sort_by(|a, b| a.registration.cmp(&b.registration));
    found
}

/// Registers an instance, and waits until it serves.
async fn register(world: &dyn World, group: &str, id: &str, some: &[u16]) {
    let (load_balancers, here) = (world.ports().load_balancers, world.here());
    load_balancers.register_targets(&here, group, id, &ports(some)).await.unwrap();
    healthy(world, group, some.len()).await;
}

async fn healthy(world: &dyn World, group: &str, count: usize) {
    eventually(world, "healthy targets", async || {
        let found = targets(world, group).await;
        (found.len() == count && found.iter().all(|target| target.health == Health::Healthy)).then_some(())
    })
    .await;
}

async fn a_group_of_instances_is_among_all_groups(world: &dyn World) {
    let (group, other) = (world.add_target_group().await, world.add_target_group().await);
    let (load_balancers, here) = (world.ports().load_balancers, world.here());
    let all = all_pages(|page| load_balancers.target_groups(&here, page)).await.unwrap();
    for group in [group, other] {
        assert_eq!(all.iter().filter(|found| **found == group).count(), 1, "{all:?}");
    }
}

async fn a_new_group_has_no_targets(world: &dyn World) {
    let group = world.add_target_group().await;
    assert_eq!(targets(world, &group).await, []);
}

async fn an_instance_is_registered_once_for_each_port(world: &dyn World) {
    let group = world.add_target_group().await;
    let (one, other) =
        (world.add_instance(&world.here(), 0).await, world.add_instance(&world.here(), 0).await);
    register(world, &group, &one, &[80, 8080]).await;
    let load_balancers = world.ports().load_balancers;
    load_balancers.register_targets(&world.here(), &group, &other, &ports(&[80])).await.unwrap();
    let mut found: Vec<_> = targets(world, &group)
        .await
        .into_iter()
        .map(|target| (target.instance, target.registration.port))
        .collect();
    found.sort();
    let mut expected = vec![(one.clone(), 80), (one, 8080), (other, 80)];
    expected.sort();
    assert_eq!(found, expected);
}

async fn registering_twice_is_once(world: &dyn World) {
    let group = world.add_target_group().await;
    let id = world.add_instance(&world.here(), 0).await;
    register(world, &group, &id, &[80]).await;
    let load_balancers = world.ports().load_balancers;
    load_balancers.register_targets(&world.here(), &group, &id, &ports(&[80])).await.unwrap();
    let found = targets(world, &group).await;
    assert_eq!(
        found.iter().map(|target| target.health).collect::<Vec<_>>(),
        [Health::Healthy],
        "it stays as it is"
    );
}

async fn what_is_deregistered_is_drained_and_gone(world: &dyn World) {
    let group = world.add_target_group().await;
    let (one, other) =
        (world.add_instance(&world.here(), 0).await, world.add_instance(&world.here(), 0).await);
    register(world, &group, &one, &[80]).await;
    let load_balancers = world.ports().load_balancers;
    load_balancers.register_targets(&world.here(), &group, &other, &ports(&[80])).await.unwrap();
    healthy(world, &group, 2).await;
    load_balancers.deregister_targets(&world.here(), &group, &other, &ports(&[80])).await.unwrap();
    eventually(world, "the end of draining", async || {
        let found = targets(world, &group).await;
        let of = |id: &str| found.iter().find(|target| target.instance == id).map(|target| target.health);
        assert_eq!(of(&one), Some(Health::Healthy), "the other stays");
        assert!(matches!(of(&other), None | Some(Health::Draining)), "{found:?}");
        of(&other).is_none().then_some(())
    })
    .await;
}

async fn deregistering_what_is_not_registered_is_no_error(world: &dyn World) {
    let group = world.add_target_group().await;
    let id = world.add_instance(&world.here(), 0).await;
    let load_balancers = world.ports().load_balancers;
    let answer = load_balancers.deregister_targets(&world.here(), &group, &id, &ports(&[80])).await;
    assert_eq!(kind(answer), Ok(()));
}

async fn what_drains_can_be_registered_again(world: &dyn World) {
    let group = world.add_target_group().await;
    let id = world.add_instance(&world.here(), 0).await;
    register(world, &group, &id, &[80]).await;
    let load_balancers = world.ports().load_balancers;
    load_balancers.deregister_targets(&world.here(), &group, &id, &ports(&[80])).await.unwrap();
    register(world, &group, &id, &[80]).await;
}

async fn an_instance_that_is_not_running_is_not_registered(world: &dyn World) {
    let group = world.add_target_group().await;
    let id = world.add_terminated_instance().await;
    let load_balancers = world.ports().load_balancers;
    let answer = load_balancers.register_targets(&world.here(), &group, &id, &ports(&[80])).await;
    assert_eq!(kind(answer), Err(FaultKind::Rejected));
    assert_eq!(targets(world, &group).await, []);
}

async fn a_target_group_nobody_knows_is_not_found(world: &dyn World) {
    let (load_balancers, here, some) = (world.ports().load_balancers, world.here(), ports(&[80]));
    assert_eq!(kind(load_balancers.targets(&here, NO_GROUP).await), Err(FaultKind::NotFound));
    let answers = [
        load_balancers.register_targets(&here, NO_GROUP, "i-1", &some).await,
        load_balancers.deregister_targets(&here, NO_GROUP, "i-1", &some).await,
    ];
    assert_eq!(answers.map(kind), [Err(FaultKind::NotFound), Err(FaultKind::NotFound)]);
}
