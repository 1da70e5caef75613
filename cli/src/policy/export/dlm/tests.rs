//! What Data Lifecycle Manager can do, and what it cannot.

use proptest::prelude::*;
use stopgap_core::policy;

use super::*;

fn policy(changes: Value) -> Policy {
    let mut policy = json!({
        "id": "nightly",
        "select": { "any": [{ "tag": { "Backup": ["nightly"] } }] },
        "schedule": { "expression": "cron(0 2 * * ? *)" },
        "consistency": "crash",
        "retention": { "keep_last": 7 },
    });
    policy.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    policy::parse_value(&policy).map_err(|errors| errors.to_string()).unwrap()
}

fn exported(changes: Value) -> Lifecycle {
    lifecycle(&policy(changes.clone()), None).map_err(|why| format!("{changes}: {why:?}")).unwrap()
}

/// What stands against it, each with its part.
fn against(changes: Value) -> Vec<String> {
    let reasons =
        lifecycle(&policy(changes.clone()), None).err().unwrap_or_else(|| panic!("{changes} was exported"));
    reasons.into_iter().map(|note| format!("{}: {}", note.part, note.message)).collect()
}

fn parts(notes: &[Note]) -> Vec<&str> {
    notes.iter().map(|note| note.part).collect()
}

#[test]
fn a_policy_that_dlm_can_keep_is_the_input_that_creates_it() {
    let policy = policy(json!({
        "select": { "any": [{ "tag": { "Backup": ["nightly", "daily"] } }, { "name": "db-1" }, { "tag": { "Backup": ["daily"] } }] },
        "volumes": { "root": false, "except": [{ "tag": { "Scratch": ["true"] } }] },
        "tags": { "from": ["volume"], "add": { "CostCenter": "42" } },
        "targets": [{ "account": "111122223333", "regions": ["eu-west-1"] }],
    }));
    let role = "arn:aws:iam::111122223333:role/dlm";
    let lifecycle = lifecycle(&policy, Some(role)).unwrap();
    assert_eq!(
        lifecycle.input,
        json!({
            "ExecutionRoleArn": role,
            "Description": "stopgap policy nightly",
            "State": "ENABLED",
            "PolicyDetails": {
                "PolicyType": "EBS_SNAPSHOT_MANAGEMENT",
                "ResourceTypes": ["INSTANCE"],
                "ResourceLocations": ["CLOUD"],
                "TargetTags": [
                    { "Key": "Backup", "Value": "daily" },
                    { "Key": "Backup", "Value": "nightly" },
                    { "Key": "Name", "Value": "db-1" }
                ],
                "Schedules": [{
                    "Name": "nightly",
                    "CopyTags": true,
                    "TagsToAdd": [{ "Key": "CostCenter", "Value": "42" }],
                    "CreateRule": { "CronExpression": "cron(0 2 * * ? *)" },
                    "RetainRule": { "Count": 7 }
                }],
                "Parameters": {
                    "ExcludeBootVolume": true,
                    "ExcludeDataVolumeTags": [{ "Key": "Scratch", "Value": "true" }]
                }
            }
        })
    );
    assert_eq!(lifecycle.places, policy.targets);
    assert_eq!(parts(&lifecycle.notes), ["orphans", "retention", "schedule.start_within", "targets"]);
}

#[test]
fn what_dlm_does_differently_is_noted() {
    assert_eq!(
        parts(&exported(json!({})).notes),
        ["orphans", "retention", "schedule.start_within", "tags.from"],
        "tags of the instance are not copied"
    );
    let root = exported(json!({ "volumes": { "except": [{ "tag": { "Scratch": ["true"] } }] } }));
    assert!(parts(&root.notes).contains(&"volumes.except"), "{:?}", root.notes);
    let disabled = exported(json!({ "enabled": false }));
    assert_eq!(disabled.input["State"], "DISABLED");
}

#[test]
fn what_dlm_cannot_do_is_a_reason_against_it() {
    let any = |matcher: Value| json!({ "select": { "any": [matcher] } });
    for (changes, part, why) in [
        (json!({ "consistency": "stop" }), "consistency", "stops no instance"),
        (
            json!({ "select": { "any": [{ "name": "a" }], "except": [{ "name": "b" }] } }),
            "select.except",
            "exceptions",
        ),
        (any(json!({ "asg": "web" })), "select.any", "Auto Scaling group"),
        (any(json!({ "instance": "i-1" })), "select.any", "instance id"),
        (any(json!({ "filter": { "vpc-id": ["vpc-1"] } })), "select.any", "other filters"),
        (any(json!({ "all": [{ "name": "a" }] })), "select.any", "those that have all"),
        (any(json!({ "tag": { "a": ["1"], "b": ["2"] } })), "select.any", "all of them"),
        (any(json!({ "name": "db-*" })), "select.any", "wildcard"),
        (any(json!({ "tag": { "aws:x": ["1"] } })), "select.any", "AWS's own"),
        (json!({ "retention": { "keep_daily": 7 } }), "retention", "keep_daily"),
        (json!({ "retention": { "keep_last": 7, "keep_for": "7d" } }), "retention", "whichever keeps more"),
        (json!({ "retention": { "keep_for": "7d", "at_least": 2 } }), "retention", "no floor"),
        (json!({ "retention": { "keep_last": "all" } }), "retention", "at most 1000"),
        (json!({ "retention": { "keep_for": "36h" } }), "retention", "`36h`"),
        (json!({ "retention": { "keep_for": "1mo 2d" } }), "retention", "`1mo 2d`"),
        (json!({ "retention": { "keep_for": "101y" } }), "retention", "up to 100 years"),
        (json!({ "volumes": { "except": [{ "tag": { "a": ["x?"] } }] } }), "volumes.except", "wildcard"),
        (json!({ "autoscaling": "skip" }), "autoscaling", "Auto Scaling groups"),
        (json!({ "orphans": { "expire_after": "90d" } }), "orphans", "never deletes the last"),
        (json!({ "adopt": ["ebs-snapper"] }), "adopt", "made itself"),
    ] {
        let against = against(changes.clone());
        let said = against.iter().any(|text| text.starts_with(&format!("{part}: ")) && text.contains(why));
        assert!(said && against.len() == 1, "{changes}: {against:?}");
    }
    let tags: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    assert!(against(any(json!({ "tag": { "a": tags } })))[0].contains("50 target tags"));
}

#[test]
fn every_reason_is_given_at_once() {
    let all =
        against(json!({ "consistency": "stop", "retention": { "keep_daily": 7 }, "adopt": ["ebs-snapper"] }));
    assert_eq!(all.len(), 3, "{all:?}");
}

fn create_rule(expression: &str, zone: &str) -> Value {
    let schedule = json!({ "expression": expression, "timezone": zone });
    exported(json!({ "schedule": schedule })).input["PolicyDetails"]["Schedules"][0]["CreateRule"].clone()
}

#[test]
fn schedules_are_in_utc_whatever_the_policys_zone() {
    let interval = |hours: u8| json!({ "Interval": hours, "IntervalUnit": "HOURS", "Times": ["00:00"] });
    let cron = |expression: &str| json!({ "CronExpression": expression });
    for (expression, zone, expected) in [
        ("rate(12 hours)", "UTC", interval(12)),
        ("rate(1 day)", "America/Chicago", interval(24)),
        ("rate(120 minutes)", "UTC", interval(2)),
        ("cron(15  2 ? * 7L *)", "Etc/UTC", cron("cron(15 2 ? * 7L *)")),
        ("cron(0 0/6 * * ? *)", "UTC", cron("cron(0 0/6 * * ? *)")),
        ("cron(0 2 29 * ? *)", "UTC", cron("cron(0 2 29 * ? *)")),
        // Half past two in the afternoon before, and so on.
        ("cron(0 2 * * ? *)", "Asia/Kolkata", cron("cron(30 20 * * ? *)")),
        ("cron(0 2,14 ? * * *)", "Asia/Tokyo", cron("cron(0 5,17 * * ? *)")),
    ] {
        assert_eq!(create_rule(expression, zone), expected, "{expression} {zone}");
    }
}

#[test]
fn schedules_that_would_begin_at_other_times_are_refused() {
    for (expression, zone, part, why) in [
        ("rate(5 hours)", "UTC", "schedule.expression", "`rate(5 hours)`"),
        ("rate(2 days)", "UTC", "schedule.expression", "intervals are"),
        ("at(2026-11-21T02:00:00)", "UTC", "schedule.expression", "occurs once"),
        ("cron(0/30 2 * * ? *)", "UTC", "schedule.expression", "more often"),
        ("cron(0 2 29 2 ? *)", "UTC", "schedule.expression", "less often"),
        ("cron(0 2 * * ? 2026-2028)", "UTC", "schedule.expression", "names years"),
        ("cron(0 2 * * ? *)", "America/Chicago", "schedule.timezone", "forward and back"),
        ("cron(0 2 ? * MON *)", "Asia/Kolkata", "schedule.timezone", "the days in Asia/Kolkata are others"),
    ] {
        let against = against(json!({ "schedule": { "expression": expression, "timezone": zone } }));
        assert!(
            against.len() == 1 && against[0].starts_with(part) && against[0].contains(why),
            "{against:?}"
        );
    }
}

#[test]
fn ages_are_written_in_their_own_unit_and_a_floor_below_a_count_is_that_count() {
    let rule = |retention: Value| {
        exported(json!({ "retention": retention })).input["PolicyDetails"]["Schedules"][0]["RetainRule"]
            .clone()
    };
    let age = |value: u8, unit: &str| json!({ "Interval": value, "IntervalUnit": unit });
    assert_eq!(rule(json!({ "keep_for": "14d" })), age(14, "DAYS"));
    assert_eq!(rule(json!({ "keep_for": "48h", "at_least": 1 })), age(2, "DAYS"));
    assert_eq!(rule(json!({ "keep_for": "2w" })), age(2, "WEEKS"));
    assert_eq!(rule(json!({ "keep_for": "3mo" })), age(3, "MONTHS"));
    assert_eq!(rule(json!({ "keep_for": "1y" })), age(1, "YEARS"));
    assert_eq!(rule(json!({ "keep_last": 3, "at_least": 5, "keep_daily": 0 })), json!({ "Count": 5 }));
    assert_eq!(rule(json!({ "keep_last": 1000 })), json!({ "Count": 1000 }));
}

fn policies() -> impl Strategy<Value = Policy> {
    let matcher = prop_oneof![
        ("[A-Za-z]{1,9}", proptest::collection::vec("[a-z*]{1,4}", 1..4))
            .prop_map(|(k, v)| json!({ "tag": { k: v } })),
        "[a-z?]{1,9}".prop_map(|name| json!({ "name": name })),
        Just(json!({ "asg": "web" })),
    ];
    let expression = prop_oneof![
        (1..30u8).prop_map(|n| format!("rate({n} hour{})", if n == 1 { "" } else { "s" })),
        ("[0-5]?[0-9]", "[0-9](/[1-9])?", "[*L1-9]").prop_map(|(m, h, d)| format!("cron({m} {h} {d} * ? *)")),
    ];
    let zone = prop_oneof![Just("UTC"), Just("Asia/Kolkata"), Just("Europe/London")];
    let retention = prop_oneof![
        (1..2000u32).prop_map(|n| json!({ "keep_last": n })),
        ("[1-9][0-9]{0,3}", "h|d|w|mo|y").prop_map(|(n, unit)| json!({ "keep_for": format!("{n}{unit}") })),
        (0..9u32, 0..9u32, 1..9u32)
            .prop_map(|(a, b, c)| json!({ "keep_last": a, "keep_daily": b, "at_least": c })),
    ];
    let id = "[a-z0-9][a-z0-9-]{0,62}";
    (id, proptest::collection::vec(matcher, 1..4), expression, zone, retention, any::<bool>()).prop_map(
        |(id, any, expression, zone, retention, crash)| {
            policy(json!({
                "id": id, "select": { "any": any }, "retention": retention,
                "schedule": { "expression": expression, "timezone": zone },
                "consistency": if crash { "crash" } else { "stop" },
            }))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn whatever_the_policy_it_is_an_input_that_the_api_takes_or_there_are_reasons(policy in policies()) {
        match lifecycle(&policy, None) {
            Err(reasons) => prop_assert!(!reasons.is_empty()),
            Ok(Lifecycle { input, .. }) => {
                prop_assert_eq!(policy.consistency, Consistency::Crash);
                let allowed = |c: char| c.is_ascii_alphanumeric() || " _-".contains(c);
                prop_assert!(input["Description"].as_str().unwrap().chars().all(allowed));
                let targets = input["PolicyDetails"]["TargetTags"].as_array().unwrap();
                prop_assert!((1..=50).contains(&targets.len()));
                let wild = targets.iter().any(|tag| tag["Value"].as_str().unwrap().contains(['*', '?']));
                prop_assert!(!wild);
                let schedule = &input["PolicyDetails"]["Schedules"][0];
                let create = &schedule["CreateRule"];
                if let Some(cron) = create["CronExpression"].as_str() {
                    prop_assert!((17..=106).contains(&cron.len()), "{}", cron);
                    // The same times, in UTC.
                    let begin = "2026-06-01T00:00:00Z".parse().unwrap();
                    let utc = cron.parse::<stopgap_core::schedule::Expression>().unwrap();
                    let theirs: Vec<_> = utc.from(&"UTC".parse().unwrap(), begin).take(50).collect();
                    let ours: Vec<_> = policy.schedule.expression.from(&policy.schedule.timezone, begin).take(50).collect();
                    prop_assert_eq!(theirs, ours);
                } else {
                    prop_assert!([1, 2, 3, 4, 6, 8, 12, 24].contains(&create["Interval"].as_i64().unwrap()));
                }
                let retain = &schedule["RetainRule"];
                match retain["Count"].as_i64() {
                    Some(count) => prop_assert!((1..=1000).contains(&count)),
                    None => prop_assert!(retain["Interval"].as_i64().unwrap() >= 1),
                }
            }
        }
    }
}
