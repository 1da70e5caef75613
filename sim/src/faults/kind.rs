//! The ways in which one call goes wrong.

use stopgap_core::ports::FaultKind;

use crate::aws::Wrong;

/// Declares [`Kind`] once: name, whether it lasts, what is wrong, and what it means.
macro_rules! kinds {
    ($($kind:ident = $text:literal, $lasts:literal, $wrong:expr, $doc:literal;)+) => {
        /// A way in which one call goes wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $(#[doc = $doc] $kind,)+
        }

        impl Kind {
            /// Every way there is.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)+];

            /// Its name in scenarios.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)+ }
            }

            /// Whether it lasts until the state's retries end.
            pub fn lasts(self) -> bool {
                match self { $(Self::$kind => $lasts,)+ }
            }

            /// What is wrong.
            pub fn wrong(self) -> Wrong {
                match self { $(Self::$kind => $wrong,)+ }
            }

            /// Whether the call has its effect all the same.
            pub fn has_effect(self) -> bool {
                matches!(
                    self.wrong(),
                    Wrong::Unanswered | Wrong::CrashesAfter | Wrong::HangsAfter | Wrong::Garbled
                )
            }

            /// What it means, in a sentence.
            pub fn description(self) -> &'static str {
                match self { $(Self::$kind => $doc,)+ }
            }
        }
    };
}

kinds! {
    ThrottledOnce = "throttled-once", false, Wrong::Refused(FaultKind::Throttled),
        "It is throttled once.";
    Throttled = "throttled-until-retries-end", true, Wrong::Refused(FaultKind::Throttled),
        "It is throttled until the retries of its state end.";
    AccessDenied = "access-denied", false, Wrong::Refused(FaultKind::AccessDenied),
        "It is denied.";
    NotFound = "not-found", false, Wrong::Refused(FaultKind::NotFound),
        "What it names does not exist.";
    Conflict = "conflict", false, Wrong::Refused(FaultKind::Conflict),
        "What it names is in a state that does not allow it.";
    Rejected = "rejected", false, Wrong::Refused(FaultKind::Rejected),
        "It is refused for any other reason.";
    InternalError = "internal-error", false, Wrong::Refused(FaultKind::Unavailable),
        "The service fails.";
    LostBefore = "timed-out-before-effect", false, Wrong::Lost,
        "It is not answered and has had no effect.";
    Unanswered = "timed-out-after-effect", false, Wrong::Unanswered,
        "It is not answered and has had its effect.";
    CrashBefore = "crash-before", false, Wrong::CrashesBefore,
        "The function crashes before it.";
    CrashAfter = "crash-after", false, Wrong::CrashesAfter,
        "The function crashes after its effect.";
    SlowBefore = "slow-before-effect", true, Wrong::HangsBefore,
        "It hangs before its effect, for longer than anybody waits, until the retries of its state end.";
    Slow = "slow-past-timeout", false, Wrong::HangsAfter,
        "It has its effect, and hangs for longer than anybody waits.";
    Malformed = "malformed-answer", false, Wrong::Garbled,
        "It has its effect, and the answer cannot be read.";
}
