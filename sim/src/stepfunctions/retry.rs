//! `Retry` and `Catch`.

use std::rc::Rc;
use std::time::Duration;

use rand::RngExt;
use serde_json::Value;

use super::context::Entered;
use super::failure::Failure;
use crate::asl::model::{Catcher, Handlers, Retrier};

/// How often each retrier of a state has been used.
pub(super) struct Attempts<'a> {
    retriers: &'a [Retrier],
    used: Vec<u64>,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(handlers: &'a Handlers) -> Self {
        Self { retriers: &handlers.retry, used: vec![0; handlers.retry.len()] }
    }

    /// How long to wait before trying again; `None` if that is not to be.
    ///
    /// The first retrier that matches decides. When it is used up, no later one is asked.
    pub(super) fn delay(&mut self, failure: &Failure, entered: &Entered<'_>) -> Option<Duration> {
        let (retrier, used) = self
            .retriers
            .iter()
            .zip(self.used.iter_mut())
            .find(|(retrier, _)| failure.matches(&retrier.errors))?;
        if *used >= retrier.max_attempts {
            return None;
        }
        let exponent = i32::try_from(*used).unwrap_or(i32::MAX);
        *used += 1;
        #[allow(clippy::cast_precision_loss, reason = "intervals are far below 2^52 seconds")]
        let limit = retrier.max_delay_seconds.map_or(f64::INFINITY, |max| max as f64);
        #[allow(clippy::cast_precision_loss, reason = "as above")]
        let mut seconds = (retrier.interval_seconds as f64 * retrier.backoff_rate.powi(exponent)).min(limit);
        if retrier.full_jitter {
            seconds *= entered.thread.service.random.borrow_mut().random::<f64>();
        }
        // Microseconds are finer than anything AWS waits, and keep timestamps readable.
        Some(Duration::try_from_secs_f64((seconds * 1e6).round() / 1e6).unwrap_or(Duration::MAX))
    }
}

/// The catcher for a failure, and the output it hands on.
pub(super) fn catch<'a>(
    handlers: &'a Handlers,
    failure: &Failure,
    entered: &Entered<'_>,
    input: &Rc<Value>,
) -> Option<Result<(&'a Catcher, Rc<Value>), Failure>> {
    let catcher = handlers.catch.iter().find(|catcher| failure.matches(&catcher.errors))?;
    Some(entered.place(&catcher.result_path, input, failure.output()).map(|output| (catcher, output)))
}
