//! Preflight: can the instance be stopped, copied, and come back?
//!
//! What was described of an instance gives [`Found`]s; the policy's [`Overrides`] make [`Judged`] ones of them. One that
//! is refused costs this backup, before anything has been touched. What could not be found out is never a finding: it
//! costs no backup, and is told.

mod facts;
mod finding;
mod subject;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use facts::{Facts, Known};
pub use finding::{Asked, Finding, Verdict};
pub use subject::Subject;

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
        let judge = |Found { finding, detail }| Judged {
            verdict: self.verdict(finding),
            finding,
            detail,
            next_step: finding.next_step().to_owned(),
        };
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
    /// What a person should do.
    pub next_step: String,
}

impl Judged {
    /// Whether the backup is not begun for it.
    pub fn refuses(&self) -> bool {
        self.verdict == Verdict::Refuse
    }

    /// What was found and what a person should do, as a run's reason.
    pub fn reason(&self) -> String {
        format!("{}: {}. {}", self.finding, self.detail, self.next_step)
    }
}

/// What a preflight came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What was found, the gravest first.
    pub findings: Vec<Judged>,
    /// What could not be found out, and why, in words: it costs no backup.
    pub not_known: Vec<String>,
}

impl Report {
    /// Why the backup is not begun; empty if it is.
    pub fn refusals(&self) -> Vec<String> {
        self.findings.iter().filter(|judged| judged.refuses()).map(Judged::reason).collect()
    }

    /// What is notable of a backup that is begun.
    pub fn notes(&self) -> Vec<String> {
        let warnings = self.findings.iter().filter(|judged| !judged.refuses()).map(Judged::reason);
        warnings.chain(self.not_known.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests;
