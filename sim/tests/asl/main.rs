//! The states language, topic by topic.

#![allow(clippy::unwrap_used, reason = "these are tests; clippy only sees that in #[test] functions")]

mod support;

mod pass;
