//! The programs of the functions, built for this machine.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use stopgap_core::tasks;

use crate::paths::{built, repository};
use crate::tools::{progress, run};

/// Builds all functions as cargo builds everything else here, and tells in which folder they are.
///
/// They are built beside this package, so that they share its features: then nothing of the AWS SDK is compiled twice.
///
/// # Errors
/// When they do not build, with what the compiler says.
pub fn build() -> io::Result<PathBuf> {
    progress("building the functions");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", env!("CARGO_PKG_NAME")]).current_dir(repository());
    for name in tasks::NAMES {
        command.args(["--package", name]);
    }
    run(&mut command)?;
    Ok(built())
}
