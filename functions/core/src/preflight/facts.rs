//! What a preflight asks besides what instances and volumes say of themselves: of one backup or of many, with the same
//! few requests, in bulk wherever AWS can.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Subject};
use crate::inventory::{Location, Snapshot};
use crate::ports::{
    ASKED_AT_ONCE, Fault, FaultKind, InstanceStorage, KeyState, Modification, Ports, ScalingGroup,
    ScheduledEvent, SnapshotQuery, SpotRequest, all_pages,
};

/// What was found out, by what it was asked of; or why it could not be.
pub type Known<T> = BTreeMap<String, Result<Vec<T>, String>>;

/// Facts of one account and Region. What was not asked for is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether stop protection is on, by instance.
    pub stop_protected: Known<bool>,
    /// Spot requests, by id.
    pub spot_requests: Known<SpotRequest>,
    /// Instance-store volumes, by instance type.
    pub storage: Known<InstanceStorage>,
    /// Events that are not over, by instance.
    pub events: Known<ScheduledEvent>,
    /// Modifications that are not over, by volume.
    pub modifications: Known<Modification>,
    /// Pending snapshots, by volume.
    pub pending: Known<Snapshot>,
    /// The states of KMS keys, by id; `None` if there is no such key any more.
    pub keys: Known<Option<KeyState>>,
    /// Auto Scaling groups, by name.
    pub groups: Known<ScalingGroup>,
}

impl Facts {
    /// Finds out what these subjects, all of them `at` one place, ask.
    ///
    /// Needs `ec2:Describe*` and `kms:DescribeKey`. What is refused is not known, and no failure.
    ///
    /// # Errors
    /// What may pass by itself (request limits, no answer), and answers that cannot be read.
    pub async fn read(ports: Ports<'_>, at: &Location, subjects: &[Subject<'_>]) -> Result<Self, Fault> {
        let ec2 = ports.ec2;
        let wanted = |finding: Finding, of: fn(&Subject<'_>) -> Vec<String>| -> BTreeSet<String> {
            subjects.iter().filter(|subject| subject.asks(finding)).flat_map(of).collect()
        };
        let instance = |subject: &Subject<'_>| vec![subject.instance.id.clone()];
        let copied = |subject: &Subject<'_>| subject.selection.ids.clone();

        let mut facts = Self::default();
        for id in wanted(Finding::StopProtected, instance) {
            let answer = tolerated(ec2.is_stop_protected(at, &id).await)?;
            facts.stop_protected.insert(id, answer.map(|is| vec![is]));
        }
        let keys = |subject: &Subject<'_>| subject.keys().map(|(_, key)| key.to_owned()).collect();
        for key in wanted(Finding::KmsKeyUnusable, keys) {
            let state = match ports.keys.key_state(at, &key).await {
                Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
                answer => answer.map(Some),
            };
            facts.keys.insert(key, tolerated(state)?.map(|state| vec![state]));
        }
        let requests = |subject: &Subject<'_>| subject.instance.spot_request.iter().cloned().collect();
        facts.spot_requests = many(
            wanted(Finding::OneTimeSpot, requests),
            |request: &SpotRequest| &request.id,
            async |ids| all_pages(|page| ec2.spot_requests(at, ids, page)).await,
        )
        .await?;
        let types = |subject: &Subject<'_>| subject.instance_type().map(str::to_owned).into_iter().collect();
        facts.storage = many(
            wanted(Finding::InstanceStoreData, types),
            |storage: &InstanceStorage| &storage.instance_type,
            async |types| all_pages(|page| ec2.instance_storage(at, types, page)).await,
        )
        .await?;
        facts.events = many(
            wanted(Finding::MaintenanceEvent, instance),
            |event: &ScheduledEvent| &event.instance_id,
            async |ids| ec2.scheduled_events(at, ids).await,
        )
        .await?;
        facts.modifications = many(
            wanted(Finding::VolumeModifying, copied),
            |change: &Modification| &change.volume_id,
            async |ids| all_pages(|page| ec2.modifications(at, ids, page)).await,
        )
        .await?;
        facts.pending = many(
            wanted(Finding::PendingSnapshots, copied),
            |snapshot: &Snapshot| &snapshot.volume_id,
            async |ids| {
                let query = SnapshotQuery::PendingOf(ids.to_vec());
                all_pages(|page| ec2.describe_snapshots(at, &query, page)).await
            },
        )
        .await?;
        Ok(facts)
    }

    /// Finds out about the Auto Scaling groups of these subjects, too. A run does not: it looks at the group when it takes its
    /// member out of it, and what a group is like may change any moment.
    ///
    /// Needs `autoscaling:DescribeAutoScalingGroups`.
    ///
    /// # Errors
    /// As [`Facts::read`].
    pub async fn with_groups(
        mut self,
        ports: Ports<'_>,
        at: &Location,
        subjects: &[Subject<'_>],
    ) -> Result<Self, Fault> {
        let asking = subjects.iter().filter(|subject| subject.asks(Finding::GroupAtMinimum));
        let groups: BTreeSet<&str> =
            asking.filter_map(|subject| subject.instance.auto_scaling_group()).collect();
        for group in groups {
            let answer = tolerated(ports.auto_scaling.group(at, group).await)?;
            self.groups.insert(group.to_owned(), answer.map(|group| vec![group]));
        }
        Ok(self)
    }
}

/// Asks about `ids`, as many at once as AWS takes.
pub(super) async fn many<T>(
    ids: BTreeSet<String>,
    of: fn(&T) -> &String,
    ask: impl AsyncFn(&[String]) -> Result<Vec<T>, Fault>,
) -> Result<Known<T>, Fault> {
    let ids: Vec<String> = ids.into_iter().collect();
    let mut known = Known::new();
    for ids in ids.chunks(ASKED_AT_ONCE) {
        match tolerated(ask(ids).await)? {
            Ok(answer) => {
                known.extend(ids.iter().map(|id| (id.clone(), Ok(Vec::new()))));
                for fact in answer {
                    if let Some(Ok(facts)) = known.get_mut(of(&fact)) {
                        facts.push(fact);
                    }
                }
            }
            Err(why) => known.extend(ids.iter().map(|id| (id.clone(), Err(why.clone())))),
        }
    }
    Ok(known)
}

/// What a refusal leaves unknown, as opposed to what may pass or is a mistake of ours.
fn tolerated<T>(answer: Result<T, Fault>) -> Result<Result<T, String>, Fault> {
    use FaultKind::{AccessDenied, Conflict, LimitExceeded, NoCapacity, NotFound, Rejected};
    match answer {
        Ok(fact) => Ok(Ok(fact)),
        Err(fault)
            if matches!(
                fault.kind,
                AccessDenied | Conflict | LimitExceeded | NoCapacity | NotFound | Rejected
            ) =>
        {
            Ok(Err(fault.to_string()))
        }
        Err(fault) => Err(fault),
    }
}
