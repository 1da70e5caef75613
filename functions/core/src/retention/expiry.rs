//! The last sets of an instance that is gone.
//!
//! The one rule that asks the clock: nobody makes a newer set any more that time could be counted from.

use jiff::Timestamp;

use super::rules::horizon;
use super::{Action, Facts, Reason, Verdict};
use crate::backup_set::SetStatus;
use crate::schedule::Zone;
use crate::span::Span;

/// When the last sets of an instance that is gone go, floor or not. Only for instances that are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// How old the newest complete set must be.
    pub after: Span,
    /// The time now.
    pub now: Timestamp,
}

impl Expiry {
    /// Lets go of what the rules keep, if the newest complete set is older than [`Expiry::after`]: every complete set, and
    /// what is left of others if it is as old itself. What is still being copied stays.
    ///
    /// A set is as old as its newest snapshot, by EC2's own time: whatever its tags say, that is when the data was last
    /// known to be good.
    pub(super) fn apply(&self, zone: &Zone, sets: &[Facts], verdicts: &mut [Verdict]) {
        let horizon = horizon(self.after, zone, self.now);
        // What is still being copied is complete soon.
        let counts = |set: &&Facts| !matches!(set.status, SetStatus::Incomplete { .. });
        let newest = sets.iter().filter(counts).map(|set| set.begun_at).max();
        if newest.is_some_and(|newest| newest >= horizon) {
            return;
        }
        let kept = sets.iter().zip(verdicts).filter(|(_, verdict)| verdict.action != Action::Delete);
        for (set, verdict) in kept {
            let reason = match set.status {
                SetStatus::Complete => Reason::Expired(self.after),
                SetStatus::Incomplete { .. } if set.settled && set.begun_at < horizon => {
                    Reason::ExpiredRest(self.after)
                }
                SetStatus::Incomplete { .. } | SetStatus::Pending => continue,
            };
            *verdict = Verdict { action: Action::Delete, reasons: vec![reason] };
        }
    }
}
