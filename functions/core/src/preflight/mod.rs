//! Preflight: can the instance be stopped, copied, and come back?
//!
//! What was described of an instance gives [`Found`]s; the policy's [`Overrides`] make [`Judged`] ones of them. One that
//! is refused costs this backup, before anything has been touched. What could not be found out is never a finding: it
//! costs no backup, and is told.

mod finding;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use finding::{Asked, Finding, Verdict};

/// What a policy has otherwise than by default, by finding. Nothing that is [`Finding::fixed`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides(pub BTreeMap<Finding, Verdict>);

impl Overrides {
    /// What follows from `finding`.
    pub fn verdict(&self, finding: Finding) -> Verdict {
        match finding.fixed() {
            Some(_) => finding.default_verdict(),
            None => self.0.get(&finding).copied().unwrap_or(finding.default_verdict()),
        }
    }

    /// What follows from each of `found`, the gravest first; without those that are ignored.
    pub fn judge(&self, found: impl IntoIterator<Item = Found>) -> Vec<Judged> {
        let judge = |Found { finding, detail }| Judged { verdict: self.verdict(finding), finding, detail };
        let mut judged: Vec<Judged> = found.into_iter().map(judge).collect();
        judged.retain(|judged| judged.verdict != Verdict::Ignore);
        judged.sort_by(|a, b| (b.verdict, a.finding, &a.detail).cmp(&(a.verdict, b.finding, &b.detail)));
        judged.dedup();
        judged
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// What.
    pub finding: Finding,
    /// Of what, and what exactly, in words that follow its name: "vol-1 has the key …, which is disabled".
    pub detail: String,
}

impl Found {
    /// Something that was found.
    pub fn new(finding: Finding, detail: impl Into<String>) -> Self {
        Self { finding, detail: detail.into() }
    }
}

/// Something that was found, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// What.
    pub finding: Finding,
    /// What follows: [`Verdict::Warn`] or [`Verdict::Refuse`].
    pub verdict: Verdict,
    /// Of what, and what exactly.
    pub detail: String,
}

impl Judged {
    /// Whether the backup is not begun for it.
    pub fn refuses(&self) -> bool {
        self.verdict == Verdict::Refuse
    }

    /// What was found and what a person should do, as a run's reason.
    pub fn reason(&self) -> String {
        format!("{}: {}. {}", self.finding, self.detail, self.finding.next_step())
    }
}

#[cfg(test)]
mod tests;
