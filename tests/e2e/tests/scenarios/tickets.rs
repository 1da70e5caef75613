//! Tickets, as a ticketing system gets them: from a queue that is subscribed to the topic.

use serde_json::{Value, json};
use stopgap_e2e::scene::Scene;
use stopgap_e2e::ticket_queue::TicketQueue;

use crate::stopgap;

#[tokio::test]
async fn a_backup_that_is_refused_is_one_ticket_in_the_queue_that_asks_for_it_and_the_next_good_backup_resolves_it()
 {
    let stopgap = stopgap();
    let scene = Scene::new(stopgap, "troubled", json!({})).await;
    let ours =
        TicketQueue::subscribe(&scene.aws, &stopgap.topic, "ours", &json!({ "policy": ["troubled"] })).await;
    let theirs =
        TicketQueue::subscribe(&scene.aws, &stopgap.topic, "theirs", &json!({ "policy": ["another"] })).await;
    let filter = json!({ "policy": ["troubled"] });
    let chat = TicketQueue::subscribe(&scene.aws, &stopgap.chat_topic, "chat", &filter).await;
    let id = scene.instance().await;

    scene.protect_from_stop(&id, true).await;
    let refused = scene.run(&json!({ "instance_id": id })).await;
    assert!(refused.succeeded(), "nothing was touched: {}: {}", refused.error, refused.cause);
    assert_eq!(scene.state(&id).await, "running");
    assert!(scene.held(&id).await.is_empty());
    let opened = ours.take().await;
    assert_eq!(actions(&opened), ["open"], "{opened:#?}");
    assert_eq!(opened[0]["instance"], json!(id));
    assert_eq!((&opened[0]["kind"], &opened[0]["version"]), (&json!("backup-refused"), &json!(1)));
    assert!(opened[0]["cause"].as_str().is_some_and(|cause| cause.contains("stop-protected")), "{opened:#?}");

    scene.run(&json!({ "instance_id": id })).await;
    let told_again = ours.take().await;
    assert!(told_again.iter().all(|ticket| ticket["dedup_key"] == opened[0]["dedup_key"]), "{told_again:#?}");

    scene.protect_from_stop(&id, false).await;
    let mended = scene.run(&json!({ "instance_id": id })).await;
    assert!(mended.succeeded(), "{}: {}", mended.error, mended.cause);
    let resolved = ours.take().await;
    assert_eq!(actions(&resolved), ["resolve"], "{resolved:#?}");
    assert_eq!(resolved[0]["dedup_key"], opened[0]["dedup_key"]);
    assert!(theirs.take().await.is_empty(), "the filter lets nothing else through");

    let heard = chat.take().await;
    assert!(
        heard
            .iter()
            .all(|message| (&message["version"], &message["source"]) == (&json!("1.0"), &json!("custom")))
    );
    assert!(
        heard.iter().all(|message| message["metadata"]["threadId"] == opened[0]["dedup_key"]),
        "{heard:#?}"
    );
    let said: Vec<_> =
        heard.iter().map(|message| &message["metadata"]["additionalContext"]["action"]).collect();
    assert_eq!((said.first(), said.last()), (Some(&&json!("open")), Some(&&json!("resolve"))));
}

fn actions(tickets: &[Value]) -> Vec<&str> {
    tickets.iter().filter_map(|ticket| ticket["action"].as_str()).collect()
}
