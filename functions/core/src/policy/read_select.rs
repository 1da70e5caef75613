//! Reading what a policy selects: instances and volumes.

use std::collections::BTreeMap;

use super::decode::{Node, Object, list};
use super::types::{Matcher, Select, TagMatch, VolumeMatcher, VolumeSelect};
use crate::select::{FILTERS, is_filter};
use crate::set_tags;

pub(super) fn select(node: Node) -> Option<Select> {
    let object = node.object(&["any", "except"])?;
    let any = object.need("any", "an array such as `[{\"tag\": {\"Backup\": [\"nightly\"]}}]`");
    let any = any.and_then(|node| {
        let found = each(node.items("an array of matchers")?, matcher)?;
        if found.is_empty() {
            node.wrong("an empty array selects nothing; write at least one matcher");
            return None;
        }
        Some(found)
    });
    let except = object.get("except").and_then(|node| each(node.items("an array of matchers")?, matcher));
    Some(Select { any: any?, except: except? })
}

/// Every item, or none if one cannot be read; all of them are looked at.
pub(super) fn each<'a, T>(nodes: Vec<Node<'a>>, read: impl Fn(Node<'a>) -> Option<T>) -> Option<Vec<T>> {
    let found: Vec<Option<T>> = nodes.into_iter().map(read).collect();
    found.into_iter().collect()
}

fn matcher(node: Node) -> Option<Matcher> {
    const KINDS: [&str; 6] = ["tag", "asg", "name", "instance", "all", "filter"];
    let object = node.object(&KINDS)?;
    let (kind, node) = only(&object, &KINDS)?;
    match kind.as_str() {
        "tag" => tag_match(node).map(Matcher::Tag),
        "asg" => pattern(&node).map(Matcher::Asg),
        "name" => pattern(&node).map(Matcher::Name),
        "instance" => {
            let id = node.text("an instance id such as `i-0123456789abcdef0`")?;
            if !id.starts_with("i-") || id.contains(['*', '?']) {
                node.wrong(format!("`{id}` is not an instance id such as `i-0123456789abcdef0`"));
                return None;
            }
            Some(Matcher::Instance(id.to_owned()))
        }
        "all" => {
            let found = each(node.items("an array of matchers")?, matcher)?;
            if found.is_empty() {
                node.wrong("an empty array would select everything; write at least one matcher");
                return None;
            }
            Some(Matcher::All(found))
        }
        "filter" => filter(node).map(Matcher::Filter),
        _ => None,
    }
}

/// The one field that a matcher has.
fn only<'a>(object: &Object<'a>, kinds: &[&str]) -> Option<(String, Node<'a>)> {
    let mut fields = object.fields();
    let unknown = fields.iter().any(|(name, _)| !kinds.contains(&name.as_str()));
    match (fields.pop(), fields.is_empty()) {
        (Some(field), true) if !unknown => Some(field),
        // Already noted as an unknown field.
        _ if unknown => None,
        _ => {
            let all = if kinds.contains(&"all") { "; put what must hold together into `all`" } else { "" };
            object.node().wrong(format!("a matcher has exactly one of {}{all}", list(kinds)));
            None
        }
    }
}

fn pattern(node: &Node) -> Option<String> {
    let text = node.text("a text; `*` and `?` match")?;
    if text.is_empty() {
        node.wrong("an empty text matches nothing; write a name, in which `*` and `?` match");
        return None;
    }
    Some(text.to_owned())
}

/// Names with lists of values.
fn values(
    node: Node,
    example: &str,
    check: impl Fn(&str, &Node) -> bool,
) -> Option<BTreeMap<String, Vec<String>>> {
    let object = node.map(&format!("an object such as `{example}`"))?;
    let fields = object.fields();
    if fields.is_empty() {
        object.node().wrong(format!("an empty object would match everything; write for example `{example}`"));
        return None;
    }
    let found = fields.into_iter().map(|(key, node)| {
        let known = check(&key, &node);
        let values = each(node.items(&format!("an array of values, as in `{example}`"))?, |node| {
            node.text("a text").map(str::to_owned)
        })?;
        if values.is_empty() {
            node.wrong("an empty array matches nothing; write at least one value, `*` for any");
            return None;
        }
        known.then_some((key, values))
    });
    found.collect::<Vec<_>>().into_iter().collect()
}

fn tag_match(node: Node) -> Option<TagMatch> {
    values(node, r#"{"Backup": ["nightly"]}"#, |key, node| {
        let fits = (1..=set_tags::KEY_MAX).contains(&key.chars().count());
        if !fits {
            node.wrong(format!("no tag has this key: keys have 1 to {} characters", set_tags::KEY_MAX));
        }
        fits
    })
}

fn filter(node: Node) -> Option<BTreeMap<String, Vec<String>>> {
    values(node, r#"{"instance-type": ["m5.*"]}"#, |name, node| {
        let known = is_filter(name);
        if !known {
            let known = list(&FILTERS.iter().copied().chain(["tag-key", "tag:<key>"]).collect::<Vec<_>>());
            node.wrong(format!("the filter `{name}` is not supported; supported are {known}"));
        }
        known
    })
}

pub(super) fn volumes(node: Node) -> Option<VolumeSelect> {
    let object = node.object(&["except", "root"])?;
    let except = object.get("except").and_then(|node| {
        each(node.items("an array of matchers such as `{\"tag\": {\"Scratch\": [\"true\"]}}`")?, |node| {
            let object = node.object(&["tag"])?;
            let (_, node) = only(&object, &["tag"])?;
            tag_match(node).map(VolumeMatcher::Tag)
        })
    });
    let root = object.get("root").and_then(|node| node.boolean());
    Some(VolumeSelect { except: except?, root: root? })
}
