//! What the rules keep, set by set.

use super::*;
use crate::backup_set::group;
use crate::inventory::{Snapshot, SnapshotState};
use crate::policy::Count;
use crate::testing::snapshot;

/// One-volume sets at `times`; those that are `false` failed.
fn snapshots(times: &[(&str, bool)]) -> Vec<Snapshot> {
    let one = |(time, completed): &(&str, bool)| {
        let mut snapshot = snapshot(&format!("snap-{time}"), "vol-1", "i-1", &format!("nightly/{time}"), 1);
        snapshot.state = if *completed { SnapshotState::Completed } else { SnapshotState::Error };
        snapshot.started_at = time.parse().unwrap();
        snapshot
    };
    times.iter().map(one).collect()
}

fn rules(keep_for: Option<&str>, keep_last: Option<Count>, at_least: Option<Count>) -> Retention {
    let keep_for = keep_for.map(|text| text.parse().unwrap());
    Retention { keep_for, keep_last, at_least, ..Retention::default() }
}

fn times(retention: &Retention, zone: &str, snapshots: &[Snapshot], action: Action) -> Vec<String> {
    let sets = group(snapshots).sets;
    let decisions = plan(retention, &zone.parse().unwrap(), &sets, None);
    decisions
        .iter()
        .filter(|decision| decision.action == action)
        .map(|decision| decision.set.at().to_string())
        .collect()
}

fn reasons(decision: &Decision) -> String {
    decision.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

const FIVE_DAYS: [(&str, bool); 5] = [
    ("2026-11-16T02:00:00Z", true),
    ("2026-11-17T02:00:00Z", true),
    ("2026-11-18T02:00:00Z", true),
    ("2026-11-19T02:00:00Z", true),
    ("2026-11-20T02:00:00Z", true),
];

#[test]
fn keep_last_keeps_the_newest_and_deletes_the_rest() {
    let deleted =
        times(&rules(None, Some(Count::Of(3)), None), "UTC", &snapshots(&FIVE_DAYS), Action::Delete);
    assert_eq!(deleted, ["2026-11-16T02:00:00Z", "2026-11-17T02:00:00Z"]);
}

#[test]
fn keep_for_counts_back_from_the_newest_complete_set_and_not_from_a_failed_one() {
    let mut all = FIVE_DAYS.to_vec();
    all.push(("2026-12-25T02:00:00Z", false));
    let deleted = times(&rules(Some("2d"), None, None), "UTC", &snapshots(&all), Action::Delete);
    // What is exactly two days old is not younger than two days.
    assert_eq!(deleted, ["2026-11-16T02:00:00Z", "2026-11-17T02:00:00Z", "2026-11-18T02:00:00Z"]);
}

#[test]
fn a_month_of_keep_for_is_a_calendar_month_in_the_policys_zone() {
    // In Chicago these are 2026-03-31 21:00 and 2026-02-28 20:30: a month before the 31st of March is the end of
    // February, at 21:00. In UTC the newest is of the 1st of April, and a month before is the 1st of March.
    let sets = snapshots(&[("2026-03-01T02:30:00Z", true), ("2026-04-01T02:00:00Z", true)]);
    let month = rules(Some("1mo"), None, None);
    assert_eq!(times(&month, "America/Chicago", &sets, Action::Delete), ["2026-03-01T02:30:00Z"]);
    assert_eq!(times(&month, "UTC", &sets, Action::Delete), [""; 0]);
}

#[test]
fn the_rules_are_a_union_with_every_reason_given() {
    let snapshots = snapshots(&FIVE_DAYS);
    let sets = group(&snapshots).sets;
    let decisions =
        plan(&rules(Some("36h"), Some(Count::Of(1)), Some(Count::Of(3))), &Zone::UTC, &sets, None);
    let reasons: Vec<String> = decisions.iter().map(reasons).collect();
    assert_eq!(
        reasons,
        [
            "no rule keeps it",
            "no rule keeps it",
            "at_least 3 of 3",
            "keep_for 36h; at_least 2 of 3",
            "the newest complete set; last 1 of 1; keep_for 36h; at_least 1 of 3",
        ]
    );
}

#[test]
fn failed_sets_are_skipped_and_count_for_nothing() {
    let sets = snapshots(&[
        ("2026-11-17T02:00:00Z", true),
        ("2026-11-18T02:00:00Z", true),
        ("2026-11-19T02:00:00Z", false),
        ("2026-11-20T02:00:00Z", false),
    ]);
    let two = rules(None, Some(Count::Of(2)), Some(Count::Of(2)));
    assert_eq!(times(&two, "UTC", &sets, Action::Delete), [""; 0]);
    assert_eq!(times(&two, "UTC", &sets, Action::Skip), ["2026-11-19T02:00:00Z", "2026-11-20T02:00:00Z"]);
}

#[test]
fn seven_expired_sets_with_a_floor_of_five_leave_five() {
    let names: Vec<String> = (1..8).map(|day| format!("2025-01-0{day}T02:00:00Z")).collect();
    let old: Vec<(&str, bool)> = names.iter().map(|name| (name.as_str(), true)).collect();
    let kept = times(&rules(Some("1h"), None, Some(Count::Of(5))), "UTC", &snapshots(&old), Action::Keep);
    assert_eq!(kept, names[2..]);
}

#[test]
fn a_keep_for_longer_than_time_keeps_everything() {
    let kept = times(&rules(Some("19000y"), None, None), "UTC", &snapshots(&FIVE_DAYS), Action::Keep);
    assert_eq!(kept.len(), 5);
}

/// The days of January 2026 that these rules keep of a set every day at 02:00 UTC, with the reasons of each.
fn january(retention: Retention, zone: &str) -> Vec<(String, String)> {
    let names: Vec<String> = (1..=31).map(|day| format!("2026-01-{day:02}T02:00:00Z")).collect();
    let days: Vec<(&str, bool)> = names.iter().map(|name| (name.as_str(), true)).collect();
    let snapshots = snapshots(&days);
    let sets = group(&snapshots).sets;
    let decisions = plan(&retention, &zone.parse().unwrap(), &sets, None);
    let kept = decisions.iter().filter(|decision| decision.action == Action::Keep);
    kept.map(|decision| (decision.set.at().to_string()[8..10].to_owned(), reasons(decision))).collect()
}

fn days(kept: &[(String, String)]) -> Vec<&str> {
    kept.iter().map(|(day, _)| day.as_str()).collect()
}

#[test]
fn weeks_are_iso_weeks_in_the_policys_zone() {
    // 2026-01-31 is a Saturday; the Sundays before are the 25th, 18th and 11th.
    let weekly = Retention { keep_weekly: Some(Count::Of(3)), ..Retention::default() };
    assert_eq!(days(&january(weekly.clone(), "UTC")), ["18", "25", "31"]);
    // In Chicago each is of the evening before, so that a week's last is the one of 02:00 UTC on Monday.
    assert_eq!(days(&january(weekly, "America/Chicago")), ["19", "26", "31"]);
}

#[test]
fn the_oldest_stays_while_a_count_is_not_used_up() {
    let monthly = Retention { keep_monthly: Some(Count::Of(2)), ..Retention::default() };
    let kept = january(monthly, "UTC");
    assert_eq!(days(&kept), ["01", "31"]);
    assert_eq!(kept[0].1, "monthly 2 of 2; the oldest, while a count is not used up");
    assert_eq!(kept[1].1, "the newest complete set; monthly 1 of 2");
    let one = Retention { keep_monthly: Some(Count::Of(1)), ..Retention::default() };
    assert_eq!(days(&january(one, "UTC")), ["31"]);
}

#[test]
fn every_rule_gives_its_reason_and_says_how_much_of_it_is_used() {
    let retention = Retention {
        keep_last: Some(Count::Of(1)),
        keep_daily: Some(Count::Of(2)),
        keep_weekly: Some(Count::Of(2)),
        keep_yearly: Some(Count::All),
        ..Retention::default()
    };
    let kept = january(retention, "UTC");
    let expected = [
        ("01", "yearly 2 of all; the oldest, while a count is not used up"),
        ("25", "weekly 2 of 2"),
        ("30", "daily 2 of 2"),
        ("31", "the newest complete set; last 1 of 1; daily 1 of 2; weekly 1 of 2; yearly 1 of all"),
    ];
    assert_eq!(kept, expected.map(|(day, why)| (day.to_owned(), why.to_owned())));
}

#[test]
fn all_of_a_period_keeps_one_of_each() {
    let weekly = Retention { keep_weekly: Some(Count::All), ..Retention::default() };
    assert_eq!(days(&january(weekly, "UTC")), ["01", "04", "11", "18", "25", "31"]);
}

#[test]
fn a_set_that_lies_ahead_of_its_snapshots_does_not_let_the_others_expire() {
    let mut all = snapshots(&FIVE_DAYS);
    // Someone named a wrong occurrence by hand.
    let mut ahead = snapshots(&[("2099-01-01T02:00:00Z", true)]);
    ahead[0].started_at = "2026-11-20T03:00:00Z".parse().unwrap();
    all.extend(ahead);
    let deleted = times(&rules(Some("2d"), None, None), "UTC", &all, Action::Delete);
    assert_eq!(deleted, ["2026-11-16T02:00:00Z", "2026-11-17T02:00:00Z", "2026-11-18T02:00:00Z"]);
}

#[test]
fn what_is_left_of_an_incomplete_set_goes_when_it_would_have_gone_had_it_been_complete() {
    let all = [
        ("2026-11-16T02:00:00Z", false),
        ("2026-11-17T02:00:00Z", true),
        ("2026-11-18T02:00:00Z", false),
        ("2026-11-19T02:00:00Z", true),
        ("2026-11-20T02:00:00Z", false),
    ];
    let retention = rules(None, Some(Count::Of(2)), None);
    let snapshots = snapshots(&all);
    let sets = group(&snapshots).sets;
    let decisions = plan(&retention, &Zone::UTC, &sets, None);
    let found: Vec<(Action, String)> = decisions.iter().map(|d| (d.action, reasons(d))).collect();
    let incomplete = |why: &str| format!("incomplete: 0 of 1 volumes have a completed snapshot; {why}");
    let expected = [
        (Action::Delete, incomplete("no rule would keep it if it were complete")),
        (Action::Keep, "last 2 of 2".to_owned()),
        (Action::Skip, incomplete("it counts for nothing, and stays as long as if it were complete")),
        (Action::Keep, "the newest complete set; last 1 of 2".to_owned()),
        (Action::Skip, incomplete("no newer set is complete")),
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_incomplete_set_stays_while_it_may_still_change() {
    let one = rules(None, Some(Count::Of(1)), None);
    let newest = "2026-11-20T02:00:00Z";
    // Begun again by hand, after the newest one: an old occurrence, but no old snapshot.
    let mut again = snapshots(&[("2026-11-18T02:00:00Z", false), (newest, true)]);
    again[0].started_at = "2026-11-20T09:00:00Z".parse().unwrap();
    assert_eq!(times(&one, "UTC", &again, Action::Delete), [""; 0]);

    // One volume failed, another is still being copied.
    for state in [SnapshotState::Pending, SnapshotState::Recovering, SnapshotState::Recoverable] {
        let mut copying = snapshots(&[("2026-11-18T02:00:00Z", false), (newest, true)]);
        let mut second =
            Snapshot { id: "snap-2".to_owned(), volume_id: "vol-2".to_owned(), ..copying[0].clone() };
        second.state = state;
        copying.push(second);
        for snapshot in copying.iter_mut().filter(|snapshot| snapshot.state != SnapshotState::Completed) {
            snapshot.tags.insert(crate::set_tags::VOLUMES.to_owned(), "3".to_owned());
        }
        assert_eq!(times(&one, "UTC", &copying, Action::Delete), [""; 0], "{state:?}");
        assert_eq!(times(&one, "UTC", &copying, Action::Skip).len(), 1, "{state:?}");
    }
}

/// What goes of an instance that is gone, at `now`, with a floor of three and 90 days.
fn expired(sets: &[Snapshot], now: &str) -> Vec<(String, String)> {
    let sets = group(sets).sets;
    let expiry = Expiry { after: "90d".parse().unwrap(), now: now.parse().unwrap() };
    let decisions = plan(&rules(None, None, Some(Count::Of(3))), &Zone::UTC, &sets, Some(expiry));
    let gone = decisions.iter().filter(|decision| decision.action == Action::Delete);
    gone.map(|decision| (decision.set.at().to_string(), reasons(decision))).collect()
}

#[test]
fn of_an_instance_that_is_gone_all_goes_once_the_newest_complete_set_is_older_than_the_policy_says() {
    let sets = snapshots(&FIVE_DAYS);
    let by_the_rules = ["2026-11-16T02:00:00Z", "2026-11-17T02:00:00Z"];
    // Exactly 90 days old is not older than 90 days.
    for now in ["2026-11-21T00:00:00Z", "2027-02-18T02:00:00Z"] {
        let times: Vec<_> = expired(&sets, now).into_iter().map(|(time, _)| time).collect();
        assert_eq!(times, by_the_rules, "{now}");
    }
    let expired = expired(&sets, "2027-02-18T02:00:01Z");
    assert_eq!(expired.len(), 5);
    assert_eq!(expired[1].1, "no rule keeps it");
    assert_eq!(expired[4].1, "the instance is gone; its newest complete set is older than 90d");
}

#[test]
fn what_is_not_complete_of_an_instance_that_is_gone_goes_when_it_is_as_old_itself() {
    let mut all = FIVE_DAYS.to_vec();
    all.extend([("2026-11-21T02:00:00Z", false), ("2026-12-25T02:00:00Z", false)]);
    let sets = snapshots(&all);
    let expired = |now| expired(&sets, now);
    assert_eq!(expired("2027-02-18T02:00:00Z").len(), 2);
    let rest = expired("2027-03-01T02:00:00Z");
    assert_eq!(rest.len(), 6, "all but the failed one of December: {rest:?}");
    let why = "the instance is gone; this set is not complete, and older than 90d";
    assert_eq!(rest[5], ("2026-11-21T02:00:00Z".to_owned(), why.to_owned()));
    assert_eq!(expired("2027-04-01T02:00:00Z").len(), 7);
}

#[test]
fn nothing_expires_while_a_newer_set_is_still_being_copied() {
    let mut sets = snapshots(&FIVE_DAYS);
    let mut pending = snapshots(&[("2027-02-18T02:00:00Z", true)]);
    pending[0].state = SnapshotState::Pending;
    sets.append(&mut pending);
    assert_eq!(expired(&sets, "2027-02-20T02:00:00Z").len(), 2);
}

#[test]
fn a_set_whose_tags_name_an_older_time_is_as_young_as_its_snapshots() {
    let mut sets = snapshots(&FIVE_DAYS);
    sets[4].started_at = "2027-02-01T00:00:00Z".parse().unwrap();
    assert_eq!(expired(&sets, "2027-02-20T02:00:00Z").len(), 2);
}
