//! stopgap's domain. It knows no AWS SDK, no clock and no I/O: ports and times are passed in.

pub mod backup_set;
pub mod describe;
pub mod inventory;
pub mod occurrence;
pub mod plan;
pub mod policy;
pub mod retention;
pub mod schedule;
pub mod select;
pub mod set_tags;
pub mod span;
mod suggest;
#[cfg(test)]
mod testing;
