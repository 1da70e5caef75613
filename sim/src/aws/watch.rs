//! The watch over what functions ask of their ports: which call it is, and whether it is to go wrong.
//!
//! A call is named by where it is made from (a state, or a function that no state calls), its operation, and which such call
//! it is. Such a name stays the same when calls are added elsewhere, which a number among all calls would not.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use jiff::Timestamp;
use stopgap_core::inventory::Snapshot;
use stopgap_core::ports::FaultKind;

/// What the table is asked.
pub(crate) const TABLE: [&str; 3] = ["GetItem", "Query", "TransactWriteItems"];
/// What the topic is asked.
pub(crate) const TOPIC: [&str; 1] = ["Publish"];

/// One call among all that are made: `StopInstance/StopInstances#1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// Where it is made from: a state of the instance machine by its name, one of another machine with the machine before it
    /// (`rescue.TakeOver`), or a function that no state calls (`wake`).
    pub place: Rc<str>,
    /// The operation of AWS.
    pub operation: &'static str,
    /// Which of its kind it is, from 1.
    pub nth: u32,
}

impl Site {
    /// The `nth` call of `operation` from `place`.
    pub fn new(place: &str, operation: &'static str, nth: u32) -> Self {
        Self { place: place.into(), operation, nth }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.place, self.operation, self.nth)
    }
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// It is refused in this way, and has no effect.
    Refused(FaultKind),
    /// It is never carried out, and no answer comes.
    Lost,
    /// It has its effect, and no answer comes.
    Unanswered,
    /// It has its effect, and the answer cannot be read.
    Garbled,
    /// The function crashes before the call.
    CrashesBefore,
    /// The function crashes when the call has had its effect.
    CrashesAfter,
    /// The function hangs before the call until Lambda ends it, or the client of the table or the topic waits no longer.
    HangsBefore,
    /// The function hangs likewise after the call has had its effect.
    HangsAfter,
}

/// Which call goes wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    /// Which.
    pub at: Site,
    /// Whether all that follow go wrong alike, for as long as the execution is in that state: until its retries end.
    pub lasts: bool,
    /// How.
    pub wrong: Wrong,
}

/// Who makes a call.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// As in [`Site::place`].
    pub(super) place: Rc<str>,
    /// The execution whose state it is.
    pub(super) execution: Option<Rc<str>>,
}

impl Caller {
    /// A function that no state calls.
    pub(super) fn function(name: &str) -> Self {
        Self { place: name.into(), execution: None }
    }

    /// A state of an execution.
    pub(super) fn state(execution_arn: &str, state: &str) -> Self {
        let machine = execution_arn.split(':').nth(6).and_then(|rest| rest.split('/').next());
        Self { place: place_of(machine.unwrap_or_default(), state), execution: Some(execution_arn.into()) }
    }
}

/// How a machine's state is named as a place; `machine` may have the label of a Map Run behind it.
pub(crate) fn place_of(machine: &str, state: &str) -> Rc<str> {
    match machine.split('/').next() {
        Some("instance") | None => state.into(),
        Some(machine) => format!("{machine}.{state}").into(),
    }
}

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// Which.
    pub site: Site,
    /// When.
    pub at: Timestamp,
    /// Whether it went wrong on purpose.
    pub wrong: bool,
}

/// A snapshot that stopgap deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct Deleted {
    /// As it was.
    pub snapshot: Snapshot,
    /// The occurrences of the complete sets of its policy and instance that there were before, oldest first.
    pub complete: Vec<Timestamp>,
}

/// What is seen and done of calls. Nothing is seen unless [`Watch::on`].
#[derive(Default)]
pub struct Watch {
    /// Whether calls are counted and noted.
    pub on: bool,
    /// Whether what is counted is kept as [`Watch::calls`], too.
    pub noting: bool,
    /// The calls so far, in order.
    pub calls: Vec<Called>,
    /// What was deleted.
    pub deleted: Vec<Deleted>,
    /// Until when a service cannot be reached, by the operations' names.
    pub outages: BTreeMap<&'static str, Timestamp>,
    /// The events so far, by name and number.
    pub events: Vec<(&'static str, u32)>,
    /// The event that the next one overtakes.
    pub(super) held_back: Option<serde_json::Value>,
    armed: Vec<Armed>,
    counts: BTreeMap<(Rc<str>, &'static str), u32>,
}

struct Armed {
    injection: Injection,
    fired: bool,
    /// The execution it befell.
    execution: Option<Rc<str>>,
    over: bool,
}

impl Watch {
    /// Arms it: the call is to go wrong.
    pub fn arm(&mut self, injection: Injection) {
        self.on = true;
        self.armed.push(Armed { injection, fired: false, execution: None, over: false });
    }

    /// Nothing goes wrong any more.
    pub fn disarm(&mut self) {
        self.armed.clear();
        self.outages.clear();
    }

    /// Notes an event, and says which of its kind it is.
    pub(super) fn event(&mut self, name: &'static str) -> u32 {
        let nth = self.events.iter().filter(|(other, _)| *other == name).count() + 1;
        let nth = u32::try_from(nth).unwrap_or(u32::MAX);
        self.events.push((name, nth));
        nth
    }

    /// Notes a call, and says what goes wrong with it.
    pub(super) fn call(&mut self, caller: &Caller, operation: &'static str, now: Timestamp) -> Option<Wrong> {
        if !self.on {
            return None;
        }
        let nth = self.counts.entry((Rc::clone(&caller.place), operation)).or_default();
        *nth += 1;
        let site = Site { place: Rc::clone(&caller.place), operation, nth: *nth };
        let mut wrong = None;
        for armed in self.armed.iter_mut().filter(|armed| !armed.over) {
            let Injection { at, lasts, wrong: how } = &armed.injection;
            let same_run = armed.fired && armed.execution == caller.execution;
            // The state is left when its execution calls from another one.
            armed.over = armed.fired && (!lasts || same_run && at.place != caller.place);
            let again = same_run && at.place == caller.place && at.operation == operation;
            if !armed.over && (again || !armed.fired && *at == site) {
                if !armed.fired {
                    (armed.fired, armed.execution) = (true, caller.execution.clone());
                }
                wrong = wrong.or(Some(*how));
            }
        }
        if self.outages.get(operation).is_some_and(|until| now < *until) {
            wrong = wrong.or(Some(Wrong::Refused(FaultKind::Unavailable)));
        }
        if self.noting {
            self.calls.push(Called { site, at: now, wrong: wrong.is_some() });
        }
        wrong
    }
}
