//! The policies in the table: what the functions read, and what the operator's command reads and writes.
//!
//! A document is stored as it was written, so that it reads back the same, and is checked before. What is read to be
//! changed comes with a version; a write that expects it is refused when someone else has written since.

use serde_json::Value;

use crate::error::{ErrorName, TaskError};
use crate::policy::{self, Policy, PolicyId};
use crate::ports::{Expect, Item, Table, Write, Written, all_pages};
use crate::records::{POLICIES, policy_key};

/// How large a stored policy may be, in bytes of JSON. It travels with each run, whose document Step Functions limits to
/// 256 KiB: going over that ends an execution where no `Catch` sees it.
pub const SIZE_MAX: usize = 64 * 1024;

/// A policy as it stands in the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The id that it is stored under.
    pub id: String,
    /// What is stored, whether or not it can be read as a policy.
    pub document: Value,
    /// Its version, for the next write: [`Expect::Version`].
    pub version: u64,
}

impl Stored {
    /// The policy.
    ///
    /// # Errors
    /// [`ErrorName::Defect`] saying what is wrong with it: someone wrote it past [`put`].
    pub fn policy(&self) -> Result<Policy, TaskError> {
        let id = &self.id;
        let unreadable = |why: String| {
            TaskError::new(ErrorName::Defect, format!("the stored policy `{id}` cannot be read: {why}"))
        };
        let policy = checked(&self.document).map_err(unreadable)?;
        if policy.id.as_str() != id {
            return Err(unreadable(format!("its `id` is `{}`; the two must be the same", policy.id)));
        }
        Ok(policy)
    }
}

impl From<Item> for Stored {
    fn from(item: Item) -> Self {
        Self { id: item.key.sort, document: item.body, version: item.version }
    }
}

/// One policy.
///
/// # Errors
/// As [`Stored::policy`].
pub async fn get(table: &dyn Table, id: &PolicyId) -> Result<Option<Policy>, TaskError> {
    stored(table, id).await?.map(|stored| stored.policy()).transpose()
}

/// All policies, by id.
///
/// # Errors
/// [`ErrorName::Defect`] naming the policy that cannot be read: leaving it out would be a backup that silently does not
/// happen.
pub async fn all(table: &dyn Table) -> Result<Vec<Policy>, TaskError> {
    list(table).await?.iter().map(Stored::policy).collect()
}

/// One policy's document, as it is stored.
pub async fn stored(table: &dyn Table, id: &PolicyId) -> Result<Option<Stored>, TaskError> {
    Ok(table.get(&policy_key(id)).await?.map(Stored::from))
}

/// All policies' documents, as they are stored, by id. One that cannot be read hides no other.
pub async fn list(table: &dyn Table) -> Result<Vec<Stored>, TaskError> {
    let items = all_pages(|page| table.query(POLICIES, page)).await?;
    Ok(items.into_iter().map(Stored::from).collect())
}

/// Stores a policy's document under its `id`, and answers that id. `expect` is what the table must hold of it:
/// nothing yet, the version that was read, or anything.
///
/// # Errors
/// [`ErrorName::InvalidInput`] with every mistake in it, and nothing is stored. [`ErrorName::Conflict`] if the table holds
/// something else than expected. A put that was not answered ([`ErrorName::ServiceUnavailable`]) may have been done.
pub async fn put(table: &dyn Table, document: &Value, expect: Expect) -> Result<PolicyId, TaskError> {
    let policy = checked(document).map_err(|why| TaskError::new(ErrorName::InvalidInput, why))?;
    let key = policy_key(&policy.id);
    let put = Write::Put { key, expect, body: document.clone(), expires_at: None };
    write(table, put, &policy.id, expect).await?;
    Ok(policy.id)
}

/// Deletes a policy. Runs that have begun go on with it; its snapshots stay, and nothing prunes them any more.
///
/// # Errors
/// As [`put`]. With [`Expect::Any`] it is well if there is no such policy.
pub async fn delete(table: &dyn Table, id: &PolicyId, expect: Expect) -> Result<(), TaskError> {
    write(table, Write::Delete { key: policy_key(id), expect }, id, expect).await
}

async fn write(table: &dyn Table, write: Write, id: &PolicyId, expect: Expect) -> Result<(), TaskError> {
    match table.write(vec![write]).await? {
        Written::Done => Ok(()),
        Written::Refused => {
            let why = match expect {
                Expect::Absent => format!("there is a policy `{id}` already"),
                Expect::Version(version) => {
                    format!(
                        "the policy `{id}` was changed or deleted since it was read (in version {version})"
                    )
                }
                Expect::Any => format!("the policy `{id}` is being written by someone else"),
            };
            Err(TaskError::new(ErrorName::Conflict, format!("{why}; read it again")))
        }
    }
}

/// The policy that a document says, if it may be stored.
fn checked(document: &Value) -> Result<Policy, String> {
    let size = document.to_string().len();
    if size > SIZE_MAX {
        return Err(format!("it has {size} bytes, and may have {SIZE_MAX}"));
    }
    policy::parse_value(document).map_err(|errors| errors.to_string())
}
