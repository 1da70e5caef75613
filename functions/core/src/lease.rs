//! The fence: what every mutating task checks before it acts.

use crate::error::{ErrorName, TaskError};
use crate::ports::Table;
use crate::records::{Lease, Stored, read};
use crate::tasks::Document;

/// The lease of the document's run.
///
/// # Errors
/// [`ErrorName::LeaseLost`] if another run or the rescuer owns the instance now, or nobody does: a run that was closed
/// and is redriven. It must then touch nothing.
pub async fn held(table: &dyn Table, document: &Document) -> Result<Stored<Lease>, TaskError> {
    let run = &document.run;
    let fence = document.prepared()?.fence;
    let lost = |why: String| {
        let cause =
            format!("{why}; start a new execution for {} rather than redriving this one", run.instance_id);
        TaskError::new(ErrorName::LeaseLost, cause)
    };
    let Some(stored) = read::<Lease>(table, &Lease::key(&run.location, &run.instance_id)).await? else {
        return Err(lost("the lease was released".to_owned()));
    };
    let lease = &stored.record;
    if lease.owner == run.execution && lease.fence == fence {
        Ok(stored)
    } else {
        Err(lost(format!("the lease belongs to {} now (fence {}, ours {fence})", lease.owner, lease.fence)))
    }
}
