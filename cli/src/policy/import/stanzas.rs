//! From a file to ebs_snapper's stanzas, in the forms in which people have them.

use serde_json::{Map, Value};
use stopgap_core::policy::PolicyId;

/// What a file may hold.
const FORMS: &str = "a stanza (`{\"match\": …, \"snapshot\": …}`), an array of them, an object of them by id, or what \
                     `aws dynamodb scan --table-name ebs_snapshot_configuration` prints";

/// A stanza, and what it is called.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stanza {
    /// The key that it is stored under.
    pub(super) id: Option<String>,
    /// The account whose instances it is about.
    pub(super) account: Option<String>,
    /// Where in the file it stands.
    pub(super) place: String,
    /// What it says.
    pub(super) fields: Map<String, Value>,
}

impl Stanza {
    /// What people call it.
    pub(super) fn name(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.place)
    }
}

/// The stanzas in a file's text: one JSON document or several, one after another.
///
/// # Errors
/// What is in it that is none of the forms, one message each.
pub(super) fn read(text: &str) -> Result<Vec<Stanza>, Vec<String>> {
    let (mut stanzas, mut wrong) = (Vec::new(), Vec::new());
    let mut count = 0;
    for (n, document) in serde_json::Deserializer::from_str(text).into_iter::<Value>().enumerate() {
        count += 1;
        match document {
            Ok(document) => add(&document, None, &place(n), &mut stanzas, &mut wrong),
            Err(error) => {
                wrong.push(format!("it is not JSON: {error}; it takes {FORMS}"));
                break;
            }
        }
    }
    if count == 0 || stanzas.is_empty() && wrong.is_empty() {
        wrong.push(format!("there is no stanza in it; it takes {FORMS}"));
    }
    if wrong.is_empty() { Ok(stanzas) } else { Err(wrong) }
}

fn place(n: usize) -> String {
    if n == 0 { String::new() } else { format!("document {} ", n + 1) }
}

fn add(value: &Value, id: Option<&str>, place: &str, stanzas: &mut Vec<Stanza>, wrong: &mut Vec<String>) {
    let shown = if place.trim().is_empty() { "the file" } else { place.trim() };
    let fields = match value {
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                add(item, None, &format!("{place}[{n}]"), stanzas, wrong);
            }
            return;
        }
        Value::Object(fields) => fields,
        _ => return wrong.push(format!("{shown} is not a stanza; write {FORMS}")),
    };
    let given = |key: &str| fields.get(key).filter(|value| !value.is_null());
    if let Some(items) = given("Items") {
        if given("LastEvaluatedKey").is_some() || given("NextToken").is_some() {
            wrong.push(format!(
                "{shown} is only a part of the table; scan it without --no-paginate, --max-items and --limit"
            ));
        }
        add(items, None, &format!("{place}Items"), stanzas, wrong);
    } else if let Some(item) = given("Item") {
        add(item, None, &format!("{place}Item"), stanzas, wrong);
    } else if let Some(configuration) = given("configuration") {
        let text = |key: &str| match untyped(fields.get(key)?) {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let configuration = match untyped(configuration) {
            Value::String(text) => match serde_json::from_str(&text) {
                Ok(value) => value,
                Err(error) => {
                    return wrong.push(format!("{shown}: its `configuration` is not JSON: {error}"));
                }
            },
            value => value,
        };
        let Value::Object(found) = configuration else {
            return wrong.push(format!("{shown}: its `configuration` is not a stanza"));
        };
        let (id, account) = (text("id"), text("aws_account_id"));
        stanzas.push(Stanza { id, account, place: shown.to_owned(), fields: found });
    } else if ["match", "snapshot", "ignore", "ignore_retention", "replication"]
        .iter()
        .any(|key| fields.contains_key(*key))
    {
        let id = id.map(str::to_owned);
        stanzas.push(Stanza { id, account: None, place: shown.to_owned(), fields: fields.clone() });
    } else if !fields.is_empty() && id.is_none() && fields.values().all(Value::is_object) {
        for (id, stanza) in fields {
            add(stanza, Some(id), &format!("{place}{id}"), stanzas, wrong);
        }
    } else {
        wrong.push(format!("{shown} is not a stanza; write {FORMS}"));
    }
}

/// A value without DynamoDB's types: `{"S": "text"}` is `"text"`.
fn untyped(value: &Value) -> Value {
    let Value::Object(fields) = value else { return value.clone() };
    let mut only = fields.iter();
    let (Some((kind, inner)), None) = (only.next(), only.next()) else { return value.clone() };
    match (kind.as_str(), inner) {
        ("S" | "BOOL", inner) => inner.clone(),
        ("N", Value::String(number)) => serde_json::from_str(number).unwrap_or_else(|_| inner.clone()),
        ("L", Value::Array(items)) => items.iter().map(untyped).collect(),
        ("M", Value::Object(fields)) => {
            fields.iter().map(|(key, value)| (key.clone(), untyped(value))).collect::<Map<_, _>>().into()
        }
        ("NULL", _) => Value::Null,
        _ => value.clone(),
    }
}

/// The ids of the policies that the stanzas become, each its own: the stanza's id, or what it matches, in the characters that
/// a policy's id may have.
pub(super) fn ids(stanzas: &[Stanza]) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    for stanza in stanzas {
        let base = slug(stanza.id.as_deref().unwrap_or_default());
        let base = if base.is_empty() { slug(&matched(stanza)) } else { base };
        let base = if base.is_empty() { "stanza".to_owned() } else { base };
        let numbered = |n: usize| {
            let end = if n == 1 { String::new() } else { format!("-{n}") };
            let room = 63 - end.len();
            format!("{}{end}", base.get(..room).unwrap_or(&base).trim_end_matches('-'))
        };
        taken.extend((1..).map(numbered).find(|id| !taken.contains(id)));
    }
    taken
}

/// `text` as far as it can be in a policy's id; may be empty, and too long.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    debug_assert!(slug.is_empty() || slug.len() > 63 || slug.parse::<PolicyId>().is_ok());
    slug
}

/// What a stanza without an id is about.
fn matched(stanza: &Stanza) -> String {
    let Some(Value::Object(matched)) = stanza.fields.get("match") else { return String::new() };
    let words = matched.iter().flat_map(|(key, value)| {
        let values = match value {
            Value::Array(values) => values.iter().collect(),
            value => vec![value],
        };
        let key = key.strip_prefix("tag:").unwrap_or(key).to_owned();
        std::iter::once(key).chain(values.into_iter().filter_map(|value| value.as_str().map(str::to_owned)))
    });
    words.collect::<Vec<_>>().join("-")
}
