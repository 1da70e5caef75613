//! Whether a tool is there and new enough.

use std::io;
use std::process::Command;

/// A tool that must be on the machine.
pub(super) struct Tool {
    /// Its program: `node`.
    pub(super) program: &'static str,
    /// The oldest version that does, as major and minor.
    pub(super) at_least: (u32, u32),
    /// What needs it.
    pub(super) needed_by: &'static str,
}

impl Tool {
    /// Sees that the tool is there.
    ///
    /// # Errors
    /// When it is missing or too old, with what is missing and what needs it.
    pub(super) fn check(&self) -> io::Result<()> {
        let printed = Command::new(self.program).arg("--version").output();
        let printed = printed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        self.judge(printed.as_deref().ok()).map_err(io::Error::other)
    }

    /// Judges what `--version` printed, if the tool is there.
    fn judge(&self, printed: Option<&str>) -> Result<(), String> {
        let Self { program, at_least: (major, minor), needed_by } = self;
        let wanted = format!("{needed_by} needs `{program}` {major}.{minor} or newer");
        let Some(printed) = printed else {
            return Err(format!("{wanted}, and there is no `{program}` on the path"));
        };
        match version(printed) {
            Some(found) if found >= self.at_least => Ok(()),
            Some((found_major, found_minor)) => Err(format!("{wanted}; here is {found_major}.{found_minor}")),
            None => Err(format!("{wanted}; here is one that calls itself {printed:?}")),
        }
    }
}

/// Major and minor version in `Python 3.11.7`, `v20.20.2` or `11.19.1`.
fn version(printed: &str) -> Option<(u32, u32)> {
    let number = printed.split_whitespace().last()?.trim_start_matches('v');
    let mut parts = number.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Tool = Tool { program: "node", at_least: (20, 12), needed_by: "the CDK app" };

    #[test]
    fn reads_the_version_that_each_tool_prints() {
        for (printed, found) in
            [("Python 3.11.7\n", (3, 11)), ("v20.20.2\n", (20, 20)), ("11.19.1\n", (11, 19))]
        {
            assert_eq!(version(printed), Some(found));
        }
    }

    #[test]
    fn a_tool_that_is_missing_or_too_old_is_named_with_what_needs_it() {
        assert_eq!(NODE.judge(Some("v20.12.0\n")), Ok(()));
        let old = "the CDK app needs `node` 20.12 or newer; here is 18.19";
        assert_eq!(NODE.judge(Some("v18.19.0\n")), Err(old.to_owned()));
        let missing = "the CDK app needs `node` 20.12 or newer, and there is no `node` on the path";
        assert_eq!(NODE.judge(None), Err(missing.to_owned()));
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let tool = Tool { program: "no-such-program-of-stopgap", ..NODE };
        assert!(tool.check().unwrap_err().to_string().contains("there is no `no-such-program-of-stopgap`"));
    }
}
