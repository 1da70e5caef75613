use super::*;
use crate::inventory::InstanceState;
use crate::policy::parse;
use crate::testing::{instance, volume};

/// The selection of a policy with these JSON matchers.
fn select(any: &str, except: &str) -> Select {
    let text = format!(
        r#"{{"id": "a", "select": {{"any": {any}, "except": {except}}}, "schedule": {{"expression": "rate(1 day)"}},
            "retention": {{"keep_last": 1}}}}"#
    );
    parse(&text).unwrap().remove(0).select
}

#[test]
fn each_matcher_says_why_it_matches() {
    let web = instance(
        "i-1",
        &["vol-1", "vol-2"],
        &[
            ("Name", "web-1"),
            ("Backup", "nightly"),
            ("Env", "prod"),
            ("aws:autoscaling:groupName", "web-asg"),
        ],
    );
    for (matcher, reason) in [
        (r#"{"tag": {"Backup": ["weekly", "night*"]}}"#, Some("tag Backup=nightly")),
        (r#"{"tag": {"Backup": ["nightly"], "Env": ["prod"]}}"#, Some("tag Backup=nightly and tag Env=prod")),
        (r#"{"tag": {"Backup": ["nightly"], "Env": ["dev"]}}"#, None),
        (r#"{"tag": {"backup": ["nightly"]}}"#, None),
        (r#"{"tag": {"Backup": ["Nightly"]}}"#, None),
        (r#"{"tag": {"Owner": ["*"]}}"#, None),
        (r#"{"asg": "web-*"}"#, Some("Auto Scaling group web-asg")),
        (r#"{"asg": "db-*"}"#, None),
        (r#"{"name": "web-?"}"#, Some("name \"web-1\"")),
        (r#"{"name": "web-??"}"#, None),
        (r#"{"instance": "i-1"}"#, Some("instance i-1")),
        (r#"{"instance": "i-10"}"#, None),
        (
            r#"{"all": [{"name": "web-*"}, {"asg": "*"}]}"#,
            Some("name \"web-1\" and Auto Scaling group web-asg"),
        ),
        (r#"{"all": [{"name": "web-*"}, {"asg": "db-*"}]}"#, None),
        (r#"{"filter": {"instance-type": ["t3.*", "m5.*"]}}"#, Some("filter instance-type=m5.large")),
        (r#"{"filter": {"instance-type": ["m5.*"], "instance-state-name": ["stopped"]}}"#, None),
        (
            r#"{"filter": {"tag:Env": ["prod"], "tag-key": ["Back*"]}}"#,
            Some("filter tag-key=Backup and tag:Env=prod"),
        ),
        (
            r#"{"filter": {"block-device-mapping.volume-id": ["vol-2"]}}"#,
            Some("filter block-device-mapping.volume-id=vol-2"),
        ),
        (r#"{"filter": {"owner-id": ["111111111111"]}}"#, Some("filter owner-id=111111111111")),
        (r#"{"filter": {"vpc-id": ["*"]}}"#, None),
    ] {
        let expected =
            reason.map_or(Selection::NotSelected, |reason| Selection::Selected(vec![reason.to_owned()]));
        assert_eq!(select(&format!("[{matcher}]"), "[]").applied_to(&web), expected, "{matcher}");
    }
}

#[test]
fn an_exception_wins_over_any_match_and_says_so() {
    let never = instance("i-1", &[], &[("Backup", "never"), ("Name", "web-1")]);
    let selection =
        select(r#"[{"name": "web-*"}, {"instance": "i-1"}]"#, r#"[{"tag": {"Backup": ["never"]}}]"#);
    assert_eq!(selection.applied_to(&never), Selection::Excepted("excepted by tag Backup=never".to_owned()));
    let nightly = instance("i-1", &[], &[("Backup", "nightly"), ("Name", "web-1")]);
    let reasons = vec!["name \"web-1\"".to_owned(), "instance i-1".to_owned()];
    assert_eq!(selection.applied_to(&nightly), Selection::Selected(reasons));
}

#[test]
fn what_is_terminated_or_on_its_way_there_is_never_selected() {
    let all = select(r#"[{"instance": "i-1"}]"#, "[]");
    for (state, selected) in [
        (InstanceState::Pending, true),
        (InstanceState::Running, true),
        (InstanceState::Stopping, true),
        (InstanceState::Stopped, true),
        (InstanceState::ShuttingDown, false),
        (InstanceState::Terminated, false),
    ] {
        let instance = Instance { state, ..instance("i-1", &[], &[]) };
        assert_eq!(all.applied_to(&instance).is_selected(), selected, "{state}");
    }
}

#[test]
fn volumes_are_left_out_by_tag_or_as_root_and_unknown_ones_are_in() {
    let instance = instance("i-1", &["vol-root", "vol-scratch", "vol-data", "vol-lost"], &[]);
    let known = [
        volume("vol-root", "i-1", &[]),
        volume("vol-scratch", "i-1", &[("Scratch", "true")]),
        volume("vol-data", "i-1", &[]),
    ];
    let known: BTreeMap<&str, &Volume> = known.iter().map(|volume| (volume.id.as_str(), volume)).collect();
    let scratch = VolumeMatcher::Tag([("Scratch".to_owned(), vec!["true".to_owned()])].into());
    let selection = VolumeSelect { except: vec![scratch], root: false }.applied_to(&instance, &known);
    assert_eq!(selection.ids, ["vol-data", "vol-lost"]);
    assert_eq!(selection.unknown, ["vol-lost"]);
    let left_out = [("vol-root", "the root volume"), ("vol-scratch", "excepted by tag Scratch=true")];
    assert_eq!(selection.left_out, left_out.map(|(id, why)| (id.to_owned(), why.to_owned())).into());
    assert_eq!(VolumeSelect { except: vec![], root: true }.applied_to(&instance, &known).ids.len(), 4);
}
