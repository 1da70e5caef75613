//! What stanzas become.

use proptest::prelude::*;

use super::*;

const NOTHING: Wishes<'static> = Wishes { regions: &[], adopt: false };

fn imported(document: &Value) -> Imported {
    convert(stanzas::read(&document.to_string()).unwrap(), &NOTHING)
}

fn stanza(changes: Value) -> Value {
    let mut stanza = json!({
        "match": { "tag:backup": "yes" },
        "snapshot": { "retention": "4 days", "minimum": 5, "frequency": "12 hours" },
    });
    stanza.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    stanza
}

/// What is said of a part.
fn said(imported: &Imported, part: &str) -> Vec<(Kind, String)> {
    let of_it = imported.notes.iter().filter(|note| note.part == part && note.stanza.is_some());
    of_it
        .map(|note| (note.kind, format!("{} {}", note.message, note.hint.clone().unwrap_or_default())))
        .collect()
}

#[test]
fn the_documented_stanza_becomes_the_policy_that_does_the_same() {
    let mut stanza = stanza(json!({ "ignore": [] }));
    stanza["match"] =
        json!({ "instance-id": "i-abc12345", "tag:key": "tag-value", "tag:Name": "legacy_server_name_*" });
    assert_eq!(
        imported(&stanza).policies,
        [json!({
            "id": "instance-id-i-abc12345-key-tag-value-name-legacy-server-name",
            "select": { "any": [{ "all": [
                { "tag": { "key": ["tag-value"], "Name": ["legacy_server_name_*"] } },
                { "filter": { "instance-id": ["i-abc12345"] } }
            ] }] },
            "schedule": { "expression": "rate(12 hours)", "timezone": "UTC" },
            "consistency": "crash",
            "retention": { "keep_for": "4d", "at_least": 5 }
        })]
    );
}

#[test]
fn lists_are_any_of_them_however_nested_and_instances_by_id_are_named() {
    let any =
        |matched: Value| imported(&stanza(json!({ "match": matched }))).policies[0]["select"]["any"].clone();
    assert_eq!(
        any(json!({ "tag:backup": ["yes", ["daily", 5]] })),
        json!([{ "tag": { "backup": ["yes", "daily", "5"] } }])
    );
    assert_eq!(
        any(json!({ "instance-id": ["i-1", "i-2"] })),
        json!([{ "instance": "i-1" }, { "instance": "i-2" }])
    );
    assert_eq!(any(json!({ "instance-id": "i-1*" })), json!([{ "filter": { "instance-id": ["i-1*"] } }]));
    let group = json!({ "tag:aws:autoscaling:groupName": "web-*" });
    assert_eq!(any(group), json!([{ "tag": { "aws:autoscaling:groupName": ["web-*"] } }]));
}

#[test]
fn what_would_match_more_or_other_instances_is_no_policy_and_says_why() {
    for (matched, part, why) in [
        (
            json!({ "tag:a": "b", "network-interface.vpc-id": "vpc-1" }),
            "match.network-interface.vpc-id",
            "more instances",
        ),
        (json!({ "tag:a": "b\\*" }), "match.tag:a", "wildcard"),
        (json!({ "tag:a": { "b": 1 } }), "match.tag:a", "texts"),
        (json!({ "tag:a": [] }), "match.tag:a", "texts"),
        (json!({}), "", "makes no snapshots"),
    ] {
        let imported = imported(&stanza(json!({ "match": matched })));
        assert_eq!(imported.policies, [] as [Value; 0], "{matched}");
        let said = said(&imported, part);
        assert!(
            said.iter().any(|(kind, text)| *kind == Kind::Refused && text.contains(why)),
            "{matched}: {said:?}"
        );
    }
}

#[test]
fn everything_wrong_with_a_stanza_is_said_at_once() {
    let snapshot = json!({ "retention": "1 month", "minimum": "many", "frequency": "0 5 1 * 1" });
    let imported = imported(&stanza(json!({ "match": { "tag-value": "x" }, "snapshot": snapshot })));
    let parts: Vec<&str> = imported.notes.iter().map(|note| note.part.as_str()).collect();
    assert_eq!(parts, ["match.tag-value", "snapshot.frequency", "snapshot.minimum", "snapshot.retention"]);
}

#[test]
fn what_one_stanza_ignores_all_of_its_account_ignore_and_volumes_are_not_forgotten() {
    let scan = json!({ "Count": 3, "Items": [
        item("a", "111122223333", &stanza(json!({ "ignore": ["i-2", "vol-1"] }))),
        item("b", "111122223333", &stanza(json!({}))),
        item("c", "444455556666", &stanza(json!({}))),
    ] });
    let imported = imported(&scan);
    let except: Vec<&Value> = imported.policies.iter().map(|policy| &policy["select"]["except"]).collect();
    assert_eq!(except, [&json!([{ "instance": "i-2" }]), &json!([{ "instance": "i-2" }]), &Value::Null]);
    let said = said(&imported, "ignore");
    assert_eq!(said.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [Kind::Note, Kind::Lost]);
    assert!(said[1].1.contains("--resources vol-1"), "{said:?}");
}

#[test]
fn parts_without_an_equivalent_are_lost_and_said_to_be() {
    let imported =
        imported(&stanza(json!({ "ignore_retention": true, "replication": "yes", "comment": "x" })));
    assert_eq!(imported.policies.len(), 1);
    assert_eq!(said(&imported, "replication")[0].0, Kind::Lost);
    assert_eq!(said(&imported, "comment")[0].0, Kind::Note);
    let off = self::imported(&stanza(json!({ "ignore_retention": false, "replication": "" })));
    assert_eq!(off.notes.iter().filter(|note| note.kind == Kind::Lost).count(), 0);
}

#[test]
fn what_goes_below_the_minimum_when_the_instance_is_gone_expires() {
    let imported = imported(&stanza(json!({ "ignore_retention": true })));
    assert_eq!(imported.policies[0]["orphans"], json!({ "expire_after": "4d" }));
    assert_eq!(said(&imported, "ignore_retention")[0].0, Kind::Note);
    assert_eq!(
        self::imported(&stanza(json!({ "ignore_retention": false }))).policies[0].get("orphans"),
        None
    );
}

/// An item as the AWS CLI prints it.
fn item(id: &str, account: &str, stanza: &Value) -> Value {
    json!({ "id": { "S": id }, "aws_account_id": { "S": account }, "configuration": { "S": stanza.to_string() } })
}

#[test]
fn every_form_of_the_configuration_is_read_the_same() {
    let plain =
        |id: &str| json!({ "id": id, "aws_account_id": "111122223333", "configuration": stanza(json!({})) });
    let forms = [
        json!({ "Items": [item("a", "111122223333", &stanza(json!({}))), item("b", "111122223333", &stanza(json!({})))] }),
        json!([{ "Item": item("b", "111122223333", &stanza(json!({}))) }, plain("a")]),
        json!([plain("a"), plain("b")]),
    ];
    let expected = imported(&forms[0]);
    let ids: Vec<&str> = expected.policies.iter().filter_map(|policy| policy["id"].as_str()).collect();
    assert_eq!(
        (ids, &expected.policies[0]["targets"]),
        (vec!["a", "b"], &json!([{ "account": "111122223333" }]))
    );
    for form in &forms[1..] {
        assert_eq!(imported(form).policies, expected.policies, "{form}");
    }
    // One after another, as `configure -g` prints them; by id; and alone.
    let text = format!("{}\n{}", plain("a"), plain("b"));
    assert_eq!(convert(stanzas::read(&text).unwrap(), &NOTHING).policies, expected.policies);
    let by_id = imported(&json!({ "b": stanza(json!({})), "a": stanza(json!({})) }));
    assert_eq!(by_id.policies.iter().map(|policy| &policy["id"]).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(imported(&stanza(json!({}))).policies[0]["id"], "backup-yes");
}

#[test]
fn what_is_no_configuration_or_only_a_part_of_it_is_refused() {
    for (text, why) in [
        ("", "there is no stanza"),
        ("[]", "there is no stanza"),
        ("{", "not JSON"),
        ("5", "is not a stanza"),
        (r#"{"a": 1}"#, "is not a stanza"),
        (r#"{"Items": [], "NextToken": "x"}"#, "only a part"),
        (r#"{"id": "a", "configuration": "{"}"#, "`configuration` is not JSON"),
        (r#"[{"match": {}}, 7]"#, "[1] is not a stanza"),
    ] {
        let wrong = stanzas::read(text).unwrap_err().join("; ");
        assert!(wrong.contains(why), "{text}: {wrong}");
    }
}

#[test]
fn ids_are_policy_ids_and_each_is_there_once() {
    let long = "x".repeat(80);
    let ids = ["Tagged Instances", "tagged_instances", "ÄÖ", "--", &long, &long[..70], "9"];
    let stanzas: Vec<Value> = ids.iter().map(|id| item(id, "111122223333", &stanza(json!({})))).collect();
    let policies = imported(&Value::Array(stanzas)).policies;
    let mut found: Vec<&str> = policies.iter().map(|policy| policy["id"].as_str().unwrap()).collect();
    assert_eq!(found[..5], ["9", "backup-yes", "backup-yes-2", "tagged-instances", "tagged-instances-2"]);
    assert_eq!((found[5].len(), found[6].len()), (63, 63));
    found.dedup();
    assert_eq!(found.len(), ids.len());
}

#[test]
fn regions_and_adoption_are_written_where_they_are_wished_for_and_pointed_out_where_not() {
    let stanzas = || stanzas::read(&item("a", "111122223333", &stanza(json!({}))).to_string()).unwrap();
    let parts = |imported: &Imported| -> Vec<String> {
        imported.notes.iter().filter(|note| note.stanza.is_none()).map(|note| note.part.clone()).collect()
    };
    let without = convert(stanzas(), &NOTHING);
    assert_eq!(
        parts(&without),
        ["adopt", "consistency", "snapshot.minimum", "snapshot.retention", "targets"]
    );
    let regions = ["eu-west-1".to_owned(), "us-east-1".to_owned()];
    let with = convert(stanzas(), &Wishes { regions: &regions, adopt: true });
    assert_eq!(parts(&with), ["consistency", "snapshot.minimum", "snapshot.retention"]);
    let policy = &with.policies[0];
    assert_eq!(
        policy["targets"],
        json!([{ "account": "111122223333", "regions": ["eu-west-1", "us-east-1"] }])
    );
    assert_eq!(policy["adopt"], json!(["ebs-snapper"]));
}

fn any_stanza() -> impl Strategy<Value = Value> {
    let text = || {
        prop_oneof![
            "[a-zA-Z0-9*?_ ]{0,12}",
            "\\PC{0,300}",
            Just("i-0abc".to_owned()),
            Just("vol-0abc".to_owned())
        ]
    };
    let value = prop_oneof![
        text().prop_map(Value::from),
        proptest::collection::vec(text(), 0..3).prop_map(Value::from),
        any::<i32>().prop_map(Value::from)
    ];
    let key = prop_oneof![
        "tag:[a-zA-Z:]{0,9}",
        Just("instance-id".to_owned()),
        Just("instance-type".to_owned()),
        Just("tag-key".to_owned()),
        "[a-z.-]{0,9}"
    ];
    let matched = proptest::collection::btree_map(key, value.clone(), 0..4);
    let retention = prop_oneof!["[0-9]{1,6} (days|weeks|hours|months|s)", "\\PC{0,9}"];
    let frequency =
        prop_oneof!["[0-9]{1,4} (days|minutes|seconds|hours)", "[0-9*,/?LW-]{1,3}( [0-9*,/?LW-]{1,3}){4,5}"];
    let minimum = prop_oneof![
        (0..9).prop_map(Value::from),
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from)
    ];
    let ignore = proptest::option::of(value);
    (matched, retention, frequency, minimum, ignore, text()).prop_map(
        |(matched, retention, frequency, minimum, ignore, id)| {
            let mut stanza = json!({
                "match": matched,
                "snapshot": { "retention": retention, "frequency": frequency, "minimum": minimum },
            });
            if let Some(ignore) = ignore {
                stanza["ignore"] = ignore;
            }
            json!({ "id": id, "aws_account_id": "111122223333", "configuration": stanza })
        },
    )
}

proptest! {
    #[test]
    fn whatever_the_stanzas_say_the_policies_are_valid_have_their_own_ids_and_none_goes_missing_in_silence(
        items in proptest::collection::vec(any_stanza(), 1..5), adopt in any::<bool>()
    ) {
        let document = Value::Array(items.clone()).to_string();
        let result = convert(stanzas::read(&document).unwrap(), &Wishes { regions: &[], adopt });
        if !result.policies.is_empty() {
            let text = serde_json::to_string(&result.policies).unwrap();
            let parsed = policy::parse(&text).map_err(|errors| errors.to_string());
            prop_assert_eq!(parsed.map(|policies| policies.len()), Ok(result.policies.len()));
        }
        if result.policies.len() < items.len() {
            prop_assert!(result.notes.iter().any(|note| note.kind == Kind::Refused));
        }
        // In whatever order the table is scanned.
        let reversed: Vec<Value> = items.into_iter().rev().collect();
        let again = convert(stanzas::read(&Value::Array(reversed).to_string()).unwrap(), &Wishes { regions: &[], adopt });
        prop_assert_eq!(again.policies, result.policies);
    }
}
