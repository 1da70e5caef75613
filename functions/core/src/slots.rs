//! The slots of a concurrency group: no more than so many of its members are down at once, whoever started their runs.

use crate::error::{ErrorName, TaskError};
use crate::inventory::Location;
use crate::ports::{Table, Write};
use crate::records::{Slots, put, read, unchanged};

/// The write that takes a slot of `group` for `holder`. Idempotent: a holder has one slot however often it asks.
///
/// # Errors
/// [`ErrorName::SlotBusy`] when `max` others hold one.
pub async fn take(
    table: &dyn Table,
    at: &Location,
    group: &str,
    max: u32,
    holder: &str,
    execution: &str,
) -> Result<Write, TaskError> {
    let key = Slots::key(at, group);
    let stored = read::<Slots>(table, &key).await?;
    let expect = unchanged(&stored);
    let mut slots = stored.map(|stored| stored.record).unwrap_or_default();
    let others = slots.holders.keys().filter(|other| *other != holder).count();
    if others >= max as usize {
        let down = slots.holders.keys().cloned().collect::<Vec<_>>().join(", ");
        let cause = format!("{group} may have {max} down at once, and has {down}");
        return Err(TaskError::new(ErrorName::SlotBusy, cause));
    }
    slots.holders.insert(holder.to_owned(), execution.to_owned());
    put(key, expect, &slots)
}

/// The write that gives a slot back; none if the holder has none.
pub async fn give_back(
    table: &dyn Table,
    at: &Location,
    group: &str,
    holder: &str,
) -> Result<Option<Write>, TaskError> {
    let key = Slots::key(at, group);
    let stored = read::<Slots>(table, &key).await?;
    let expect = unchanged(&stored);
    let Some(mut slots) = stored.map(|stored| stored.record) else { return Ok(None) };
    if slots.holders.remove(holder).is_none() {
        return Ok(None);
    }
    if slots.holders.is_empty() {
        return Ok(Some(Write::Delete { key, expect }));
    }
    put(key, expect, &slots).map(Some)
}

/// Another run changed the same item between read and write: try again, soon.
pub fn contended() -> TaskError {
    TaskError::new(ErrorName::Throttled, "another run wrote the same item at this moment")
}
