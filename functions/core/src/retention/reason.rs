//! Why a set is kept, deleted or left alone.

use std::fmt;

use serde::Serialize;

use crate::policy::Count;
use crate::span::Span;

/// Why a set is kept, deleted or left alone. Its text is what people and programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is the newest complete set, which is never deleted.
    Newest,
    /// It is the `nth` of those that a rule counts: `daily 1 of 7`.
    Counted {
        /// The rule, without `keep_`.
        rule: &'static str,
        /// Which it is, from 1.
        nth: usize,
        /// How many the rule keeps.
        of: Count,
    },
    /// It is the oldest, and the count of a rule of periods is not used up by newer ones.
    Oldest,
    /// It is younger than this, counted back from the newest complete set.
    KeepFor(Span),
    /// No rule keeps it.
    NoRule,
    /// Its instance is gone, and its newest complete set is older than this.
    Expired(Span),
    /// The same, of a set that is not complete, and as old itself.
    ExpiredRest(Span),
    /// Its snapshots are still being copied.
    Pending,
    /// It cannot be restored from as a whole.
    Incomplete {
        /// How many volumes have a completed snapshot.
        completed: usize,
        /// How many volumes it has.
        volumes: usize,
        /// Why it is left alone all the same; nothing when it is deleted.
        spared: Option<Spared>,
    },
}

/// Why an incomplete set is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spared {
    /// A snapshot of it is still being copied, or comes back from the Recycle Bin.
    Unsettled,
    /// There is no complete set that is newer, and was begun after it: its run may not be over, and what is in it may be
    /// the newest there is.
    NothingNewer,
    /// A rule would keep it if it were complete. What it has may still be wanted for as long.
    AsLongAsIfComplete,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => f.write_str("the newest complete set"),
            Self::Counted { rule, nth, of } => write!(f, "{rule} {nth} of {of}"),
            Self::Oldest => f.write_str("the oldest, while a count is not used up"),
            Self::KeepFor(span) => write!(f, "keep_for {span}"),
            Self::NoRule => f.write_str("no rule keeps it"),
            Self::Expired(after) => {
                write!(f, "the instance is gone; its newest complete set is older than {after}")
            }
            Self::ExpiredRest(after) => {
                write!(f, "the instance is gone; this set is not complete, and older than {after}")
            }
            Self::Pending => f.write_str("its snapshots are not completed yet"),
            Self::Incomplete { completed, volumes, spared } => {
                write!(f, "incomplete: {completed} of {volumes} volumes have a completed snapshot; ")?;
                f.write_str(match spared {
                    Some(Spared::Unsettled) => "some are still being copied",
                    Some(Spared::NothingNewer) => "no newer set is complete",
                    Some(Spared::AsLongAsIfComplete) => {
                        "it counts for nothing, and stays as long as if it were complete"
                    }
                    None => "no rule would keep it if it were complete",
                })
            }
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
