//! What a policy makes of what is found before a backup.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::decode::Node;
use crate::preflight::{Finding, Overrides, Verdict};

/// Reads `{"public-address-lost": "refuse"}`.
pub(super) fn preflight(node: Node) -> Option<Overrides> {
    let names: Vec<&str> = Finding::ALL.iter().map(|finding| finding.as_str()).collect();
    let words = Verdict::ALL.map(|verdict| (verdict.as_str(), verdict));
    let object = node.object(&names)?;
    let read = |(name, node): (String, Node)| {
        // One that is not known has been noted as such.
        let finding = *Finding::ALL.iter().find(|finding| finding.as_str() == name)?;
        let verdict = node.word(&words)?;
        if let Some(why) = finding.fixed().filter(|_| verdict != finding.default_verdict()) {
            node.wrong(format!("`{name}` is always refused: {why}; leave it out"));
            return None;
        }
        Some((finding, verdict))
    };
    let found: Vec<_> = object.fields().into_iter().map(read).collect();
    found.into_iter().collect::<Option<BTreeMap<_, _>>>().map(Overrides)
}

impl schemars::JsonSchema for Overrides {
    fn schema_name() -> Cow<'static, str> {
        "Preflight".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let field = |finding: &Finding| {
            let verdicts = match finding.fixed() {
                Some(_) => json!([finding.default_verdict()]),
                None => json!(Verdict::ALL),
            };
            let default = finding.default_verdict();
            let field = json!({ "description": finding.meaning(), "enum": verdicts, "default": default });
            (finding.as_str().to_owned(), field)
        };
        let properties: Map<String, Value> = Finding::ALL.iter().map(field).collect();
        schemars::json_schema!({
            "description": "What follows from what is found before a backup, where it is not the default.",
            "type": "object", "properties": properties, "additionalProperties": false
        })
    }
}
