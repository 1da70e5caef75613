//! Which volumes a run copies, seen live.

use std::collections::BTreeMap;

use crate::error::{ErrorName, TaskError};
use crate::inventory::{Instance, Volume};
use crate::ports::{Ec2, Which, all_pages};
use crate::select::VolumeSelection;
use crate::tasks::RunPlan;

/// Applies the policy's `volumes` to what is attached to the instance now. Volumes are described only if the policy asks
/// about their tags: while the instance is down, every call counts.
pub async fn to_copy(
    ec2: &dyn Ec2,
    run: &RunPlan,
    instance: &Instance,
) -> Result<VolumeSelection, TaskError> {
    let described = if run.policy.volumes.except.is_empty() {
        Vec::new()
    } else {
        let ids = instance.devices.iter().map(|device| device.volume_id.clone()).collect();
        describe(ec2, run, ids).await?
    };
    Ok(selection(run, instance, &described))
}

/// Describes what is attached to the instance now, and applies the policy's `volumes` to it.
pub async fn attached(
    ec2: &dyn Ec2,
    run: &RunPlan,
    instance: &Instance,
) -> Result<(Vec<Volume>, VolumeSelection), TaskError> {
    let ids = instance.devices.iter().map(|device| device.volume_id.clone()).collect();
    let described = match describe(ec2, run, ids).await {
        // What has no say in what is copied must not cost the backup. The selection lists them as unknown.
        Err(TaskError { name: ErrorName::AccessDenied | ErrorName::NotFound, .. })
            if run.policy.volumes.except.is_empty() =>
        {
            Vec::new()
        }
        described => described?,
    };
    let selection = selection(run, instance, &described);
    Ok((described, selection))
}

fn selection(run: &RunPlan, instance: &Instance, described: &[Volume]) -> VolumeSelection {
    let by_id: BTreeMap<&str, &Volume> =
        described.iter().map(|volume| (volume.id.as_str(), volume)).collect();
    run.policy.volumes.applied_to(instance, &by_id)
}

/// Describes volumes by id.
pub async fn describe(ec2: &dyn Ec2, run: &RunPlan, ids: Vec<String>) -> Result<Vec<Volume>, TaskError> {
    let which = Which::Ids(ids);
    Ok(all_pages(|page| ec2.describe_volumes(&run.location, &which, page)).await?)
}
