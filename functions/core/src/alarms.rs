//! The alarms that watch an instance: which of them are switched off while it is down on purpose.
//!
//! A metric alarm watches an instance by a dimension `InstanceId`, of its own metric or of one in its math. Composite alarms are
//! left alone: they have no dimensions, most speak for more than one instance, and CloudWatch has action suppressors for them.

use crate::error::TaskError;
use crate::inventory::Location;
use crate::ports::{ALARMS_AT_ONCE, Alarms, all_pages};

/// The names of the alarms that watch the instance and act, sorted. Those that somebody has switched off are not among them:
/// they stay off.
pub async fn acting(alarms: &dyn Alarms, at: &Location, instance_id: &str) -> Result<Vec<String>, TaskError> {
    let all = all_pages(|page| alarms.describe_alarms(at, page)).await?;
    let watching = all.into_iter().filter(|alarm| alarm.acts && alarm.instances.contains(instance_id));
    let mut names: Vec<String> = watching.map(|alarm| alarm.name).collect();
    names.sort();
    Ok(names)
}

/// Which alarms will be silent, for whoever reads what a run does; the document it stands in has its limits.
pub(crate) fn in_words(names: &[String]) -> Option<String> {
    const NAMED: usize = 10;
    let first = names.get(..NAMED).unwrap_or(names).join(", ");
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!names.is_empty()).then(|| format!("its alarms are silent while it is down: {first}{more}"))
}

/// Names in portions that one request takes.
pub(crate) fn at_once(names: &[String]) -> impl Iterator<Item = &[String]> {
    names.chunks(ALARMS_AT_ONCE)
}

/// Those of the names that there still is an alarm of. What CloudWatch does with a name of none is not documented.
pub(crate) async fn there(
    alarms: &dyn Alarms,
    at: &Location,
    names: &[String],
) -> Result<Vec<String>, TaskError> {
    let found = alarms.named_alarms(at, names).await?;
    Ok(found.into_iter().map(|alarm| alarm.name).collect())
}
