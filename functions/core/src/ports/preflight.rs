//! What a preflight asks besides what instances and volumes say of themselves.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Fault;
use crate::inventory::Location;

/// An event that EC2 has scheduled for an instance, and that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledEvent {
    /// The instance.
    pub instance_id: String,
    /// `instance-reboot`, `system-reboot`, `system-maintenance`, `instance-retirement` or `instance-stop`.
    pub code: String,
    /// What EC2 says of it.
    pub description: String,
    /// The earliest time that it begins.
    pub not_before: Option<Timestamp>,
}

/// A modification of a volume that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modification {
    /// The volume.
    pub volume_id: String,
    /// `modifying` or `optimizing`.
    pub state: String,
    /// How far it is, in percent.
    pub progress: Option<u8>,
}

/// The instance-store volumes of an instance type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceStorage {
    /// The type, such as `i3.large`.
    pub instance_type: String,
    /// How much it has, in GB.
    pub size_gb: u64,
    /// Whether every instance of the type has them. Those of older types, which are not NVMe, are there only where the
    /// instance was launched with them, and EC2 does not tell.
    pub always: bool,
}

/// A Spot request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpotRequest {
    /// The request's id.
    pub id: String,
    /// Whether it is over once its instance is: EC2 stops none of a one-time request.
    pub one_time: bool,
}

/// The state of a KMS key, in KMS's words (`KeyState`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState(pub String);

impl KeyState {
    /// Whether KMS decrypts nothing with it, so that no volume of it can be attached to an instance that starts.
    ///
    /// `Creating` and `Updating` pass by themselves within minutes; what is not known here is not held against a key.
    /// Source: AWS KMS developer guide, "Key states of AWS KMS keys".
    pub fn is_unusable(&self) -> bool {
        let unusable =
            ["Disabled", "PendingDeletion", "PendingImport", "PendingReplicaDeletion", "Unavailable"];
        unusable.contains(&self.0.as_str())
    }
}

/// KMS in any account and Region that a policy targets.
#[async_trait(?Send)]
pub trait Keys {
    /// DescribeKey, by id or ARN. A key that is gone is not found. One of another account is often refused: its owner's
    /// policy decides, too.
    async fn key_state(&self, at: &Location, key_id: &str) -> Result<KeyState, Fault>;
}
