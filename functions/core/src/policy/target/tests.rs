use serde_json::{Value, json};

use crate::inventory::Location;
use crate::policy::{Policy, parse, parse_value};

const HUB: &str = "999999999999";

fn home() -> Location {
    Location::new(HUB, "us-east-1")
}

fn document(targets: Value) -> Value {
    json!({
        "id": "nightly",
        "targets": targets,
        "select": {"any": [{"name": "*"}]},
        "schedule": {"expression": "rate(1 day)"},
        "retention": {"keep_last": 1}
    })
}

fn policy(targets: Value) -> Policy {
    parse_value(&document(targets)).unwrap()
}

/// Where it selects, with the role in parentheses.
fn places(targets: Value) -> Vec<String> {
    let shown = |location: &Location| match &location.role {
        Some(role) => format!("{location} ({role})"),
        None => location.to_string(),
    };
    policy(targets).locations(&home()).iter().map(shown).collect()
}

#[track_caller]
fn refused(targets: Value, at: &str, says: &str) {
    let errors = parse(&document(targets).to_string()).unwrap_err();
    let [issue] = errors.0.as_slice() else { panic!("{errors}") };
    assert_eq!(issue.at, at, "{issue}");
    assert!(issue.message.contains(says), "{says}: {issue}");
}

#[test]
fn a_policy_without_targets_selects_where_stopgap_is_deployed() {
    assert_eq!(places(json!([])), ["999999999999/us-east-1"]);
    assert_eq!(places(json!([{}])), ["999999999999/us-east-1"]);
    assert_eq!(places(json!(null)), ["999999999999/us-east-1"]);
}

#[test]
fn what_a_target_leaves_out_is_homes_and_other_accounts_are_reached_by_a_role() {
    assert_eq!(
        places(json!([
            {"regions": ["us-west-2", "eu-west-1"]},
            {"account": "111122223333"},
            {"account": "444455556666", "regions": ["eu-west-1"], "role": "stopgap-spoke-db"}
        ])),
        [
            "999999999999/us-west-2",
            "999999999999/eu-west-1",
            "111122223333/us-east-1 (stopgap-spoke)",
            "444455556666/eu-west-1 (stopgap-spoke-db)",
        ]
    );
}

#[test]
fn at_home_no_role_is_assumed_and_what_turns_out_the_same_place_counts_once() {
    let targets = json!([{"account": HUB, "role": "stopgap-spoke"}, {}, {"regions": ["us-east-1"]}]);
    assert_eq!(places(targets), ["999999999999/us-east-1"]);
}

#[test]
fn a_policy_selects_in_the_places_it_has_and_nowhere_else() {
    for targets in [
        json!([]),
        json!([{}]),
        json!([{"regions": ["eu-west-1", "us-east-1"]}]),
        json!([{"account": "111122223333"}, {"account": "444455556666", "regions": ["eu-west-1"]}]),
    ] {
        let policy = policy(targets.clone());
        let locations = policy.locations(&home());
        for account in [HUB, "111122223333", "444455556666"] {
            for region in ["us-east-1", "eu-west-1", "eu-west-2"] {
                let at = Location::new(account, region);
                let selects = policy.targets_place(&at, Some(&home()));
                assert_eq!(selects, locations.contains(&at), "{targets}: {at}");
            }
        }
    }
}

#[test]
fn where_home_is_not_known_what_a_target_leaves_open_is_everywhere() {
    let at = |targets: Value, account: &str, region: &str| {
        policy(targets).targets_place(&Location::new(account, region), None)
    };
    assert!(at(json!([]), "111122223333", "eu-west-1"));
    assert!(at(json!([{"regions": ["eu-west-1"]}]), "111122223333", "eu-west-1"));
    assert!(!at(json!([{"regions": ["eu-west-1"]}]), "111122223333", "eu-west-2"));
    assert!(at(json!([{"account": "111122223333"}]), "111122223333", "eu-west-2"));
    assert!(!at(json!([{"account": "111122223333"}]), "444455556666", "eu-west-2"));
    // A recording need not tell where an instance is.
    assert!(at(json!([{"account": "111122223333", "regions": ["eu-west-1"]}]), "", "eu-west-1"));
    assert!(!at(json!([{"account": "111122223333", "regions": ["eu-west-1"]}]), "444455556666", ""));
}

#[test]
fn targets_that_cannot_be_are_refused_with_what_would_be_right() {
    refused(json!({}), "targets", "it takes an array such as");
    refused(json!(["eu-west-1"]), "targets[0]", "it takes an object");
    refused(json!([{"region": "eu-west-1"}]), "targets[0].region", "did you mean `regions`?");
    refused(json!([{"account": "1234"}]), "targets[0].account", "`1234` is not an account id: 12 digits");
    let number = json!([{}, {"account": 111_122_223_333_u64}]);
    refused(number, "targets[1].account", "it takes an account id: 12 digits, as a text");
    refused(json!([{"regions": []}]), "targets[0].regions", "an empty array is nowhere");
    refused(json!([{"regions": "eu-west-1"}]), "targets[0].regions", "it takes an array of Regions");
    for region in ["eu-west-1a", "EU-WEST-1", "ireland", "us-west-2-lax-1", "eu--1", "eu-west-", ""] {
        refused(
            json!([{"regions": ["eu-west-2", region]}]),
            "targets[0].regions[1]",
            "is not a Region's code",
        );
    }
    for role in ["admin", "my-stopgap-spoke", "stopgap-spoke/x", "arn:aws:iam::1:role/stopgap-spoke", ""] {
        refused(json!([{"role": role}]), "targets[0].role", "it begins with `stopgap-spoke`");
    }
    refused(json!([{"role": "stopgap-spoke".to_owned() + &"x".repeat(52)}]), "targets[0].role", "at most 64");
}

#[test]
fn the_same_account_and_region_twice_is_refused() {
    let of = |region: &str| json!({"account": "111122223333", "regions": [region]});
    refused(
        json!([of("eu-west-1"), of("eu-west-1")]),
        "targets[1]",
        "`eu-west-1` of the account `111122223333`",
    );
    refused(json!([{"regions": ["eu-west-1", "eu-west-1"]}]), "targets[0]", "`eu-west-1` stands here twice");
    refused(json!([{}, {"role": "stopgap-spoke"}]), "targets[1]", "what stopgap is deployed in");
    let account = json!([{"account": "111122223333"}, {"account": "111122223333"}]);
    refused(account, "targets[1]", "the account `111122223333` without `regions`");
    assert_eq!(places(json!([of("eu-west-1"), of("eu-west-2")])).len(), 2);
}

#[test]
fn regions_of_every_partition_are_read() {
    for region in
        ["us-east-1", "us-gov-west-1", "cn-north-1", "us-isob-east-1", "eusc-de-east-1", "ap-southeast-7"]
    {
        assert_eq!(places(json!([{"regions": [region]}])), [format!("{HUB}/{region}")]);
    }
}
