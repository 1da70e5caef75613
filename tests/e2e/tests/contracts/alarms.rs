//! CloudWatch alarms.

use stopgap_core::ports::{Alarm, all_pages};

use crate::{World, contracts};

contracts! {
    an_alarm_names_the_instance_that_its_metric_is_of,
    an_alarm_over_metric_math_names_every_instance_in_it,
    an_alarm_acts_unless_its_actions_are_disabled,
    alarms_that_are_not_there_are_left_out,
    disabling_and_enabling_twice_is_once,
}

async fn named(world: &dyn World, names: &[String]) -> Vec<Alarm> {
    world.ports().alarms.named_alarms(&world.here(), names).await.unwrap()
}

/// The alarm of this name, as it is found among all.
async fn among_all(world: &dyn World, name: &str) -> Alarm {
    let (alarms, here) = (world.ports().alarms, world.here());
    let all = all_pages(|page| alarms.describe_alarms(&here, page)).await.unwrap();
    let mut found = all.into_iter().filter(|alarm| alarm.name == name);
    let alarm = found.next().expect("it is there");
    assert_eq!(found.next(), None);
    alarm
}

async fn an_alarm_names_the_instance_that_its_metric_is_of(world: &dyn World) {
    let name = world.add_alarm(&["i-1"]).await;
    let alarm = among_all(world, &name).await;
    assert_eq!((alarm.acts, alarm.instances), (true, ["i-1".to_owned()].into()));
}

async fn an_alarm_over_metric_math_names_every_instance_in_it(world: &dyn World) {
    let name = world.add_alarm(&["i-1", "i-2"]).await;
    assert_eq!(among_all(world, &name).await.instances, ["i-1".to_owned(), "i-2".to_owned()].into());
    let none = world.add_alarm(&[]).await;
    assert_eq!(among_all(world, &none).await.instances, [].into());
}

async fn an_alarm_acts_unless_its_actions_are_disabled(world: &dyn World) {
    let (one, other) = (world.add_alarm(&["i-1"]).await, world.add_alarm(&["i-1"]).await);
    let (alarms, here) = (world.ports().alarms, world.here());
    alarms.disable_alarm_actions(&here, std::slice::from_ref(&one)).await.unwrap();
    assert_eq!((among_all(world, &one).await.acts, among_all(world, &other).await.acts), (false, true));
    alarms.enable_alarm_actions(&here, std::slice::from_ref(&one)).await.unwrap();
    assert!(among_all(world, &one).await.acts);
}

async fn alarms_that_are_not_there_are_left_out(world: &dyn World) {
    let name = world.add_alarm(&["i-1"]).await;
    let found = named(world, &[name.clone(), "nobody's".to_owned()]).await;
    assert_eq!(found.into_iter().map(|alarm| alarm.name).collect::<Vec<_>>(), [name]);
}

async fn disabling_and_enabling_twice_is_once(world: &dyn World) {
    let some = [world.add_alarm(&["i-1"]).await, world.add_alarm(&["i-2"]).await];
    let (alarms, here) = (world.ports().alarms, world.here());
    for _ in 0..2 {
        alarms.disable_alarm_actions(&here, &some).await.unwrap();
        assert!(named(world, &some).await.iter().all(|alarm| !alarm.acts));
    }
    for _ in 0..2 {
        alarms.enable_alarm_actions(&here, &some).await.unwrap();
        assert!(named(world, &some).await.iter().all(|alarm| alarm.acts));
    }
}
