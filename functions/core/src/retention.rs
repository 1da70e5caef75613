//! Which backup sets are kept and which are deleted, as a plan with reasons; deleting is another's work.
//!
//! The rules mean what restic's `forget` documents, over complete sets: a set stays when any rule keeps it. `keep_for`
//! counts back from the newest complete set and not from now, so that nothing is lost while backups fail. The newest
//! complete set is never deleted, whatever the rules say. Sets that are not complete never count, and are not deleted
//! either: they are skipped.

use jiff::Timestamp;

use crate::backup_set::{BackupSet, SetStatus};
use crate::policy::{Count, Retention};
use crate::schedule::Zone;

/// What becomes of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// A rule keeps it.
    Keep,
    /// No rule keeps it.
    Delete,
    /// The rules do not apply to it; it stays.
    Skip,
}

/// What becomes of a set, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'s, 'a> {
    /// The set.
    pub set: &'s BackupSet<'a>,
    /// What becomes of it.
    pub action: Action,
    /// Why, in words; at least one reason.
    pub reasons: Vec<String>,
}

/// Decides on `sets`, which must all be of one policy and instance; their order does not matter. The decisions are in
/// order of time, oldest first. Calendar units of `keep_for` are counted in `zone`.
pub fn plan<'s, 'a>(retention: &Retention, zone: &Zone, sets: &'s [BackupSet<'a>]) -> Vec<Decision<'s, 'a>> {
    let mut sets: Vec<&BackupSet> = sets.iter().collect();
    sets.sort_by(|a, b| (&b.occurrence, b.instance_id).cmp(&(&a.occurrence, a.instance_id)));
    let newest = sets.iter().find(|set| set.is_complete()).map(|set| set.at());
    let horizon = newest.and_then(|newest| horizon(retention, zone, newest));
    let mut complete = 0;
    let mut decisions: Vec<Decision> = sets
        .into_iter()
        .map(|set| {
            if let Some(reason) = skipped(set) {
                return Decision { set, action: Action::Skip, reasons: vec![reason] };
            }
            let reasons = kept(retention, complete, set.at(), horizon);
            complete += 1;
            if reasons.is_empty() {
                Decision { set, action: Action::Delete, reasons: vec!["no rule keeps it".to_owned()] }
            } else {
                Decision { set, action: Action::Keep, reasons }
            }
        })
        .collect();
    decisions.reverse();
    decisions
}

fn skipped(set: &BackupSet) -> Option<String> {
    match set.status {
        SetStatus::Complete => None,
        SetStatus::Pending => Some("its snapshots are not completed yet".to_owned()),
        SetStatus::Incomplete { completed } => {
            let volumes = set.volumes;
            Some(format!(
                "incomplete: {completed} of {volumes} volumes have a completed snapshot; it counts for nothing"
            ))
        }
    }
}

/// What is at or before this, `keep_for` does not keep. As in restic, whose `--keep-within` keeps what is younger.
fn horizon(retention: &Retention, zone: &Zone, newest: Timestamp) -> Option<Timestamp> {
    let keep_for = retention.keep_for?;
    let back = newest.to_zoned(zone.rules().clone()).checked_sub(keep_for.as_jiff());
    // Further back than time goes keeps everything.
    Some(back.map_or(Timestamp::MIN, |zoned| zoned.timestamp()))
}

/// Why the `n`th newest complete set (from 0) is kept; nothing if it is not.
fn kept(retention: &Retention, n: usize, at: Timestamp, horizon: Option<Timestamp>) -> Vec<String> {
    let mut reasons = Vec::new();
    if n == 0 {
        reasons.push("the newest complete set".to_owned());
    }
    let counts = |count: Option<Count>| count.filter(|count| count.includes(n));
    if let Some(count) = counts(retention.keep_last) {
        reasons.push(format!("keep_last {count}"));
    }
    if let (Some(keep_for), Some(horizon)) = (retention.keep_for, horizon)
        && at > horizon
    {
        reasons.push(format!("keep_for {keep_for}: younger than {horizon}"));
    }
    if let Some(count) = counts(retention.at_least) {
        reasons.push(format!("at_least {count}"));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::backup_set::group;
    use crate::inventory::{Snapshot, SnapshotState};
    use crate::testing::snapshot;

    /// One-volume sets at `times`; those that are `false` failed.
    fn snapshots(times: &[(&str, bool)]) -> Vec<Snapshot> {
        let one = |(time, completed): &(&str, bool)| {
            let mut snapshot =
                snapshot(&format!("snap-{time}"), "vol-1", "i-1", &format!("nightly/{time}"), 1);
            snapshot.state = if *completed { SnapshotState::Completed } else { SnapshotState::Error };
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
        let decisions = plan(retention, &zone.parse().unwrap(), &sets);
        decisions
            .iter()
            .filter(|decision| decision.action == action)
            .map(|decision| decision.set.at().to_string())
            .collect()
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
        let decisions = plan(&rules(Some("36h"), Some(Count::Of(1)), Some(Count::Of(3))), &Zone::UTC, &sets);
        let reasons: Vec<String> = decisions.iter().map(|decision| decision.reasons.join("; ")).collect();
        assert_eq!(
            reasons,
            [
                "no rule keeps it",
                "no rule keeps it",
                "at_least 3",
                "keep_for 36h: younger than 2026-11-18T14:00:00Z; at_least 3",
                "the newest complete set; keep_last 1; keep_for 36h: younger than 2026-11-18T14:00:00Z; at_least 3",
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

    /// Sets at hours since 2026-01-01, with whether they are complete.
    fn histories() -> impl Strategy<Value = Vec<Snapshot>> {
        proptest::collection::btree_map(0..5000u32, any::<bool>(), 0..24).prop_map(|hours| {
            let time = |hour: u32| {
                Timestamp::from_second(1_767_225_600 + i64::from(hour) * 3600).unwrap().to_string()
            };
            let named: Vec<(String, bool)> = hours.into_iter().map(|(hour, ok)| (time(hour), ok)).collect();
            snapshots(&named.iter().map(|(time, ok)| (time.as_str(), *ok)).collect::<Vec<_>>())
        })
    }

    fn retentions() -> impl Strategy<Value = (u32, u32, u32)> {
        (1..4000u32, 0..12u32, 0..12u32)
    }

    fn of((hours, keep_last, at_least): (u32, u32, u32)) -> Retention {
        rules(Some(&format!("{hours}h")), Some(Count::Of(keep_last)), Some(Count::Of(at_least)))
    }

    fn deleted(retention: &Retention, snapshots: &[Snapshot]) -> BTreeSet<String> {
        times(retention, "Europe/London", snapshots, Action::Delete).into_iter().collect()
    }

    proptest! {
        #[test]
        fn raising_any_number_never_deletes_more(history in histories(), low in retentions(), by in (0..500u32, 0..5u32, 0..5u32)) {
            let high = (low.0 + by.0, low.1 + by.1, low.2 + by.2);
            prop_assert!(deleted(&of(high), &history).is_subset(&deleted(&of(low), &history)));
        }

        #[test]
        fn the_order_of_the_sets_does_not_matter(history in histories(), numbers in retentions()) {
            let sets = group(&history).sets;
            let mut reversed = sets.clone();
            reversed.reverse();
            prop_assert_eq!(plan(&of(numbers), &Zone::UTC, &sets), plan(&of(numbers), &Zone::UTC, &reversed));
        }

        #[test]
        fn the_floor_holds_and_the_newest_complete_set_stays(history in histories(), numbers in retentions()) {
            let complete = history.iter().filter(|snapshot| snapshot.state == SnapshotState::Completed).count();
            let kept = times(&of(numbers), "UTC", &history, Action::Keep);
            prop_assert!(kept.len() >= complete.min(numbers.2 as usize));
            let newest = history.iter().filter(|snapshot| snapshot.state == SnapshotState::Completed)
                .filter_map(|snapshot| snapshot.id.strip_prefix("snap-")).max();
            prop_assert_eq!(kept.last().map(String::as_str), newest);
        }

        #[test]
        fn running_again_deletes_nothing_more(history in histories(), numbers in retentions()) {
            let gone = deleted(&of(numbers), &history);
            let left: Vec<Snapshot> = history.into_iter()
                .filter(|snapshot| !gone.contains(snapshot.id.trim_start_matches("snap-"))).collect();
            prop_assert_eq!(deleted(&of(numbers), &left), BTreeSet::new());
        }
    }
}
