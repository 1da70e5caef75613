//! CloudWatch alarms, as far as they watch an instance that is down on purpose.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{Fault, Page};
use crate::inventory::Location;

/// How many alarms DisableAlarmActions and EnableAlarmActions take by name, and DescribeAlarms answers for at once.
pub const ALARMS_AT_ONCE: usize = 100;

/// A metric alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its name, unique in its account and Region.
    pub name: String,
    /// Whether it acts when its state changes (`ActionsEnabled`).
    pub acts: bool,
    /// The instances it watches: the values of the dimension `InstanceId`, of its own metric and of every metric in its math
    /// (`Metrics[]`).
    pub instances: BTreeSet<String>,
}

/// CloudWatch in any account and Region that a policy targets, by the location's role where it has one.
#[async_trait(?Send)]
pub trait Alarms {
    /// DescribeAlarms: a page of the metric alarms there are. CloudWatch has no look-up by dimension that knows metric math
    /// (DescribeAlarmsForMetric asks for a metric's name, and leaves math out), so who wants an instance's reads them all.
    async fn describe_alarms(&self, at: &Location, page: Option<String>) -> Result<Page<Alarm>, Fault>;

    /// DescribeAlarms by name, for at most [`ALARMS_AT_ONCE`] of them: those of them that are there.
    async fn named_alarms(&self, at: &Location, names: &[String]) -> Result<Vec<Alarm>, Fault>;

    /// DisableAlarmActions, for at most [`ALARMS_AT_ONCE`] names. An alarm goes on changing its state, and does nothing.
    async fn disable_alarm_actions(&self, at: &Location, names: &[String]) -> Result<(), Fault>;

    /// EnableAlarmActions, for at most [`ALARMS_AT_ONCE`] names.
    async fn enable_alarm_actions(&self, at: &Location, names: &[String]) -> Result<(), Fault>;
}
