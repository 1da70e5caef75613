//! Whose an instance's adopted snapshots are.
//!
//! Other tools' snapshots name an instance and no policy of ours, and several policies may adopt. Counted in two series they
//! would be deleted by whichever keeps less. So they belong to one policy: of those that adopt, the first by id that selects
//! the instance. Enabled or not: nothing changes hands because someone pauses a policy.

use crate::error::{ErrorName, TaskError};
use crate::inventory::Location;
use crate::policies;
use crate::policy::{Policy, Tool};
use crate::ports::{Context, Ports};
use crate::waiting::describe;

/// The tools whose snapshots of the instance `policy` has adopted, and no policy before it.
///
/// A policy that alone adopts in the instance's account and Region has them without further question, also those of an
/// instance that is gone or that it does not select (any more). Where several do and the instance is gone, nobody has them.
/// Asks for nothing if the policy adopts nothing; needs the table, and `ec2:DescribeInstances` if several policies adopt.
///
/// # Errors
/// What keeps it from reading the table or the instance.
pub async fn adopted_by(
    ports: Ports<'_>,
    cx: Context<'_>,
    policy: &Policy,
    location: &Location,
    instance_id: &str,
) -> Result<Vec<Tool>, TaskError> {
    if policy.adopt.is_empty() {
        return Ok(Vec::new());
    }
    let rivals = policies::all(ports.table).await?;
    let rivals: Vec<&Policy> = rivals
        .iter()
        .filter(|rival| rival.id != policy.id && rival.targets_place(location, Some(&cx.settings.home)))
        .collect();
    let mut tools = Vec::new();
    for tool in &policy.adopt {
        let rivals: Vec<&&Policy> = rivals.iter().filter(|rival| rival.adopt.contains(tool)).collect();
        let has_it = rivals.is_empty()
            || match describe(ports.ec2, location, instance_id).await {
                Ok(instance) => {
                    let earlier = |rival: &&&Policy| rival.id < policy.id;
                    policy.selects(&instance).is_selected()
                        && !rivals
                            .into_iter()
                            .filter(earlier)
                            .any(|rival| rival.selects(&instance).is_selected())
                }
                Err(error) if error.name == ErrorName::InstanceGone => false,
                Err(error) => return Err(error),
            };
        if has_it {
            tools.push(*tool);
        }
    }
    Ok(tools)
}
