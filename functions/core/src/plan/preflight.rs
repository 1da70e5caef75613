//! What a plan finds of the instances that policies select, before a run does: the same findings, by the same code.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Action, Plan, due};
use crate::inventory::{Instance, Inventory, Location, Volume};
use crate::policy::{Policy, PolicyId};
use crate::ports::{Fault, Ports};
use crate::preflight::{Facts, Report, Subject};

/// What is found of an instance for the backup that a policy asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preflight {
    /// The instance.
    pub instance_id: String,
    /// The policy.
    pub policy: PolicyId,
    /// What is found, and what follows.
    #[serde(flatten)]
    pub report: Report,
}

/// The backups that a plan speaks of, due or not: one for each instance and policy that selects it.
pub struct Subjects<'a>(Vec<Subject<'a>>);

impl<'a> Subjects<'a> {
    /// Those of `plan`, which was made of these policies and this inventory.
    pub fn of(plan: &Plan, policies: &'a [Policy], inventory: &'a Inventory) -> Self {
        let policies: BTreeMap<&PolicyId, &Policy> =
            policies.iter().map(|policy| (&policy.id, policy)).collect();
        let instances: BTreeMap<&str, &Instance> =
            inventory.instances.iter().map(|instance| (instance.id.as_str(), instance)).collect();
        let volumes: BTreeMap<&str, &Volume> =
            inventory.volumes.iter().map(|volume| (volume.id.as_str(), volume)).collect();
        let due = plan.due.iter().map(|due| (&due.instance_id, &due.policy));
        let not_due = plan.not_due.iter().map(|not_due| (&not_due.instance_id, &not_due.policy));
        let subject = |(instance, policy): (&String, &PolicyId)| {
            let (policy, instance) = (*policies.get(policy)?, *instances.get(instance.as_str())?);
            let attached = instance.devices.iter().map(|device| device.volume_id.as_str());
            Some(Subject {
                policy,
                instance,
                volumes: attached.filter_map(|id| volumes.get(id).copied()).collect(),
                selection: policy.volumes.applied_to(instance, &volumes),
                stops: due::action(policy, instance) == Action::StopSnapshotStart,
            })
        };
        let mut subjects: Vec<Subject<'a>> = due.chain(not_due).filter_map(subject).collect();
        subjects.sort_by(|a, b| (&a.instance.id, &a.policy.id).cmp(&(&b.instance.id, &b.policy.id)));
        Self(subjects)
    }

    /// Asks AWS what these ask, place by place, and of their Auto Scaling groups. See [`Facts::read`].
    ///
    /// # Errors
    /// As [`Facts::read`].
    pub async fn facts(&self, ports: Ports<'_>) -> Result<BTreeMap<Location, Facts>, Fault> {
        let mut places: BTreeMap<&Location, Vec<Subject<'_>>> = BTreeMap::new();
        for subject in &self.0 {
            places.entry(&subject.instance.location).or_default().push(subject.clone());
        }
        let mut facts = BTreeMap::new();
        for (place, subjects) in places {
            let read = Facts::read(ports, place, &subjects).await?;
            facts.insert(place.clone(), read.with_groups(ports, place, &subjects).await?);
        }
        Ok(facts)
    }

    /// What is found, by the inventory alone where `facts` has nothing of a place. Those of which nothing is found are left
    /// out. Sorted by instance and policy.
    pub fn look(&self, facts: &BTreeMap<Location, Facts>, now: Timestamp) -> Vec<Preflight> {
        let nothing = Facts::default();
        let look = |subject: &Subject<'_>| {
            let report = subject.look(facts.get(&subject.instance.location).unwrap_or(&nothing), now);
            (report != Report::default()).then(|| Preflight {
                instance_id: subject.instance.id.clone(),
                policy: subject.policy.id.clone(),
                report,
            })
        };
        self.0.iter().filter_map(look).collect()
    }
}
