//! The commands that ask AWS. Each takes the ports, so that its tests run it on the simulated AWS; what it would show is made
//! of values, and written at the end.

#![cfg_attr(not(feature = "aws"), allow(dead_code, reason = "built without the SDK for its tests alone"))]

mod follow;
pub(crate) mod plan;
pub(crate) mod policies;
pub(crate) mod run;
pub(crate) mod status;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use stopgap_core::inventory::Location;
use stopgap_core::ports::{Fault, Ports};

use crate::output::section;

/// A deployment of stopgap, as a command sees it.
pub(crate) struct Stopgap<'a> {
    /// What it may ask.
    pub(crate) ports: Ports<'a>,
    /// Where it is deployed.
    pub(crate) home: Location,
    /// The ARN of the instance machine.
    pub(crate) machine: String,
    /// The name of the deployment.
    pub(crate) name: String,
    /// The time.
    pub(crate) time: &'a dyn Time,
}

/// The time where the command runs.
#[async_trait::async_trait(?Send)]
pub(crate) trait Time {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Waits.
    async fn sleep(&self, duration: Duration);

    /// Waits until the person no longer wants to.
    async fn interrupted(&self);
}

/// An account and Region that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Unread {
    /// Where.
    pub(crate) location: Location,
    /// Why not.
    pub(crate) why: String,
}

fn unread(faults: BTreeMap<Location, Fault>) -> Vec<Unread> {
    faults.into_iter().map(|(location, fault)| Unread { location, why: fault.to_string() }).collect()
}

/// What cannot be known of the places that could not be read.
fn unread_section(unread: &[Unread]) -> String {
    let rows = unread.iter().map(|unread| vec![unread.location.to_string(), unread.why.clone()]);
    section("Not read: nothing is known of these", &["ACCOUNT/REGION", "WHY"], rows.collect())
}

#[cfg(test)]
mod tests;
