//! One backup, by hand, to see that everything holds together.

use serde_json::json;

use crate::platform::Platform;
use crate::scene::Scene;
use crate::tools::progress;

/// Backs up one instance, and looks at what is left of it.
///
/// # Errors
/// What is not as promised.
pub async fn run(stopgap: &Platform) -> Result<(), String> {
    progress("backing up one instance");
    let scene = Scene::new(stopgap, "self-check", json!({})).await;
    let id = scene.instance().await;
    let execution = scene.run(&json!({ "instance_id": id })).await;
    if !execution.succeeded() {
        return Err(format!("the run failed: {}: {}", execution.error, execution.cause));
    }
    let snapshots = scene.snapshots(&id).await;
    let (state, held) = (scene.state(&id).await, scene.held(&id).await);
    if snapshots.len() != 3 || state != "running" || !held.is_empty() {
        return Err(format!("{} snapshots, the instance is {state}, it holds {held:?}", snapshots.len()));
    }
    progress("three snapshots, the instance runs, nothing is held: all is well");
    Ok(())
}
