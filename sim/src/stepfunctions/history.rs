//! The history of an execution.

use std::cell::RefCell;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::iso;

/// AWS: an execution that reaches this many events fails.
const MAX_EVENTS: usize = 25_000;

/// One event, as in `GetExecutionHistory`.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEvent {
    /// 1 for the first event.
    pub id: u64,
    /// The event before it in its branch; 0 if it is the first.
    pub previous_event_id: u64,
    /// When.
    pub timestamp: Timestamp,
    /// `TaskStateEntered` and so on.
    pub event_type: String,
    /// The name of the field that holds the details, such as `stateEnteredEventDetails`, and what is in it. Inputs and
    /// outputs are JSON as text, as AWS has them.
    pub details: Option<(&'static str, Value)>,
}

impl HistoryEvent {
    /// The event as the API has it, its timestamp in RFC 3339.
    pub fn to_json(&self) -> Value {
        let mut event = json!({
            "timestamp": iso(self.timestamp),
            "type": self.event_type,
            "id": self.id,
            "previousEventId": self.previous_event_id,
        });
        if let (Some((key, details)), Value::Object(event)) = (&self.details, &mut event) {
            event.insert((*key).to_owned(), details.clone());
        }
        event
    }

    /// A field of the details.
    pub fn detail(&self, field: &str) -> Option<&Value> {
        self.details.as_ref()?.1.get(field)
    }
}

/// The details of an event: the name of their field, and the fields in it.
pub(super) type Details = Option<(&'static str, Vec<(&'static str, Value)>)>;

/// How much of an execution's history is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// All that `GetExecutionHistory` tells.
    #[default]
    Everything,
    /// What happened and when, without details. Details hold each state's input and output as text, which for thousands
    /// of executions is most of the memory.
    Outline,
}

#[derive(Debug)]
pub(super) struct History {
    keep: Keep,
    events: RefCell<Vec<HistoryEvent>>,
}

impl History {
    pub(super) fn new(keep: Keep) -> Self {
        Self { keep, events: RefCell::default() }
    }

    /// `value` as text if it is going to be kept, else nothing: to write it down takes longer than all the rest of an event.
    pub(super) fn text(&self, value: &Value) -> String {
        if self.keep == Keep::Everything { value.to_string() } else { String::new() }
    }

    pub(super) fn events(&self) -> Vec<HistoryEvent> {
        self.events.borrow().clone()
    }

    pub(super) fn last_id(&self) -> u64 {
        self.events.borrow().len() as u64
    }

    /// Adds an event and returns its id.
    ///
    /// # Errors
    /// The history is full: the last place is for the event that ends the execution.
    pub(super) fn add(
        &self,
        now: Timestamp,
        previous: u64,
        event_type: String,
        details: Details,
    ) -> Result<u64, Failure> {
        if self.events.borrow().len() + 1 >= MAX_EVENTS {
            return Err(Failure::new(
                "States.Runtime",
                format!("The execution reached the maximum number of history events ({MAX_EVENTS})."),
            ));
        }
        Ok(self.add_last(now, previous, event_type, details))
    }

    /// Adds an event even if it is one too many.
    pub(super) fn add_last(
        &self,
        now: Timestamp,
        previous: u64,
        event_type: String,
        details: Details,
    ) -> u64 {
        let mut events = self.events.borrow_mut();
        let id = events.len() as u64 + 1;
        events.push(HistoryEvent {
            id,
            previous_event_id: previous,
            timestamp: now,
            event_type,
            details: details.filter(|_| self.keep == Keep::Everything).map(|(key, fields)| {
                let fields: Map<String, Value> =
                    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                (key, Value::Object(fields))
            }),
        });
        id
    }
}

/// `input` and `inputDetails`.
pub(super) fn input(text: String) -> [(&'static str, Value); 2] {
    [("input", Value::String(text)), ("inputDetails", json!({"truncated": false}))]
}

/// `output` and `outputDetails`.
pub(super) fn output(text: String) -> [(&'static str, Value); 2] {
    [("output", Value::String(text)), ("outputDetails", json!({"truncated": false}))]
}
