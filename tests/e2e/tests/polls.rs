//! With no events at all: AWS may lose each of them.

use serde_json::json;
use stopgap_e2e::scene::Scene;

#[tokio::test]
async fn a_backup_whose_events_are_all_lost_is_finished_by_the_polls() {
    let stopgap = stopgap_e2e::shared::platform("polls");
    stopgap.cloud.events.deliver(false);
    let scene = Scene::new(stopgap, "unheard", json!({})).await;
    let id = scene.instance().await;
    let run = scene.run(&json!({ "instance_id": id })).await;
    assert!(run.succeeded(), "{}: {}", run.error, run.cause);
    assert_eq!(scene.snapshots(&id).await.len(), 3);
    assert_eq!(scene.state(&id).await, "running");
    let events = scene.states(&run.arn).await;
    assert!(events.iter().any(|event| event.starts_with("TaskTimedOut")), "a wait was polled: {events:?}");

    // The same with events: nothing has to be polled for.
    stopgap.cloud.events.deliver(true);
    let run = scene.run(&json!({ "instance_id": id })).await;
    assert!(run.succeeded(), "{}: {}", run.error, run.cause);
    assert!(stopgap.cloud.logs.join("stopgap-wake.log").exists(), "events woke it");
}
