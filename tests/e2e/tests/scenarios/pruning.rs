//! Deleting, by the real functions: what retention no longer keeps, and nothing else.

use aws_sdk_ec2::types::Tag;
use serde_json::{Value, json};
use stopgap_e2e::scene::{Scene, Snapshot};

use crate::stopgap;

/// Tags snapshots as a complete backup that the scene's policy made of an instance, long ago.
async fn make_old_set(scene: &Scene<'_>, instance_id: &str, at: &str, snapshots: &[String]) {
    let occurrence = format!("{}/{at}", scene.name);
    let volumes = snapshots.len().to_string();
    let tags = [
        ("stopgap:policy", scene.name.as_str()),
        ("stopgap:instance", instance_id),
        ("stopgap:occurrence", &occurrence),
        ("stopgap:volumes", &volumes),
    ];
    let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
    let tagged = scene.aws.ec2.create_tags().set_resources(Some(snapshots.to_vec()));
    tagged.set_tags(Some(tags.to_vec())).send().await.expect("snapshots can be tagged");
}

/// The snapshot that an image of the instance is made of.
async fn image_snapshot(scene: &Scene<'_>, instance_id: &str) -> String {
    let made = scene.aws.ec2.create_image().instance_id(instance_id).name(format!("{}-image", scene.name));
    let image = made.send().await.expect("an image is made").image_id.expect("an image has an id");
    let described =
        scene.aws.ec2.describe_images().image_ids(image).send().await.expect("the image is there");
    let mappings = described.images()[0].block_device_mappings();
    let snapshot = mappings.iter().find_map(|mapping| mapping.ebs()?.snapshot_id());
    snapshot.expect("an image is made of a snapshot").to_owned()
}

/// A completed snapshot of any volume.
async fn any_snapshot(scene: &Scene<'_>) -> String {
    let volume = scene.aws.ec2.create_volume().availability_zone("us-east-1a").size(1).send().await;
    let volume = volume.expect("a volume is made").volume_id.expect("a volume has an id");
    let snapshot = scene.aws.ec2.create_snapshot().volume_id(volume).send().await.expect("it is copied");
    let id = snapshot.snapshot_id.expect("a snapshot has an id");
    for _ in 0..100 {
        let described =
            scene.aws.ec2.describe_snapshots().snapshot_ids(&id).send().await.expect("it is there");
        let state = described.snapshots()[0].state().map(|state| state.as_str().to_owned());
        if state.as_deref() == Some("completed") {
            return id;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{id} is not completed");
}

fn occurrences(snapshots: &[Snapshot]) -> Vec<&str> {
    let mut found: Vec<&str> =
        snapshots.iter().map(|snapshot| snapshot.tags["stopgap:occurrence"].as_str()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[tokio::test]
async fn a_run_deletes_what_retention_no_longer_keeps_and_leaves_what_an_image_was_made_of() {
    let scene = Scene::new(stopgap(), "pruned", json!({ "retention": { "keep_last": 1 } })).await;
    let id = scene.instance().await;
    make_old_set(&scene, &id, "2026-01-01T00:00:00Z", &[image_snapshot(&scene, &id).await]).await;
    let other = any_snapshot(&scene).await;

    let first = scene.run(&json!({ "instance_id": id })).await;
    assert!(first.succeeded(), "{}: {}", first.error, first.cause);
    let before = scene.snapshots(&id).await;
    let first_of_runs = occurrences(&before).into_iter().max().expect("there is one").to_owned();
    let second = scene.run(&json!({ "instance_id": id })).await;
    assert!(second.succeeded(), "{}: {}", second.error, second.cause);

    let after = scene.snapshots(&id).await;
    let left = occurrences(&after);
    assert_eq!(left.len(), 2, "the newest, and what the image was made of: {left:?}");
    assert_eq!((left[0], after.len()), ("pruned/2026-01-01T00:00:00Z", 3 + 1));
    assert!(!left.contains(&first_of_runs.as_str()));
    let told = second.output["pruned"]["Payload"]["expired"].as_array().cloned().unwrap_or_default();
    let result = |set: &Value| set["result"].as_str().unwrap_or_default().to_owned();
    let results: Vec<String> = told.iter().map(result).collect();
    assert_eq!(results.len(), 2, "{told:#?}");
    assert!(
        results[0].starts_with("not deleted: DeleteSnapshot: ") && results[0].contains("InUse"),
        "{results:?}"
    );
    assert_eq!(results[1], "deleted");
    // Someone else's is still there.
    assert!(scene.aws.ec2.describe_snapshots().snapshot_ids(other).send().await.is_ok());
}

#[tokio::test]
async fn the_fleet_deletes_old_backups_of_an_instance_that_is_gone_down_to_the_floor() {
    let now = stopgap_e2e::clock::now();
    let occurrence = now.saturating_sub(jiff::SignedDuration::from_mins(5)).unwrap_or(now);
    let changes = json!({
        "retention": { "at_least": 1 },
        "orphans": { "expire_after": "1d" },
        "schedule": { "expression": occurrence.strftime("at(%Y-%m-%dT%H:%M:00)").to_string() },
    });
    let scene = Scene::new(stopgap(), "orphaned", changes).await;
    let gone = "i-0123456789abcdef0";
    for day in ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"] {
        make_old_set(&scene, gone, day, &[any_snapshot(&scene).await]).await;
    }
    let tick = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let (planned, runs) = scene.run_fleet(&json!({ "at": tick, "policy": "orphaned" })).await;
    assert!(planned.succeeded(), "{}: {}", planned.error, planned.cause);
    assert_eq!((&planned.output["plan"]["orphans"], runs.len()), (&json!(1), 0));
    // The last one stays: its snapshot was made just now, whatever its tags say.
    assert_eq!(occurrences(&scene.snapshots(gone).await), ["orphaned/2026-01-03T00:00:00Z"]);
    assert!(scene.held(gone).await.is_empty());
    let called = stopgap().cloud.calls.so_far()["prune-orphans"].clone();
    let refused: Vec<_> = called.difference(&stopgap().granted["prune-orphans"]).collect();
    assert!(refused.is_empty(), "AWS would refuse {refused:?}");
}
