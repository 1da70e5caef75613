//! What a policy says, in types.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Orphans, PolicyId, Target};
use crate::inventory::{Instance, Tags};
use crate::preflight::Overrides;
use crate::schedule::Schedule;
use crate::span::Span;

/// Which instances are backed up, when, how, and how long the backups are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Policy {
    /// The version of this format: 1.
    #[schemars(schema_with = "super::schema::version")]
    pub version: u8,
    /// The policy's name: part of every occurrence, tag and execution name.
    pub id: PolicyId,
    /// Whether it runs. A disabled policy selects and explains, but nothing of it is due.
    pub enabled: bool,
    /// In which accounts and Regions; in those that stopgap is deployed in if it is empty.
    pub targets: Vec<Target>,
    /// Which instances.
    pub select: Select,
    /// When.
    pub schedule: Schedule,
    /// Whether the instance is stopped for the copy.
    pub consistency: Consistency,
    /// How long a stopped instance stays stopped.
    pub restart: Restart,
    /// How long backups are kept.
    pub retention: Retention,
    /// What becomes of the last backups of an instance that is gone.
    pub orphans: Orphans,
    /// Which of an instance's volumes.
    pub volumes: VolumeSelect,
    /// Which tags the snapshots get.
    pub tags: Tagging,
    /// What is done with members of an Auto Scaling group.
    pub autoscaling: Autoscaling,
    /// What is done with the CloudWatch alarms that watch the instance while it is down.
    pub alarms: AlarmActions,
    /// What is done with the target groups that the instance is in while it is down.
    pub load_balancers: LoadBalancing,
    /// How many members of a group may be down at once; without it there is no limit.
    pub concurrency: Option<Concurrency>,
    /// What follows from what is found before a backup, where it is not the default.
    pub preflight: Overrides,
    /// Of which other tools the snapshots count as sets of this policy, and are pruned by its rules.
    pub adopt: Vec<Tool>,
}

/// A tool whose snapshots a policy can adopt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// Rackspace's ebs_snapper: see [`crate::ebs_snapper`].
    EbsSnapper,
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EbsSnapper => "ebs_snapper",
        })
    }
}

/// Which instances: those that any of `any` matches and none of `except`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Select {
    /// An instance is selected when one of these matches. At least one.
    #[schemars(length(min = 1))]
    pub any: Vec<Matcher>,
    /// An instance that one of these matches is not selected after all.
    pub except: Vec<Matcher>,
}

/// One way to name instances. `*` stands for any characters, also none; `?` for exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Matcher {
    /// By tags.
    Tag(TagMatch),
    /// By the name of its Auto Scaling group (the tag `aws:autoscaling:groupName`).
    Asg(String),
    /// By its tag `Name`.
    Name(String),
    /// By its id, to the letter.
    #[schemars(schema_with = "super::schema::instance_id")]
    Instance(String),
    /// By all of these together. At least one.
    #[schemars(schema_with = "super::schema::matchers")]
    All(Vec<Matcher>),
    /// By DescribeInstances filters: names ANDed, values ORed, wildcards as above.
    Filter(BTreeMap<String, Vec<String>>),
}

/// Tag keys, ANDed, each with values, ORed. Keys are compared to the letter; values may have wildcards.
pub type TagMatch = BTreeMap<String, Vec<String>>;

/// Whether the instance is stopped for the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Consistency {
    /// Stop it, snapshot all volumes, start it again.
    Stop,
    /// Leave it running: all volumes at one point in time, as after a power failure.
    Crash,
}

/// How long a stopped instance stays stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Until the snapshots are begun: their point in time is fixed then.
    SnapshotStarted,
    /// Until they are completed, which can take hours.
    SnapshotCompleted,
}

/// What is done with members of an Auto Scaling group, which would replace a member that is not running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Autoscaling {
    /// They are put into Standby while they are down.
    Standby,
    /// The group's processes that would replace them are suspended, for groups that cannot shrink.
    Suspend,
    /// They are not backed up.
    Skip,
}

/// What is done with the actions of the CloudWatch alarms that watch an instance, while it is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmActions {
    /// They are left as they are.
    Leave,
    /// Those that are on are switched off before the stop, and on again after the start.
    Silence,
}

/// What is done with the target groups of load balancers that an instance outside of Auto Scaling is in, while it is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LoadBalancing {
    /// They are left as they are: load balancers find out by themselves that it is down.
    Leave,
    /// It is deregistered and drained before the stop, and registered again and seen healthy after the start.
    Deregister,
}

/// How long backups are kept: the union of the rules, over the complete sets of this policy and instance.
///
/// A rule that is absent, or 0, keeps nothing. Hours, days, weeks, months and years are those of the policy's zone; the
/// oldest set is kept while the count of such a rule is not used up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct Retention {
    /// Keep what is younger than this, counted back from the newest complete set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_for: Option<Span>,
    /// Keep the newest n.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_last: Option<Count>,
    /// Keep the newest of each of the last n hours that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_hourly: Option<Count>,
    /// Keep the newest of each of the last n days that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_daily: Option<Count>,
    /// Keep the newest of each of the last n ISO weeks that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_weekly: Option<Count>,
    /// Keep the newest of each of the last n months that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_monthly: Option<Count>,
    /// Keep the newest of each of the last n years that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_yearly: Option<Count>,
    /// A floor under everything: so many complete sets are never gone below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Count>,
    /// How many sets one run deletes at most; the rest is left to the next. At least 1.
    #[schemars(range(min = 1))]
    pub delete_at_most: u32,
}

impl Default for Retention {
    /// No rule.
    fn default() -> Self {
        Self {
            keep_for: None,
            keep_last: None,
            keep_hourly: None,
            keep_daily: None,
            keep_weekly: None,
            keep_monthly: None,
            keep_yearly: None,
            at_least: None,
            delete_at_most: 50,
        }
    }
}

impl Retention {
    /// Whether no rule of it keeps anything.
    pub fn keeps_nothing(&self) -> bool {
        let counts = [
            self.keep_last,
            self.keep_hourly,
            self.keep_daily,
            self.keep_weekly,
            self.keep_monthly,
            self.keep_yearly,
            self.at_least,
        ];
        self.keep_for.is_none() && counts.into_iter().flatten().all(|count| count == Count::Of(0))
    }
}

/// How many, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Count {
    /// So many.
    Of(u32),
    /// Without limit.
    All,
}

impl Count {
    /// Whether it counts the `n`th (from 0).
    pub fn includes(self, n: usize) -> bool {
        match self {
            Self::Of(count) => u32::try_from(n).is_ok_and(|n| n < count),
            Self::All => true,
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(count) => write!(f, "{count}"),
            Self::All => f.write_str("all"),
        }
    }
}

impl Serialize for Count {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Of(count) => serializer.serialize_u32(*count),
            Self::All => serializer.serialize_str("all"),
        }
    }
}

impl JsonSchema for Count {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A number, or `all`.",
            "anyOf": [{ "type": "integer", "minimum": 0, "maximum": u32::MAX }, { "const": "all" }]
        })
    }
}

/// Which of an instance's volumes a backup contains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct VolumeSelect {
    /// Leave out the volumes that one of these matches.
    pub except: Vec<VolumeMatcher>,
    /// Whether the root volume is in it.
    pub root: bool,
}

/// One way to name volumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VolumeMatcher {
    /// By tags of the volume.
    Tag(TagMatch),
}

/// Which tags the snapshots get, besides stopgap's own. On the same key, `add` wins, then the first of `from`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Tagging {
    /// What the tags are copied from.
    pub from: Vec<TagSource>,
    /// Tags to add. Keys have 1 to 128 characters and do not begin with `aws:` or `stopgap:`; values have up to 256.
    pub add: Tags,
}

/// What tags are copied from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TagSource {
    /// The snapshot's volume.
    Volume,
    /// The instance.
    Instance,
}

/// How many members of a group may be down at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Concurrency {
    /// What makes a group.
    pub group_by: GroupBy,
    /// How many of its members may be down at once. At least 1.
    #[schemars(range(min = 1))]
    pub max: u32,
}

/// What makes a group: instances with the same value of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// A tag of the instance, written `tag:KEY`.
    Tag(String),
    /// Its Auto Scaling group, written `asg`.
    Asg,
}

impl GroupBy {
    /// The group of `instance`: `tag:KEY=VALUE` or `asg=NAME`, the same in every policy. `None` when it is in none.
    pub fn group_of(&self, instance: &Instance) -> Option<String> {
        let value = match self {
            Self::Tag(key) => instance.tags.get(key).map(String::as_str),
            Self::Asg => instance.auto_scaling_group(),
        };
        value.map(|value| format!("{self}={value}"))
    }
}

impl fmt::Display for GroupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(key) => write!(f, "tag:{key}"),
            Self::Asg => f.write_str("asg"),
        }
    }
}

impl FromStr for GroupBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("tag:") {
            Some(key) if !key.is_empty() => Ok(Self::Tag(key.to_owned())),
            None if text == "asg" => Ok(Self::Asg),
            _ => Err(format!(
                "`{text}` does not say what makes a group: write `tag:KEY`, such as `tag:Cluster`, or `asg`"
            )),
        }
    }
}

impl Serialize for GroupBy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for GroupBy {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "GroupBy".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(asg|tag:.+)$", "examples": ["tag:Cluster", "asg"] })
    }
}
