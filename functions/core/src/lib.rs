//! stopgap's domain. It knows no AWS SDK, no clock and no I/O: ports and times are passed in.

pub mod adoption;
pub mod alarms;
pub mod backup_set;
pub mod describe;
pub mod ebs_snapper;
pub mod environment;
pub mod error;
pub mod inventory;
pub mod lease;
pub mod measure;
pub mod occurrence;
pub mod plan;
pub mod planning;
pub mod policies;
pub mod policy;
pub mod ports;
pub mod preflight;
pub mod pruning;
pub mod records;
pub mod retention;
pub mod schedule;
pub mod select;
pub mod set_tags;
pub mod slots;
pub mod span;
pub mod status;
mod suggest;
pub mod survey;
pub mod tags;
pub mod tasks;
#[cfg(test)]
mod testing;
pub mod text;
pub mod ticket;
pub mod timeline;
pub mod volumes;
pub mod waiting;
