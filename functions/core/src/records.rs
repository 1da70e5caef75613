//! What the table holds: the records, their keys, and what makes a write of them valid.
//!
//! | partition | sort | record | lives |
//! |---|---|---|---|
//! | `policies` | policy id | a policy's document | until deleted |
//! | `leases` | account/Region/instance | [`Lease`] | from `prepare-run` to `close-run` |
//! | `intents` | account/Region/instance | [`Intent`] | from `prepare-run` to `confirm-running` |
//! | `slots` | concurrency group | [`Slots`] | while a member is down |
//! | `waiting#<resource id>` | execution | [`Waiting`] | until answered; time to live |
//! | `run#<occurrence>` | account/Region/instance | [`Run`] | time to live, a year |
//! | `tickets` | dedup key | [`crate::ticket::Record`] | time to live once resolved |
//! | `outbox` | dedup key | a ticket that is to be sent | until it is known to be out |
//! | `fleet` | `planned-until` | [`PlannedUntil`] | for ever |
//!
//! Everything that is swept (leases, intents, slots, tickets, the outbox) shares a partition of its own, so that one query reads
//! it in bulk.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{ErrorName, TaskError};
use crate::inventory::Location;
use crate::occurrence::Occurrence;
use crate::policy::Policy;
use crate::ports::{Expect, Item, Key, Table, Write};
use crate::targets::Registered;

/// How long run records are kept.
pub const RUN_LIFETIME: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A record: a body under a key.
pub trait Record: Serialize + DeserializeOwned {
    /// When the table may forget it.
    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}

/// A record as it stands in the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored<T> {
    /// Its item version, for the next conditional write.
    pub version: u64,
    /// The record.
    pub record: T,
}

impl<T: Record> Stored<T> {
    /// Reads an item as a record.
    pub fn from_item(item: Item) -> Result<Self, TaskError> {
        let Item { key, version, body } = item;
        let record = serde_json::from_value(body).map_err(|e| {
            let Key { partition, sort } = key;
            TaskError::new(
                ErrorName::Defect,
                format!("the table's item `{partition}`, `{sort}` cannot be read: {e}"),
            )
        })?;
        Ok(Self { version, record })
    }
}

/// Reads the record under `key`.
pub async fn read<T: Record>(table: &dyn Table, key: &Key) -> Result<Option<Stored<T>>, TaskError> {
    table.get(key).await?.map(Stored::from_item).transpose()
}

/// Reads all records of a partition, in the order of their sort keys.
pub async fn read_all<T: Record>(
    table: &dyn Table,
    partition: &str,
) -> Result<Vec<(Key, Stored<T>)>, TaskError> {
    let items = crate::ports::all_pages(|page| table.query(partition, page)).await?;
    items.into_iter().map(|item| Ok((item.key.clone(), Stored::from_item(item)?))).collect()
}

/// The write that puts `record` under `key`.
pub fn put<T: Record>(key: Key, expect: Expect, record: &T) -> Result<Write, TaskError> {
    let body = serde_json::to_value(record)
        .map_err(|e| TaskError::new(ErrorName::Defect, format!("a record cannot be written: {e}")))?;
    Ok(Write::Put { key, expect, body, expires_at: record.expires_at() })
}

/// The condition "as I read it".
pub fn unchanged<T>(stored: &Option<Stored<T>>) -> Expect {
    stored.as_ref().map_or(Expect::Absent, |stored| Expect::Version(stored.version))
}

fn key(partition: impl Into<String>, sort: impl Into<String>) -> Key {
    Key { partition: partition.into(), sort: sort.into() }
}

/// `account/Region/instance`: an instance's name among all accounts.
pub fn instance_key(location: &Location, instance_id: &str) -> String {
    format!("{location}/{instance_id}")
}

/// Who owns an instance until its run closes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The execution that owns it, by its ARN.
    pub owner: String,
    /// The instance.
    pub instance_id: String,
    /// Where it is.
    pub location: Location,
    /// Rises each time the instance changes hands, the rescuer's included: with [`Lease::owner`], what every mutating
    /// task checks before it acts.
    pub fence: u64,
    /// What the run is for.
    pub occurrence: Occurrence,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// When CreateSnapshots was last tried. Written *before* the call, since the call may never be answered.
    pub create_tried_at: Option<Timestamp>,
    /// How many backup sets the run has set about deleting. Written *before* each, so that no number of tries deletes more
    /// than the policy allows one run.
    #[serde(default)]
    pub deletions: u32,
    /// The time of the newest set that the run has set about deleting: what is older and still there could not be deleted, and
    /// is not tried again by this run.
    #[serde(default)]
    pub pruned_to: Option<Timestamp>,
}

impl Record for Lease {}

impl Lease {
    /// The partition of all leases.
    pub const PARTITION: &'static str = "leases";

    /// Where an instance's lease stands.
    pub fn key(location: &Location, instance_id: &str) -> Key {
        key(Self::PARTITION, instance_key(location, instance_id))
    }
}

/// A debt: the instance was running, is being stopped, and must run again. The rescuer collects what is left of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The execution that owes it.
    pub owner: String,
    /// The lease's fence when it was incurred.
    pub fence: u64,
    /// The instance.
    pub instance_id: String,
    /// Where it is.
    pub location: Location,
    /// What the run is for.
    pub occurrence: Occurrence,
    /// When it was incurred.
    pub since: Timestamp,
    /// Until when the run tries to start the instance itself. It covers only the time down, not the hours that
    /// snapshots may take afterwards.
    pub deadline: Timestamp,
    /// What keeps Auto Scaling from replacing the instance meanwhile, and is owed back too.
    pub shield: Option<Shield>,
    /// The concurrency group whose slot is held.
    pub group: Option<String>,
    /// The alarms that the run switches off, by name, to be switched on again: all of them were on before. Sorted.
    #[serde(default)]
    pub alarms: Vec<String>,
    /// The target groups that the run takes the instance out of, to be put back into. Sorted.
    #[serde(default)]
    pub targets: Vec<Registered>,
    /// Whether the instance was seen running again: then it is owed no more than its alarms.
    #[serde(default)]
    pub restarted: bool,
}

impl Record for Intent {}

impl Intent {
    /// The partition of all open intents.
    pub const PARTITION: &'static str = "intents";

    /// Where an instance's intent stands.
    pub fn key(location: &Location, instance_id: &str) -> Key {
        key(Self::PARTITION, instance_key(location, instance_id))
    }
}

/// What was done to an Auto Scaling group so that it leaves a stopped member alone, to be undone afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Shield {
    /// The member is put into Standby.
    Standby {
        /// The group.
        group: String,
    },
    /// Processes of the group are suspended.
    Suspend {
        /// The group.
        group: String,
        /// Those that ran before and must be resumed; only they.
        processes: Vec<String>,
    },
}

impl Shield {
    /// The group.
    pub fn group(&self) -> &str {
        match self {
            Self::Standby { group } | Self::Suspend { group, .. } => group,
        }
    }
}

/// The members of a concurrency group that are down, by instance key, with the execution that took each there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slots {
    /// Instance key to execution.
    pub holders: BTreeMap<String, String>,
}

impl Record for Slots {}

impl Slots {
    /// Where a group's slots stand. Groups are apart by location: `tag:Cluster=a` of two accounts are two clusters.
    pub fn key(location: &Location, group: &str) -> Key {
        key("slots", format!("{location}/{group}"))
    }
}

/// A task token that waits for a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The token to answer.
    pub token: String,
    /// What must be true.
    pub condition: crate::waiting::Condition,
    /// After this nobody can be waiting any more.
    pub until: Timestamp,
}

impl Record for Waiting {
    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.until)
    }
}

impl Waiting {
    /// The partition of what waits for a resource (an instance's or a snapshot's id).
    pub fn partition(resource_id: &str) -> String {
        format!("waiting#{resource_id}")
    }

    /// Where an execution's token for a resource stands. An execution waits for one thing at a time, so a new token
    /// replaces the old one.
    pub fn key(resource_id: &str, execution: &str) -> Key {
        key(Self::partition(resource_id), execution)
    }
}

/// How a run stands or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum RunState {
    /// It has begun and not closed.
    Live,
    /// There is a complete set.
    Complete,
    /// There is none.
    Failed {
        /// The name of the error that decided it.
        error: String,
        /// Whether the planner may try the occurrence again.
        retryable: bool,
    },
    /// It could not begin in time.
    Missed,
}

/// What became of an occurrence on an instance. The record decides whether it is still to be done; execution names only
/// save work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// How it stands.
    #[serde(flatten)]
    pub state: RunState,
    /// The execution, by its ARN; empty where none served the occurrence.
    pub execution: String,
    /// Which try of the occurrence this is, from 0.
    pub attempt: u8,
    /// When it began, or when it was told as missed.
    pub began_at: Timestamp,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// Whether nobody was told that it failed, since the planner takes the occurrence up again: if it does not, that is to be
    /// told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits_retry: bool,
    /// The snapshots it made.
    pub snapshots: Vec<String>,
    /// How long the instance was down for it, in seconds; absent where it was not stopped.
    pub down_seconds: Option<i64>,
}

impl Record for Run {
    fn expires_at(&self) -> Option<Timestamp> {
        self.began_at.checked_add(RUN_LIFETIME).ok()
    }
}

impl Run {
    /// The partition of an occurrence's runs: what the planner reads in bulk.
    pub fn partition(occurrence: &Occurrence) -> String {
        format!("run#{occurrence}")
    }

    /// Where an instance's run of an occurrence stands.
    pub fn key(occurrence: &Occurrence, location: &Location, instance_id: &str) -> Key {
        key(Self::partition(occurrence), instance_key(location, instance_id))
    }
}

/// Up to when the fleet has planned: what came due and was not served since is missed, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedUntil {
    /// The `at` of the newest whole plan.
    pub at: Timestamp,
    /// The accounts and Regions that it could not read. Each has a mark of its own: one that stays out of reach must
    /// neither hide what was missed there, nor have the others' looked at again and again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<Behind>,
    /// The accounts and Regions where it found something missed. They are looked at again until all of it is recorded as
    /// told: the execution may be aborted before it has told anyone, or reach neither the table nor the topic.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<Behind>,
}

/// An account and Region that the newest plan does not stand for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// Where.
    pub location: Location,
    /// The `at` of the newest whole plan that does.
    pub until: Timestamp,
}

impl Record for PlannedUntil {}

impl PlannedUntil {
    /// Where it stands.
    pub fn key() -> Key {
        key("fleet", "planned-until")
    }

    /// All places have been planned up to `at`, and all that was missed has been told.
    pub fn everywhere(at: Timestamp) -> Self {
        Self { at, behind: Vec::new(), untold: Vec::new() }
    }

    /// Up to when this place has been planned.
    pub fn of(&self, at: &Location) -> Timestamp {
        self.behind.iter().find(|behind| behind.location == *at).map_or(self.at, |behind| behind.until)
    }

    /// Up to when it is known of this place that whatever was missed has been told.
    pub fn told(&self, at: &Location) -> Timestamp {
        self.told_where(|location| location == at)
    }

    /// The same of all places in which `policy` selects.
    pub fn told_of_policy(&self, policy: &Policy, home: Option<&Location>) -> Timestamp {
        self.told_where(|location| policy.targets_place(location, home))
    }

    fn told_where(&self, is_meant: impl Fn(&Location) -> bool) -> Timestamp {
        let behind = self.behind.iter().chain(&self.untold).filter(|behind| is_meant(&behind.location));
        behind.map(|behind| behind.until).fold(self.at, Timestamp::min)
    }

    /// What it is after a whole plan of `at` that could not read the places `unread`, and found something missed in
    /// `missed`.
    pub fn after(
        old: Option<&Self>,
        at: Timestamp,
        unread: &BTreeSet<&Location>,
        missed: &BTreeSet<&Location>,
    ) -> Self {
        let behind = |location: &Location, until: fn(&Self, &Location) -> Timestamp| Behind {
            location: location.clone(),
            until: old.map_or(at, |old| until(old, location)),
        };
        // Of what was untold in a place that cannot be read now, nothing new is known.
        let was_untold = old.iter().flat_map(|old| &old.untold).map(|untold| &untold.location);
        let unsettled: BTreeSet<&Location> =
            was_untold.filter(|place| unread.contains(place)).chain(missed.iter().copied()).collect();
        Self {
            at,
            behind: unread.iter().map(|place| behind(place, Self::of)).collect(),
            untold: unsettled.into_iter().map(|place| behind(place, Self::told)).collect(),
        }
    }
}

/// The partition of the policies, by id.
pub const POLICIES: &str = "policies";

/// Where a policy stands.
pub fn policy_key(id: &crate::policy::PolicyId) -> Key {
    key(POLICIES, id.as_str())
}
