//! The kinds of tickets, how urgent each is, and what a person should do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How urgent, in PagerDuty's words.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A machine is down.
    Critical,
    /// A backup is not there.
    Error,
    /// Something is not as it should be; the backup is there.
    Warning,
}

impl Severity {
    /// The severity as text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Declares [`Kind`] once: text, severity, title and next step.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $text:literal, $severity:ident, $title:literal, $next:literal;)+) => {
        /// What kind of trouble a ticket is about.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)+];

            /// The kind as text.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)+ }
            }

            /// How urgent it is.
            pub fn severity(self) -> Severity {
                match self { $(Self::$kind => Severity::$severity,)+ }
            }

            /// What happened, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)+ }
            }

            /// What a person should do next.
            pub fn next_step(self) -> &'static str {
                match self { $(Self::$kind => $next,)+ }
            }
        }
    };
}

kinds! {
    /// An instance that ran before is not running, or not in service.
    LeftStopped = "left-stopped", Critical, "instance not running again",
        "Start the instance by hand if it is needed now. If EC2 has no capacity, another instance type or Availability \
         Zone may; if it falls back to stopped, check that its KMS keys are enabled and that the role may create grants. \
         stopgap keeps trying and closes this ticket when the instance runs.";
    /// The rescuer cannot look for instances that were left stopped.
    RescueFailed = "rescue-failed", Critical, "left-stopped instances cannot be looked for",
        "Until this is mended, an instance whose run was aborted stays stopped: check the table, the rights of find-debts \
         and the cause. The next look that succeeds closes this ticket.";
    /// A backup was made in part, or not at all.
    BackupFailed = "backup-failed", Error, "backup failed",
        "Read the cause. To repeat the backup now, start the instance machine with the instance's id. The next backup that \
         succeeds closes this ticket.";
    /// A backup did not begin in time.
    BackupMissed = "backup-missed", Error, "backup missed",
        "See whether the fleet's executions ran at that time and what kept the instance or its concurrency group busy. To \
         make up for it, start the instance machine with the instance's id. The next backup that succeeds closes this \
         ticket.";
    /// A backup was not begun because the instance might not come back, or cannot be backed up.
    BackupRefused = "backup-refused", Error, "backup refused",
        "Remove the reason, or except the instance from the policy. The next backup that succeeds closes this ticket.";
    /// Alarms that were switched off while the instance was down are not on again.
    AlarmsSilenced = "alarms-silenced", Warning, "alarms still silenced",
        "The instance is watched by alarms that do nothing. Check the rights of restore-alarms and the cause; to have them act \
         at once, enable their actions by hand. stopgap tries again every five minutes and closes this ticket when they are on.";
    /// Snapshots that retention no longer keeps could not be deleted.
    PruneFailed = "prune-failed", Warning, "old backups not pruned",
        "Nothing is lost: more is kept than asked for. Check the rights of prune-snapshots and prune-orphans. The next run \
         that prunes closes this ticket.";
    /// A backup is complete, but not all tags are on its snapshots.
    TagsIncomplete = "tags-incomplete", Warning, "tags incomplete on a backup",
        "The backup itself is complete. A snapshot has at most 50 tags: copy fewer, or take some off the volume. The next \
         run that copies all tags closes this ticket.";
    /// The fleet could not plan, wholly or in one account and Region.
    PlanFailed = "plan-failed", Critical, "backups could not be planned",
        "No backup is begun there until this is mended: check the role, the policies and the cause. The next plan that \
         succeeds closes this ticket.";
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
