//! Which instances: `match` and `ignore`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use stopgap_core::select;

use super::super::stanzas::Stanza;
use super::notes::{Kind, Notes};
use super::{is_true, is_used};

/// The instances that are to be ignored, by account: the list of one stanza holds for all.
pub(super) fn ignored(stanzas: &[Stanza]) -> BTreeMap<Option<String>, BTreeSet<String>> {
    let mut ignored: BTreeMap<Option<String>, BTreeSet<String>> = BTreeMap::new();
    for stanza in stanzas.iter().filter(|stanza| is_used(stanza)) {
        let ids = stanza.fields.get("ignore").and_then(Value::as_array).into_iter().flatten();
        let instances = ids.filter_map(Value::as_str).filter(|id| id.starts_with("i-")).map(str::to_owned);
        ignored.entry(stanza.account.clone()).or_default().extend(instances);
    }
    ignored
}

/// `match`: DescribeInstances filters, all of which must match.
pub(super) fn selection(stanza: &Stanza, notes: &mut Notes<'_>) -> Option<Vec<Value>> {
    let matched = stanza.fields.get("match").and_then(Value::as_object)?;
    let (mut tags, mut filters, mut readable) = (Map::new(), Map::new(), true);
    for (key, value) in matched {
        let part = format!("match.{key}");
        let mut values = Vec::new();
        if !flatten(value, &mut values) || values.is_empty() {
            notes.refused::<()>(
                &part,
                "its values are texts or numbers",
                "write `\"value\"` or `[\"one\", \"other\"]`",
            );
            readable = false;
        } else if values.iter().any(|value| value.contains('\\')) {
            notes.refused::<()>(
                &part,
                "it takes the meaning from a wildcard by `\\`, and policies have no way to do that",
                "match another tag, or the instances by id",
            );
            readable = false;
        } else if !select::is_filter(key) {
            let message =
                format!("there is no filter `{key}` in policies, and without it more instances would match");
            notes.refused::<()>(&part, message, "docs/policies.md lists the filters; a tag is the surest");
            readable = false;
        } else if let Some(tag) = key.strip_prefix("tag:") {
            tags.insert(tag.to_owned(), values.into());
        } else {
            filters.insert(key.clone(), values.into());
        }
    }
    if !readable {
        return None;
    }
    // Instances by id and nothing else are what `instance` is for.
    let exact = |id: &&Value| id.as_str().is_some_and(|id| id.starts_with("i-") && !id.contains(['*', '?']));
    if let (true, 1, Some(Value::Array(ids))) = (tags.is_empty(), filters.len(), filters.get("instance-id"))
        && ids.iter().all(|id| exact(&id))
    {
        return Some(ids.iter().map(|id| json!({ "instance": id })).collect());
    }
    let mut all = Vec::new();
    if !tags.is_empty() {
        all.push(json!({ "tag": tags }));
    }
    if !filters.is_empty() {
        all.push(json!({ "filter": filters }));
    }
    Some(if all.len() > 1 { vec![json!({ "all": all })] } else { all })
}

/// The texts of a value, of arrays within arrays too, as ebs_snapper flattens them.
fn flatten(value: &Value, into: &mut Vec<String>) -> bool {
    match value {
        Value::Array(values) => values.iter().all(|value| flatten(value, into)),
        Value::String(text) => {
            into.push(text.clone());
            true
        }
        Value::Number(number) => {
            into.push(number.to_string());
            true
        }
        _ => false,
    }
}

/// `ignore`: instances are in `select.except` of every policy of the account; other ids have no equivalent.
pub(super) fn ignore(value: &Value, notes: &mut Notes<'_>) {
    let Some(ids) = value.as_array() else {
        if is_true(value) {
            let hint = Some("write `[\"i-0abc\", \"vol-0abc\"]`".to_owned());
            notes.add(Kind::Lost, "ignore", "it is not an array of ids", hint);
        }
        return;
    };
    let mut instances = 0;
    for id in ids {
        let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        match id.split_once('-') {
            Some(("i", _)) => instances += 1,
            Some(("vol", _)) => notes.add(
                Kind::Lost,
                "ignore",
                format!("policies leave out volumes by tag, not by id: {id} would be backed up"),
                Some(format!(
                    "give it a tag, `aws ec2 create-tags --resources {id} --tags Key=Backup,Value=never`, and the policy \
                     `\"volumes\": {{\"except\": [{{\"tag\": {{\"Backup\": [\"never\"]}}}}]}}`"
                )),
            ),
            Some(("snap", _)) => notes.add(
                Kind::Lost,
                "ignore",
                format!("{id} is kept from replication by it, and there is none any more"),
                Some("a snapshot without the tag `DeleteOn` is never adopted, nor deleted".to_owned()),
            ),
            _ => notes.add(Kind::Lost, "ignore", format!("`{id}` is the id of no instance or volume"), None),
        }
    }
    if instances > 0 {
        let message = "what one stanza ignores all ignore: the instances are in `select.except` of every policy of the account";
        notes.add(Kind::Note, "ignore", message, None);
    }
}
