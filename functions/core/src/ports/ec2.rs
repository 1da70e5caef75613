//! EC2 and EBS, as far as a backup needs them.

use std::future::Future;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Fault, InstanceStorage, Modification, ScheduledEvent, SpotRequest};
use crate::inventory::{Instance, InstanceState, Location, Snapshot, Tags, Volume};

/// One page of an answer. EC2 pages hold up to 1,000 items.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The page's items. A page may be empty and still have a successor.
    pub items: Vec<T>,
    /// What to ask for the page after this one; absent on the last.
    pub next: Option<String>,
}

/// Reads page after page until there is none.
pub async fn all_pages<T, F, R>(mut page: F) -> Result<Vec<T>, Fault>
where
    F: FnMut(Option<String>) -> R,
    R: Future<Output = Result<Page<T>, Fault>>,
{
    let mut items = Vec::new();
    let mut token = None;
    loop {
        let answer = page(token).await?;
        items.extend(answer.items);
        token = answer.next;
        if token.is_none() {
            return Ok(items);
        }
    }
}

/// Which of the resources of a Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them, page by page.
    All,
    /// These. An empty list asks nothing and answers nothing: EC2 would take it for *all*, unpaginated.
    Ids(Vec<String>),
}

/// Which of the account's own snapshots (`OwnerIds=self`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotQuery {
    /// Those that carry stopgap's tags.
    Ours,
    /// Those of one instance that stopgap made, by the tag `stopgap:instance`.
    OfInstance(String),
    /// Those that ebs_snapper made, of any instance.
    EbsSnapper,
    /// Those of one instance that ebs_snapper made, by the tag `DeleteOn` and how their description begins (see
    /// [`crate::ebs_snapper`]).
    EbsSnapperOf(String),
    /// Those of these volumes, at most [`ASKED_AT_ONCE`], that are still being copied, whoever made them.
    PendingOf(Vec<String>),
    /// These. An empty list asks nothing and answers nothing.
    Ids(Vec<String>),
}

/// How many ids or names one request about several takes at most here: what DescribeInstanceStatus does. Filters take 200.
pub const ASKED_AT_ONCE: usize = 100;

/// What StopInstances and StartInstances answer: the state before, and the state entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// The state before the call.
    pub from: InstanceState,
    /// The state the instance is in now.
    pub to: InstanceState,
}

/// A request to snapshot all volumes of an instance at one point in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateSnapshots {
    /// The instance.
    pub instance_id: String,
    /// Whether the root volume is left out.
    pub exclude_root: bool,
    /// Data volumes to leave out (at most 40, never the root: EC2 refuses both).
    pub exclude_volumes: Vec<String>,
    /// The description of every snapshot.
    pub description: String,
    /// The tags of every snapshot; written with the snapshot or not at all.
    pub tags: Tags,
}

/// A snapshot that CreateSnapshots has just begun. Its point in time is fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedSnapshot {
    /// The snapshot's id.
    pub id: String,
    /// The volume it is of.
    pub volume_id: String,
    /// When it was begun.
    pub started_at: Timestamp,
}

/// EC2 in any account and Region that a policy targets, by the location's role where it has one.
///
/// Reads are eventually consistent: one empty answer proves nothing. None of the writes has a client token.
#[async_trait(?Send)]
pub trait Ec2 {
    /// DescribeInstances.
    async fn describe_instances(
        &self,
        at: &Location,
        which: &Which,
        page: Option<String>,
    ) -> Result<Page<Instance>, Fault>;

    /// DescribeVolumes.
    async fn describe_volumes(
        &self,
        at: &Location,
        which: &Which,
        page: Option<String>,
    ) -> Result<Page<Volume>, Fault>;

    /// DescribeSnapshots with `OwnerIds=self`.
    async fn describe_snapshots(
        &self,
        at: &Location,
        query: &SnapshotQuery,
        page: Option<String>,
    ) -> Result<Page<Snapshot>, Fault>;

    /// DescribeInstanceAttribute `disableApiStop`: whether stop protection is on.
    async fn is_stop_protected(&self, at: &Location, instance_id: &str) -> Result<bool, Fault>;

    /// DescribeInstanceStatus of at most [`ASKED_AT_ONCE`] running instances: the events that are not over.
    async fn scheduled_events(
        &self,
        at: &Location,
        instance_ids: &[String],
    ) -> Result<Vec<ScheduledEvent>, Fault>;

    /// DescribeVolumesModifications of at most [`ASKED_AT_ONCE`] volumes: the modifications that are not over.
    async fn modifications(
        &self,
        at: &Location,
        volume_ids: &[String],
        page: Option<String>,
    ) -> Result<Page<Modification>, Fault>;

    /// DescribeInstanceTypes of at most [`ASKED_AT_ONCE`] types: those that have instance-store volumes.
    async fn instance_storage(
        &self,
        at: &Location,
        instance_types: &[String],
        page: Option<String>,
    ) -> Result<Page<InstanceStorage>, Fault>;

    /// DescribeSpotInstanceRequests of at most [`ASKED_AT_ONCE`] requests: those that EC2 still knows.
    async fn spot_requests(
        &self,
        at: &Location,
        request_ids: &[String],
        page: Option<String>,
    ) -> Result<Page<SpotRequest>, Fault>;

    /// StopInstances, never forced. Stopping what is stopped is no error.
    async fn stop_instance(&self, at: &Location, instance_id: &str) -> Result<StateChange, Fault>;

    /// StartInstances. Starting what runs is no error; starting what is still stopping is a conflict.
    async fn start_instance(&self, at: &Location, instance_id: &str) -> Result<StateChange, Fault>;

    /// CreateSnapshots.
    async fn create_snapshots(
        &self,
        at: &Location,
        request: &CreateSnapshots,
    ) -> Result<Vec<CreatedSnapshot>, Fault>;

    /// CreateTags on snapshots: adds, and overwrites keys that are there.
    async fn tag_snapshots(&self, at: &Location, snapshot_ids: &[String], tags: &Tags) -> Result<(), Fault>;

    /// DeleteSnapshot.
    async fn delete_snapshot(&self, at: &Location, snapshot_id: &str) -> Result<(), Fault>;
}
