//! What can be found before a backup, how grave each finding is, and what a person should do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What follows from a finding. The gravest is the greatest.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing, and nobody hears of it.
    Ignore,
    /// The backup is made, and the finding is among the run's reasons.
    Warn,
    /// The backup is not begun; a ticket `backup-refused` names the finding.
    Refuse,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Verdict; 3] = [Self::Ignore, Self::Warn, Self::Refuse];

    /// The verdict as policies write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Warn => "warn",
            Self::Refuse => "refuse",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Of which runs a finding is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Of those that stop an instance: nothing of it matters where it goes on running, or was stopped before.
    BeforeAStop,
    /// Of every run.
    Always,
}

/// Declares [`Finding`] once: name, default, when it is asked, why no policy can have it otherwise, what it means, and
/// what to do.
macro_rules! findings {
    ($($(#[doc = $doc:literal])+ $finding:ident = $text:literal, $verdict:ident, $asked:ident, $fixed:expr,
        $next:literal;)+) => {
        /// Something about an instance or its volumes that makes a backup impossible, or cost more than a backup may.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum Finding {
            $($(#[doc = $doc])+ $finding,)+
        }

        impl Finding {
            /// Every finding there is.
            pub const ALL: &'static [Finding] = &[$(Finding::$finding,)+];

            /// The finding's name, as policies and reports write it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$finding => $text,)+ }
            }

            /// What follows from it where the policy does not say otherwise.
            pub fn default_verdict(self) -> Verdict {
                match self { $(Self::$finding => Verdict::$verdict,)+ }
            }

            /// Of which runs it is asked.
            pub fn asked(self) -> Asked {
                match self { $(Self::$finding => Asked::$asked,)+ }
            }

            /// Why no policy can have it otherwise: EC2 refuses, whatever the policy says.
            pub fn fixed(self) -> Option<&'static str> {
                match self { $(Self::$finding => $fixed,)+ }
            }

            /// What is the matter, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$finding => concat!($($doc),+).trim_start(),)+ }
            }

            /// What a person should do.
            pub fn next_step(self) -> &'static str {
                match self { $(Self::$finding => $next,)+ }
            }
        }
    };
}

findings! {
    /// The root device is an instance store, so that it cannot be stopped at all.
    InstanceStoreRoot = "instance-store-root", Refuse, BeforeAStop, Some("EC2 stops no such instance"),
        "Back its EBS volumes up while it runs (`\"consistency\": \"crash\"`), or except it.";
    /// It is a one-time Spot instance, which can be terminated and not stopped.
    OneTimeSpot = "one-time-spot", Refuse, BeforeAStop, Some("EC2 stops no such instance"),
        "Back it up while it runs (`\"consistency\": \"crash\"`), or except it.";
    /// Stop protection is on (the attribute `disableApiStop`).
    StopProtected = "stop-protected", Refuse, BeforeAStop, Some("EC2 refuses to stop it while the protection is on"),
        "Turn stop protection off, back it up while it runs (`\"consistency\": \"crash\"`), or except it.";
    /// A KMS key of an attached volume is disabled, about to be deleted or gone, so that it would not start again.
    KmsKeyUnusable = "kms-key-unusable", Refuse, BeforeAStop, Some("an instance with such a volume does not start again"),
        "Enable the key, cancel its deletion, or detach the volume. Do not stop the instance before.";
    /// Its Auto Scaling group is at its minimum with every member in service, so that none of them can go into Standby.
    GroupAtMinimum = "group-at-minimum", Refuse, BeforeAStop, Some("Auto Scaling lets no member into Standby below the minimum"),
        "Raise the group's desired capacity or lower its minimum by one, or let the policy suspend the group's processes \
         instead (`\"autoscaling\": \"suspend\"`).";
    /// Its Auto Scaling group is terminating or detaching it.
    MemberLeaving = "member-leaving", Refuse, BeforeAStop, Some("it is going away, and must not be brought back"),
        "Nothing, if it is meant to go: the next backup is of the group's other members.";
    /// It has instance-store volumes, whose data a stop deletes.
    InstanceStoreData = "instance-store-data", Refuse, BeforeAStop, None,
        "If nothing on them is needed, let the policy say so: `\"preflight\": {\"instance-store-data\": \"warn\"}`. Else back \
         it up while it runs (`\"consistency\": \"crash\"`).";
    /// Its public IPv4 address was assigned automatically, so that it has another one after a stop.
    PublicAddressLost = "public-address-lost", Warn, BeforeAStop, None,
        "Give it an Elastic IP address if something relies on the address.";
    /// It is enabled for hibernation; it is stopped without, and what it has in memory is not kept.
    Hibernation = "hibernation", Warn, BeforeAStop, None,
        "If it must not be stopped like this, back it up while it runs (`\"consistency\": \"crash\"`), or except it.";
    /// EC2 has an event scheduled for it: a reboot, a stop, maintenance or the retirement of its host.
    MaintenanceEvent = "maintenance-event", Warn, BeforeAStop, None,
        "See the event. A stop and start moves the instance to another host, which most events ask for.";
    /// A volume is being modified.
    VolumeModifying = "volume-modifying", Warn, Always, None,
        "Wait until it is done if the backup is meant to be of the volume after it.";
    /// As many snapshots of a volume are pending as EC2 allows, so that no other can be begun.
    PendingSnapshots = "pending-snapshots", Refuse, Always, None,
        "Wait until they are completed. If this is always so, back it up less often, or not with several policies or tools \
         at one time.";
    /// It has more volumes than one call can snapshot at one point in time, or more of them are left out than a call can name.
    TooManyVolumes = "too-many-volumes", Refuse, Always, Some("CreateSnapshots takes at most 128 volumes, and leaves out at most 40"),
        "Leave fewer volumes out of the backup, detach some, or except the instance.";
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
