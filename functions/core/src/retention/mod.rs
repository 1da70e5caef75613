//! Which backup sets are kept and which are deleted, as a plan with reasons; deleting is another's work.
//!
//! The rules mean what restic's `forget` documents, over complete sets: a set stays when any rule keeps it. `keep_for`
//! counts back from the newest complete set and not from now, so that nothing is lost while backups fail. The newest
//! complete set is never deleted, whatever the rules say.
//!
//! Sets that are not complete never count. What is left of one that cannot become complete any more, because a snapshot
//! failed or someone (a deletion of ours that was cut short, too) deleted some, goes when it would have gone had it been
//! complete, and not before a whole run has come after it: see [`Spared`].
//!
//! No clock is asked: the same sets give the same plan at any time. The one exception is [`Expiry`], for the last sets of
//! an instance that is gone.

mod expiry;
mod period;
mod reason;
mod rules;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use expiry::Expiry;
pub use period::{Period, Unit};
pub use reason::{Reason, Spared};

use jiff::{SignedDuration, Timestamp};

use crate::backup_set::{BackupSet, SetStatus};
use crate::policy::Retention;
use crate::schedule::Zone;
use rules::Rules;

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
    /// Why; at least one reason.
    pub reasons: Vec<Reason>,
}

/// What the rules look at of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The time of the set: its occurrence's.
    pub at: Timestamp,
    /// When the last of its snapshots was begun.
    pub begun_at: Timestamp,
    /// Whether it can be restored from.
    pub status: SetStatus,
    /// How many volumes it has.
    pub volumes: usize,
    /// Whether all its snapshots are completed or failed: nothing of it is still under way.
    pub settled: bool,
}

/// What becomes of a set that the rules were asked about, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of it.
    pub action: Action,
    /// Why; at least one reason.
    pub reasons: Vec<Reason>,
}

/// Decides on `sets`, which must all be of one policy and instance; their order does not matter. The decisions are in
/// order of time, oldest first. Calendar periods and units are those of `zone`. `expiry` is for an instance that is gone.
pub fn plan<'s, 'a>(
    retention: &Retention,
    zone: &Zone,
    sets: &'s [BackupSet<'a>],
    expiry: Option<Expiry>,
) -> Vec<Decision<'s, 'a>> {
    let mut sets: Vec<&BackupSet> = sets.iter().collect();
    sets.sort_by(|a, b| b.at().cmp(&a.at()).then_with(|| a.instance_id.cmp(b.instance_id)));
    let facts: Vec<Facts> = sets.iter().map(|set| set.facts()).collect();
    let verdicts = decide(retention, zone, &facts, expiry);
    let decision = |(set, Verdict { action, reasons })| Decision { set, action, reasons };
    let mut decisions: Vec<Decision> = sets.into_iter().zip(verdicts).map(decision).collect();
    decisions.reverse();
    decisions
}

/// Decides on the sets of one policy and instance, *newest first*: one verdict each, in the same order.
pub fn decide(retention: &Retention, zone: &Zone, sets: &[Facts], expiry: Option<Expiry>) -> Vec<Verdict> {
    let complete = |set: &&Facts| set.status == SetStatus::Complete;
    // The index of the oldest complete set.
    let oldest = sets.iter().rposition(|set| complete(&set));
    let mut rules = Rules::new(retention, zone, sets.iter().filter(complete));
    let mut newest_begun: Option<Timestamp> = None;
    let one = |(n, set): (usize, &Facts)| match set.status {
        SetStatus::Complete => {
            newest_begun = newest_begun.max(Some(set.begun_at));
            let reasons = rules.count(set.at, Some(n) == oldest);
            if reasons.is_empty() {
                Verdict { action: Action::Delete, reasons: vec![Reason::NoRule] }
            } else {
                Verdict { action: Action::Keep, reasons }
            }
        }
        SetStatus::Pending => Verdict { action: Action::Skip, reasons: vec![Reason::Pending] },
        SetStatus::Incomplete { completed } => {
            let spared = if !set.settled {
                Some(Spared::Unsettled)
            } else if newest_begun.is_none_or(|newest| newest <= set.begun_at) {
                Some(Spared::NothingNewer)
            } else if rules.would_keep(set.at, oldest.is_none_or(|oldest| oldest < n)) {
                Some(Spared::AsLongAsIfComplete)
            } else {
                None
            };
            let action = if spared.is_some() { Action::Skip } else { Action::Delete };
            Verdict { action, reasons: vec![Reason::Incomplete { completed, volumes: set.volumes, spared }] }
        }
    };
    let mut verdicts: Vec<Verdict> = sets.iter().enumerate().map(one).collect();
    if let Some(expiry) = expiry {
        expiry.apply(zone, sets, &mut verdicts);
    }
    verdicts
}

/// How long before its snapshots were begun a set's time may lie after them at most: the difference of two clocks.
const CLOCKS: SignedDuration = SignedDuration::from_mins(15);

/// The time that `keep_for` counts back from. A set whose time lies ahead of its own snapshots (someone named a wrong
/// occurrence, or changed a tag) counts as old as they are: else it would let all that is kept by age expire at once.
fn newest<'f>(complete: impl Iterator<Item = &'f Facts>) -> Option<Timestamp> {
    let sober = |set: &Facts| {
        let ahead = set.at.duration_since(set.begun_at) > CLOCKS;
        if ahead { set.begun_at } else { set.at }
    };
    complete.map(sober).max()
}
