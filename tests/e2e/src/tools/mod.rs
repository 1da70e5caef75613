//! The tools that the platform stands on, installed under `target/` when they are first needed, in the versions that
//! `requirements.txt` and `cdk/package-lock.json` pin.

mod installed;
mod node;
mod python;
mod version;

pub(crate) use installed::installed;
pub use node::cdk;
pub use python::moto;

use std::io;
use std::path::Path;
use std::process::Command;

/// Runs a command to its end.
///
/// # Errors
/// When it cannot be run or fails, with what it printed.
pub(crate) fn run(command: &mut Command) -> io::Result<String> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|e| io::Error::other(format!("{shown}: {e}")))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !output.status.success() {
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        return Err(io::Error::other(format!("{shown}: {}\n{out}{err}", output.status)));
    }
    Ok(text(&output.stdout))
}

/// Says what is being done, to a person who waits.
pub(crate) fn progress(what: &str) {
    eprintln!("e2e: {what}");
}

pub(crate) fn read(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path).map_err(|e| io::Error::other(format!("{}: {e}", path.display())))
}
