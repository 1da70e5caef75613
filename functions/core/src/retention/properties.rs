//! What holds for all rules and all histories.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::policy::Count;

/// A set of a history, by its time in hours since 2026-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Set {
    hour: u32,
    complete: bool,
}

/// Sets newest first, most of them complete; some in the same hour, day, week.
fn histories() -> impl Strategy<Value = Vec<Set>> {
    let hours = prop_oneof![0..200u32, 0..5_000u32, 0..50_000u32];
    proptest::collection::btree_map(hours, prop::bool::weighted(0.8), 0..40)
        .prop_map(|sets| sets.into_iter().rev().map(|(hour, complete)| Set { hour, complete }).collect())
}

fn at(set: &Set) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + i64::from(set.hour) * 3600).unwrap()
}

fn facts(set: &Set) -> Facts {
    let status = if set.complete { SetStatus::Complete } else { SetStatus::Incomplete { completed: 1 } };
    Facts { at: at(set), begun_at: at(set), status, volumes: 2, settled: true }
}

/// The numbers of all rules, `keep_for` in hours.
type Numbers = [Option<u32>; 8];

fn numbers() -> impl Strategy<Value = Numbers> {
    let count = || proptest::option::of(0..9u32);
    (proptest::option::of(1..4_000u32), count(), count(), count(), count(), count(), count(), count())
        .prop_map(|(keep_for, last, hourly, daily, weekly, monthly, yearly, at_least)| {
            [keep_for, last, hourly, daily, weekly, monthly, yearly, at_least]
        })
}

fn retention([keep_for, last, hourly, daily, weekly, monthly, yearly, at_least]: Numbers) -> Retention {
    // One number stands for `all`, so that it is among those that are raised.
    let count = |n: Option<u32>| n.map(|n| if n > 10 { Count::All } else { Count::Of(n) });
    Retention {
        keep_for: keep_for.map(|hours| format!("{hours}h").parse().unwrap()),
        keep_last: count(last),
        keep_hourly: count(hourly),
        keep_daily: count(daily),
        keep_weekly: count(weekly),
        keep_monthly: count(monthly),
        keep_yearly: count(yearly),
        at_least: count(at_least),
        ..Retention::default()
    }
}

fn zones() -> impl Strategy<Value = Zone> {
    prop::sample::select(vec![
        "UTC",
        "Europe/London",
        "America/Chicago",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
    ])
    .prop_map(|name| name.parse().unwrap())
}

fn with(action: Action, numbers: Numbers, zone: &Zone, history: &[Set]) -> BTreeSet<Set> {
    let facts: Vec<Facts> = history.iter().map(facts).collect();
    let verdicts = decide(&retention(numbers), zone, &facts, None);
    let chosen = history.iter().zip(verdicts).filter(|(_, verdict)| verdict.action == action);
    chosen.map(|(set, _)| *set).collect()
}

/// What goes of an instance that is gone, `hours` after the newest set of all.
fn expired(numbers: Numbers, zone: &Zone, history: &[Set], after: u32, hours: u32) -> BTreeSet<Set> {
    let facts: Vec<Facts> = history.iter().map(facts).collect();
    let newest = history.iter().map(at).max().unwrap_or(Timestamp::UNIX_EPOCH);
    let expiry = Expiry {
        after: format!("{after}h").parse().unwrap(),
        now: newest + SignedDuration::from_hours(i64::from(hours)),
    };
    let verdicts = decide(&retention(numbers), zone, &facts, Some(expiry));
    let gone = history.iter().zip(verdicts).filter(|(_, verdict)| verdict.action == Action::Delete);
    gone.map(|(set, _)| *set).collect()
}

fn deleted(numbers: Numbers, zone: &Zone, history: &[Set]) -> BTreeSet<Set> {
    with(Action::Delete, numbers, zone, history)
}

/// restic's rule of periods, written down anew: for each period, from the newest, its newest set; and the oldest of all.
fn newest_of_periods(unit: Unit, count: u32, zone: &Zone, history: &[Set]) -> BTreeSet<Set> {
    let mut kept: Vec<(Period, Set)> = Vec::new();
    for set in history {
        let period = Period::of(unit, period::local(zone, at(set)));
        if kept.iter().all(|(other, _)| *other != period) {
            kept.push((period, *set));
        }
    }
    let left = count as usize > kept.len();
    let oldest = history.last().copied().filter(|_| left);
    kept.into_iter().map(|(_, set)| set).take(count as usize).chain(oldest).collect()
}

proptest! {
    #[test]
    fn raising_any_number_never_deletes_more(
        history in histories(), low in numbers(), by in proptest::array::uniform8(0..12u32), zone in zones(),
    ) {
        let mut high = low;
        for (number, by) in high.iter_mut().zip(by) {
            // A rule that was not there may come, too.
            *number = if by > 0 { Some(number.unwrap_or(0) + by) } else { *number };
        }
        prop_assert!(deleted(high, &zone, &history).is_subset(&deleted(low, &zone, &history)));
    }

    #[test]
    fn the_floor_holds_and_the_newest_complete_set_stays(history in histories(), numbers in numbers(), zone in zones()) {
        let complete: Vec<Set> = history.iter().copied().filter(|set| set.complete).collect();
        let kept = with(Action::Keep, numbers, &zone, &history);
        let floor = numbers[7].unwrap_or(0) as usize;
        prop_assert!(kept.iter().all(|set| set.complete));
        prop_assert!(kept.len() >= complete.len().min(floor));
        prop_assert!(complete.iter().take(floor.max(1)).all(|set| kept.contains(set)));
    }

    #[test]
    fn running_again_deletes_nothing_more(history in histories(), numbers in numbers(), zone in zones()) {
        let gone = deleted(numbers, &zone, &history);
        let left: Vec<Set> = history.into_iter().filter(|set| !gone.contains(set)).collect();
        prop_assert_eq!(deleted(numbers, &zone, &left), BTreeSet::new());
    }

    #[test]
    fn deleting_only_the_oldest_of_them_and_going_on_later_deletes_the_same(
        history in histories(), numbers in numbers(), zone in zones(), first in 0..9usize,
    ) {
        let gone = deleted(numbers, &zone, &history);
        let some: BTreeSet<Set> = gone.iter().copied().take(first).collect();
        let left: Vec<Set> = history.into_iter().filter(|set| !some.contains(set)).collect();
        let rest: BTreeSet<Set> = gone.difference(&some).copied().collect();
        prop_assert_eq!(deleted(numbers, &zone, &left), rest);
    }

    #[test]
    fn sets_that_are_not_complete_change_nothing_for_those_that_are(history in histories(), numbers in numbers(), zone in zones()) {
        let complete: Vec<Set> = history.iter().copied().filter(|set| set.complete).collect();
        prop_assert_eq!(with(Action::Keep, numbers, &zone, &history), with(Action::Keep, numbers, &zone, &complete));
    }

    #[test]
    fn what_is_cut_short_is_finished_even_if_backups_go_on(
        history in histories(), numbers in numbers(), zone in zones(), more in 1..2_000u32,
    ) {
        // Deletions of complete sets, each interrupted: what is left of them is incomplete.
        let gone = deleted(numbers, &zone, &history);
        let newest = history.first().map_or(0, |set| set.hour);
        let cut = |set: &Set| Set { complete: set.complete && !gone.contains(set), ..*set };
        let mut later: Vec<Set> = history.iter().map(cut).collect();
        later.insert(0, Set { hour: newest + more, complete: true });
        let finished = deleted(numbers, &zone, &later);
        for set in &gone {
            prop_assert!(finished.contains(&cut(set)), "{:?} stays for ever", set);
        }
    }

    #[test]
    fn a_rule_of_periods_alone_keeps_what_restic_documents(history in histories(), count in 1..9u32, zone in zones()) {
        let history: Vec<Set> = history.into_iter().map(|set| Set { complete: true, ..set }).collect();
        for (rule, unit) in [Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year].into_iter().enumerate() {
            let mut numbers = Numbers::default();
            numbers[2 + rule] = Some(count);
            let kept = with(Action::Keep, numbers, &zone, &history);
            prop_assert_eq!(kept, newest_of_periods(unit, count, &zone, &history), "{:?}", unit);
        }
    }

    #[test]
    fn of_an_instance_that_is_gone_either_all_complete_sets_expire_or_none_does(
        history in histories(), numbers in numbers(), zone in zones(), after in 1..3_000u32, hours in 0..3_000u32,
    ) {
        let complete: BTreeSet<Set> = history.iter().copied().filter(|set| set.complete).collect();
        let gone = expired(numbers, &zone, &history, after, hours);
        let by_the_rules = deleted(numbers, &zone, &history);
        prop_assert!(by_the_rules.is_subset(&gone));
        // Seen from the newest of all, which need not be complete.
        let newest = history.first().map_or(0, |set| set.hour) + hours;
        let is_old = complete.last().is_some_and(|set| newest - set.hour > after);
        if is_old {
            prop_assert!(complete.is_subset(&gone));
        } else if !complete.is_empty() {
            prop_assert_eq!(&gone, &by_the_rules);
        }
        let young = |set: &Set| !set.complete && newest - set.hour <= after && !by_the_rules.contains(set);
        prop_assert!(history.iter().filter(|set| young(set)).all(|set| !gone.contains(set)));
    }

    #[test]
    fn a_longer_expiry_or_an_earlier_look_never_deletes_more(
        history in histories(), numbers in numbers(), zone in zones(), after in 1..3_000u32, hours in 0..3_000u32,
        more in 0..500u32,
    ) {
        let gone = expired(numbers, &zone, &history, after, hours);
        prop_assert!(expired(numbers, &zone, &history, after + more, hours).is_subset(&gone));
        prop_assert!(gone.is_subset(&expired(numbers, &zone, &history, after, hours + more)));
    }

    #[test]
    fn expiring_only_the_oldest_and_going_on_later_deletes_the_same(
        history in histories(), numbers in numbers(), zone in zones(), hours in 0..3_000u32, first in 0..9usize,
    ) {
        let gone = expired(numbers, &zone, &history, 700, hours);
        let some: BTreeSet<Set> = gone.iter().copied().take(first).collect();
        let left: Vec<Set> = history.iter().copied().filter(|set| !some.contains(set)).collect();
        let rest: BTreeSet<Set> = gone.difference(&some).copied().collect();
        // The same moment, though the newest of all may be among those that are gone.
        let newest = |sets: &[Set]| sets.first().map_or(0, |set| set.hour);
        let hours = hours + newest(&history) - newest(&left);
        if !left.is_empty() {
            prop_assert_eq!(expired(numbers, &zone, &left, 700, hours), rest);
        }
    }
}
