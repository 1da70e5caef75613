//! The Node modules of the CDK app.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::installed::installed;
use super::version::Tool;
use super::{progress, read, run};

const NODE: Tool = Tool { program: "node", at_least: (20, 11), needed_by: "the CDK app" };
const NPM: Tool = Tool { program: "npm", at_least: (10, 0), needed_by: "the CDK app" };

/// Gives the CDK app in `app` the modules that its lock file names, installed under `tools` and linked to `node_modules`.
/// A `node_modules` that is a folder already is somebody's own, and is left alone.
///
/// # Errors
/// When there is no Node that can do it, or the modules cannot be had.
pub fn cdk(app: &Path, tools: &Path) -> io::Result<()> {
    NODE.check()?;
    let modules = app.join("node_modules");
    if fs::symlink_metadata(&modules).is_ok_and(|found| found.is_dir()) {
        return Ok(());
    }
    NPM.check()?;
    let folder = tools.join("node");
    installed(&folder, &read(&app.join("package-lock.json"))?, || {
        progress("installing the CDK's modules (once; a minute or two)");
        for file in ["package.json", "package-lock.json"] {
            fs::copy(app.join(file), folder.join(file))?;
        }
        let arguments = ["ci", "--no-audit", "--no-fund", "--loglevel", "error"];
        run(Command::new(NPM.program).args(arguments).current_dir(&folder)).map(drop)
    })?;
    link(&folder.join("node_modules"), &modules)
}

/// Makes `link` lead to `to`, whatever it led to before. Another process may be doing the same.
fn link(to: &Path, link: &Path) -> io::Result<()> {
    if fs::read_link(link).is_ok_and(|leads_to| leads_to == to) {
        return Ok(());
    }
    let fresh = link.with_extension(std::process::id().to_string());
    symlink(to, &fresh)?;
    fs::rename(fresh, link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_replaced_and_a_right_one_is_left() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("node_modules");
        for to in ["a", "b", "b"] {
            link(&root.path().join(to), &path).unwrap();
            assert_eq!(fs::read_link(&path).unwrap(), root.path().join(to));
        }
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing is left lying about");
    }
}
