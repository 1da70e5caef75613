//! Policies: which instances, when, and how long to keep.

mod id;

pub use id::{PolicyId, PolicyIdError};
