//! Looking into many accounts and Regions at once, where one that cannot be read is told and costs the others nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use futures::StreamExt;
use futures::stream;

use crate::error::{ErrorName, TaskError};
use crate::inventory::{Instance, Inventory, Location, Snapshot};
use crate::policy::Policy;
use crate::ports::{Ec2, Fault, SnapshotQuery, Which, all_pages};
use crate::waiting::describe;

/// How many accounts and Regions are looked into at the same time: request limits are each one's own, so this spares
/// connections and memory, not EC2.
const AT_ONCE: usize = 16;

/// All accounts and Regions of these policies, each once, in order. Where two policies name different roles for one, the
/// first policy's is taken, to look there; a run goes by its own policy's.
pub fn places<'a>(policies: impl IntoIterator<Item = &'a Policy>, home: &Location) -> Vec<Location> {
    let mut places = BTreeSet::new();
    for location in policies.into_iter().flat_map(|policy| policy.locations(home)) {
        // `insert` keeps the one that is there already.
        places.insert(location);
    }
    places.into_iter().collect()
}

/// What was read of many places.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// All of it.
    pub inventory: Inventory,
    /// Which of the inventory's snapshots are of which place: a snapshot does not say itself. Only places that were read.
    pub snapshots: Vec<(Location, Range<usize>)>,
    /// The places that could not be read, with why.
    pub unread: BTreeMap<Location, Fault>,
}

impl Survey {
    /// The snapshots of each place that was read.
    pub fn copies(&self) -> Vec<(Location, &[Snapshot])> {
        let copies = self.snapshots.iter().map(|(place, range)| {
            (place.clone(), self.inventory.snapshots.get(range.clone()).unwrap_or_default())
        });
        copies.collect()
    }
}

/// Reads the inventory of every place; those that cannot be read are answered with why.
pub async fn inventory(ec2: &dyn Ec2, places: &[Location]) -> Survey {
    let mut parts = stream::iter(places).map(|place| read(ec2, place)).buffered(AT_ONCE);
    let mut survey = Survey::default();
    for place in places {
        match parts.next().await {
            Some(Ok(part)) => {
                let inventory = &mut survey.inventory;
                inventory.instances.extend(part.instances);
                inventory.volumes.extend(part.volumes);
                let first = inventory.snapshots.len();
                inventory.snapshots.extend(part.snapshots);
                survey.snapshots.push((place.clone(), first..inventory.snapshots.len()));
            }
            Some(Err(fault)) => {
                survey.unread.insert(place.clone(), fault);
            }
            None => break,
        }
    }
    survey
}

/// Reads what ebs_snapper left behind in every place that can be read: snapshots that a policy may have adopted.
pub async fn left_behind(ec2: &dyn Ec2, places: &[Location]) -> Vec<Snapshot> {
    let read = |place| all_pages(move |page| ec2.describe_snapshots(place, &SnapshotQuery::EbsSnapper, page));
    let parts: Vec<Result<Vec<Snapshot>, Fault>> =
        stream::iter(places).map(read).buffered(AT_ONCE).collect().await;
    parts.into_iter().flatten().flatten().collect()
}

async fn read(ec2: &dyn Ec2, at: &Location) -> Result<Inventory, Fault> {
    Ok(Inventory {
        instances: all_pages(|page| ec2.describe_instances(at, &Which::All, page)).await?,
        volumes: all_pages(|page| ec2.describe_volumes(at, &Which::All, page)).await?,
        snapshots: all_pages(|page| ec2.describe_snapshots(at, &SnapshotQuery::Ours, page)).await?,
        ..Inventory::default()
    })
}

/// Finds an instance in one of the places, and in which. A place that cannot be read matters only if the instance is in no other.
///
/// # Errors
/// [`ErrorName::InstanceGone`] if it is nowhere, or terminated. If it may be in a place that could not be read, what
/// kept that from being read, by its own name, so that what passes is tried again.
pub async fn find(
    ec2: &dyn Ec2,
    places: &[Location],
    instance_id: &str,
) -> Result<(Location, Instance), TaskError> {
    let mut looks = stream::iter(places).map(|place| describe(ec2, place, instance_id)).buffered(AT_ONCE);
    let (mut searched, mut unread) = (Vec::new(), Vec::new());
    for place in places {
        match looks.next().await {
            Some(Ok(instance)) if instance.state.is_gone() => {
                let cause = format!("{instance_id} in {place} is {}", instance.state);
                return Err(TaskError::new(ErrorName::InstanceGone, cause));
            }
            Some(Ok(instance)) => return Ok((place.clone(), instance)),
            Some(Err(error)) if error.name == ErrorName::InstanceGone => searched.push(place.to_string()),
            Some(Err(error)) => unread.push((place, error)),
            None => break,
        }
    }
    let nowhere = match searched.as_slice() {
        [] => format!("the instance {instance_id} was not found"),
        searched => format!("there is no instance {instance_id} in {}", searched.join(", ")),
    };
    let Some((_, first)) = unread.first() else {
        return Err(TaskError::new(ErrorName::InstanceGone, nowhere));
    };
    let why = unread.iter().map(|(place, error)| format!("{place} could not be read ({})", error.cause));
    let why = why.collect::<Vec<_>>().join(", ");
    Err(TaskError::new(first.name, format!("{nowhere}, and {why}")))
}
