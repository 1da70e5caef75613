//! Occurrences that nothing served in time.

use jiff::{SignedDuration, Timestamp};

use super::{Known, MISSED_MAX, Missed, PastRun, due};
use crate::inventory::Instance;
use crate::occurrence::Occurrence;
use crate::policy::Policy;

/// The occurrences of `policy` whose moment of being missed lies after `told_until` and not after this plan, oldest first.
/// Whether an instance was served is not asked here.
pub(super) fn occurrences(policy: &Policy, now: Timestamp, told_until: Option<Timestamp>) -> Vec<Occurrence> {
    let Some(told_until) = told_until else { return Vec::new() };
    let mut found = Vec::new();
    let mut newest = policy.schedule.latest(now);
    while let Some(at) = newest {
        let missed_at = policy.schedule.missed_at(at);
        // Older occurrences were missed no later than this one.
        if missed_at <= told_until || found.len() == MISSED_MAX {
            break;
        }
        if missed_at <= now {
            found.push(Occurrence::new(policy.id.clone(), at));
        }
        newest = at
            .checked_sub(SignedDuration::from_secs(1))
            .ok()
            .and_then(|before| policy.schedule.latest(before));
    }
    found.reverse();
    found
}

/// Those of `occurrences` that `instance` missed.
pub(super) fn of<'a>(
    policy: &Policy,
    instance: &'a Instance,
    occurrences: &[Occurrence],
    known: &Known<'a>,
) -> Option<Missed> {
    if !due::takes_part(policy, instance) {
        return None;
    }
    let began = began(instance);
    let told_until = known.question.planned_until.map(|mark| mark.told(&instance.location));
    let missed = occurrences.iter().filter(|occurrence| {
        began.is_none_or(|began| began <= occurrence.at)
            && told_until.is_some_and(|until| policy.schedule.missed_at(occurrence.at) > until)
            && is_untold(known.run(occurrence, instance))
            && !known.has_complete_set(occurrence, instance)
    });
    let occurrences: Vec<Occurrence> = missed.cloned().collect();
    (!occurrences.is_empty()).then(|| Missed {
        instance_id: instance.id.clone(),
        location: instance.location.clone(),
        policy: policy.id.clone(),
        occurrences,
    })
}

/// Whether nobody served the occurrence, and nobody was told why: there was no run, or another was counted on after it.
fn is_untold(run: Option<PastRun>) -> bool {
    matches!(run, None | Some(PastRun::Failed { awaits_retry: true, .. }))
}

/// Since when the instance has existed at the latest, by the first attachment of a volume: EC2's launch time changes
/// with every start. `None` when a recording lacks an attachment's time, since that might have been the first.
fn began(instance: &Instance) -> Option<Timestamp> {
    let times: Option<Vec<Timestamp>> = instance.devices.iter().map(|device| device.attached_at).collect();
    times?.into_iter().min()
}
