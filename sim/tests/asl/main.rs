//! The states language, topic by topic. What is expected here is what AWS documents, or what it was recorded to do.

#![allow(clippy::unwrap_used, reason = "these are tests; clippy only sees that in #[test] functions")]

mod support;

mod callback;
mod catch;
mod choice;
mod context;
mod definition;
mod determinism;
mod distributed;
mod examples;
mod executions;
mod fail;
mod intrinsics;
mod limits;
mod map;
mod nested;
mod parallel;
mod pass;
mod paths;
mod redrive;
mod retry;
mod substitute;
mod task;
mod template;
mod wait;
