//! Where things are.

use std::env;
use std::path::PathBuf;

/// The repository.
pub fn repository() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Where cargo put the program that runs: `target/debug`.
///
/// # Panics
/// If the system does not tell which program runs.
pub fn built() -> PathBuf {
    let program = env::current_exe().expect("the system tells which program runs");
    let folder = program.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    folder.expect("a program is in a folder").to_owned()
}

/// Cargo's target folder, or the folder of a target in it.
///
/// # Panics
/// As [`built`].
pub fn target() -> PathBuf {
    built().parent().expect("target/debug is in target").to_owned()
}
