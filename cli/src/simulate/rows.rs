//! The rows of the tables, the same on the page for a terminal and on the one for a browser.

use stopgap_sim::forecast::{Deleted, LeftAlone, Month, Night, NotBackedUp, PolicyLine};

use super::words::{dollars, grouped, lasting, minute, rounded, second};

/// Id, instances, runs, missed; down for a run in the middle and at most, and all together; sets deleted and kept, GiB and
/// dollars a month.
pub(super) fn policy(line: &PolicyLine) -> Vec<String> {
    vec![
        line.id.clone(),
        grouped(line.instances),
        grouped(line.runs),
        grouped(line.missed),
        lasting(line.downtime_seconds_per_run.p50),
        lasting(line.downtime_seconds_per_run.max),
        lasting(line.downtime_seconds),
        grouped(line.sets_deleted),
        grouped(line.sets_kept),
        rounded(line.stored_gib),
        dollars(line.cost_usd_per_month.total),
    ]
}

/// Month, days, runs, GiB at its end; dollars for storage, transitions, Lambda and requests, and together.
pub(super) fn month(month: &Month) -> Vec<String> {
    let cost = &month.cost_usd;
    let costs = [cost.storage, cost.state_transitions, cost.lambda, cost.requests, cost.total].map(dollars);
    let of = [month.month.clone(), month.days.to_string(), grouped(month.runs), rounded(month.stored_gib)];
    of.into_iter().chain(costs).collect()
}

/// When, runs, stopped; first down, all up, over; the longest, all together; and what `of` says of its occurrences.
pub(super) fn night(night: &Night, of: impl Fn(&[String]) -> String) -> Vec<String> {
    vec![
        minute(night.at),
        grouped(night.runs),
        grouped(night.stopped),
        second(night.first_down_at),
        second(night.all_up_at),
        second(Some(night.over_at)),
        lasting(night.longest_downtime_seconds),
        lasting(night.downtime_seconds),
        of(&night.occurrences),
    ]
}

/// Day, sets, snapshots, occurrence.
pub(super) fn deleted(deleted: &Deleted) -> Vec<String> {
    let (sets, snapshots) = (grouped(deleted.sets), grouped(deleted.snapshots));
    vec![minute(deleted.day), sets, snapshots, deleted.occurrence.clone()]
}

/// Instance, policy, why.
pub(super) fn not_backed_up(not: &NotBackedUp) -> Vec<String> {
    vec![not.instance_id.clone(), not.policy.clone(), not.reasons.join("; ")]
}

/// Policy, sets deleted and left, snapshots, GiB, why.
pub(super) fn left_alone(line: &LeftAlone) -> Vec<String> {
    let (deleted, sets, snapshots) =
        (grouped(line.sets_deleted), grouped(line.sets), grouped(line.snapshots));
    vec![line.policy.clone(), deleted, sets, snapshots, rounded(line.stored_gib), line.why.to_owned()]
}
