//! Task tokens.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use super::TaskFailure;
use super::work::Work;

/// Why a token was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The task timed out or has had its answer, or its execution has ended.
    #[error("TaskTimedOut: the task has timed out or has been closed")]
    TaskTimedOut,
    /// A token of this service's form that it never gave out.
    #[error("TaskDoesNotExist: there is no task with this token")]
    TaskDoesNotExist,
    /// Text that is no token.
    #[error("InvalidToken: this is not a task token")]
    InvalidToken,
}

const PREFIX: &str = "stopgap-task-token/";

/// The tokens given out so far.
#[derive(Default)]
pub(super) struct Tokens {
    open: RefCell<BTreeMap<String, Weak<Work>>>,
}

impl Tokens {
    /// A token for `work`, which is over when `work` is dropped. `random` makes it hard to guess, as on AWS.
    pub(super) fn issue(&self, work: &Rc<Work>, random: u64) -> String {
        let mut open = self.open.borrow_mut();
        let token = STANDARD.encode(format!("{PREFIX}{}/{random:016x}", open.len()));
        open.insert(token.clone(), Rc::downgrade(work));
        token
    }

    fn find(&self, token: &str) -> Result<Rc<Work>, TokenError> {
        match self.open.borrow().get(token) {
            Some(work) => work.upgrade().filter(|work| work.is_open()).ok_or(TokenError::TaskTimedOut),
            None => {
                let is_ours = STANDARD.decode(token).is_ok_and(|bytes| bytes.starts_with(PREFIX.as_bytes()));
                Err(if is_ours { TokenError::TaskDoesNotExist } else { TokenError::InvalidToken })
            }
        }
    }

    pub(super) fn answer(&self, token: &str, answer: Result<Value, TaskFailure>) -> Result<(), TokenError> {
        self.find(token)?.call_back(answer);
        Ok(())
    }

    pub(super) fn heartbeat(&self, token: &str, now: Timestamp) -> Result<(), TokenError> {
        self.find(token)?.beat(now);
        Ok(())
    }
}
