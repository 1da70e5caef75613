//! Tickets: every failure becomes one, under one dedup key, and it closes when the matter is mended.

mod chat;
mod desk;
mod kind;
mod message;
mod outbox;

pub use desk::{Record, Status, open, resolve};
pub use kind::{Kind, Severity};
pub use message::{Action, Message, Moment, VERSION, notice, schema};
pub use outbox::send_outbox;

use serde::{Deserialize, Serialize};

use crate::inventory::Location;
use crate::occurrence::Occurrence;
use crate::policy::PolicyId;

/// What a ticket is about. Two failures of the same matter are one ticket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Matter {
    /// What kind of trouble.
    pub kind: Kind,
    /// Where; absent when the fleet as a whole is in trouble.
    pub location: Option<Location>,
    /// Which instance.
    pub instance_id: Option<String>,
    /// Which policy. An instance that is left stopped is the same matter whichever policy stopped it.
    pub policy: Option<PolicyId>,
}

impl Matter {
    /// The matter of an instance.
    pub fn of_instance(kind: Kind, location: &Location, instance_id: &str, policy: &PolicyId) -> Self {
        let policy = (kind != Kind::LeftStopped).then(|| policy.clone());
        Self { kind, location: Some(location.clone()), instance_id: Some(instance_id.to_owned()), policy }
    }

    /// The dedup key: `stopgap/<kind>` and what identifies the matter. Well below PagerDuty's 255 characters.
    pub fn dedup_key(&self) -> String {
        let location = self.location.as_ref().map(Location::to_string);
        let policy = self.policy.as_ref().map(PolicyId::to_string);
        let parts = [location, self.instance_id.clone(), policy];
        parts
            .into_iter()
            .flatten()
            .fold(format!("stopgap/{}", self.kind), |key, part| format!("{key}/{part}"))
    }
}

/// What there is to say of a matter at this moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The occurrences it concerns, oldest first.
    pub occurrences: Vec<Occurrence>,
    /// The state that failed.
    pub failed_state: Option<String>,
    /// The error's name.
    pub error: String,
    /// Why, in plain words.
    pub cause: String,
    /// What stopgap did about it.
    pub done: String,
    /// The execution, by its ARN.
    pub execution: Option<String>,
    /// The run so far.
    pub timeline: Vec<Moment>,
}
