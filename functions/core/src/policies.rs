//! The policies in the table.

use serde_json::Value;

use crate::error::{ErrorName, TaskError};
use crate::policy::{self, Policy, PolicyId};
use crate::ports::{Item, Table, all_pages};
use crate::records::{POLICIES, policy_key};

/// One policy.
pub async fn get(table: &dyn Table, id: &PolicyId) -> Result<Option<Policy>, TaskError> {
    table.get(&policy_key(id)).await?.map(read).transpose()
}

/// All policies, by id.
///
/// # Errors
/// [`ErrorName::Defect`] naming the policy that cannot be read: leaving it out would be a backup that silently does not
/// happen.
pub async fn all(table: &dyn Table) -> Result<Vec<Policy>, TaskError> {
    all_pages(|page| table.query(POLICIES, page)).await?.into_iter().map(read).collect()
}

fn read(item: Item) -> Result<Policy, TaskError> {
    let id = item.key.sort;
    let document: Value = item.body;
    policy::parse_value(&document).map_err(|e| {
        TaskError::new(ErrorName::Defect, format!("the stored policy `{id}` cannot be read: {e}"))
    })
}
