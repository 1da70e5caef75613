//! What can be made to go wrong, by name.

use std::fmt;
use std::str::FromStr;

/// What a fault befalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One instance, whose backup or restart cannot succeed: it costs exactly one ticket.
    Instance,
    /// Everything; stopgap must get through it without a ticket.
    Everything,
}

/// Declares [`FaultName`] once: name, scope and what it does.
macro_rules! faults {
    ($($fault:ident = $text:literal, $scope:ident, $doc:literal;)+) => {
        /// A fault that can be injected.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultName {
            $(#[doc = $doc] $fault,)+
        }

        impl FaultName {
            /// Every fault there is.
            pub const ALL: &'static [FaultName] = &[$(FaultName::$fault,)+];

            /// The name, as people write it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$fault => $text,)+ }
            }

            /// What it befalls.
            pub fn scope(self) -> Scope {
                match self { $(Self::$fault => Scope::$scope,)+ }
            }

            /// What it does, in a sentence.
            pub fn description(self) -> &'static str {
                match self { $(Self::$fault => $doc,)+ }
            }
        }
    };
}

faults! {
    NoCapacity = "no-capacity", Instance,
        "EC2 has no capacity for the instance any more, so it cannot be started again.";
    KmsGrantMissing = "kms-grant-missing", Instance,
        "The start is accepted, and the instance falls back to stopped since KMS refuses the grant.";
    SnapshotError = "snapshot-error", Instance,
        "The instance's snapshots end in error, however often they are made.";
    VolumeError = "volume-error", Instance,
        "The snapshot of the instance's last volume ends in error, whatever becomes of the others.";
    SnapshotLimit = "snapshot-limit", Instance,
        "There are as many snapshots as there may be, so EC2 makes none of the instance.";
    StopProtected = "stop-protected", Instance,
        "The instance has stop protection, so EC2 refuses to stop it.";
    EventsLost = "events-lost", Everything,
        "No EC2 or EBS event arrives.";
    EventsLate = "events-late", Everything,
        "Every event arrives up to two minutes late.";
    EventsDoubled = "events-doubled", Everything,
        "Every event arrives twice.";
    Throttled = "throttled", Everything,
        "Three quarters of every request budget are used up by others.";
    ReadsLag = "reads-lag", Everything,
        "EC2's reads lag 1 to 8 seconds behind its writes.";
    CreateUnanswered = "create-unanswered", Everything,
        "One CreateSnapshots call in three does its work and is not answered.";
    FunctionsCrash = "functions-crash", Everything,
        "One function call in twenty crashes, before or after its effect.";
}

impl fmt::Display for FaultName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FaultName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|fault| fault.as_str() == text);
        let names = || Self::ALL.iter().map(|fault| fault.as_str()).collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| format!("there is no fault `{text}`; there are {}", names()))
    }
}
