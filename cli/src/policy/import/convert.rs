//! From ebs_snapper's stanzas to policies, and what is not carried over.

mod instances;
mod notes;

pub(super) use notes::{Kind, Note};

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};
use stopgap_core::policy;

use instances::{ignore, ignored, selection};
use notes::{Notes, about_all};

use super::stanzas::{self, Stanza};
use super::{crontab, period};

/// What the stanzas become.
#[derive(Debug, Default, Serialize)]
pub(super) struct Imported {
    /// The policies, by id.
    pub(super) policies: Vec<Value>,
    pub(super) notes: Vec<Note>,
}

/// What is to be written into every policy.
pub(super) struct Wishes<'a> {
    /// Regions for `targets`.
    pub(super) regions: &'a [String],
    /// Whether policies adopt what ebs_snapper left behind.
    pub(super) adopt: bool,
}

/// Turns stanzas into policies. Every policy is one that [`policy::parse_value`] takes.
pub(super) fn convert(mut stanzas: Vec<Stanza>, wishes: &Wishes<'_>) -> Imported {
    // A scan of the table has no order.
    stanzas.sort_by_cached_key(|stanza| {
        (stanza.account.clone(), stanza.id.clone(), Value::Object(stanza.fields.clone()).to_string())
    });
    let ignored = ignored(&stanzas);
    let mut imported = Imported::default();
    for (stanza, id) in stanzas.iter().zip(stanzas::ids(&stanzas)) {
        let mut notes = Notes { stanza, found: Vec::new() };
        let ignored = ignored.get(&stanza.account);
        if let Some(policy) = one(stanza, &id, ignored, wishes, &mut notes) {
            imported.policies.push(policy);
        }
        imported.notes.append(&mut notes.found);
    }
    about_all(&mut imported, &stanzas, wishes);
    imported.policies.sort_by_key(|policy| policy["id"].as_str().map(str::to_owned));
    imported.notes.sort();
    imported.notes.dedup();
    imported
}

fn one(
    stanza: &Stanza,
    id: &str,
    ignored: Option<&BTreeSet<String>>,
    wishes: &Wishes<'_>,
    notes: &mut Notes<'_>,
) -> Option<Value> {
    if !is_used(stanza) {
        return notes.refused(
            "",
            "ebs_snapper itself makes no snapshots by it: it uses stanzas with `match` and with `snapshot` that has \
             `retention`, `minimum` and `frequency`",
            "add what is missing, or leave the stanza out",
        );
    }
    let snapshot = stanza.fields.get("snapshot").and_then(Value::as_object)?;
    // All three, so that one import tells all that is wrong.
    let select = selection(stanza, notes);
    let expression = expression(snapshot.get("frequency")?, notes);
    let retention = retention(snapshot, notes);
    others(stanza, snapshot, notes);
    let (select, expression, retention) = (select?, expression?, retention?);

    let mut select = json!({ "any": select });
    let instances: Vec<Value> =
        ignored.into_iter().flatten().map(|instance| json!({ "instance": instance })).collect();
    if !instances.is_empty() {
        select["except"] = instances.into();
    }
    let mut policy = json!({
        "id": id,
        "select": select,
        "schedule": { "expression": expression, "timezone": "UTC" },
        "consistency": "crash",
        "retention": retention,
    });
    if stanza.id.as_deref().is_some_and(|given| given != id) {
        let message = format!("the policy's id is `{id}`: ids have a-z, 0-9 and `-`, and each is there once");
        notes.add(Kind::Note, "id", message, None);
    }
    if let Some(target) = target(stanza, wishes, notes) {
        policy["targets"] = json!([target]);
    }
    if stanza.fields.get("ignore_retention").is_some_and(is_true) {
        policy["orphans"] = json!({ "expire_after": policy["retention"]["keep_for"] });
    }
    if wishes.adopt {
        policy["adopt"] = json!(["ebs-snapper"]);
    }
    // Whatever else a policy cannot have: a tag's key that is too long, a filter without values.
    match policy::parse_value(&policy) {
        Ok(_) => Some(policy),
        Err(errors) => {
            notes.refused("", errors.to_string(), "change the stanza so that it can be written as a policy")
        }
    }
}

/// Whether ebs_snapper uses it: `validate_snapshot_settings` in its `utils.py`; and it refuses to match everything.
fn is_used(stanza: &Stanza) -> bool {
    let matched = stanza.fields.get("match").and_then(Value::as_object);
    let snapshot = stanza.fields.get("snapshot").and_then(Value::as_object);
    matched.is_some_and(|matched| !matched.is_empty())
        && snapshot
            .is_some_and(|s| ["retention", "minimum", "frequency"].iter().all(|key| s.contains_key(*key)))
}

/// `snapshot.frequency`: a period, or else a crontab.
fn expression(value: &Value, notes: &mut Notes<'_>) -> Option<String> {
    const PART: &str = "snapshot.frequency";
    const HINT: &str = "write a period such as `12 hours`, or a crontab such as `0 5 * * *`";
    let Some(text) = value.as_str() else {
        return notes.refused(PART, "it is not a text", HINT);
    };
    if let Some(seconds) = period::seconds(text) {
        let (expression, rounded) = period::rate(seconds);
        let mut message = format!(
            "`{text}` was counted from each volume's newest snapshot, whoever made it; `{expression}` occurs at the \
             multiples of that time since 1970-01-01T00:00Z"
        );
        if rounded {
            message += ", and is in whole minutes, rounded up";
        }
        let daily = seconds % 86_400 == 0;
        let hint = daily.then(|| {
            "for another time of the day than 00:00 UTC write, for example, `cron(0 2 * * ? *)`".to_owned()
        });
        notes.add(Kind::Note, PART, message, hint);
        return Some(expression);
    }
    match crontab::cron(text) {
        Ok(expression) => Some(expression),
        Err(why) => notes.refused(PART, why, HINT),
    }
}

/// `snapshot.retention` and `snapshot.minimum`.
fn retention(snapshot: &Map<String, Value>, notes: &mut Notes<'_>) -> Option<Value> {
    const RETENTION: &str = "snapshot.retention";
    let given = snapshot.get("retention").and_then(Value::as_str);
    let keep_for = match given.and_then(period::seconds) {
        Some(seconds) => {
            if seconds % 86_400 != 0 {
                let message =
                    "ebs_snapper rounded it to days: `DeleteOn` is a day; stopgap keeps to the second";
                notes.add(Kind::Note, RETENTION, message, None);
            }
            Some(period::written(seconds))
        }
        None => notes.refused(
            RETENTION,
            "it is no duration of ebs_snapper's, which has weeks, days, hours, minutes and seconds",
            "write for example `4 days`",
        ),
    };
    let minimum = match snapshot.get("minimum") {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let minimum = match minimum.and_then(|minimum| u32::try_from(minimum).ok()) {
        Some(minimum) => Some(minimum),
        None => notes.refused("snapshot.minimum", "it is not a number", "write for example 5"),
    };
    let (keep_for, minimum) = (keep_for?, minimum?);
    Some(match minimum {
        0 => json!({ "keep_for": keep_for }),
        minimum => json!({ "keep_for": keep_for, "at_least": minimum }),
    })
}

/// What else stands in a stanza.
fn others(stanza: &Stanza, snapshot: &Map<String, Value>, notes: &mut Notes<'_>) {
    for (key, value) in &stanza.fields {
        match key.as_str() {
            "match" | "snapshot" => {}
            "ignore" => ignore(value, notes),
            "ignore_retention" if is_true(value) => notes.add(
                Kind::Note,
                key,
                "ebs_snapper deleted by it below the minimum, in the whole account, where it could not count a volume's snapshots: \
                 mostly because the instance is gone; `orphans` does that for this policy's, once the newest of an instance \
                 that is gone is as old as `keep_for`",
                Some("take `orphans` out to keep the last ones of instances that are gone".to_owned()),
            ),
            "replication" if is_true(value) => notes.add(
                Kind::Lost,
                key,
                "stopgap does not copy snapshots to other Regions: what has the tag `replication_dst_region` is copied no more",
                Some(
                    "let AWS Backup or Data Lifecycle Manager copy them; take the tag off instances and volumes before \
                     you turn ebs_snapper's replication off, since stopgap copies tags to snapshots"
                        .to_owned(),
                ),
            ),
            "ignore_retention" | "replication" => {}
            _ => unknown(key, notes),
        }
    }
    for key in snapshot.keys().filter(|key| !["retention", "minimum", "frequency"].contains(&key.as_str())) {
        unknown(&format!("snapshot.{key}"), notes);
    }
}

fn unknown(part: &str, notes: &mut Notes<'_>) {
    notes.add(Kind::Note, part, "ebs_snapper does not know it either, so that it is left out", None);
}

fn target(stanza: &Stanza, wishes: &Wishes<'_>, notes: &mut Notes<'_>) -> Option<Value> {
    let mut target = Map::new();
    if let Some(account) = &stanza.account {
        if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) {
            target.insert("account".to_owned(), account.as_str().into());
        } else {
            let hint = Some("write `targets` with the account's twelve digits".to_owned());
            notes.add(Kind::Lost, "aws_account_id", format!("`{account}` is not an account's id"), hint);
        }
    }
    if !wishes.regions.is_empty() {
        target.insert("regions".to_owned(), wishes.regions.into());
    }
    (!target.is_empty()).then_some(target.into())
}

/// What Python takes for true.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

#[cfg(test)]
mod tests;
