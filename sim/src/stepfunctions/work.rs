//! A task under way: the call, the callback, and the heartbeat, as they come in.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

use jiff::Timestamp;
use serde_json::Value;

use super::TaskFailure;

type Answer = Result<Value, TaskFailure>;

/// What a Task state waits for.
pub(super) struct Work {
    /// The answer to the call itself.
    call: RefCell<Option<Answer>>,
    /// What came back with the token.
    callback: RefCell<Option<Answer>>,
    /// No callback is taken after the first.
    open: Cell<bool>,
    beat: Cell<Timestamp>,
    waker: RefCell<Option<Waker>>,
}

/// What happened first.
pub(super) enum Event {
    /// The call returned.
    Called(Answer),
    /// The token came back.
    CalledBack(Answer),
}

impl Work {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            call: RefCell::default(),
            callback: RefCell::default(),
            open: Cell::new(true),
            beat: Cell::new(now),
            waker: RefCell::default(),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.get()
    }

    pub(super) fn close(&self) {
        self.open.set(false);
    }

    pub(super) fn last_beat(&self) -> Timestamp {
        self.beat.get()
    }

    pub(super) fn returned(&self, answer: Answer) {
        *self.call.borrow_mut() = Some(answer);
        self.wake();
    }

    pub(super) fn call_back(&self, answer: Answer) {
        self.close();
        *self.callback.borrow_mut() = Some(answer);
        self.wake();
    }

    pub(super) fn beat(&self, now: Timestamp) {
        self.beat.set(now);
    }

    fn wake(&self) {
        let waker = self.waker.borrow_mut().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The next thing to happen. If the call has returned and the token is back, the call comes first.
    pub(super) async fn next(&self) -> Event {
        poll_fn(|context| {
            if let Some(answer) = self.call.borrow_mut().take() {
                return Poll::Ready(Event::Called(answer));
            }
            if let Some(answer) = self.callback.borrow_mut().take() {
                return Poll::Ready(Event::CalledBack(answer));
            }
            *self.waker.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}
