//! EC2 and Auto Scaling in accounts and Regions that are not home.

use stopgap_core::inventory::{InstanceState, Location};
use stopgap_core::ports::{FaultKind, Which};

use crate::instances::describe;
use crate::world::kind;
use crate::{World, contracts};

contracts! {
    an_instance_in_another_account_is_reached_by_a_role,
    an_instance_is_not_found_in_any_account_but_its_own,
    an_instance_is_not_found_in_any_region_but_its_own,
    an_account_without_the_role_denies_access,
}

async fn an_instance_in_another_account_is_reached_by_a_role(world: &dyn World) {
    let there = world.spoke().await;
    assert!(there.account != world.here().account && there.role.is_some());
    let id = world.add_instance(&there, 1).await;
    let instance = describe(world, &there, &id).await;
    assert_eq!((&instance.location, instance.state), (&there, InstanceState::Running));
    // What is written down of an instance says how to get there.
    assert_eq!(instance.location.role, there.role);
    assert_eq!(world.ports().auto_scaling.member(&there, &id).await, Ok(None));
    let change = world.ports().ec2.stop_instance(&there, &id).await.unwrap();
    assert_eq!(change.to, InstanceState::Stopping);
}

async fn not_found(world: &dyn World, id: &str, at: &Location) {
    let ids = Which::Ids(vec![id.to_owned()]);
    let answer = world.ports().ec2.describe_instances(at, &ids, None).await;
    assert_eq!(kind(answer).map(drop), Err(FaultKind::NotFound));
    assert_eq!(kind(world.ports().ec2.stop_instance(at, id).await), Err(FaultKind::NotFound));
}

async fn an_instance_is_not_found_in_any_account_but_its_own(world: &dyn World) {
    let there = world.spoke().await;
    let (ours, theirs) = (world.add_instance(&world.here(), 0).await, world.add_instance(&there, 0).await);
    not_found(world, &ours, &there).await;
    not_found(world, &theirs, &world.here()).await;
}

async fn an_instance_is_not_found_in_any_region_but_its_own(world: &dyn World) {
    let id = world.add_instance(&world.here(), 0).await;
    not_found(world, &id, &Location::new(world.here().account, "eu-west-3")).await;
}

async fn an_account_without_the_role_denies_access(world: &dyn World) {
    let role = Some("stopgap-spoke-of-nobody".to_owned());
    let there = Location::new("999999999999", world.here().region).by_role(role);
    let (ec2, auto_scaling) = (world.ports().ec2, world.ports().auto_scaling);
    let answer = ec2.describe_instances(&there, &Which::All, None).await;
    assert_eq!(kind(answer).map(drop), Err(FaultKind::AccessDenied));
    let answer = auto_scaling.member(&there, "i-0123456789abcdef0").await;
    assert_eq!(kind(answer), Err(FaultKind::AccessDenied));
}
