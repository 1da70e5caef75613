//! moto, in a virtual environment.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::installed::installed;
use super::version::Tool;
use super::{progress, read, run};

const PYTHON: Tool =
    Tool { program: "python3", at_least: (3, 11), needed_by: "moto, which stands in for AWS," };

/// The Python of an environment with the packages of `tests/e2e/requirements.txt`, under `tools`.
///
/// # Errors
/// When there is no Python that can do it, or the packages cannot be had.
pub fn moto(tools: &Path) -> io::Result<PathBuf> {
    PYTHON.check()?;
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("requirements.txt");
    let folder = tools.join("moto");
    let python = folder.join("bin/python");
    installed(&folder, &read(&requirements)?, || {
        progress("installing moto (once; a minute or two)");
        run(Command::new(PYTHON.program).args(["-m", "venv"]).arg(&folder))?;
        let pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--requirement"];
        run(Command::new(&python).args(pip).arg(&requirements)).map(drop)
    })?;
    Ok(python)
}
