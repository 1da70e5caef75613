//! Whose an instance's adopted snapshots are.
//!
//! Other tools' snapshots name an instance and no policy of ours, and several policies may adopt. Counted in two series they
//! would be deleted by whichever keeps less. So they belong to one policy: of those that adopt, the first by id that selects
//! the instance. Enabled or not: nothing changes hands because someone pauses a policy.

use crate::error::{ErrorName, TaskError};
use crate::inventory::{Instance, Location};
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
    let all = policies::all(ports.table).await?;
    let home = &cx.settings.home;
    let mut tools = Vec::new();
    for tool in &policy.adopt {
        let has_it = match adopters(&all, *tool, location, home).as_slice() {
            [only] => only.id == policy.id,
            _ => match describe(ports.ec2, location, instance_id).await {
                Ok(instance) => {
                    owner(&all, *tool, &instance, home).is_some_and(|owner| owner.id == policy.id)
                }
                Err(error) if error.name == ErrorName::InstanceGone => false,
                Err(error) => return Err(error),
            },
        };
        if has_it {
            tools.push(*tool);
        }
    }
    Ok(tools)
}

/// Of these policies the one that has adopted `tool`'s snapshots of `instance`.
pub fn owner<'p>(
    policies: &'p [Policy],
    tool: Tool,
    instance: &Instance,
    home: &Location,
) -> Option<&'p Policy> {
    let adopters = adopters(policies, tool, &instance.location, home);
    match adopters.as_slice() {
        [only] => Some(*only),
        several => {
            let selecting = several.iter().filter(|policy| policy.selects(instance).is_selected());
            selecting.min_by_key(|policy| &policy.id).copied()
        }
    }
}

/// Those that adopt there.
fn adopters<'p>(policies: &'p [Policy], tool: Tool, at: &Location, home: &Location) -> Vec<&'p Policy> {
    let adopts = |policy: &&Policy| policy.adopt.contains(&tool) && policy.targets_place(at, Some(home));
    policies.iter().filter(adopts).collect()
}
