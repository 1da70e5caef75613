//! The fleet, as the schedule starts it.

use serde_json::json;
use stopgap_e2e::scene::Scene;

use crate::stopgap;

/// When the policy is due, and the tick that finds it: a moment ago, since no task plans by its own clock but each sees
/// when its time is over.
fn due() -> (String, String) {
    let now = stopgap_e2e::clock::now();
    let occurrence = now.saturating_sub(jiff::SignedDuration::from_mins(5)).unwrap_or(now);
    (occurrence.strftime("%Y-%m-%dT%H:%M:00").to_string(), now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[tokio::test]
async fn a_night_backs_up_every_instance_and_the_same_tick_again_none_twice() {
    let (occurrence, tick) = due();
    let schedule = json!({ "schedule": { "expression": format!("at({occurrence})") } });
    let scene = Scene::new(stopgap(), "night", schedule).await;
    let mut fleet = Vec::new();
    for _ in 0..4 {
        fleet.push(scene.instance().await);
    }
    let input = json!({ "at": tick, "policy": "night" });
    let (planned, runs) = scene.run_fleet(&input).await;
    assert!(planned.succeeded(), "{}: {}", planned.error, planned.cause);
    assert_eq!(runs.len(), 4, "a run for each instance");
    for run in &runs {
        assert!(run.succeeded(), "{}: {}: {}", run.arn, run.error, run.cause);
    }
    for id in &fleet {
        assert_eq!(scene.snapshots(id).await.len(), 3, "{id}");
        assert_eq!(scene.state(id).await, "running", "{id}");
        assert!(scene.held(id).await.is_empty(), "{id}");
    }

    let (planned_again, more) = scene.run_fleet(&input).await;
    assert!(planned_again.succeeded(), "{}: {}", planned_again.error, planned_again.cause);
    assert!(more.is_empty(), "the same tick starts nothing again");
    for id in &fleet {
        assert_eq!(scene.snapshots(id).await.len(), 3, "{id}");
    }
}
