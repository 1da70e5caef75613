//! What goes wrong in a scenario, each under a name that stays.

use std::fmt;
use std::rc::Rc;

use super::Kind;
use super::named::named;
use crate::aws::{Delivery, Site};

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// A call.
    Call(Place, &'static str, u32, Kind),
    /// Something happens while a run, or the fleet, is in a state for the first time.
    State(Place, Act),
    /// An event goes astray.
    Event(&'static str, u32, Delivery),
    /// The world itself, from the beginning.
    World(Plight),
}

/// A state or function as [`Site::place`] names it, free to go from thread to thread.
pub type Place = std::sync::Arc<str>;

named! {
    /// What happens while a run is in a state.
    Act {
        Aborted = "aborted", "Somebody stops the execution.";
        TimedOut = "timed-out", "The execution's own time is over.";
        RedrivenBefore = "redriven-before-rescue", "It is stopped, and redriven before the rescuer hears of it.";
        RedrivenAfter = "redriven-after-rescue", "It is stopped, and redriven ten minutes later.";
        Twice = "run-twice", "A second execution is started for the same occurrence.";
        Terminated = "terminated", "Somebody terminates the instance.";
        StartedByHand = "started-by-hand", "Somebody starts the instance if it is stopped.";
        TagsChanged = "tags-changed", "Somebody takes the tag off by which the policy selects the instance.";
        VolumeAttached = "volume-attached", "Somebody attaches another volume.";
        VolumeDetached = "volume-detached", "Somebody detaches the data volume.";
        SetsDeleted = "sets-deleted", "Somebody deletes all older backups but the one that retention would delete first.";
        TableDown = "table-unavailable", "The table cannot be reached for ten minutes.";
        TopicDown = "topic-unavailable", "The topic cannot be reached for ten minutes.";
    }
}

named! {
    /// What is wrong with the world until it is mended.
    Plight {
        NoCapacity = "no-capacity", "EC2 has no capacity to start the instance.";
        NoGrant = "kms-grant-missing", "The start is accepted, and the instance falls back to stopped.";
        StuckStopping = "stuck-stopping", "The instance takes 45 minutes to stop.";
        SnapshotsFail = "snapshot-error", "All snapshots end in error.";
        VolumeFails = "one-volume-fails", "The snapshot of one volume ends in error, that of the other is completed.";
        SnapshotLimit = "snapshot-limit", "There are as many snapshots as there may be.";
        TagLimit = "tag-limit", "A volume has more tags than fit on its snapshot.";
        BackupLocked = "old-backup-locked", "An old backup that retention would delete is locked.";
        StopProtected = "stop-protected", "EC2 refuses to stop the instance.";
    }
}

/// The name of a way in which an event goes astray.
pub(super) fn delivery(how: Delivery) -> &'static str {
    match how {
        Delivery::Lost => "lost",
        Delivery::Doubled => "doubled",
        Delivery::Late => "late",
        Delivery::OutOfOrder => "out-of-order",
    }
}

impl Act {
    /// Whether the execution does not go on by itself, so that only the rescuer can give the instance back.
    pub fn loses_run(self) -> bool {
        matches!(self, Self::Aborted | Self::TimedOut | Self::RedrivenBefore | Self::RedrivenAfter)
    }

    /// Whether there is something that only the rescuer does: it gives the instance back, or sends what could not be sent.
    pub fn needs_rescuer(self) -> bool {
        self.loses_run() || self == Self::TopicDown
    }
}

impl Trouble {
    /// A call gone wrong.
    pub fn call(site: &Site, kind: Kind) -> Self {
        Self::Call(Place::from(&*site.place), site.operation, site.nth, kind)
    }

    /// The call that it is about.
    pub fn site(&self) -> Option<Site> {
        match self {
            Self::Call(place, operation, nth, _) => {
                Some(Site { place: Rc::from(&**place), operation, nth: *nth })
            }
            _ => None,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(place, operation, nth, kind) => {
                write!(f, "{place}/{operation}#{nth}/{}", kind.as_str())
            }
            Self::State(place, act) => write!(f, "{place}/{}", act.as_str()),
            Self::Event(event, nth, how) => write!(f, "event.{event}#{nth}/{}", delivery(*how)),
            Self::World(plight) => write!(f, "world/{}", plight.as_str()),
        }
    }
}
