//! What EC2 says there is: instances, volumes and snapshots in our own types.
//!
//! Both the SDK adapters and [`crate::describe`] (files saved by the AWS CLI) end in these, so that selection and
//! planning are the same live and offline.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};

use compact_str::CompactString;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A resource's tags, ordered by key.
pub type Tags = BTreeMap<String, String>;

/// An account and a Region: what every EC2 request goes to, and what every request budget belongs to; and how to get there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// The twelve-digit account id.
    pub account: String,
    /// The Region's code, such as `eu-west-1`.
    pub region: String,
    /// The name of the role in that account by which stopgap acts there; none in the account it is deployed in.
    ///
    /// It travels along wherever a location is written down (in a run's document, an intent, a waiting token), so that
    /// what has been begun there can be finished even if the policy that named the role is changed or gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

impl Location {
    /// A Region of an account that needs no role.
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self { account: account.into(), region: region.into(), role: None }
    }

    /// The same place, reached by `role`.
    #[must_use]
    pub fn by_role(self, role: Option<String>) -> Self {
        Self { role, ..self }
    }

    /// Whether both parts are known. Recordings can lack the owner or the Availability Zone; what is missing is empty
    /// then, and nothing can be asked of EC2 there.
    pub fn is_known(&self) -> bool {
        !self.account.is_empty() && !self.region.is_empty()
    }

    fn identity(&self) -> (&str, &str) {
        (&self.account, &self.region)
    }
}

// A place stays the same however it is reached: two policies may name two roles for it, and its instances, request
// budgets, leases and tickets must not be counted twice for that. So comparing leaves the role out, as `Display` does.
impl PartialEq for Location {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Location {}

impl PartialOrd for Location {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Location {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity().cmp(&other.identity())
    }
}

impl Hash for Location {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

/// Everything that is described: what a plan is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The instances of all accounts and Regions, in any order, each once.
    pub instances: Vec<Instance>,
    /// Their volumes, and others.
    pub volumes: Vec<Volume>,
    /// The snapshots, ours and others'.
    pub snapshots: Vec<Snapshot>,
    /// What whoever described all this could not make sense of.
    pub unknown: Vec<Unknown>,
}

/// Something that the inventory does not know, and should.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unknown {
    /// What is not known: `volume`, `attachment`, `instance`, `reservation`, `snapshot` or `page`.
    pub kind: String,
    /// The id of what is not known; of a volume without an id, the device name; of a page, the file.
    pub id: String,
    /// The instance it belongs to, if it belongs to one.
    pub instance_id: Option<String>,
    /// What is missing, and what follows from that, in words.
    pub why: String,
}

impl Unknown {
    /// Something not known, that may belong to an instance.
    pub fn new(kind: &str, id: &str, instance_id: Option<&str>, why: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            id: id.to_owned(),
            instance_id: instance_id.map(str::to_owned),
            why: why.into(),
        }
    }
}

/// The six states of an instance's life (EC2 `InstanceState.Name`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Starting.
    Pending,
    /// Up.
    Running,
    /// On its way to `Stopped`.
    Stopping,
    /// Down; its volumes can be copied safely.
    Stopped,
    /// On its way to `Terminated`.
    ShuttingDown,
    /// Gone. EC2 keeps describing it for about an hour.
    Terminated,
}

impl InstanceState {
    /// The state's name as EC2 writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
        }
    }

    /// The state that EC2 calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pending, Self::Running, Self::Stopping, Self::Stopped, Self::ShuttingDown, Self::Terminated]
            .into_iter()
            .find(|state| state.as_str() == name)
    }

    /// Whether the instance is gone or going for good.
    pub fn is_gone(self) -> bool {
        matches!(self, Self::ShuttingDown | Self::Terminated)
    }
}

impl fmt::Display for InstanceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An EBS volume as an instance's block device mapping names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockDevice {
    /// The device name, such as `/dev/xvda`.
    pub device: String,
    /// The volume's id.
    pub volume_id: String,
    /// When it was attached; absent in some recordings.
    pub attached_at: Option<Timestamp>,
}

/// What DescribeInstances filters can ask about an instance that its own fields do not tell: names of
/// [`crate::select::FILTERS`] with their values.
///
/// A large fleet has millions of them, nearly all as short as an id: those of an instance stand in one piece of memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(Vec<(&'static str, CompactString)>);

impl Attributes {
    /// Adds a value. EC2 writes some of what is not there as an empty text, such as the DNS name of a stopped instance: that
    /// is left out.
    pub fn add(&mut self, name: &'static str, value: impl Into<CompactString>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.push((name, value));
        }
    }

    /// The values of `name`.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The names that have a value.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

impl<V: Into<CompactString>> FromIterator<(&'static str, Option<V>)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (&'static str, Option<V>)>>(iter: I) -> Self {
        let iter = iter.into_iter();
        let mut attributes = Self(Vec::with_capacity(iter.size_hint().0));
        for (name, value) in iter {
            if let Some(value) = value {
                attributes.add(name, value);
            }
        }
        attributes
    }
}

/// An EC2 instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The instance's id.
    pub id: String,
    /// Where it lives.
    pub location: Location,
    /// Its state when it was described.
    pub state: InstanceState,
    /// Why it changed state last, in EC2's code (`StateReason.Code`): `Client.InternalError` after a start that
    /// KMS refused.
    pub state_reason: Option<String>,
    /// The root device's name, such as `/dev/xvda`.
    pub root_device: Option<String>,
    /// Its EBS volumes, in the order of the block device mapping.
    pub devices: Vec<BlockDevice>,
    /// Its tags.
    pub tags: Tags,
    /// What filters can ask about it.
    pub attributes: Attributes,
    /// The Spot request it is of, if it is a Spot instance.
    pub spot_request: Option<String>,
    /// Whether it is enabled for hibernation.
    pub hibernation: bool,
    /// Its public IPv4 address, if that was assigned automatically: it is lost when the instance stops. An Elastic IP
    /// address stays.
    pub passing_address: Option<String>,
}

impl Instance {
    /// The tag `Name`, if there is one.
    pub fn name(&self) -> Option<&str> {
        self.tags.get("Name").map(String::as_str)
    }

    /// The Auto Scaling group it is a member of, by the tag that Auto Scaling itself writes (keys starting with
    /// `aws:` cannot be written by others).
    pub fn auto_scaling_group(&self) -> Option<&str> {
        self.tags.get("aws:autoscaling:groupName").map(String::as_str)
    }

    /// The first value of an attribute, such as `instance-type`.
    pub fn attribute<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.attributes.values(name).next()
    }

    /// Whether `volume_id` is its root volume.
    pub fn is_root(&self, volume_id: &str) -> bool {
        self.devices
            .iter()
            .any(|device| device.volume_id == volume_id && Some(&device.device) == self.root_device.as_ref())
    }
}

/// An EBS volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// The volume's id.
    pub id: String,
    /// Its size in GiB.
    pub size_gib: u64,
    /// `gp3`, `io2`, `st1`, …
    pub volume_type: String,
    /// The KMS key it is encrypted with, if it is.
    pub kms_key_id: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// The instances it is attached to, with the device name there.
    pub attachments: Vec<Attachment>,
}

/// A volume's attachment to an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The instance's id.
    pub instance_id: String,
    /// The device name on it.
    pub device: String,
    /// When it was attached.
    pub attached_at: Option<Timestamp>,
}

/// The states of a snapshot's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotState {
    /// Its point in time is fixed, its data still being copied.
    Pending,
    /// It can be restored from.
    Completed,
    /// It failed and never will be of use. It still counts against the quotas.
    Error,
    /// In the Recycle Bin.
    Recoverable,
    /// On its way back from the Recycle Bin.
    Recovering,
}

impl SnapshotState {
    /// The state that EC2 calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "pending" => Some(Self::Pending),
            "completed" => Some(Self::Completed),
            "error" => Some(Self::Error),
            "recoverable" => Some(Self::Recoverable),
            "recovering" => Some(Self::Recovering),
            _ => None,
        }
    }

    /// Whether it stays as it is: completed or failed, and neither being copied nor in or on its way from the Recycle Bin.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Completed | Self::Error)
    }
}

/// An EBS snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The snapshot's id.
    pub id: String,
    /// The account that owns it; absent in some recordings.
    pub owner: Option<String>,
    /// The volume it was made of. It may no longer exist.
    pub volume_id: String,
    /// Its state when it was described.
    pub state: SnapshotState,
    /// When it was begun.
    pub started_at: Timestamp,
    /// The volume's size in GiB.
    pub size_gib: u64,
    /// Its description. Images name themselves here.
    pub description: String,
    /// Its tags.
    pub tags: Tags,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::Location;

    #[test]
    fn a_place_is_the_same_by_whatever_role_it_is_reached() {
        let plain = Location::new("111122223333", "eu-west-1");
        let by_role = plain.clone().by_role(Some("stopgap-spoke".to_owned()));
        assert_eq!(plain, by_role);
        assert_eq!(plain.to_string(), by_role.to_string());
        assert_eq!(BTreeSet::from([plain.clone(), by_role]).len(), 1);
        assert_ne!(plain, Location::new("111122223333", "eu-west-2"));
    }

    #[test]
    fn a_role_is_written_down_and_what_was_written_without_one_is_still_read() {
        let by_role = Location::new("111122223333", "eu-west-1").by_role(Some("stopgap-spoke".to_owned()));
        let written = serde_json::to_value(&by_role).unwrap();
        let whole = json!({ "account": "111122223333", "region": "eu-west-1", "role": "stopgap-spoke" });
        assert_eq!(written, whole);
        assert_eq!(serde_json::from_value::<Location>(written).unwrap().role, by_role.role);

        let plain = json!({ "account": "111122223333", "region": "eu-west-1" });
        let read = serde_json::from_value::<Location>(plain.clone()).unwrap();
        assert_eq!((&read.role, serde_json::to_value(&read).unwrap()), (&None, plain));
    }
}
