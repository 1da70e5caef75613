//! `create-snapshots`: one CreateSnapshots call for all volumes of the instance, at one point in time.
//!
//! The call has no client token, and what it made may not be visible for a while. So the time of each try is written into
//! the lease *before* the call; a later try looks for the occurrence's tags, and repeats the call only when the lag of
//! EC2's reads has passed since then and there is still nothing.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{RunPlan, StateInput};
use crate::error::{ErrorName, TaskError};
use crate::inventory::{Instance, InstanceState, Snapshot, SnapshotState};
use crate::measure::{Measure, Measured};
use crate::policy::Consistency;
use crate::ports::{
    Context, CreateSnapshots, CreatedSnapshot, Expect, FaultKind, Ports, SnapshotQuery, Written, all_pages,
};
use crate::records::{Lease, Stored, put};
use crate::waiting::describe;
use crate::{lease, set_tags, slots, tags, volumes};

/// What `create-snapshots` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// The snapshots.
    pub snapshots: Vec<SnapshotOf>,
    /// When they were begun: the point in time they hold.
    pub at: Timestamp,
}

/// A snapshot and what it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotOf {
    /// The snapshot's id.
    pub id: String,
    /// The volume's id.
    pub volume_id: String,
    /// The device name of the volume on the instance.
    pub device: Option<String>,
}

impl Measured for Created {
    fn measures(&self) -> Vec<Measure> {
        vec![Measure::count("SnapshotsStarted", self.snapshots.len())]
    }
}

/// Creates the snapshots, or finds those that an earlier try made.
///
/// Needs `ec2:CreateSnapshots`, `ec2:CreateTags` on create, `ec2:Describe*` and the table.
///
/// # Errors
/// [`ErrorName::NotStopped`] when the policy asks for a stopped instance and it is not; [`ErrorName::CreateUnsettled`]
/// while an earlier try may still have made some.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Created, TaskError> {
    let lease = lease::held(ports.table, &input.document).await?;
    let run = &input.document.run;
    let instance = describe(ports.ec2, &run.location, &run.instance_id).await?;

    if let Some(tried_at) = lease.record.create_tried_at {
        let seen = seen_since(ports, run, tried_at).await?;
        if let Seen::Whole(made) = seen {
            return Ok(created(&instance, made, tried_at));
        }
        if cx.now.duration_since(tried_at) <= cx.settings.read_lag {
            let cause =
                format!("the create of {tried_at} was not answered, and not all of it is to be seen yet");
            return Err(TaskError::new(ErrorName::CreateUnsettled, cause));
        }
    }
    // Only now: what an earlier try made while the instance was stopped is good even if someone has started it since.
    let stopped = input.document.prepared()?.stop || input.document.prepared()?.restart_owed;
    if run.policy.consistency == Consistency::Stop && instance.state != InstanceState::Stopped {
        let why = if stopped { "someone started it" } else { "it was stopped when the run began" };
        let cause = format!("{} is {}, not stopped ({why})", run.instance_id, instance.state);
        return Err(TaskError::new(ErrorName::NotStopped, cause));
    }
    let (request, volumes) = request(ports, run, &instance).await?;
    let noted = note_try(ports, cx, run, &lease).await?;
    match ports.ec2.create_snapshots(&run.location, &request).await {
        Ok(made) if volumes_of(&made) < volumes => {
            let cause = format!("EC2 made snapshots of {} of {volumes} volumes", volumes_of(&made));
            Err(TaskError::new(ErrorName::SnapshotFailed, cause))
        }
        Ok(made) => Ok(created(&instance, made, cx.now)),
        Err(fault) if fault.kind == FaultKind::Unanswered => {
            Err(TaskError::new(ErrorName::CreateUnsettled, fault.to_string()))
        }
        // A failure of the service, or an answer that cannot be read, does not tell whether it was carried out.
        Err(fault) if matches!(fault.kind, FaultKind::Unavailable | FaultKind::Malformed) => {
            Err(fault.into())
        }
        Err(fault) => {
            forget_try(ports, run, &noted).await;
            Err(fault.into())
        }
    }
}

/// What is to be seen of an earlier try.
enum Seen {
    /// A snapshot of each volume that the set has.
    Whole(Vec<CreatedSnapshot>),
    /// Nothing yet, or a part: reads lag, and not for all snapshots alike.
    Part,
}

/// What tries since `tried_at` made, by the occurrence's tags.
async fn seen_since(ports: Ports<'_>, run: &RunPlan, tried_at: Timestamp) -> Result<Seen, TaskError> {
    let query = SnapshotQuery::OfInstance(run.instance_id.clone());
    let snapshots = all_pages(|page| ports.ec2.describe_snapshots(&run.location, &query, page)).await?;
    let occurrence = run.occurrence.to_string();
    let is_ours = |snapshot: &Snapshot| {
        snapshot.tags.get(set_tags::OCCURRENCE) == Some(&occurrence)
            && snapshot.state != SnapshotState::Error
            // EC2 keeps whole seconds.
            && snapshot.started_at.as_second() >= tried_at.as_second()
    };
    let ours: Vec<Snapshot> = snapshots.into_iter().filter(is_ours).collect();
    let wanted = ours.iter().filter_map(|snapshot| snapshot.tags.get(set_tags::VOLUMES)?.parse().ok()).max();
    let made: Vec<CreatedSnapshot> = ours
        .into_iter()
        .map(|s| CreatedSnapshot { id: s.id, volume_id: s.volume_id, started_at: s.started_at })
        .collect();
    Ok(if wanted.is_some_and(|wanted: usize| volumes_of(&made) >= wanted) {
        Seen::Whole(made)
    } else {
        Seen::Part
    })
}

fn volumes_of(made: &[CreatedSnapshot]) -> usize {
    made.iter().map(|snapshot| &snapshot.volume_id).collect::<BTreeSet<_>>().len()
}

/// Writes into the lease that a create is tried now, and answers it as it stands then. The condition is the fence: a lease
/// that has changed hands refuses.
async fn note_try(
    ports: Ports<'_>,
    cx: Context<'_>,
    run: &RunPlan,
    lease: &Stored<Lease>,
) -> Result<Stored<Lease>, TaskError> {
    let tried = Lease { create_tried_at: Some(cx.now), ..lease.record.clone() };
    let key = Lease::key(&run.location, &run.instance_id);
    match ports.table.write(vec![put(key, Expect::Version(lease.version), &tried)?]).await? {
        Written::Done => Ok(Stored { version: lease.version + 1, record: tried }),
        Written::Refused => Err(slots::contended()),
    }
}

/// Takes the note back: EC2 refused the call, so there is nothing to look for, and the next try need not wait. If it
/// cannot be taken back, the next try waits.
async fn forget_try(ports: Ports<'_>, run: &RunPlan, noted: &Stored<Lease>) {
    let lease = Lease { create_tried_at: None, ..noted.record.clone() };
    let key = Lease::key(&run.location, &run.instance_id);
    if let Ok(write) = put(key, Expect::Version(noted.version), &lease) {
        let _ = ports.table.write(vec![write]).await;
    }
}

/// The request for what is attached now, and how many volumes that is: some may have come and gone since the run was
/// prepared.
async fn request(
    ports: Ports<'_>,
    run: &RunPlan,
    instance: &Instance,
) -> Result<(CreateSnapshots, usize), TaskError> {
    let selection = volumes::to_copy(ports.ec2, run, instance).await?;
    if selection.ids.is_empty() {
        let cause = format!("{} has no volume left to copy", run.instance_id);
        return Err(TaskError::new(ErrorName::Rejected, cause));
    }
    let (root, data): (Vec<_>, Vec<_>) = selection.left_out.into_keys().partition(|id| instance.is_root(id));
    let volumes = selection.ids.len();
    let request = CreateSnapshots {
        instance_id: run.instance_id.clone(),
        exclude_root: !root.is_empty(),
        exclude_volumes: data,
        description: format!("stopgap: {} of {}", run.occurrence, run.instance_id),
        tags: tags::of_set(run, volumes),
    };
    Ok((request, volumes))
}

fn created(instance: &Instance, made: Vec<CreatedSnapshot>, otherwise: Timestamp) -> Created {
    let device = |volume: &str| {
        instance.devices.iter().find(|device| device.volume_id == volume).map(|device| device.device.clone())
    };
    let at = made.iter().map(|snapshot| snapshot.started_at).min().unwrap_or(otherwise);
    let snapshots = made.into_iter().map(|snapshot| SnapshotOf {
        device: device(&snapshot.volume_id),
        id: snapshot.id,
        volume_id: snapshot.volume_id,
    });
    Created { snapshots: snapshots.collect(), at }
}
