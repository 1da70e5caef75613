//! `stopgap plan` without an inventory, and `stopgap policy check --live`: what the fleet would do now.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use stopgap_core::plan::Plan;
use stopgap_core::plan::preflight::Subjects;
use stopgap_core::planning::{self, Planning, Scope};
use stopgap_core::policies;
use stopgap_core::policy::{Policy, PolicyId};

use super::{Stopgap, Unread, unread, unread_section};
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::plan::report;

/// The plan, as offline, and the places that could not be read for it.
#[derive(Debug, Serialize)]
pub(super) struct Planned {
    #[serde(flatten)]
    pub(super) plan: Plan,
    pub(super) unread: Vec<Unread>,
    #[serde(skip)]
    pub(super) at: Timestamp,
}

/// Plans `policies`, or those that are stored.
pub(crate) async fn run(
    stopgap: &Stopgap<'_>,
    policies: Option<Vec<Policy>>,
    at: Option<Timestamp>,
    format: Format,
) -> Result<(), Failure> {
    let policies = match policies {
        Some(policies) => policies,
        None => policies::all(stopgap.ports.table).await?,
    };
    show(&planned(stopgap, &policies, at).await?, format)
}

/// Shows what each of `policies` would match and do now, beside the others that are stored.
pub(crate) async fn check(stopgap: &Stopgap<'_>, policies: &[Policy], format: Format) -> Result<(), Failure> {
    show(&checked(stopgap, policies).await?, format)
}

pub(super) async fn planned(
    stopgap: &Stopgap<'_>,
    policies: &[Policy],
    at: Option<Timestamp>,
) -> Result<Planned, Failure> {
    let at = at.unwrap_or_else(|| stopgap.time.now());
    let planning = planning::plan(stopgap.ports, &scope(stopgap, policies, at)).await?;
    looked_at(stopgap, policies, planning, at).await
}

pub(super) async fn checked(stopgap: &Stopgap<'_>, policies: &[Policy]) -> Result<Planned, Failure> {
    let mine: BTreeSet<&PolicyId> = policies.iter().map(|policy| &policy.id).collect();
    let mut all = policies::all(stopgap.ports.table).await?;
    all.retain(|stored| !mine.contains(&stored.id));
    all.extend(policies.iter().cloned());
    let at = stopgap.time.now();
    let mut planning = planning::plan(stopgap.ports, &scope(stopgap, &all, at)).await?;
    let Plan { due, not_due, unmatched, overlaps, .. } = &mut planning.plan;
    due.retain(|due| mine.contains(&due.policy));
    not_due.retain(|not_due| mine.contains(&not_due.policy));
    unmatched.retain(|policy| mine.contains(policy));
    overlaps.retain(|overlap| overlap.policies.iter().any(|policy| mine.contains(policy)));
    looked_at(stopgap, &all, planning, at).await
}

fn scope<'a>(stopgap: &'a Stopgap<'_>, policies: &'a [Policy], at: Timestamp) -> Scope<'a> {
    Scope { policies, at, planned_until: None, home: &stopgap.home, only: None }
}

/// The plan with what is found of the instances that it speaks of.
async fn looked_at(
    stopgap: &Stopgap<'_>,
    policies: &[Policy],
    planning: Planning,
    at: Timestamp,
) -> Result<Planned, Failure> {
    let Planning { mut plan, inventory, unread: places, .. } = planning;
    let subjects = Subjects::of(&plan, policies, &inventory);
    let facts = subjects.facts(stopgap.ports).await?;
    plan.preflight = subjects.look(&facts, at);
    Ok(Planned { plan, unread: unread(places), at })
}

fn show(planned: &Planned, format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => output::print_json(planned)?,
        Format::Table => {
            output::print(&(unread_section(&planned.unread) + &report(&planned.plan, planned.at)));
        }
    }
    Ok(())
}
