//! What is wrong with a definition, and where.

use std::cell::RefCell;
use std::fmt;

/// One fault in a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionError {
    /// Where: `StartAt`, `States.Work.Retry[0].IntervalSeconds`. Empty for the definition as a whole.
    pub path: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "the definition {}", self.message),
            path => write!(f, "{path}: {}", self.message),
        }
    }
}

impl std::error::Error for DefinitionError {}

/// Collects faults, so that one reading reports them all.
#[derive(Debug, Default)]
pub(super) struct Report {
    errors: RefCell<Vec<DefinitionError>>,
    warnings: RefCell<Vec<DefinitionError>>,
}

impl Report {
    pub(super) fn error(&self, path: impl Into<String>, message: impl Into<String>) {
        self.errors.borrow_mut().push(DefinitionError { path: path.into(), message: message.into() });
    }

    /// Something AWS accepts, but which is hardly meant.
    pub(super) fn warn(&self, path: impl Into<String>, message: impl Into<String>) {
        self.warnings.borrow_mut().push(DefinitionError { path: path.into(), message: message.into() });
    }

    pub(super) fn into_parts(self) -> (Vec<DefinitionError>, Vec<DefinitionError>) {
        (self.errors.into_inner(), self.warnings.into_inner())
    }
}

/// `base.name`, or `name` at the top.
pub(super) fn join(base: &str, name: &str) -> String {
    if base.is_empty() { name.to_owned() } else { format!("{base}.{name}") }
}
