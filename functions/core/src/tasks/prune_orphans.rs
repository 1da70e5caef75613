//! `prune-orphans`: deletes the backup sets of an instance that no run prunes any more, by their policy's rules.
//!
//! What the fleet's plan found ([`crate::plan::orphans`]) is looked at again, under the instance's lease: so no run of the
//! instance is under way, and no two prune it at once. The rules are those of the policy as it stands now.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{ErrorName, TaskError};
use crate::inventory::Location;
use crate::lease::Held;
use crate::measure::{Measure, Measured};
use crate::occurrence::Occurrence;
use crate::plan::orphans::{self, Why};
use crate::policy::{Policy, PolicyId};
use crate::ports::{Context, Expect, Ports, Write, Written};
use crate::pruning::{self, Pruned, Scope};
use crate::records::{Lease, Stored, put, read};
use crate::ticket::{self, Kind, Matter, Report};
use crate::waiting::describe;
use crate::{adoption, policies};

/// What the state hands over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// What the plan found.
    pub orphan: Request,
}

/// A policy's sets of an instance that no run prunes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The instance.
    pub instance_id: String,
    /// Where it is, or was.
    pub location: Location,
    /// The policy.
    pub policy: PolicyId,
    /// Why no run prunes them, as the plan saw it.
    pub why: Why,
    /// The time that was planned for.
    pub at: Timestamp,
    /// The fleet's execution, by its ARN: the lease's owner. Not the Distributed Map's child, which the rescuer could not see
    /// end, being an express one.
    pub execution: String,
}

/// What `prune-orphans` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What became of the sets; absent when they were left alone.
    pub pruned: Option<Pruned>,
    /// Why they were left alone, in words; empty when they were not.
    pub left_alone: String,
}

impl Measured for Answer {
    fn measures(&self) -> Vec<Measure> {
        self.pruned.as_ref().map(Measured::measures).unwrap_or_default()
    }
}

/// Looks again, prunes, and resolves the ticket of what could not be pruned before.
///
/// Needs `ec2:DescribeInstances`, `ec2:DescribeSnapshots`, `ec2:DeleteSnapshot` on stopgap's snapshots and those that its
/// policies adopt, `sns:Publish` and the table. Idempotent, as [`pruning::execute`].
///
/// # Errors
/// [`ErrorName::LeaseBusy`] while a run, or another policy's pruning, has the instance: the machine tries again, and then
/// leaves it to the policy's next occurrence. What keeps the instance from being looked at: it is not gone for that. Else as
/// [`pruning::execute`].
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: Input) -> Result<Answer, TaskError> {
    let orphan = input.orphan;
    let policy = policies::get(ports.table, &orphan.policy).await?;
    let Some(policy) = policy.filter(|policy| policy.enabled) else {
        return Ok(left_alone(format!("the policy {} is disabled or not there any more", orphan.policy)));
    };
    let mut held = take(ports, cx, &orphan).await?;
    let answer = match look(ports, cx, &policy, &orphan).await? {
        None => left_alone(format!("runs of {} prune {}", policy.id, orphan.instance_id)),
        Some(why) => {
            let (location, instance_id) = (&orphan.location, orphan.instance_id.as_str());
            let adopted = adoption::adopted_by(ports, cx, &policy, location, instance_id).await?;
            // The last sets go only if the instance was seen to be gone twice, and by the time that was planned for.
            let twice = Some(why).filter(|_| orphan.why == Why::Gone);
            let expiry = twice.and_then(|why| why.expiry(&policy, orphan.at.min(cx.now)));
            let scope =
                Scope { ec2: ports.ec2, location, instance_id, policy: &policy, adopted: &adopted, expiry };
            let pruned = pruning::execute(cx, &scope, &mut held).await?;
            Answer { pruned: Some(pruned), left_alone: String::new() }
        }
    };
    release(ports, &orphan, &held).await?;
    if answer.pruned.is_some() {
        resolve(ports, cx, &orphan).await?;
    }
    Ok(answer)
}

fn left_alone(why: String) -> Answer {
    Answer { pruned: None, left_alone: why }
}

/// Takes the instance's lease, or goes on with it where an earlier try of this has it. Whoever else has it keeps it, lost runs
/// included: to take over from those is the rescuer's, who starts what they have stopped.
async fn take<'a>(ports: Ports<'a>, cx: Context<'_>, orphan: &'a Request) -> Result<Held<'a>, TaskError> {
    let Request { location, instance_id, execution, .. } = orphan;
    let key = Lease::key(location, instance_id);
    // What tells it from another policy's pruning of the same instance in the same execution.
    let occurrence = Occurrence { policy: orphan.policy.clone(), at: orphan.at };
    if let Some(stored) = read::<Lease>(ports.table, &key).await? {
        let Lease { owner, occurrence: other, .. } = &stored.record;
        if owner == execution && *other == occurrence {
            return Ok(Held::new(ports.table, location, instance_id, stored));
        }
        return Err(TaskError::new(ErrorName::LeaseBusy, format!("{owner} has {instance_id} for {other}")));
    }
    let record = Lease {
        owner: execution.clone(),
        instance_id: instance_id.clone(),
        location: location.clone(),
        fence: 1,
        occurrence,
        taken_at: cx.now,
        create_tried_at: None,
        deletions: 0,
        pruned_to: None,
    };
    match ports.table.write(vec![put(key, Expect::Absent, &record)?]).await? {
        Written::Done => Ok(Held::new(ports.table, location, instance_id, Stored { version: 1, record })),
        Written::Refused => {
            let cause = format!("another took {instance_id} at this moment");
            Err(TaskError::new(ErrorName::LeaseBusy, cause))
        }
    }
}

/// Why no run prunes the sets, as the world stands now; `None` when runs do.
async fn look(
    ports: Ports<'_>,
    cx: Context<'_>,
    policy: &Policy,
    orphan: &Request,
) -> Result<Option<Why>, TaskError> {
    let instance = match describe(ports.ec2, &orphan.location, &orphan.instance_id).await {
        Ok(instance) => Some(instance),
        Err(error) if error.name == ErrorName::InstanceGone => None,
        Err(error) => return Err(error),
    };
    Ok(orphans::why(policy, instance.as_ref(), Some(&cx.settings.home)))
}

/// Gives the lease back.
async fn release(ports: Ports<'_>, orphan: &Request, held: &Held<'_>) -> Result<(), TaskError> {
    let key = Lease::key(&orphan.location, &orphan.instance_id);
    // Refused means that it is somebody else's by now.
    ports.table.write(vec![Write::Delete { key, expect: Expect::Version(held.version()) }]).await?;
    Ok(())
}

async fn resolve(ports: Ports<'_>, cx: Context<'_>, orphan: &Request) -> Result<(), TaskError> {
    let Request { location, instance_id, policy, .. } = orphan;
    let matter = Matter::of_instance(Kind::PruneFailed, location, instance_id, policy);
    let report = Report {
        occurrences: Vec::new(),
        failed_state: None,
        error: String::new(),
        cause: String::new(),
        done: format!("The fleet pruned the backups of {instance_id}."),
        execution: Some(orphan.execution.clone()),
        timeline: Vec::new(),
    };
    ticket::resolve(ports, cx.now, &matter, report).await
}
