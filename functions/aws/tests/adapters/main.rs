//! The adapters against a server that answers as AWS does, byte for byte: what a mock of the SDK would hide.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod calls;
mod canned;
mod preflight;
mod refusals;
mod table;
