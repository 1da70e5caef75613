//! The message of a ticket's transition: one JSON document for machines, one text for people.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Kind, Matter, Report, Severity, chat};
use crate::error::{ErrorName, TaskError};
use crate::ports::Notice;
use crate::text::on_one_line;

/// The version of the message format.
pub const VERSION: u8 = 1;

/// What happens to the ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is new.
    Open,
    /// It is open, and there is something new to say.
    Update,
    /// The matter is mended.
    Resolve,
}

impl Action {
    /// The action as text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Update => "update",
            Self::Resolve => "resolve",
        }
    }
}

/// A moment of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// When.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// What happened.
    pub what: String,
}

/// One transition of a ticket, as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "stopgap ticket")]
pub struct Message {
    /// The version of this format: 1.
    #[schemars(extend("const" = VERSION))]
    pub version: u8,
    /// The ticket: the same for every message of one matter.
    pub dedup_key: String,
    /// Rises with each message of the ticket; messages may arrive out of order or twice.
    pub sequence: u64,
    /// What happens to the ticket.
    pub action: Action,
    /// How urgent it is.
    pub severity: Severity,
    /// What kind of trouble it is about.
    pub kind: Kind,
    /// The instance's id.
    pub instance: Option<String>,
    /// The account's id.
    pub account: Option<String>,
    /// The Region's code.
    pub region: Option<String>,
    /// The policy's id.
    pub policy: Option<String>,
    /// The occurrences it concerns, oldest first.
    pub occurrences: Vec<String>,
    /// The state of the state machine that failed.
    pub failed_state: Option<String>,
    /// The error's name.
    pub error: String,
    /// Why, in plain words.
    pub cause: String,
    /// What stopgap did about it.
    pub done: String,
    /// What a person should do next.
    pub next_step: String,
    /// The execution in the console.
    pub console_url: Option<String>,
    /// The run so far, in UTC.
    pub timeline: Vec<Moment>,
}

impl Message {
    /// The message of a transition.
    pub fn new(matter: &Matter, sequence: u64, action: Action, report: &Report) -> Self {
        let next_step = match action {
            Action::Resolve => "Nothing: the matter is mended.",
            Action::Open | Action::Update => matter.kind.next_step(),
        };
        Self {
            version: VERSION,
            dedup_key: matter.dedup_key(),
            sequence,
            action,
            severity: matter.kind.severity(),
            kind: matter.kind,
            instance: matter.instance_id.clone(),
            account: matter.location.as_ref().map(|location| location.account.clone()),
            region: matter.location.as_ref().map(|location| location.region.clone()),
            policy: matter.policy.as_ref().map(ToString::to_string),
            occurrences: report.occurrences.iter().map(ToString::to_string).collect(),
            failed_state: report.failed_state.clone(),
            error: report.error.clone(),
            cause: report.cause.clone(),
            done: report.done.clone(),
            next_step: next_step.to_owned(),
            console_url: report.execution.as_deref().and_then(console_url),
            timeline: report.timeline.clone(),
        }
    }
}

/// The JSON Schema (2020-12) of a message, published as `functions/core/ticket.schema.json`.
pub fn schema() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Message>().to_value()
}

/// The console's page of an execution. The Region is the fourth part of its ARN.
fn console_url(execution: &str) -> Option<String> {
    let region = execution.split(':').nth(3).filter(|region| !region.is_empty())?;
    Some(format!(
        "https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{execution}"
    ))
}

/// What is published: subject, document, text, attributes, and the message for chat applications.
///
/// Names and causes may hold anything that a tag can; the document is written by a JSON library, the subject is cut to
/// what SNS takes, and the text has a blank for each character that could pass for another line, or deceive a reader.
///
/// # Errors
/// [`ErrorName::Defect`] if the message cannot be written, which its types rule out.
pub fn notice(message: &Message) -> Result<Notice, TaskError> {
    let document = serde_json::to_value(message)
        .map_err(|e| TaskError::new(ErrorName::Defect, format!("a ticket cannot be written: {e}")))?;
    let optional = [("account", &message.account), ("region", &message.region), ("policy", &message.policy)];
    let attributes = [
        ("severity", message.severity.as_str().to_owned()),
        ("kind", message.kind.to_string()),
        ("action", message.action.as_str().to_owned()),
    ];
    let present = optional.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
    Ok(Notice {
        subject: subject(message),
        document,
        text: text(message),
        chat: chat::of(message, &subject(message)),
        attributes: attributes.into_iter().chain(present).collect::<BTreeMap<_, _>>(),
    })
}

/// At most 100 printable ASCII characters, as SNS asks of a subject.
fn subject(message: &Message) -> String {
    let mark = match message.action {
        Action::Open | Action::Update => message.severity.as_str().to_uppercase(),
        Action::Resolve => "RESOLVED".to_owned(),
    };
    let what = message.instance.as_deref().or(message.region.as_deref()).unwrap_or("fleet");
    let subject = format!("[{mark}] {what}: {}", message.kind.title());
    subject.chars().filter(|c| c.is_ascii() && !c.is_ascii_control()).take(100).collect()
}

fn text(message: &Message) -> String {
    let mut lines = vec![format!("{} ({})", subject(message), message.dedup_key), String::new()];
    let mut field = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            lines.push(format!("{name:<13} {}", on_one_line(value)));
        }
    };
    field("Instance", message.instance.as_deref());
    field("Account", message.account.as_deref());
    field("Region", message.region.as_deref());
    field("Policy", message.policy.as_deref());
    field("Occurrences", Some(&message.occurrences.join(", ")));
    field("Failed state", message.failed_state.as_deref());
    field("Error", Some(&message.error));
    field("Cause", Some(&message.cause));
    field("stopgap", Some(&message.done));
    field("Next step", Some(&message.next_step));
    field("Execution", message.console_url.as_deref());
    for moment in &message.timeline {
        field(&moment.at.strftime("%F %T UTC").to_string(), Some(&moment.what));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schema_is_the_one_the_message_has() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ticket.schema.json");
        let schema = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        let published = std::fs::read_to_string(path).unwrap_or_default();
        assert!(published == schema, "run `UPDATE_SCHEMA=1 cargo test -p stopgap-core published_schema`");
    }
}
