//! Backups that a person starts.

use serde_json::json;
use stopgap_e2e::scene::{Scene, Snapshot};

use crate::stopgap;

#[tokio::test]
async fn one_instance_is_backed_up_by_hand_with_all_its_tags() {
    let scene = Scene::new(stopgap(), "by-hand", json!({ "tags": { "add": { "CostCenter": "42" } } })).await;
    let id = scene.instance().await;
    let run = scene.run(&json!({ "instance_id": id })).await;
    assert!(run.succeeded(), "{}: {}", run.error, run.cause);

    let snapshots = scene.snapshots(&id).await;
    assert_eq!(snapshots.len(), 3, "one of each volume");
    for Snapshot { state, tags, .. } in &snapshots {
        assert_eq!(state, "completed");
        let tag = |key: &str| tags.get(key).map(String::as_str);
        assert_eq!(tag("stopgap:policy"), Some("by-hand"));
        assert_eq!(tag("stopgap:instance"), Some(id.as_str()));
        assert_eq!(tag("stopgap:volumes"), Some("3"));
        assert!(tag("stopgap:occurrence").is_some_and(|occurrence| occurrence.starts_with("by-hand/")));
        assert_eq!(tag("Data"), Some("precious"), "the volume's tags");
        assert_eq!(tag("Name"), Some("by-hand-1"), "the instance's tags");
        assert_eq!(tag("CostCenter"), Some("42"), "the policy's tags");
    }
    let devices: Vec<_> =
        snapshots.iter().filter_map(|snapshot| snapshot.tags.get("stopgap:device")).collect();
    assert_eq!(devices.len(), 3, "each tells which device it was: {devices:?}");

    assert_eq!(scene.state(&id).await, "running");
    assert!(scene.held(&id).await.is_empty(), "nothing is held any more");
    let occurrence = &snapshots[0].tags["stopgap:occurrence"];
    let record = scene.records(&format!("run#{occurrence}")).await;
    assert_eq!(record.values().next().map(|run| &run["state"]), Some(&json!("complete")));
}

#[tokio::test]
async fn starting_it_again_by_hand_is_another_backup() {
    let scene = Scene::new(stopgap(), "rerun", json!({})).await;
    let id = scene.instance().await;
    for made in [3, 6] {
        let run = scene.run(&json!({ "instance_id": id })).await;
        assert!(run.succeeded(), "{}: {}", run.error, run.cause);
        assert_eq!(scene.snapshots(&id).await.len(), made);
    }
    assert_eq!(scene.state(&id).await, "running");
}

#[tokio::test]
async fn the_same_occurrence_triggered_twice_is_one_backup() {
    let scene = Scene::new(stopgap(), "twice", json!({})).await;
    let id = scene.instance().await;
    let input = json!({ "instance_id": id, "policy": "twice", "occurrence": "twice/2026-01-01T00:00:00Z" });
    let first = scene.run(&input).await;
    assert!(first.succeeded(), "{}: {}", first.error, first.cause);
    let second = scene.run(&input).await;
    assert!(second.succeeded(), "{}: {}", second.error, second.cause);
    assert_eq!(scene.snapshots(&id).await.len(), 3);
    let entered = scene.states(&second.arn).await;
    assert!(entered.iter().any(|event| event.ends_with(" AlreadyDone")), "{entered:?}");
    assert!(!entered.iter().any(|event| event.ends_with(" StopInstance")), "{entered:?}");
}

#[tokio::test]
async fn an_instance_that_no_policy_selects_is_refused_and_left_alone() {
    let scene =
        Scene::new(stopgap(), "elsewhere", json!({ "select": { "any": [{ "name": "nobody" }] } })).await;
    let id = scene.instance().await;
    let run = scene.run(&json!({ "instance_id": id })).await;
    assert_eq!(run.error, "PolicyNotFound", "{}", run.cause);
    assert_eq!(scene.state(&id).await, "running");
    assert!(scene.snapshots(&id).await.is_empty());
}
