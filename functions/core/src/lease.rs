//! The fence: what every mutating task checks before it acts.

use crate::error::{ErrorName, TaskError};
use crate::inventory::Location;
use crate::ports::{Expect, Table, Written};
use crate::records::{Lease, Stored, put, read};
use crate::slots;
use crate::tasks::Document;

/// The lease of the document's run.
///
/// # Errors
/// [`ErrorName::LeaseLost`] if another run or the rescuer owns the instance now, or nobody does: a run that was closed
/// and is redriven. It must then touch nothing.
pub async fn held(table: &dyn Table, document: &Document) -> Result<Stored<Lease>, TaskError> {
    Ok(Held::by_run(table, document).await?.stored)
}

/// A lease that is held, to write notes in.
pub struct Held<'a> {
    table: &'a dyn Table,
    location: &'a Location,
    instance_id: &'a str,
    stored: Stored<Lease>,
}

impl<'a> Held<'a> {
    /// The lease of the document's run.
    ///
    /// # Errors
    /// As [`held`].
    pub async fn by_run(table: &'a dyn Table, document: &'a Document) -> Result<Self, TaskError> {
        let run = &document.run;
        let fence = document.prepared()?.fence;
        let stored = owned(table, &run.location, &run.instance_id, &run.execution, fence).await?;
        Ok(Self::new(table, &run.location, &run.instance_id, stored))
    }

    /// A lease that has just been taken or read.
    pub fn new(
        table: &'a dyn Table,
        location: &'a Location,
        instance_id: &'a str,
        stored: Stored<Lease>,
    ) -> Self {
        Self { table, location, instance_id, stored }
    }

    /// The lease as it stands.
    pub fn lease(&self) -> &Lease {
        &self.stored.record
    }

    /// What a write expects of it.
    pub fn version(&self) -> u64 {
        self.stored.version
    }

    /// Writes a change of it, if nobody else has taken it since.
    ///
    /// # Errors
    /// [`ErrorName::LeaseLost`] if somebody has.
    pub async fn note(&mut self, change: impl FnOnce(&mut Lease)) -> Result<(), TaskError> {
        let mut record = self.stored.record.clone();
        change(&mut record);
        let key = Lease::key(self.location, self.instance_id);
        let write = put(key, Expect::Version(self.stored.version), &record)?;
        match self.table.write(vec![write]).await? {
            Written::Done => {
                self.stored = Stored { version: self.stored.version + 1, record };
                Ok(())
            }
            Written::Refused => {
                // Another's now, or our own write, of which the answer was lost.
                let Lease { owner, fence, .. } = &self.stored.record;
                owned(self.table, self.location, self.instance_id, owner, *fence).await?;
                Err(slots::contended())
            }
        }
    }
}

async fn owned(
    table: &dyn Table,
    location: &Location,
    instance_id: &str,
    owner: &str,
    fence: u64,
) -> Result<Stored<Lease>, TaskError> {
    let lost = |why: String| {
        let cause = format!("{why}; start a new execution for {instance_id} rather than redriving this one");
        TaskError::new(ErrorName::LeaseLost, cause)
    };
    let Some(stored) = read::<Lease>(table, &Lease::key(location, instance_id)).await? else {
        return Err(lost("the lease was released".to_owned()));
    };
    let lease = &stored.record;
    if lease.owner == owner && lease.fence == fence {
        Ok(stored)
    } else {
        Err(lost(format!("the lease belongs to {} now (fence {}, ours {fence})", lease.owner, lease.fence)))
    }
}
