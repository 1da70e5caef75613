//! How things stand: for each policy and instance the newest backup, the next run, what is under way and what is wrong.
//!
//! [`read`] takes from the table what is open; [`status`] is pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::adoption;
use crate::backup_set::{self, BackupSet};
use crate::error::TaskError;
use crate::inventory::{Instance, InstanceState, Inventory, Location};
use crate::occurrence::Occurrence;
use crate::policy::{Policy, PolicyId, Tool};
use crate::ports::Ports;
use crate::records::{Intent, Lease, instance_key, read_all};
use crate::ticket::{self, Kind, Severity};

/// What the table says is open.
#[derive(Clone, Debug, Default)]
pub struct Open {
    /// The leases, by instance key (`account/Region/instance`).
    pub leases: BTreeMap<String, Lease>,
    /// The intents, by instance key.
    pub intents: BTreeMap<String, Intent>,
    /// The tickets that are open.
    pub tickets: Vec<ticket::Record>,
    /// Those of the owners of leases and intents that run.
    pub running: BTreeSet<String>,
}

/// Reads what is open: three queries, and a DescribeExecution for each run that is under way.
///
/// # Errors
/// What keeps the table or Step Functions from being read.
pub async fn read(ports: Ports<'_>) -> Result<Open, TaskError> {
    let mut open = Open::default();
    for (key, stored) in read_all::<Lease>(ports.table, Lease::PARTITION).await? {
        open.leases.insert(key.sort, stored.record);
    }
    for (key, stored) in read_all::<Intent>(ports.table, Intent::PARTITION).await? {
        open.intents.insert(key.sort, stored.record);
    }
    let tickets = read_all::<ticket::Record>(ports.table, ticket::Record::PARTITION).await?;
    let is_open = |record: &ticket::Record| record.status == ticket::Status::Open;
    open.tickets = tickets.into_iter().map(|(_, stored)| stored.record).filter(is_open).collect();
    let owners = open.leases.values().map(|lease| &lease.owner);
    let owners: BTreeSet<&String> = owners.chain(open.intents.values().map(|intent| &intent.owner)).collect();
    for owner in owners {
        if ports.executions.is_running(owner).await? {
            open.running.insert(owner.clone());
        }
    }
    Ok(open)
}

/// What the status is made from.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// All policies.
    pub policies: &'a [Policy],
    /// What there is.
    pub inventory: &'a Inventory,
    /// What is open.
    pub open: &'a Open,
    /// The time now.
    pub at: Timestamp,
    /// Where stopgap is deployed.
    pub home: &'a Location,
    /// This policy alone.
    pub policy: Option<&'a PolicyId>,
    /// This instance alone.
    pub instance: Option<&'a str>,
}

/// How things stand. Every array is sorted.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Status {
    /// The instances that a policy selects, and those with something open, by policy, place and instance.
    pub backups: Vec<Backup>,
    /// The open tickets that belong to no row above, such as those of the fleet itself.
    pub other_tickets: Vec<Ticket>,
}

/// How a policy's backups of an instance stand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Backup {
    /// The policy.
    pub policy: PolicyId,
    /// The instance.
    pub instance_id: String,
    /// Where it is.
    pub location: Location,
    /// Its tag `Name`.
    pub name: Option<String>,
    /// Its state; absent if it is gone or was not found.
    pub instance_state: Option<InstanceState>,
    /// The newest complete set.
    pub newest: Option<Newest>,
    /// When the policy's schedule asks for the next one; absent where there is none, or the policy does not select the
    /// instance any more.
    pub next: Option<Timestamp>,
    /// The run that has the instance.
    pub run: Option<Run>,
    /// The debt of a restart: it was running, has been stopped or is about to be, and must run again.
    pub restart_owed: Option<Owed>,
    /// The open tickets.
    pub tickets: Vec<Ticket>,
}

/// A complete set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Newest {
    /// What it is the backup for.
    pub occurrence: Occurrence,
    /// How old it is, in seconds since its occurrence.
    pub age_seconds: i64,
    /// How many volumes it has.
    pub volumes: usize,
    /// The tool that made it, if it was not stopgap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopted: Option<Tool>,
}

/// A run that holds an instance's lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// What it is for.
    pub occurrence: Occurrence,
    /// The execution, by its ARN.
    pub execution: String,
    /// When it took the lease.
    pub since: Timestamp,
    /// Whether the execution runs. One that does not has left the lease behind: the next run takes it over.
    pub running: bool,
}

/// An open intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Owed {
    /// Since when.
    pub since: Timestamp,
    /// Until when the run tries to start the instance itself.
    pub deadline: Timestamp,
    /// Whether nobody is at it any more: its execution has ended, or the deadline has passed.
    pub left: bool,
}

/// An open ticket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ticket {
    /// How urgent it is.
    pub severity: Severity,
    /// What it is about.
    pub kind: Kind,
    /// Its dedup key.
    pub dedup_key: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Why, in plain words.
    pub cause: String,
}

impl From<&ticket::Record> for Ticket {
    fn from(record: &ticket::Record) -> Self {
        Self {
            severity: record.matter.kind.severity(),
            kind: record.matter.kind,
            dedup_key: record.matter.dedup_key(),
            opened_at: record.opened_at,
            cause: record.report.cause.clone(),
        }
    }
}

/// What a row is about.
type Subject = (PolicyId, Location, String);

/// Answers `question`.
///
/// Instances that no policy selects (any more) have a row only while something of theirs is open: their snapshots are in
/// nobody's way.
pub fn status(question: &Question<'_>) -> Status {
    let Question { inventory, open, at, .. } = *question;
    let mut sets = backup_set::group(&inventory.snapshots).sets;
    sets.extend(adopted(question));
    sets.sort_by_key(BackupSet::at);
    let mut newest: BTreeMap<(&PolicyId, &str), Newest> = BTreeMap::new();
    // They come in the order of their times: the last one stays.
    for set in sets.iter().filter(|set| set.is_complete()) {
        let age_seconds = at.duration_since(set.at()).as_secs();
        let BackupSet { occurrence, volumes, adopted, .. } = set;
        let (occurrence, volumes, adopted) = (occurrence.clone(), *volumes, *adopted);
        newest.insert((set.policy(), set.instance_id), Newest { occurrence, age_seconds, volumes, adopted });
    }
    let instances: BTreeMap<String, &Instance> =
        inventory.instances.iter().map(|i| (instance_key(&i.location, &i.id), i)).collect();

    let asked = |policy: &PolicyId, instance: &str| {
        question.policy.is_none_or(|only| only == policy)
            && question.instance.is_none_or(|only| only == instance)
    };
    let selected = selected(question);
    let mut subjects: BTreeSet<Subject> = selected.keys().cloned().collect();
    subjects.extend(with_something_open(open));
    subjects.retain(|(policy, _, instance)| asked(policy, instance));

    let mut told = BTreeSet::new();
    let backups = subjects.into_iter().map(|subject| {
        let next = selected.get(&subject).copied().flatten();
        let (policy, location, instance_id) = subject;
        let key = instance_key(&location, &instance_id);
        let instance = instances.get(&key);
        let lease = open.leases.get(&key).filter(|lease| lease.occurrence.policy == policy);
        let intent = open.intents.get(&key).filter(|intent| intent.occurrence.policy == policy);
        let tickets = open.tickets.iter().filter(|ticket| {
            let matter = &ticket.matter;
            matter.instance_id.as_ref() == Some(&instance_id)
                && matter.location.as_ref().is_none_or(|at| *at == location)
                && matter.policy.as_ref().is_none_or(|of| *of == policy)
        });
        let mut tickets: Vec<Ticket> = tickets.map(Ticket::from).collect();
        tickets.sort();
        told.extend(tickets.iter().map(|ticket| ticket.dedup_key.clone()));
        Backup {
            name: instance.and_then(|instance| instance.name()).map(str::to_owned),
            instance_state: instance.map(|instance| instance.state),
            newest: newest.get(&(&policy, instance_id.as_str())).cloned(),
            next,
            run: lease.map(|lease| Run {
                occurrence: lease.occurrence.clone(),
                execution: lease.owner.clone(),
                since: lease.taken_at,
                running: open.running.contains(&lease.owner),
            }),
            restart_owed: intent.filter(|intent| !intent.restarted).map(|intent| Owed {
                since: intent.since,
                deadline: intent.deadline,
                left: at > intent.deadline || !open.running.contains(&intent.owner),
            }),
            tickets,
            policy,
            instance_id,
            location,
        }
    });
    let backups = backups.collect();
    let others = open.tickets.iter().filter(|ticket| {
        let matter = &ticket.matter;
        // Whoever asks for one instance or policy does not ask for the fleet's.
        question.policy.is_none_or(|only| matter.policy.as_ref() == Some(only))
            && question.instance.is_none_or(|only| matter.instance_id.as_deref() == Some(only))
    });
    let mut other_tickets: Vec<Ticket> = others.map(Ticket::from).collect();
    other_tickets.retain(|ticket| !told.contains(&ticket.dedup_key));
    other_tickets.sort();
    Status { backups, other_tickets }
}

/// The sets that other tools made and a policy has adopted, as that policy's.
fn adopted<'a>(question: &Question<'a>) -> Vec<BackupSet<'a>> {
    let Question { policies, inventory, home, .. } = *question;
    const TOOL: Tool = Tool::EbsSnapper;
    let Some(any) = policies.iter().find(|policy| policy.adopt.contains(&TOOL)) else { return Vec::new() };
    let instances: BTreeMap<&str, &Instance> =
        inventory.instances.iter().map(|instance| (instance.id.as_str(), instance)).collect();
    let owned = |mut set: BackupSet<'a>| {
        let owner = adoption::owner(policies, TOOL, instances.get(set.instance_id)?, home)?;
        set.occurrence.policy.clone_from(&owner.id);
        Some(set)
    };
    backup_set::adopted(&any.id, &inventory.snapshots).into_iter().filter_map(owned).collect()
}

/// What policies select, with the time of the next run.
fn selected(question: &Question<'_>) -> BTreeMap<Subject, Option<Timestamp>> {
    let mut selected = BTreeMap::new();
    for policy in question.policies {
        let next = policy.enabled.then(|| policy.schedule.next(question.at)).flatten();
        let here = |instance: &&Instance| policy.targets_place(&instance.location, Some(question.home));
        for instance in question.inventory.instances.iter().filter(here) {
            if policy.selects(instance).is_selected() {
                selected.insert((policy.id.clone(), instance.location.clone(), instance.id.clone()), next);
            }
        }
    }
    selected
}

/// What leases, intents and tickets are about.
fn with_something_open(open: &Open) -> impl Iterator<Item = Subject> {
    let leases = open.leases.iter().filter_map(|(key, lease)| {
        let (place, instance) = key.rsplit_once('/')?;
        let (account, region) = place.split_once('/')?;
        Some((lease.occurrence.policy.clone(), Location::new(account, region), instance.to_owned()))
    });
    let intents = open.intents.values().map(|intent| {
        (intent.occurrence.policy.clone(), intent.location.clone(), intent.instance_id.clone())
    });
    let tickets = open.tickets.iter().filter_map(|ticket| {
        let matter = ticket.matter.clone();
        Some((matter.policy?, matter.location?, matter.instance_id?))
    });
    leases.chain(intents).chain(tickets)
}

#[cfg(test)]
mod tests;
