//! Policies: which instances, when, and how long to keep.
//!
//! A policy file holds one policy, an array of policies, or `{"defaults": {...}, "policies": [...]}`. [`parse`] reads
//! one and answers every mistake in it at once, each with where it is and what would be right. What a policy leaves
//! out comes from the file's `defaults`, then from [`defaults::BUILT_IN`].

mod decode;
pub mod defaults;
mod document;
mod id;
mod orphans;
mod preflight;
mod read;
mod read_select;
mod read_targets;
mod schema;
mod target;
mod types;

pub use decode::{PolicyErrors, PolicyIssue};
pub use id::{PolicyId, PolicyIdError};
pub use orphans::Orphans;
pub use read::{parse, parse_value};
pub use schema::schema;
pub use target::{ROLE_MAX, ROLE_PREFIX, Target};
pub use types::{
    AlarmActions, Autoscaling, Concurrency, Consistency, Count, GroupBy, LoadBalancing, Matcher, Policy,
    Restart, Retention, Select, TagMatch, TagSource, Tagging, Tool, VolumeMatcher, VolumeSelect,
};

#[cfg(test)]
mod documentation;
#[cfg(test)]
mod tests;
