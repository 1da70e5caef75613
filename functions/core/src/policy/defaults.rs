//! The built-in defaults: the one table that [`parse`](super::parse), the JSON Schema and the documentation share.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

/// A field that a policy may leave out.
#[derive(Debug)]
pub struct Default {
    /// Its path from the policy, such as `schedule.timezone`.
    pub path: &'static str,
    /// What it is then, as JSON.
    pub value: &'static str,
}

/// What a policy is where neither it nor its file's `defaults` say otherwise. `id`, `select.any`,
/// `schedule.expression` and the rules of `retention` have no default. Without `concurrency` there is no limit; with it, `max` has
/// a default.
pub const BUILT_IN: &[Default] = &[
    Default { path: "version", value: "1" },
    Default { path: "enabled", value: "true" },
    Default { path: "targets", value: "[]" },
    Default { path: "select.except", value: "[]" },
    Default { path: "schedule.timezone", value: r#""UTC""# },
    Default { path: "schedule.start_within", value: r#""2h""# },
    Default { path: "consistency", value: r#""stop""# },
    Default { path: "restart", value: r#""snapshot-started""# },
    Default { path: "retention.delete_at_most", value: "50" },
    Default { path: "orphans", value: r#""keep""# },
    Default { path: "volumes.except", value: "[]" },
    Default { path: "volumes.root", value: "true" },
    Default { path: "tags.from", value: r#"["volume","instance"]"# },
    Default { path: "tags.add", value: "{}" },
    Default { path: "autoscaling", value: r#""standby""# },
    Default { path: "alarms", value: r#""leave""# },
    Default { path: "load_balancers", value: r#""leave""# },
    Default { path: "concurrency.max", value: "1" },
    Default { path: "preflight", value: "{}" },
    Default { path: "adopt", value: "[]" },
];

/// [`BUILT_IN`] as one document in the shape of a policy.
pub(super) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = json!({});
    for Default { path, value } in BUILT_IN {
        let value = serde_json::from_str(value).unwrap_or(Value::Null);
        let (outer, leaf) = path.split_once('.').unwrap_or(("", path));
        let fields = if outer.is_empty() {
            document.as_object_mut()
        } else {
            document.as_object_mut().and_then(|fields| {
                fields.entry(outer).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
            })
        };
        if let Some(fields) = fields {
            fields.insert(leaf.to_owned(), value);
        }
    }
    document
});
