//! The planning bucket and the ticket topic.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stopgap_core::ports::{FaultKind, Notice};

use crate::world::{eventually, kind};
use crate::{World, contracts};

contracts! {
    an_object_is_put_whole_under_its_key,
    an_object_is_overwritten,
    a_ticket_reaches_who_asked_for_its_attributes,
    chat_applications_have_their_own_words_on_their_own_topic,
    a_subject_of_more_than_a_hundred_characters_is_rejected,
    a_subject_of_two_lines_is_rejected,
}

async fn an_object_is_put_whole_under_its_key(world: &dyn World) {
    let document = json!({ "items": [1, { "id": "i-1", "text": "Größe \u{1f980}" }], "none": null });
    let bucket = world.ports().objects.put_json("plans/2026-11-21/a b.json", &document).await.unwrap();
    assert!(!bucket.is_empty());
    assert_eq!(world.object("plans/2026-11-21/a b.json").await, Some(document));
    assert_eq!(world.object("plans/2026-11-21").await, None);
}

async fn an_object_is_overwritten(world: &dyn World) {
    for document in [json!([1, 2, 3]), json!([4])] {
        world.ports().objects.put_json("plan.json", &document).await.unwrap();
        assert_eq!(world.object("plan.json").await, Some(document));
    }
}

fn notice(severity: &str, document: Value) -> Notice {
    let attributes = [("severity", severity), ("policy", "nightly")];
    Notice {
        subject: "Backup of i-1 failed: \"quoted\"".to_owned(),
        document,
        text: "The backup of i-1 failed.\nNothing else is known.".to_owned(),
        attributes: BTreeMap::from(attributes.map(|(name, value)| (name, value.to_owned()))),
        chat: json!({ "version": "1.0", "content": { "description": "`Größe` \u{1f980}" } }),
    }
}

async fn chat_applications_have_their_own_words_on_their_own_topic(world: &dyn World) {
    let notice = notice("critical", json!({ "key": "a" }));
    assert_eq!(world.ports().topic.tell_chat(&notice).await, Ok(()));
    let heard = eventually(world, "the chat's message", async || {
        let heard = world.chat().await;
        (!heard.is_empty()).then_some(heard)
    })
    .await;
    assert_eq!((heard, world.critical_tickets().await), (vec![notice.chat], vec![]));
}

async fn a_ticket_reaches_who_asked_for_its_attributes(world: &dyn World) {
    let documents = [json!({ "key": "a", "text": "Größe \u{1f980}\n" }), json!({ "key": "b" })];
    let notices = [
        notice("warning", json!({ "key": "unwanted" })),
        notice("critical", documents[0].clone()),
        notice("error", json!({ "key": "unwanted" })),
        notice("critical", documents[1].clone()),
    ];
    for notice in notices {
        assert_eq!(world.ports().topic.publish(&notice).await, Ok(()));
    }
    let mut received = Vec::new();
    eventually(world, "both tickets", async || {
        received.extend(world.critical_tickets().await);
        (received.len() >= 2).then_some(())
    })
    .await;
    assert_eq!(received, documents);
}

async fn rejects(world: &dyn World, subject: String) {
    let notice = Notice { subject, ..notice("critical", json!({})) };
    assert_eq!(kind(world.ports().topic.publish(&notice).await), Err(FaultKind::Rejected));
}

async fn a_subject_of_more_than_a_hundred_characters_is_rejected(world: &dyn World) {
    let longest = Notice { subject: "x".repeat(100), ..notice("critical", json!({})) };
    assert_eq!(world.ports().topic.publish(&longest).await, Ok(()));
    rejects(world, "x".repeat(101)).await;
}

async fn a_subject_of_two_lines_is_rejected(world: &dyn World) {
    rejects(world, "one\ntwo".to_owned()).await;
}
