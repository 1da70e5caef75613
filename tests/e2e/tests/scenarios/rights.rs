//! moto lets everyone do everything; the roles of the stack do not.

use serde_json::json;
use stopgap_e2e::scene::Scene;

use crate::stopgap;

#[tokio::test]
async fn no_function_calls_what_its_role_does_not_allow() {
    let scene = Scene::new(stopgap(), "rights", json!({})).await;
    let id = scene.instance().await;
    let run = scene.run(&json!({ "instance_id": id })).await;
    assert!(run.succeeded(), "{}: {}", run.error, run.cause);

    // Whatever the other scenarios have called by now is looked at too.
    let calls = stopgap().cloud.calls.so_far();
    for function in ["stop-instance", "create-snapshots", "start-instance", "copy-tags", "close-run"] {
        assert!(calls.contains_key(function), "{function} called nothing: {calls:?}");
    }
    for (function, called) in &calls {
        let granted = &stopgap().granted[function];
        let refused: Vec<_> = called.difference(granted).collect();
        assert!(refused.is_empty(), "AWS would refuse {function} {refused:?}; its role allows {granted:?}");
    }
}
