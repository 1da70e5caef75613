//! From a policy file's text to policies.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::decode::{Issues, Node, PolicyErrors};
use super::orphans::orphans;
use super::preflight::preflight;
use super::read_select::{each, select, volumes};
use super::read_targets::targets;
use super::types::{
    AlarmActions, Autoscaling, Concurrency, Consistency, Count, LoadBalancing, Policy, Restart, Retention,
    TagSource, Tagging, Tool,
};
use super::{PolicyId, defaults, document};
use crate::inventory::Tags;
use crate::schedule::{START_WITHIN_MAX, Schedule};
use crate::set_tags;

/// Reads a policy file: one policy, an array of policies, or `{"defaults": {...}, "policies": [...]}`.
///
/// A policy's field comes from the policy, else from the file's `defaults`, else from [`defaults::BUILT_IN`]. Objects
/// are merged key by key, anything else is taken whole; `null` leaves out what `defaults` says.
///
/// # Errors
/// Every mistake in the file, each with where it is and what would be right.
pub fn parse(text: &str) -> Result<Vec<Policy>, PolicyErrors> {
    let (value, issues) = document::read(text);
    if value.is_null() && !issues.is_empty() {
        return Err(PolicyErrors(issues));
    }
    let issues = Issues::new(issues);
    let policies = file(&value, &issues);
    finish(policies, issues)
}

/// Reads one policy that has been parsed as JSON, such as a stored one.
///
/// # Errors
/// Every mistake in it, as [`parse`] gives them.
pub fn parse_value(value: &Value) -> Result<Policy, PolicyErrors> {
    let issues = Issues::default();
    let policy = policy(Node::new(value, "", &issues).or_built_in(&defaults::DOCUMENT));
    match (policy, issues.into_inner()) {
        (Some(policy), issues) if issues.is_empty() => Ok(policy),
        (_, issues) => Err(PolicyErrors(issues)),
    }
}

fn finish<T>(value: T, issues: Issues) -> Result<T, PolicyErrors> {
    let issues = issues.into_inner();
    if issues.is_empty() { Ok(value) } else { Err(PolicyErrors(issues)) }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_value(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn file(value: &Value, issues: &Issues) -> Vec<Policy> {
    const KINDS: &str = "a policy, an array of policies, or `{\"defaults\": {...}, \"policies\": [...]}`";
    let empty = Value::Object(Map::new());
    let whole = Node::new(value, "", issues);
    let (nodes, file_defaults) = match value {
        Value::Object(fields) if fields.contains_key("policies") || fields.contains_key("defaults") => {
            let Some(object) = whole.object(&["defaults", "policies"]) else { return Vec::new() };
            check_defaults(fields.get("defaults"), issues);
            let nodes = object
                .need("policies", "an array of policies")
                .and_then(|node| node.items("an array of policies"));
            (
                nodes.unwrap_or_default(),
                fields.get("defaults").filter(|value| value.is_object()).unwrap_or(&empty),
            )
        }
        Value::Object(_) => return policy(whole.or_built_in(&defaults::DOCUMENT)).into_iter().collect(),
        _ => (whole.items(KINDS).unwrap_or_default(), &empty),
    };
    if nodes.is_empty() && issues.borrow().is_empty() {
        Node::new(value, "", issues).wrong(format!("there is no policy in it; write {KINDS}"));
    }
    let mut places: BTreeMap<PolicyId, String> = BTreeMap::new();
    let mut policies = Vec::new();
    for node in nodes {
        let place = node.path();
        // Ids are compared even where the rest cannot be read.
        let id = node.clone().map("an object").and_then(|object| object.get("id"));
        if let Some((node, id)) = id.and_then(|node| Some((node.clone(), node.as_str()?.parse().ok()?))) {
            match places.get(&id) {
                Some(first) => {
                    node.wrong(format!("`{id}` is also the id of {first}; every policy needs its own"))
                }
                None => {
                    places.insert(id, place);
                }
            }
        }
        policies.extend(policy(node.or(file_defaults, "defaults").or_built_in(&defaults::DOCUMENT)));
    }
    policies
}

/// Notes the mistakes in a file's `defaults` themselves, whatever its policies take from them: they are read over a
/// policy that says all that a policy must.
fn check_defaults(value: Option<&Value>, issues: &Issues) {
    let Some(value) = value else { return };
    let complete = json!({
        "id": "any", "select": {"any": [{"name": "*"}]}, "schedule": {"expression": "rate(1 day)"},
        "retention": {"keep_last": 1}, "concurrency": {"group_by": "asg"}
    });
    let found = Issues::default();
    let node = Node::new(value, "defaults", &found);
    if let Some(id) =
        node.clone().map("an object with fields of a policy").and_then(|object| object.get("id"))
    {
        id.wrong("an id cannot be a default: every policy needs its own");
    } else {
        policy(node.or_built_in(&defaults::DOCUMENT).or_built_in(&complete));
    }
    issues.borrow_mut().extend(found.into_inner());
}

fn policy(node: Node) -> Option<Policy> {
    let object = node.object(&[
        "version",
        "id",
        "enabled",
        "targets",
        "select",
        "schedule",
        "consistency",
        "restart",
        "retention",
        "orphans",
        "volumes",
        "tags",
        "autoscaling",
        "alarms",
        "load_balancers",
        "concurrency",
        "preflight",
        "adopt",
    ])?;
    let version = object.get("version").and_then(|node| {
        let version = node.number(0, "1, the version of this format")?;
        (version == 1).then_some(1).or_else(|| {
            node.wrong(format!("version {version} of the format is not known here; write 1"));
            None
        })
    });
    let id = object.need("id", "a name such as `nightly-databases`").and_then(|node| node.parsed("a name"));
    let enabled = object.get("enabled").and_then(|node| node.boolean());
    let targets = object.get("targets").and_then(targets);
    let select = object.get("select").and_then(select);
    let schedule = object.get("schedule").and_then(schedule);
    let consistency = object
        .get("consistency")
        .and_then(|node| node.word(&[("stop", Consistency::Stop), ("crash", Consistency::Crash)]));
    let restart = object.get("restart").and_then(|node| {
        node.word(&[
            ("snapshot-started", Restart::SnapshotStarted),
            ("snapshot-completed", Restart::SnapshotCompleted),
        ])
    });
    let retention = object.get("retention").and_then(|node| retention(node, object.node()));
    let orphans = object.get("orphans").and_then(orphans);
    let volumes = object.get("volumes").and_then(volumes);
    let tags = object.get("tags").and_then(tagging);
    let autoscaling = object.get("autoscaling").and_then(|node| {
        node.word(&[
            ("standby", Autoscaling::Standby),
            ("suspend", Autoscaling::Suspend),
            ("skip", Autoscaling::Skip),
        ])
    });
    let alarms = object
        .get("alarms")
        .and_then(|node| node.word(&[("leave", AlarmActions::Leave), ("silence", AlarmActions::Silence)]));
    let load_balancers = object.get("load_balancers").and_then(|node| {
        node.word(&[("leave", LoadBalancing::Leave), ("deregister", LoadBalancing::Deregister)])
    });
    let concurrency = match object.get("concurrency").filter(Node::is_given) {
        Some(node) => Some(concurrency(node)?),
        None => None,
    };
    let preflight = object.get("preflight").and_then(preflight);
    let adopt = object.get("adopt").and_then(adopt);
    Some(Policy {
        version: version?,
        id: id?,
        enabled: enabled?,
        targets: targets?,
        select: select?,
        schedule: schedule?,
        consistency: consistency?,
        restart: restart?,
        retention: retention?,
        orphans: orphans?,
        volumes: volumes?,
        tags: tags?,
        autoscaling: autoscaling?,
        alarms: alarms?,
        load_balancers: load_balancers?,
        concurrency,
        preflight: preflight?,
        adopt: adopt?,
    })
}

fn adopt(node: Node) -> Option<Vec<Tool>> {
    let words = [("ebs-snapper", Tool::EbsSnapper)];
    let found =
        each(node.items("an array of names of tools, such as `ebs-snapper`")?, |node| node.word(&words))?;
    if found.len() > words.len() {
        node.wrong("every tool stands in it once");
        return None;
    }
    Some(found)
}

fn schedule(node: Node) -> Option<Schedule> {
    let object = node.object(&["expression", "timezone", "start_within"])?;
    let expression = object.need("expression", "for example `cron(0 2 * * ? *)`");
    let place = expression.clone();
    let expression = expression.and_then(|node| node.parsed("a text such as `cron(0 2 * * ? *)`"));
    let timezone =
        object.get("timezone").and_then(|node| node.parsed("an IANA time zone such as `America/Chicago`"));
    let start_within = object.get("start_within").and_then(|node| {
        let span: crate::span::Span = node.parsed("a duration such as `2h`")?;
        if span.exact().is_none_or(|length| length > START_WITHIN_MAX) {
            node.wrong(format!("`{span}` is too long: an occurrence starts within at most 24h"));
            return None;
        }
        Some(span)
    });
    let schedule = Schedule { expression: expression?, timezone: timezone?, start_within: start_within? };
    if !schedule.expression.ever_occurs(&schedule.timezone) {
        let Schedule { expression, timezone, .. } = &schedule;
        let why = if expression.as_str().starts_with("at(") {
            "clocks there skip this time when they are set forward; write one before or after"
        } else {
            "no time from 1970 to 2199 fits it"
        };
        place?.wrong(format!("`{expression}` never occurs in {timezone}: {why}"));
        return None;
    }
    Some(schedule)
}

fn retention(node: Node, policy: &Node) -> Option<Retention> {
    let given = node.is_given();
    let object = node.object(&[
        "keep_for",
        "keep_last",
        "keep_hourly",
        "keep_daily",
        "keep_weekly",
        "keep_monthly",
        "keep_yearly",
        "at_least",
        "delete_at_most",
    ])?;
    let delete_at_most = object.get("delete_at_most").and_then(|node| node.number(1, "a number from 1 on"));
    let mut readable = true;
    let keep_for = object.get("keep_for").and_then(|node| {
        let span = node.parsed("a duration such as `14d`");
        readable &= span.is_some();
        span
    });
    let mut count = |name: &str| {
        let node = object.get(name)?;
        let count = if node.as_str() == Some("all") {
            Some(Count::All)
        } else {
            node.number(0, "a number or `all`").map(Count::Of)
        };
        readable &= count.is_some();
        count
    };
    let retention = Retention {
        keep_for,
        keep_last: count("keep_last"),
        keep_hourly: count("keep_hourly"),
        keep_daily: count("keep_daily"),
        keep_weekly: count("keep_weekly"),
        keep_monthly: count("keep_monthly"),
        keep_yearly: count("keep_yearly"),
        at_least: count("at_least"),
        delete_at_most: delete_at_most?,
    };
    if !given && retention.keeps_nothing() {
        policy.wrong("`retention` is missing; it takes rules such as `{\"keep_for\": \"14d\"}`");
        return None;
    }
    if readable && retention.keeps_nothing() {
        object.node().wrong(
            "it keeps nothing; write a rule, such as `{\"keep_for\": \"14d\"}` or `{\"keep_daily\": 7}`",
        );
        return None;
    }
    readable.then_some(retention)
}

fn tagging(node: Node) -> Option<Tagging> {
    let object = node.object(&["from", "add"])?;
    let from = object.get("from").and_then(|node| {
        let words = [("volume", TagSource::Volume), ("instance", TagSource::Instance)];
        let found = each(node.items("an array of `volume` and `instance`")?, |node| node.word(&words))?;
        if found.len() > 1 && found.first() == found.last() || found.len() > 2 {
            node.wrong("every source stands in it once");
            return None;
        }
        Some(found)
    });
    let add = object.get("add").and_then(|node| {
        let fields = node.map("an object of texts")?.fields();
        let found = fields.into_iter().map(|(key, node)| {
            let value = node.text("a text")?;
            if let Err(why) = set_tags::check(&key, value) {
                node.wrong(why);
                return None;
            }
            Some((key, value.to_owned()))
        });
        found.collect::<Vec<_>>().into_iter().collect::<Option<Tags>>()
    });
    Some(Tagging { from: from?, add: add? })
}

fn concurrency(node: Node) -> Option<Concurrency> {
    let object = node.object(&["group_by", "max"])?;
    let group_by = object
        .need("group_by", "`tag:KEY` or `asg`")
        .and_then(|node| node.parsed("a text such as `tag:Cluster`, or `asg`"));
    let max = object.get("max").and_then(|node| node.number(1, "a number from 1 on"));
    Some(Concurrency { group_by: group_by?, max: max? })
}
