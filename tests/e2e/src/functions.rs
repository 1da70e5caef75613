//! The programs of the functions, built for this machine.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use stopgap_core::tasks;

use crate::paths::{built, repository, target};
use crate::tools::{progress, run};

/// Builds all functions, and tells in which folder they are.
///
/// # Errors
/// As [`programs`].
pub fn build() -> io::Result<PathBuf> {
    progress("building the functions");
    programs(tasks::NAMES)
}

/// Builds packages where and as cargo built the program that runs, and tells in which folder their programs are.
///
/// They are built beside this package, so that they share its features, and without what cargo tells a test of its package,
/// which the build script of `ring` would take for a change: then nothing of the AWS SDK, and no function, is compiled twice.
///
/// # Errors
/// When they do not build, with what the compiler says.
pub fn programs(packages: &[&str]) -> io::Result<PathBuf> {
    let folder = built();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--profile", profile, "--package", env!("CARGO_PKG_NAME")]);
    for name in packages {
        command.args(["--package", name]);
    }
    let of_a_package = |name: &OsString| {
        ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix))
    };
    env::vars_os().map(|(name, _)| name).filter(of_a_package).for_each(|name| {
        command.env_remove(name);
    });
    run(command.arg("--target-dir").arg(target()).current_dir(repository()))?;
    Ok(folder)
}
