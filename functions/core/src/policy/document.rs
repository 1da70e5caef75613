//! A JSON text as a value, refusing what JSON leaves open: an object with the same key twice.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::decode::PolicyIssue;

/// Reads `text`; every key that stands twice in an object is an issue, since one of the two would be lost.
pub(super) fn read(text: &str) -> (Value, Vec<PolicyIssue>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        let message = "there is nothing in it; write a policy, an array of policies, or \
                       `{\"defaults\": {...}, \"policies\": [...]}`";
        return (Value::Null, vec![PolicyIssue::new("", message)]);
    }
    let mut issues = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Node { path: String::new(), issues: &mut issues }.deserialize(&mut deserializer);
    match read.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) => (value, issues),
        Err(error) => (Value::Null, vec![PolicyIssue::new("", format!("it is not JSON: {error}"))]),
    }
}

/// `path.key`, as issues are located.
pub(super) fn field(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

struct Node<'a> {
    path: String,
    issues: &'a mut Vec<PolicyIssue>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let path = format!("{}[{}]", self.path, items.len());
            match seq.next_element_seed(Node { path, issues: &mut *self.issues })? {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let path = field(&self.path, &key);
            if fields.contains_key(&key) {
                self.issues
                    .push(PolicyIssue::new(&path, "this key stands here twice; remove one of the two"));
            }
            let value = map.next_value_seed(Node { path, issues: &mut *self.issues })?;
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}
