//! EC2 Auto Scaling.

use std::collections::BTreeSet;

use stopgap_core::ports::{FaultKind, LifecycleState, Member};

use crate::instances::describe;
use crate::world::{eventually, kind};
use crate::{World, contracts};

contracts! {
    an_instance_of_no_group_is_no_member,
    a_member_is_in_service_in_its_group,
    a_member_carries_the_tag_of_its_group,
    a_member_can_go_into_standby_and_come_back,
    standby_below_the_minimum_is_rejected,
    standby_of_what_is_in_standby_is_rejected,
    leaving_standby_without_being_in_it_is_rejected,
    standby_of_what_is_no_member_is_rejected,
    a_group_tells_its_capacity_and_where_its_members_are,
    a_new_group_has_no_suspended_processes,
    suspended_processes_are_those_suspended_and_not_resumed,
    suspending_and_resuming_nothing_changes_nothing,
    a_group_nobody_knows_is_not_found,
    changing_a_group_nobody_knows_is_rejected,
}

const NO_GROUP: &str = "nobody's";

fn processes(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn lifecycle(world: &dyn World, id: &str) -> Option<LifecycleState> {
    let member = world.ports().auto_scaling.member(&world.here(), id).await.unwrap();
    member.map(|member| member.lifecycle)
}

async fn suspended(world: &dyn World, group: &str) -> BTreeSet<String> {
    world.ports().auto_scaling.group(&world.here(), group).await.unwrap().suspended
}

/// Waits until a member arrives, passing through nothing but `through`.
async fn arrives(world: &dyn World, id: &str, through: LifecycleState, at: LifecycleState) {
    eventually(world, "the member's state", async || {
        let state = lifecycle(world, id).await.unwrap();
        assert!([through, at].contains(&state), "{state:?}");
        (state == at).then_some(())
    })
    .await;
}

async fn an_instance_of_no_group_is_no_member(world: &dyn World) {
    world.add_group(0, 1).await;
    let id = world.add_instance(&world.here(), 0).await;
    assert_eq!(world.ports().auto_scaling.member(&world.here(), &id).await, Ok(None));
}

async fn a_member_is_in_service_in_its_group(world: &dyn World) {
    let (group, ids) = world.add_group(0, 2).await;
    assert_eq!(ids.len(), 2);
    for id in ids {
        let member = world.ports().auto_scaling.member(&world.here(), &id).await.unwrap();
        assert_eq!(member, Some(Member { group: group.clone(), lifecycle: LifecycleState::InService }));
    }
}

async fn a_member_carries_the_tag_of_its_group(world: &dyn World) {
    let (group, ids) = world.add_group(0, 1).await;
    let instance = describe(world, &world.here(), &ids[0]).await;
    assert_eq!(instance.auto_scaling_group(), Some(group.as_str()));
}

async fn a_member_can_go_into_standby_and_come_back(world: &dyn World) {
    let (group, ids) = world.add_group(0, 2).await;
    let (auto_scaling, here) = (world.ports().auto_scaling, world.here());
    for _ in 0..2 {
        assert_eq!(auto_scaling.enter_standby(&here, &group, &ids[0]).await, Ok(()));
        arrives(world, &ids[0], LifecycleState::EnteringStandby, LifecycleState::Standby).await;
        assert_eq!(lifecycle(world, &ids[1]).await, Some(LifecycleState::InService));
        assert_eq!(auto_scaling.exit_standby(&here, &group, &ids[0]).await, Ok(()));
        arrives(world, &ids[0], LifecycleState::Pending, LifecycleState::InService).await;
    }
}

async fn standby_below_the_minimum_is_rejected(world: &dyn World) {
    let (group, ids) = world.add_group(1, 2).await;
    let (auto_scaling, here) = (world.ports().auto_scaling, world.here());
    assert_eq!(auto_scaling.enter_standby(&here, &group, &ids[0]).await, Ok(()));
    let answer = auto_scaling.enter_standby(&here, &group, &ids[1]).await;
    assert_eq!(kind(answer), Err(FaultKind::Rejected));
    assert_eq!(lifecycle(world, &ids[1]).await, Some(LifecycleState::InService));
}

async fn standby_of_what_is_in_standby_is_rejected(world: &dyn World) {
    let (group, ids) = world.add_group(0, 2).await;
    let (auto_scaling, here) = (world.ports().auto_scaling, world.here());
    assert_eq!(auto_scaling.enter_standby(&here, &group, &ids[0]).await, Ok(()));
    let answer = auto_scaling.enter_standby(&here, &group, &ids[0]).await;
    assert_eq!(kind(answer), Err(FaultKind::Rejected));
}

async fn leaving_standby_without_being_in_it_is_rejected(world: &dyn World) {
    let (group, ids) = world.add_group(0, 1).await;
    let answer = world.ports().auto_scaling.exit_standby(&world.here(), &group, &ids[0]).await;
    assert_eq!(kind(answer), Err(FaultKind::Rejected));
}

async fn standby_of_what_is_no_member_is_rejected(world: &dyn World) {
    let (group, _) = world.add_group(0, 1).await;
    let id = world.add_instance(&world.here(), 0).await;
    let answer = world.ports().auto_scaling.enter_standby(&world.here(), &group, &id).await;
    assert_eq!(kind(answer), Err(FaultKind::Rejected));
}

async fn a_group_tells_its_capacity_and_where_its_members_are(world: &dyn World) {
    let (group, ids) = world.add_group(1, 2).await;
    let (auto_scaling, here) = (world.ports().auto_scaling, world.here());
    let found = auto_scaling.group(&here, &group).await.unwrap();
    let in_service = ids.iter().map(|id| (id.clone(), LifecycleState::InService)).collect();
    assert_eq!((found.minimum, found.desired, found.members), (1, 2, in_service));
    auto_scaling.enter_standby(&here, &group, &ids[0]).await.unwrap();
    arrives(world, &ids[0], LifecycleState::EnteringStandby, LifecycleState::Standby).await;
    let found = auto_scaling.group(&here, &group).await.unwrap();
    assert_eq!((found.minimum, found.desired), (1, 1));
    assert_eq!(
        (found.members[&ids[0]], found.members[&ids[1]]),
        (LifecycleState::Standby, LifecycleState::InService)
    );
}

async fn a_new_group_has_no_suspended_processes(world: &dyn World) {
    let (group, _) = world.add_group(0, 1).await;
    let found = suspended(world, &group).await;
    assert_eq!(found, processes(&[]));
}

async fn suspended_processes_are_those_suspended_and_not_resumed(world: &dyn World) {
    let (group, _) = world.add_group(0, 1).await;
    let (other, _) = world.add_group(0, 1).await;
    let (auto_scaling, here) = (world.ports().auto_scaling, world.here());
    for some in [&["HealthCheck", "AZRebalance"][..], &["AZRebalance", "ReplaceUnhealthy"]] {
        assert_eq!(auto_scaling.suspend_processes(&here, &group, &processes(some)).await, Ok(()));
    }
    let all = processes(&["AZRebalance", "HealthCheck", "ReplaceUnhealthy"]);
    assert_eq!(suspended(world, &group).await, all);
    assert_eq!(suspended(world, &other).await, processes(&[]));
    // `Terminate` was not suspended; that is no error.
    let some = processes(&["HealthCheck", "Terminate", "ReplaceUnhealthy"]);
    assert_eq!(auto_scaling.resume_processes(&here, &group, &some).await, Ok(()));
    assert_eq!(suspended(world, &group).await, processes(&["AZRebalance"]));
}

async fn suspending_and_resuming_nothing_changes_nothing(world: &dyn World) {
    let (group, _) = world.add_group(0, 1).await;
    let (auto_scaling, here, none) = (world.ports().auto_scaling, world.here(), processes(&[]));
    assert_eq!(auto_scaling.suspend_processes(&here, &group, &none).await, Ok(()));
    assert_eq!(suspended(world, &group).await, none.clone());
    let one = processes(&["HealthCheck"]);
    assert_eq!(auto_scaling.suspend_processes(&here, &group, &one).await, Ok(()));
    assert_eq!(auto_scaling.resume_processes(&here, &group, &none).await, Ok(()));
    assert_eq!(suspended(world, &group).await, one);
}

async fn a_group_nobody_knows_is_not_found(world: &dyn World) {
    let answer = world.ports().auto_scaling.group(&world.here(), NO_GROUP).await;
    assert_eq!(kind(answer), Err(FaultKind::NotFound));
}

async fn changing_a_group_nobody_knows_is_rejected(world: &dyn World) {
    let (auto_scaling, here, one) = (world.ports().auto_scaling, world.here(), processes(&["HealthCheck"]));
    let id = world.add_instance(&here, 0).await;
    let answers = [
        kind(auto_scaling.enter_standby(&here, NO_GROUP, &id).await),
        kind(auto_scaling.exit_standby(&here, NO_GROUP, &id).await),
        kind(auto_scaling.suspend_processes(&here, NO_GROUP, &one).await),
        kind(auto_scaling.resume_processes(&here, NO_GROUP, &one).await),
    ];
    assert_eq!(answers, [Err(FaultKind::Rejected); 4]);
}
