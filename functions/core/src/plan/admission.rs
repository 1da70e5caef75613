//! When each backup of a plan may start, so that nobody waits stopped for a request token.
//!
//! EC2 limits requests per account and Region with token buckets. The narrowest one on a backup's way is
//! StartInstances: 5 requests at once, refilled by 2 a second. CreateSnapshots has 100, refilled by 5 a second. An
//! instance that is throttled at its start stays down longer, so the instances are spread *before* they are stopped.
//!
//! The limits belong to the whole account. What is planned here uses some seven tenths of the refill and none of the burst;
//! the rest is for the rescuer, for retries, for runs started by hand, and for whatever else the account does:
//!
//! | lane | every | a second |
//! |---|---|---|
//! | those that will need a StartInstances | 700 ms | 1.4 of 2 |
//! | the others | 417 ms | 2.4, which with the 1.4 makes 3.8 of the 5 CreateSnapshots |
//!
//! Instances take differently long to stop, so their starts come unevenly: nearer to the limit, they would queue while they
//! are down. So 1,000 running instances of one account and Region are begun within 12 minutes, and 10,000 within the two
//! hours of `start_within`'s default.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::inventory::Location;

/// The time between two instances that will need a StartInstances.
pub const START_EVERY: SignedDuration = SignedDuration::from_millis(700);
/// The time between two others.
pub const SNAPSHOT_EVERY: SignedDuration = SignedDuration::from_millis(417);

/// A backup that asks for a time to start.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The account and Region whose limits it shares.
    pub location: &'a Location,
    /// Whether it will need a StartInstances.
    pub starts: bool,
    /// The group whose members take turns, if there is one.
    pub group: Option<&'a str>,
    /// How many members of the group may be down at once.
    pub at_once: u32,
}

/// The time of each request, in their order: `at` and later, in whole seconds.
///
/// Requests are served in the order given, but for groups: those of a group's members that may be down at once come in
/// the first round, the next as many in the second, so that the members that would only wait for each other do not
/// take the others' places.
pub fn start_times(at: Timestamp, requests: &[Request<'_>]) -> Vec<Timestamp> {
    let mut members: BTreeMap<&str, u32> = BTreeMap::new();
    let mut order: Vec<(u32, usize)> = Vec::with_capacity(requests.len());
    for (index, request) in requests.iter().enumerate() {
        let round = request.group.map_or(0, |group| {
            let member = members.entry(group).or_default();
            let round = *member / request.at_once.max(1);
            *member += 1;
            round
        });
        order.push((round, index));
    }
    order.sort_unstable();

    let start = Timestamp::from_second(at.as_second()).unwrap_or(at);
    let mut times = vec![start; requests.len()];
    let mut lanes: BTreeMap<(&Location, bool), i32> = BTreeMap::new();
    for (_, index) in order {
        let (Some(request), Some(time)) = (requests.get(index), times.get_mut(index)) else { continue };
        let before = lanes.entry((request.location, request.starts)).or_default();
        let every = if request.starts { START_EVERY } else { SNAPSHOT_EVERY };
        let wait = every.checked_mul(*before).map_or(i64::MAX, |wait| wait.as_secs());
        *time = start.checked_add(SignedDuration::from_secs(wait)).unwrap_or(Timestamp::MAX);
        *before = before.saturating_add(1);
    }
    times
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AT: &str = "2026-11-21T02:00:00Z";

    fn place(region: &str) -> Location {
        Location::new("111111111111", region)
    }

    fn seconds(requests: &[Request<'_>]) -> Vec<i64> {
        let at: Timestamp = AT.parse().unwrap();
        start_times(at, requests).into_iter().map(|time| time.as_second() - at.as_second()).collect()
    }

    fn alone(location: &Location, starts: bool) -> Request<'_> {
        Request { location, starts, group: None, at_once: u32::MAX }
    }

    #[test]
    fn a_thousand_running_instances_are_begun_within_twelve_minutes_and_ten_thousand_within_two_hours() {
        let place = place("eu-west-1");
        let last = |count: usize| *seconds(&vec![alone(&place, true); count]).last().unwrap();
        assert!((500..=720).contains(&last(1_000)), "{} s", last(1_000));
        assert!(last(10_000) < 7_200, "{} s", last(10_000));
    }

    #[test]
    fn regions_and_lanes_do_not_wait_for_each_other() {
        let (one, two) = (place("eu-west-1"), place("us-east-1"));
        let mut requests = vec![alone(&one, true); 50];
        requests.push(alone(&two, true));
        requests.push(alone(&one, false));
        assert_eq!(seconds(&requests)[50..], [0, 0]);
    }

    #[test]
    fn members_of_a_group_do_not_take_the_places_of_others() {
        let place = place("eu-west-1");
        let member = Request { group: Some("tag:Cluster=alpha"), at_once: 1, ..alone(&place, true) };
        let times = seconds(&[member, member, member, alone(&place, true), alone(&place, true)]);
        // Order: the first member, the two others, then the second and the third member; 0.7 s apart.
        assert_eq!(times, [0, 2, 2, 0, 1]);
    }

    /// Whether a bucket of `burst` tokens, refilled by `refill` a second, serves one request at each of `times`.
    fn serves(mut times: Vec<i64>, burst: f64, refill: f64) -> bool {
        times.sort_unstable();
        let (mut tokens, mut last) = (burst, 0);
        times.into_iter().all(|time| {
            tokens = (tokens + (time - last) as f64 * refill).min(burst) - 1.0;
            last = time;
            tokens >= 0.0
        })
    }

    proptest! {
        #[test]
        fn no_bucket_of_ec2s_runs_dry(kinds in proptest::collection::vec((any::<bool>(), 0..4usize), 0..400)) {
            let place = place("eu-west-1");
            let groups = [None, Some("a"), Some("b"), Some("c")];
            let requests: Vec<Request<'_>> = kinds.iter()
                .map(|(starts, group)| Request { group: groups[*group], at_once: 2, ..alone(&place, *starts) }).collect();
            let times = seconds(&requests);
            let starts = times.iter().zip(&kinds).filter(|(_, kind)| kind.0).map(|(time, _)| *time).collect();
            prop_assert!(serves(starts, 5.0, 2.0));
            prop_assert!(serves(times, 100.0, 5.0));
        }
    }
}
