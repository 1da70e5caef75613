use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::preflight::{Finding, Overrides, Verdict};
use crate::schedule::{Expression, Schedule, Zone};

fn minimal() -> Value {
    json!({
        "id": "nightly",
        "select": {"any": [{"tag": {"Backup": ["nightly"]}}]},
        "schedule": {"expression": "cron(0 2 * * ? *)"},
        "retention": {"keep_for": "14d"}
    })
}

/// The example of the documentation, with every field (but the rules that are not yet supported).
fn full() -> Value {
    json!({
        "version": 1,
        "id": "nightly-databases",
        "enabled": false,
        "targets": [{"regions": ["eu-west-1"]}, {"account": "111122223333", "regions": ["us-east-1", "us-west-2"], "role": "stopgap-spoke-2"}],
        "select": {
            "any": [
                {"tag": {"Backup": ["nightly"]}}, {"asg": "db-*"}, {"name": "legacy-*"}, {"instance": "i-0abc"},
                {"all": [{"tag": {"Env": ["prod"]}}, {"filter": {"instance-type": ["m5.*"]}}]}
            ],
            "except": [{"tag": {"Backup": ["never"]}}]
        },
        "schedule": {"expression": "cron(0 2 * * ? *)", "timezone": "America/Chicago", "start_within": "3h"},
        "consistency": "crash",
        "restart": "snapshot-completed",
        "retention": {"keep_for": "14d", "keep_last": 3, "keep_hourly": 0, "keep_weekly": 4, "keep_yearly": "all", "at_least": "all", "delete_at_most": 9},
        "orphans": {"expire_after": "90d"},
        "volumes": {"except": [{"tag": {"Scratch": ["true"]}}], "root": false},
        "tags": {"from": ["instance"], "add": {"CostCenter": "42"}},
        "autoscaling": "suspend",
        "alarms": "silence",
        "load_balancers": "deregister",
        "concurrency": {"group_by": "tag:Cluster", "max": 2},
        "preflight": {"public-address-lost": "refuse", "hibernation": "ignore", "stop-protected": "refuse"},
        "adopt": ["ebs-snapper"]
    })
}

/// `value` with the field at `path` (such as `schedule.timezone`) set.
fn with(mut value: Value, path: &str, field: Value) -> Value {
    let pointer = format!("/{}", path.replace('.', "/"));
    let (outer, leaf) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(outer).unwrap().as_object_mut().unwrap().insert(leaf.to_owned(), field);
    value
}

fn without(mut value: Value, field: &str) -> Value {
    value.as_object_mut().unwrap().remove(field);
    value
}

fn issues(value: &Value) -> Vec<String> {
    match parse(&value.to_string()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.0.iter().map(ToString::to_string).collect(),
    }
}

#[track_caller]
fn refused(value: &Value, says: &[&str]) {
    let issues = issues(value);
    assert_eq!(issues.len(), says.len(), "{issues:#?}");
    for says in says {
        assert!(issues.iter().any(|issue| issue.contains(says)), "{says}: {issues:#?}");
    }
}

#[test]
fn a_policy_with_every_field_is_written_as_it_was_read() {
    let policy = parse_value(&full()).unwrap();
    assert_eq!(serde_json::to_value(&policy).unwrap(), full());
}

#[test]
fn what_a_policy_leaves_out_has_the_documented_default() {
    let policy = parse_value(&minimal()).unwrap();
    let written = serde_json::to_value(&policy).unwrap();
    for default in defaults::BUILT_IN.iter().filter(|default| default.path != "concurrency.max") {
        let pointer = format!("/{}", default.path.replace('.', "/"));
        let expected: Value = serde_json::from_str(default.value).unwrap();
        assert_eq!(written.pointer(&pointer), Some(&expected), "{}", default.path);
    }
    assert_eq!(policy.concurrency, None);
    let grouped = parse_value(&with(minimal(), "concurrency", json!({"group_by": "asg"}))).unwrap();
    assert_eq!(grouped.concurrency, Some(Concurrency { group_by: GroupBy::Asg, max: 1 }));
}

#[test]
fn a_file_holds_one_policy_an_array_or_policies_with_defaults() {
    let second = with(minimal(), "id", json!("second"));
    let ids = |value: &Value| -> Vec<String> {
        parse(&value.to_string()).unwrap().iter().map(|policy| policy.id.to_string()).collect()
    };
    assert_eq!(ids(&minimal()), ["nightly"]);
    assert_eq!(ids(&json!([minimal(), second])), ["nightly", "second"]);
    assert_eq!(ids(&json!({"defaults": {}, "policies": [minimal(), second]})), ["nightly", "second"]);
}

#[test]
fn defaults_are_merged_key_by_key_below_the_policy() {
    let file = json!({
        "defaults": {
            "schedule": {"timezone": "Europe/London", "expression": "rate(1 day)"},
            "tags": {"add": {"Team": "ops", "CostCenter": "1"}},
            "volumes": {"except": [{"tag": {"Scratch": ["true"]}}]},
            "retention": {"keep_for": "14d", "at_least": 2},
            "concurrency": {"group_by": "tag:Cluster"}
        },
        "policies": [{
            "id": "one",
            "select": {"any": [{"name": "*"}]},
            "schedule": {"expression": "rate(2 hours)"},
            "tags": {"add": {"CostCenter": "42"}},
            "volumes": {"except": []},
            "retention": {"keep_last": 3, "keep_for": null},
            "concurrency": null
        }]
    });
    let policy = parse(&file.to_string()).unwrap().remove(0);
    assert_eq!(policy.schedule.timezone.name(), "Europe/London");
    assert_eq!(policy.schedule.expression.as_str(), "rate(2 hours)");
    assert_eq!(
        policy.tags.add,
        [("CostCenter", "42"), ("Team", "ops")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    );
    assert_eq!(policy.volumes.except, []);
    let retention =
        Retention { keep_last: Some(Count::Of(3)), at_least: Some(Count::Of(2)), ..Retention::default() };
    assert_eq!(policy.retention, retention);
    assert_eq!(policy.concurrency, None);
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let file = json!({"policies": [
        minimal(),
        {
            "id": "Second", "retension": {}, "select": {"any": [], "except": [{"tags": {}}]},
            "schedule": {"expression": "cron(0 25 * * ? *)", "timezone": "Mars", "start_within": "3d"},
            "retention": {"keep_daily": "seven", "at_least": -1, "delete_at_most": 0},
            "tags": {"add": {"aws:x": "", "stopgap:policy": "x"}, "from": ["volumes"]},
            "consistency": "warm", "enabled": "yes", "orphans": "delete", "concurrency": {"group_by": "Cluster", "max": 0}
        }
    ]});
    refused(
        &file,
        &[
            "policies[1].retension: there is no field `retension` here; did you mean `retention`?",
            "policies[1].id: `Second` is not a policy id",
            "policies[1].select.any: an empty array selects nothing",
            "policies[1].select.except[0].tags: there is no field `tags` here; did you mean `tag`?",
            "policies[1].schedule.expression: `cron(0 25 * * ? *)` is not a schedule expression: hours `25`",
            "policies[1].schedule.timezone: `Mars` is not an IANA time zone",
            "policies[1].schedule.start_within: `3d` is too long",
            "policies[1].retention.keep_daily: this is the text `seven`, but it takes a number or `all`",
            "policies[1].retention.at_least: this is `-1`, but it takes a number or `all`",
            "policies[1].retention.delete_at_most: this is `0`, but it takes a number from 1 on",
            "policies[1].tags.add.aws:x: a tag key cannot begin with `aws:`",
            "policies[1].tags.add.stopgap:policy: a tag key cannot begin with `stopgap:`",
            "policies[1].tags.from[0]: `volumes` is none of `volume` or `instance`",
            "policies[1].orphans: `delete` does not say what becomes of them; write `\"keep\"`, or how long as in",
            "policies[1].consistency: `warm` is none of `stop` or `crash`",
            "policies[1].enabled: this is the text `yes`, but it takes `true` or `false`",
            "policies[1].concurrency.group_by: `Cluster` does not say what makes a group",
            "policies[1].concurrency.max: this is `0`, but it takes a number from 1 on",
        ],
    );
}

#[test]
fn a_mistake_in_the_defaults_is_told_once_and_there() {
    let file = json!({
        "defaults": {"id": "x", "schedule": {"timezone": "Mars"}, "colour": 1},
        "policies": [minimal(), with(minimal(), "id", json!("second"))]
    });
    refused(
        &file,
        &["defaults.id: an id cannot be a default", "defaults.schedule.timezone: `Mars`", "defaults.colour"],
    );
    let unused = json!({
        "defaults": {"schedule": {"timezone": "Mars"}},
        "policies": [with(minimal(), "schedule.timezone", json!("UTC"))]
    });
    refused(&unused, &["defaults.schedule.timezone: `Mars`"]);
}

#[test]
fn what_must_be_said_is_asked_for() {
    refused(&without(minimal(), "id"), &["`id` is missing"]);
    refused(&without(minimal(), "select"), &["select: `any` is missing"]);
    refused(&without(minimal(), "schedule"), &["schedule: `expression` is missing"]);
    refused(&without(minimal(), "retention"), &["`retention` is missing"]);
    refused(&json!({"defaults": {}}), &["`policies` is missing"]);
}

#[test]
fn what_follows_from_a_finding_is_a_word_and_what_ec2_refuses_stays_refused() {
    let preflight =
        |value: Value| parse_value(&with(minimal(), "preflight", value)).map(|policy| policy.preflight);
    let read = preflight(json!({"public-address-lost": "refuse", "hibernation": "ignore"})).unwrap();
    assert_eq!(read.verdict(Finding::PublicAddressLost), Verdict::Refuse);
    assert_eq!(read.verdict(Finding::Hibernation), Verdict::Ignore);
    assert_eq!(read.verdict(Finding::InstanceStoreData), Verdict::Refuse);
    assert!(preflight(json!({"stop-protected": "refuse"})).is_ok());
    for (value, says) in [
        (
            json!({"public-adress-lost": "warn"}),
            "preflight.public-adress-lost: there is no field `public-adress-lost` here; did you mean \
             `public-address-lost`?",
        ),
        (
            json!({"stop-protected": "warn"}),
            "preflight.stop-protected: `stop-protected` is always refused: EC2",
        ),
        (
            json!({"hibernation": "refused"}),
            "preflight.hibernation: `refused` is none of `ignore`, `warn` or `refuse`",
        ),
        (json!(["hibernation"]), "preflight: this is an array, but it takes an object"),
    ] {
        let found = preflight(value).unwrap_err().to_string();
        assert!(found.contains(says), "{says}: {found}");
    }
    // A policy in a file whose defaults refuse more.
    let file = json!({
        "defaults": {"preflight": {"public-address-lost": "refuse", "hibernation": "refuse"}},
        "policies": [with(minimal(), "preflight", json!({"public-address-lost": null, "hibernation": "ignore"}))]
    });
    let read = &parse(&file.to_string()).unwrap()[0].preflight;
    assert_eq!(read.verdict(Finding::PublicAddressLost), Verdict::Warn);
    assert_eq!(read.verdict(Finding::Hibernation), Verdict::Ignore);
}

#[test]
fn what_becomes_of_orphans_is_a_word_or_a_duration() {
    let orphans = |value: Value| parse_value(&with(minimal(), "orphans", value)).map(|policy| policy.orphans);
    assert_eq!(orphans(json!("keep")), Ok(Orphans::Keep));
    assert_eq!(orphans(json!({"expire_after": "90d"})), Ok(Orphans::ExpireAfter("90d".parse().unwrap())));
    for (value, says) in [
        (json!(90), "orphans: this is `90`, but it takes `\"keep\"`, or how long as in"),
        (json!({}), "orphans: `expire_after` is missing; it takes a duration such as `90d`"),
        (json!({"expire_after": "soon"}), "orphans.expire_after: `soon` is not a duration"),
        (
            json!({"expires_after": "90d"}),
            "orphans.expires_after: there is no field `expires_after` here; did you mean `expire_after`?",
        ),
    ] {
        let found = orphans(value).unwrap_err().to_string();
        assert!(found.contains(says), "{says}: {found}");
    }
    // A policy that keeps them in a file whose defaults let them go.
    let file = json!({
        "defaults": {"orphans": {"expire_after": "30d"}},
        "policies": [minimal(), with(with(minimal(), "id", json!("second")), "orphans", json!("keep"))]
    });
    let policies = parse(&file.to_string()).unwrap();
    assert_eq!(policies[0].orphans, Orphans::ExpireAfter("30d".parse().unwrap()));
    assert_eq!(policies[1].orphans, Orphans::Keep);
}

#[test]
fn a_retention_that_keeps_nothing_is_refused() {
    for retention in
        [json!({}), json!({"at_least": 0}), json!({"keep_last": 0, "at_least": 0, "keep_daily": 0})]
    {
        refused(&with(minimal(), "retention", retention), &["retention: it keeps nothing"]);
    }
    for retention in [
        json!({"at_least": 1}),
        json!({"keep_last": "all"}),
        json!({"keep_for": "1d", "at_least": 0}),
        json!({"keep_yearly": 1}),
    ] {
        assert_eq!(issues(&with(minimal(), "retention", retention)), [""; 0]);
    }
}

#[test]
fn matchers_that_match_nothing_or_everything_by_mistake_are_refused() {
    for (matcher, says) in [
        (json!({}), "exactly one of `tag`, `asg`"),
        (json!({"asg": "a", "name": "b"}), "put what must hold together into `all`"),
        (json!({"tag": {}}), "an empty object would match everything"),
        (json!({"tag": {"a": []}}), "an empty array matches nothing"),
        (json!({"tag": {"a": "b"}}), "it takes an array of values"),
        (json!({"tag": {"": ["b"]}}), "keys have 1 to 128 characters"),
        (json!({"asg": ""}), "an empty text matches nothing"),
        (json!({"instance": "web-1"}), "not an instance id"),
        (json!({"all": []}), "an empty array would select everything"),
        (
            json!({"filter": {"launch-time": ["2026*"]}}),
            "`launch-time` is not supported; supported are `architecture`",
        ),
        (json!("nightly"), "it takes an object"),
    ] {
        refused(&with(minimal(), "select.any", json!([matcher])), &[says]);
    }
}

#[test]
fn tags_that_ec2_would_refuse_are_refused() {
    let add = |key: &str, value: &str| with(minimal(), "tags", json!({"add": {key: value}}));
    assert_eq!(issues(&add(&"ü".repeat(128), &"ü".repeat(256))), [""; 0]);
    refused(&add(&"x".repeat(129), ""), &["has 1 to 128 characters"]);
    refused(&add("", ""), &["has 1 to 128 characters"]);
    refused(&add("x", &"x".repeat(257)), &["up to 256 characters"]);
    refused(&add("AWS:x", ""), &["cannot begin with `aws:`"]);
}

#[test]
fn an_expression_that_never_occurs_is_refused() {
    let at = |expression: &str, zone: &str| {
        with(minimal(), "schedule", json!({"expression": expression, "timezone": zone}))
    };
    refused(&at("cron(0 0 31 2 ? *)", "UTC"), &["schedule.expression: `cron(0 0 31 2 ? *)` never occurs"]);
    // Chicago's clocks skip 02:00 to 03:00 on that day.
    refused(&at("at(2026-03-08T02:30:00)", "America/Chicago"), &["never occurs in America/Chicago"]);
    assert_eq!(issues(&at("at(2026-03-08T02:30:00)", "UTC")), [""; 0]);
}

#[test]
fn two_policies_cannot_share_an_id() {
    refused(&json!([minimal(), minimal()]), &["[1].id: `nightly` is also the id of [0]"]);
    // Also where the first cannot be read.
    refused(
        &json!([without(minimal(), "retention"), minimal()]),
        &["[0]: `retention` is missing", "[1].id: `nightly`"],
    );
}

#[test]
fn what_json_leaves_open_or_refuses_is_told() {
    for (text, says) in [
        ("", "there is nothing in it"),
        ("\u{feff}", "there is nothing in it"),
        ("[]", "there is no policy in it"),
        ("null", "this is null, but it takes a policy, an array of policies"),
        ("3", "this is `3`"),
        ("[1]", "[0]: this is `1`, but it takes an object"),
        ("{\"id\": \"a\",", "it is not JSON: EOF while parsing"),
        ("{} {}", "it is not JSON: trailing characters"),
        ("{\"version\": NaN}", "it is not JSON"),
        ("{\"version\": 2}", "version: version 2 of the format is not known here; write 1"),
        (
            "{\"schedule\": {\"timezone\": \"UTC\", \"timezone\": \"UTC\"}}",
            "schedule.timezone: this key stands here twice",
        ),
    ] {
        let errors = parse(text).unwrap_err().to_string();
        assert!(errors.contains(says), "{text}: {errors}");
    }
    let with_bom = format!("\u{feff}{}", minimal());
    assert!(parse(&with_bom).is_ok());
    assert!(parse(&"[".repeat(10_000)).is_err());
}

#[test]
fn the_published_schema_is_the_one_the_types_have() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/policy.schema.json");
    let schema = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == schema, "run `UPDATE_SCHEMA=1 cargo test -p stopgap-core published_schema`");
}

fn policies() -> impl Strategy<Value = Policy> {
    let texts = || proptest::collection::vec("[a-z*?]{1,8}", 1..3);
    let tags = move || proptest::collection::btree_map("[A-Za-z:]{1,8}", texts(), 1..3);
    let leaf = prop_oneof![
        tags().prop_map(Matcher::Tag),
        "[a-z*?]{1,8}".prop_map(Matcher::Asg),
        "[a-z*?]{1,8}".prop_map(Matcher::Name),
        "i-[0-9a-f]{8}".prop_map(Matcher::Instance),
        texts().prop_map(|values| Matcher::Filter([("instance-type".to_owned(), values)].into())),
    ];
    let matcher =
        leaf.prop_recursive(2, 6, 3, |inner| proptest::collection::vec(inner, 1..3).prop_map(Matcher::All));
    let count = || proptest::option::of(prop_oneof![(1..99u32).prop_map(Count::Of), Just(Count::All)]);
    let select = (proptest::collection::vec(matcher.clone(), 1..3), proptest::collection::vec(matcher, 0..2))
        .prop_map(|(any, except)| Select { any, except });
    let schedule = (prop_oneof![Just("rate(3 hours)"), Just("cron(0 2 ? * 6L *)")], 1..24u32, 0..2usize)
        .prop_map(|(expression, hours, zone)| Schedule {
            expression: expression.parse::<Expression>().unwrap(),
            timezone: ["UTC", "Asia/Kolkata"][zone].parse::<Zone>().unwrap(),
            start_within: format!("{hours}h").parse().unwrap(),
        });
    let periods = proptest::array::uniform5(count());
    let retention = (1..99u32, count(), periods, count()).prop_map(|(days, keep_last, periods, at_least)| {
        let [keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly] = periods;
        let keep_for = Some(format!("{days}d").parse().unwrap());
        Retention {
            keep_for,
            keep_last,
            keep_hourly,
            keep_daily,
            keep_weekly,
            keep_monthly,
            keep_yearly,
            at_least,
            delete_at_most: days,
        }
    });
    let volumes = (proptest::collection::vec(tags().prop_map(VolumeMatcher::Tag), 0..2), any::<bool>())
        .prop_map(|(except, root)| VolumeSelect { except, root });
    let concurrency = proptest::option::of(
        (1..9u32, "[A-Za-z=]{1,8}").prop_map(|(max, key)| Concurrency { group_by: GroupBy::Tag(key), max }),
    );
    let target = |(account, regions, role): (Option<String>, Option<Vec<String>>, Option<String>)| Target {
        account,
        regions,
        role,
    };
    let targets = proptest::option::of(
        (
            proptest::option::of("[0-9]{12}"),
            proptest::option::of(Just(vec!["eu-west-1".to_owned(), "us-gov-west-1".to_owned()])),
            proptest::option::of("stopgap-spoke[A-Za-z0-9+=,.@_-]{0,51}"),
        )
            .prop_map(target),
    )
    .prop_map(|target| target.into_iter().collect::<Vec<_>>());
    ("[a-z0-9][a-z0-9-]{0,12}", any::<bool>(), targets, select, schedule, retention, volumes, concurrency)
        .prop_map(|(id, enabled, targets, select, schedule, retention, volumes, concurrency)| Policy {
            version: 1,
            id: id.parse().unwrap(),
            enabled,
            targets,
            select,
            schedule,
            consistency: Consistency::Crash,
            restart: Restart::SnapshotCompleted,
            retention,
            orphans: Orphans::ExpireAfter("1y 2mo".parse().unwrap()),
            volumes,
            tags: Tagging { from: vec![TagSource::Instance], add: [("a".to_owned(), "b".to_owned())].into() },
            autoscaling: Autoscaling::Skip,
            alarms: AlarmActions::Silence,
            load_balancers: LoadBalancing::Deregister,
            concurrency,
            preflight: Overrides([(Finding::Hibernation, Verdict::Refuse)].into()),
            adopt: [Tool::EbsSnapper].into_iter().filter(|_| enabled).collect(),
        })
}

proptest! {
    #[test]
    fn a_policy_reads_back_as_it_was_written(policy in policies()) {
        let text = serde_json::to_string(&policy).unwrap();
        prop_assert_eq!(parse(&text).map_err(|e| e.to_string()), Ok(vec![policy.clone()]));
        prop_assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
    }

    #[test]
    fn no_damage_to_a_file_makes_it_panic(at in 0..600usize, with in "[\\[\\]{}:,\"0-9a-z*? ]{0,3}") {
        let mut text = full().to_string();
        let at = at.min(text.len());
        text.replace_range(at..(at + 1).min(text.len()), &with);
        let _ = parse(&text);
    }
}
