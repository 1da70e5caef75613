//! What becomes of the last backups of an instance that is gone.

use schemars::JsonSchema;
use serde::Serialize;

use super::decode::Node;
use crate::span::Span;

/// What becomes of the last backups of an instance that is gone: those that the floor holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Orphans {
    /// They stay.
    Keep,
    /// They go once the newest complete set is older than this. Only of instances that are gone: one that exists and is no
    /// longer selected keeps its floor.
    ExpireAfter(Span),
}

/// Reads `"keep"` or `{"expire_after": "90d"}`.
pub(super) fn orphans(node: Node) -> Option<Orphans> {
    const WHAT: &str = "`\"keep\"`, or how long as in `{\"expire_after\": \"90d\"}`";
    match node.as_str() {
        Some("keep") => return Some(Orphans::Keep),
        Some(text) => {
            node.wrong(format!("`{text}` does not say what becomes of them; write {WHAT}"));
            return None;
        }
        None => {}
    }
    node.clone().map(WHAT)?;
    let after = node.object(&["expire_after"])?.need("expire_after", "a duration such as `90d`")?;
    Some(Orphans::ExpireAfter(after.parsed("a duration such as `90d`")?))
}
