//! Reading where a policy selects.

use std::collections::BTreeSet;

use super::decode::Node;
use super::read_select::each;
use super::target::{ROLE_MAX, ROLE_PREFIX, Target, is_account, is_region, is_role};

/// An account and a Region as a policy says them: both can be left out.
type Place<'a> = (Option<&'a str>, Option<&'a str>);

pub(super) fn targets(node: Node) -> Option<Vec<Target>> {
    const EXAMPLE: &str =
        "an array such as `[{\"account\": \"111122223333\", \"regions\": [\"eu-west-1\"]}]`";
    let nodes = node.items(EXAMPLE)?;
    let found = each(nodes.clone(), target)?;
    let mut seen = BTreeSet::new();
    let mut once = true;
    for (node, target) in nodes.iter().zip(&found) {
        for place in places(target) {
            if !seen.insert(place) {
                node.wrong(format!("{} stands here twice; name it once", in_words(place)));
                once = false;
            }
        }
    }
    once.then_some(found)
}

fn target(node: Node) -> Option<Target> {
    let object = node.object(&["account", "regions", "role"])?;
    // What is left out is `None` and right; what cannot be read is noted, and makes the whole unreadable.
    let mut readable = true;
    let mut text = |name: &str, what: &str, fits: fn(&str) -> bool| {
        let read = checked(&object.get(name)?, what, fits);
        readable &= read.is_some();
        read
    };
    let account = text("account", "an account id: 12 digits, as a text, such as `111122223333`", is_account);
    let role = text("role", &role_in_words(), is_role);
    let regions = object.get("regions").and_then(|node| {
        let regions = regions(&node);
        readable &= regions.is_some();
        regions
    });
    readable.then_some(Target { account, regions, role })
}

fn regions(node: &Node) -> Option<Vec<String>> {
    let nodes = node.items("an array of Regions such as `[\"eu-west-1\"]`")?;
    if nodes.is_empty() {
        node.wrong(
            "an empty array is nowhere; name a Region, or leave `regions` out for the one stopgap is deployed in",
        );
        return None;
    }
    each(nodes, |node| checked(&node, "a Region's code such as `eu-west-1`", is_region))
}

/// A text that `fits`, or a note that it takes `what`.
fn checked(node: &Node, what: &str, fits: fn(&str) -> bool) -> Option<String> {
    let text = node.text(what)?;
    if !fits(text) {
        node.wrong(format!("`{text}` is not {what}"));
        return None;
    }
    Some(text.to_owned())
}

fn role_in_words() -> String {
    format!(
        "the name of a role that stopgap may assume: it begins with `{ROLE_PREFIX}`, has at most {ROLE_MAX} characters \
         of letters, digits and `+=,.@_-`, and is no ARN"
    )
}

/// What a target names, as far as it can be told from the policy alone.
fn places(target: &Target) -> Vec<Place<'_>> {
    let account = target.account.as_deref();
    match &target.regions {
        Some(regions) => regions.iter().map(|region| (account, Some(region.as_str()))).collect(),
        None => vec![(account, None)],
    }
}

fn in_words((account, region): Place<'_>) -> String {
    match (account, region) {
        (Some(account), Some(region)) => format!("`{region}` of the account `{account}`"),
        (Some(account), None) => format!("the account `{account}` without `regions`"),
        (None, Some(region)) => format!("`{region}`"),
        (None, None) => "what stopgap is deployed in".to_owned(),
    }
}
