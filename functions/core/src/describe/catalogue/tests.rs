//! The quick way and the ordinary way read the same.

use std::io::Cursor;

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// What a catalogue says of each snapshot.
fn shown(catalogue: &Catalogue) -> Vec<String> {
    let shown = |entry: &Entry| {
        let belongs = match entry.belongs {
            Belongs::Set { policy, instance, at, volumes } => {
                format!("{} {} {at} {volumes}", catalogue.name(policy), catalogue.name(instance))
            }
            Belongs::Group(name) => catalogue.name(name).to_owned(),
            Belongs::EbsSnapper { instance } => format!("ebs_snapper {}", catalogue.name(instance)),
            Belongs::Nothing => "nothing".to_owned(),
            Belongs::Malformed(why) | Belongs::Unclear(why) => catalogue.why(why).to_owned(),
        };
        format!("{} {:?} {} {belongs}", entry.id, entry.state, entry.started_at)
    };
    catalogue.entries().iter().map(shown).collect()
}

fn quickly(text: &str, group_by: Option<&str>) -> Result<Catalogue, DescribeError> {
    Catalogue::read("snapshots.json", || Ok(Cursor::new(text)), group_by)
}

fn file(count: usize) -> String {
    let snapshot = |n: usize| {
        let (policy, at) = (["nightly", "weekly"][n % 2], format!("2026-11-{:02}T02:00:00Z", n % 28 + 1));
        let tags = json!([
            { "Key": "stopgap:policy", "Value": policy }, { "Key": "stopgap:instance", "Value": format!("i-{}", n % 90) },
            { "Key": "stopgap:occurrence", "Value": format!("{policy}/{at}") }, { "Key": "stopgap:volumes", "Value": "2" },
            { "Value": format!("\u{1f600} \"{n}\" \\"), "Key": "Name" }, { "Key": "Set", "Value": format!("{}", n % 7) },
        ]);
        let (tags, description) = match n % 4 {
            3 => (
                json!([{ "Key": "DeleteOn", "Value": (["2026-11-09", "never"][n / 4 % 2]) }]),
                format!("Created from i-{n} by EbsSnapper(0.10.6) for ami-1 from vol-{n}"),
            ),
            _ => (tags, "[{\"".to_owned()),
        };
        json!({ "Description": description, "SnapshotId": format!("snap-{n}"), "State": (["completed", "pending", "error"][n % 3]),
                "StartTime": at, "VolumeId": format!("vol-{n}"), "VolumeSize": 8, "Encrypted": true, "Tags": tags })
    };
    json!({ "Snapshots": (0..count).map(snapshot).collect::<Vec<_>>(), "ResponseMetadata": { "RetryAttempts": 0 } }).to_string()
}

#[test]
fn a_file_of_several_pieces_is_read_as_in_one() {
    let text = file(6_000);
    assert!(text.len() > 2 << 20, "{}", text.len());
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&text).unwrap()).unwrap();
    for group_by in [None, Some("Set")] {
        let expected = shown(&Catalogue::of("snapshots.json", text.as_bytes(), group_by).unwrap());
        assert_eq!(expected.len(), 6_000);
        let theirs = expected.iter().filter(|shown| shown.contains("ebs_snapper i-")).count();
        assert_eq!(theirs, if group_by.is_none() { 750 } else { 0 });
        for text in [&text, &pretty] {
            assert_eq!(shown(&quickly(text, group_by).unwrap()), expected);
        }
    }
}

#[test]
fn what_is_missing_is_not_taken_for_complete() {
    let text = r#"{"Snapshots": [{"SnapshotId": "a", "State": "new", "StartTime": "2026-11-01T02:00:00Z"},
                                 {"SnapshotId": "b", "State": "completed"}, {"SnapshotId": "c"}]}"#;
    let catalogue = quickly(text, None).unwrap();
    assert!(catalogue.entries().iter().all(|entry| entry.state == SnapshotState::Recovering));
}

proptest! {
    #[test]
    fn no_damage_makes_it_panic_or_read_something_else(
        at in 0..1_500usize, with in "[\\[\\]{},:\"\\\\a-z0-9 ]{0,3}", cut in 0..40usize, grouped in any::<bool>(),
    ) {
        let text = file(3);
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let end = (at + cut..text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
        let damaged = format!("{}{with}{}", &text[..at], &text[end.max(at)..]);
        let group_by = grouped.then_some("Set");
        let quickly = quickly(&damaged, group_by);
        // The quick way does not look into what it goes past, so that it may take more.
        if let Ok(expected) = Catalogue::of("snapshots.json", damaged.as_bytes(), group_by) {
            prop_assert_eq!(shown(&quickly.unwrap()), shown(&expected));
        }
    }
}
