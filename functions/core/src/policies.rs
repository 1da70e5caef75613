//! The policies in the table.

use serde_json::Value;

use crate::error::{ErrorName, TaskError};
use crate::policy::{self, Policy, PolicyId};
use crate::ports::{Item, Table, all_pages};
use crate::records::{POLICIES, policy_key};

/// How large a stored policy may be, in bytes of JSON. It travels with each run, whose document Step Functions limits to
/// 256 KiB: going over that ends an execution where no `Catch` sees it.
pub const SIZE_MAX: usize = 64 * 1024;

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
    let unreadable = |why: String| {
        TaskError::new(ErrorName::Defect, format!("the stored policy `{id}` cannot be read: {why}"))
    };
    let size = document.to_string().len();
    if size > SIZE_MAX {
        return Err(unreadable(format!("it has {size} bytes, and may have {SIZE_MAX}")));
    }
    policy::parse_value(&document).map_err(|e| unreadable(e.to_string()))
}
