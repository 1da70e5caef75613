//! Instances in other accounts, through a role that is assumed there.

use serde_json::json;
use stopgap_e2e::clients::Clients;
use stopgap_e2e::platform::SPOKE;
use stopgap_e2e::scene::{Scene, backups, instances};

use crate::stopgap;

#[tokio::test]
async fn an_instance_in_another_account_is_backed_up_there() {
    let stopgap = stopgap();
    let targets = json!({ "targets": [{ "account": SPOKE, "regions": ["us-east-1"] }] });
    let scene = Scene::new(stopgap, "abroad", targets).await;
    let spoke = Clients::in_account(&stopgap.cloud.endpoint, SPOKE).await;
    let id = scene.instance_in(&spoke).await;

    let run = scene.run(&json!({ "instance_id": id, "policy": "abroad", "account": SPOKE })).await;
    assert!(run.succeeded(), "{}: {}", run.error, run.cause);
    let snapshots = backups::snapshots(&spoke, &id).await;
    assert_eq!(snapshots.len(), 3);
    assert!(snapshots.iter().all(|snapshot| snapshot.tags.contains_key("stopgap:device")));
    assert_eq!(instances::state(&spoke, &id).await, "running");
    assert!(scene.snapshots(&id).await.is_empty(), "nothing of it is at home");
    assert!(scene.held(&id).await.is_empty());
}

#[tokio::test]
async fn an_account_that_refuses_the_role_is_told_and_does_not_keep_the_others_from_their_backup() {
    const CLOSED: &str = "444455556666";
    let stopgap = stopgap();
    let now = stopgap_e2e::clock::now();
    let occurrence = now.saturating_sub(jiff::SignedDuration::from_mins(5)).unwrap_or(now);
    let changes = json!({
        "targets": [{ "account": CLOSED }, { "account": SPOKE, "regions": ["us-east-1"] }],
        "schedule": { "expression": occurrence.strftime("at(%Y-%m-%dT%H:%M:00)").to_string() },
    });
    let scene = Scene::new(stopgap, "half-open", changes).await;
    let filter = json!({ "account": [CLOSED] });
    let queue =
        stopgap_e2e::ticket_queue::TicketQueue::subscribe(&scene.aws, &stopgap.topic, "closed", &filter)
            .await;
    let spoke = Clients::in_account(&stopgap.cloud.endpoint, SPOKE).await;
    let id = scene.instance_in(&spoke).await;

    let tick = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let (planned, runs) = scene.run_fleet(&json!({ "at": tick, "policy": "half-open" })).await;
    assert!(planned.succeeded(), "{}: {}", planned.error, planned.cause);
    assert_eq!(runs.len(), 1);
    assert!(runs[0].succeeded(), "{}: {}", runs[0].error, runs[0].cause);
    assert_eq!(backups::snapshots(&spoke, &id).await.len(), 3);
    let tickets = queue.take().await;
    assert_eq!(tickets.len(), 1, "{tickets:#?}");
    assert_eq!(tickets[0]["kind"], "plan-failed");
}
