//! The adapters against a server that answers as AWS does, byte for byte: what a mock of the SDK would hide.

mod calls;
mod canned;
mod refusals;
mod table;
