//! A run that someone stops from outside while its instance is down.

use std::time::Duration;

use serde_json::{Value, json};
use stopgap_e2e::scene::Scene;
use stopgap_e2e::ticket_queue::TicketQueue;

use crate::stopgap;

#[tokio::test]
async fn an_instance_whose_run_was_aborted_is_started_by_the_rescuer_under_one_critical_ticket() {
    let stopgap = stopgap();
    let scene = Scene::new(stopgap, "aborted", json!({})).await;
    let tickets =
        TicketQueue::subscribe(&scene.aws, &stopgap.topic, "critical", &json!({ "severity": ["critical"] }))
            .await;
    let id = scene.instance().await;
    let run = scene.start(&stopgap.instance_machine, &json!({ "instance_id": id })).await;
    while scene.state(&id).await != "stopped" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stop = scene.aws.step_functions.stop_execution().execution_arn(&run).send().await;
    stop.expect("the execution can be stopped");

    // What the rule on the execution's end starts: moto sends no such event.
    let look = scene.start(&stopgap.rescue_machine, &json!({ "execution": run })).await;
    let look = scene.end_of(&look).await;
    assert!(look.succeeded(), "{}: {}", look.error, look.cause);
    let rescues = scene.rescues(&id).await;
    let [rescue] = rescues.as_slice() else { panic!("one rescue was begun: {rescues:?}") };
    let rescue = scene.end_of(rescue).await;
    assert!(rescue.succeeded(), "{}: {}", rescue.error, rescue.cause);

    let entered = scene.states(&rescue.arn).await;
    assert!(entered.iter().any(|event| event.ends_with(" StartInstance")), "{entered:?}");
    assert_eq!(scene.state(&id).await, "running");
    assert!(scene.held(&id).await.is_empty(), "nothing is held any more");
    let told: Vec<Value> =
        tickets.take().await.into_iter().filter(|ticket| ticket["instance"] == json!(id)).collect();
    let told: Vec<_> = told.iter().map(|ticket| (&ticket["kind"], &ticket["action"])).collect();
    let left_stopped = json!("left-stopped");
    assert_eq!(told, [(&left_stopped, &json!("open")), (&left_stopped, &json!("resolve"))]);
}
