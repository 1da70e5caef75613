//! The life of a ticket: recorded, then published, then marked as sent. At least once, under one dedup key.
//!
//! Chat applications are told after the ticket is out. That they cannot be told costs neither the ticket nor the run that
//! tells it: it is noted, and they are told later, with the message and the sequence that they missed or with newer ones.
//!
//! What could not be sent, or told, stays in the [outbox], from which the rescuer sends it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Action, Matter, Message, Report, notice, outbox};
use crate::error::TaskError;
use crate::ports::{Expect, Key, Ports, Written};
use crate::records::{self, Stored, put, read, unchanged};
use crate::slots;

/// How long a resolved ticket is remembered, so that its sequence goes on rising if the matter comes up again.
const RESOLVED_LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The number of a message that could not be recorded: nothing comes after it in any order, and nothing resolves it.
const UNRECORDED: u64 = 0;

/// Whether a ticket is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The matter stands.
    Open,
    /// It is mended.
    Resolved,
}

/// A ticket in the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What it is about.
    pub matter: Matter,
    /// Whether it is open.
    pub status: Status,
    /// The sequence number of the newest message.
    pub sequence: u64,
    /// What that message says.
    #[serde(default = "update")]
    pub action: Action,
    /// Whether that message was published.
    pub sent: bool,
    /// Whether it was published, and chat applications could not be told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untold: bool,
    /// When it was opened, the last time.
    pub opened_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// What was said last.
    pub report: Report,
}

/// What is taken for said where that is not recorded.
fn update() -> Action {
    Action::Update
}

impl records::Record for Record {
    fn expires_at(&self) -> Option<Timestamp> {
        match self.status {
            Status::Open => None,
            Status::Resolved => self.changed_at.checked_add(RESOLVED_LIFETIME).ok(),
        }
    }
}

impl Record {
    /// The partition of all tickets.
    pub const PARTITION: &'static str = "tickets";

    /// Where a matter's ticket stands.
    pub fn key(matter: &Matter) -> Key {
        Self::key_of(matter.dedup_key())
    }

    fn key_of(dedup_key: String) -> Key {
        Key { partition: Self::PARTITION.to_owned(), sort: dedup_key }
    }
}

/// Opens the matter's ticket, or updates it if it is open and the report says something new. Repeating the same report
/// publishes nothing, unless it was never sent: then it is the same message under the same number, since it may have arrived.
///
/// A ticket outweighs its record: if the table can neither be read nor written at a second try, the message is published all
/// the same. What is published without a record is never resolved, hence the second try.
pub async fn open(ports: Ports<'_>, now: Timestamp, matter: Matter, report: Report) -> Result<(), TaskError> {
    let key = Record::key(&matter);
    let mut stored = read::<Record>(ports.table, &key).await;
    if stored.is_err() {
        stored = read::<Record>(ports.table, &key).await;
    }
    let Ok(stored) = stored else {
        return publish(ports, &matter, UNRECORDED, Action::Open, &report).await.map(drop);
    };
    let old = stored.as_ref().map(|stored| &stored.record);
    let record = match old {
        Some(old) if old.status == Status::Open && old.sent && same(&old.report, &report) => {
            return tell_what_is_untold(ports, stored).await;
        }
        Some(old) if old.status == Status::Open => {
            // An open that was never sent is still an open.
            let first = !old.sent && old.action == Action::Open;
            let again = !old.sent && same(&old.report, &report);
            let (sequence, changed_at) =
                if again { (old.sequence, old.changed_at) } else { (old.sequence + 1, now) };
            let report = Report { occurrences: merged(&old.report, &report), ..report };
            let action = if first { Action::Open } else { Action::Update };
            Record { sequence, action, sent: false, changed_at, report, ..old.clone() }
        }
        old => {
            let sequence = old.map_or(1, |old| old.sequence + 1);
            // Who was never sent that it is resolved still has it open.
            let is_resolved = old.is_none_or(|old| old.sent);
            let action = if is_resolved { Action::Open } else { Action::Update };
            let status = Status::Open;
            let (sent, untold) = (false, false);
            Record { matter, status, sequence, action, sent, untold, opened_at: now, changed_at: now, report }
        }
    };
    record_and_publish(ports, unchanged(&stored), record).await
}

/// Resolves the matter's ticket, if it is open.
pub async fn resolve(
    ports: Ports<'_>,
    now: Timestamp,
    matter: &Matter,
    report: Report,
) -> Result<(), TaskError> {
    let stored = read::<Record>(ports.table, &Record::key(matter)).await?;
    let open = stored.as_ref().map(|stored| &stored.record);
    let Some(old) = open.filter(|old| old.status == Status::Open || !old.sent) else {
        return tell_what_is_untold(ports, stored).await;
    };
    let record = Record {
        status: Status::Resolved,
        action: Action::Resolve,
        sequence: old.sequence + 1,
        sent: false,
        changed_at: now,
        report,
        ..old.clone()
    };
    record_and_publish(ports, unchanged(&stored), record).await
}

async fn record_and_publish(ports: Ports<'_>, expect: Expect, record: Record) -> Result<(), TaskError> {
    let ticket = put(Record::key(&record.matter), expect, &record)?;
    let writes = vec![ticket, outbox::enter(&record.matter, record.changed_at)?];
    let mut write = ports.table.write(writes.clone()).await;
    if write.is_err() {
        write = ports.table.write(writes).await;
    }
    let recorded = match write {
        Ok(Written::Done) => true,
        Ok(Written::Refused) => return Err(slots::contended()),
        Err(_) => false,
    };
    if !recorded {
        return publish(ports, &record.matter, UNRECORDED, record.action, &record.report).await.map(drop);
    }
    let version = match expect {
        Expect::Version(version) => version + 1,
        Expect::Absent | Expect::Any => 1,
    };
    publish_and_mark(ports, Expect::Version(version), record).await
}

/// Publishes what is recorded under `version`, and records that.
async fn publish_and_mark(ports: Ports<'_>, version: Expect, mut record: Record) -> Result<(), TaskError> {
    let told = publish(ports, &record.matter, record.sequence, record.action, &record.report).await?;
    (record.sent, record.untold) = (true, !told);
    mark(ports, version, &record).await
}

/// Records what was sent. What chat applications were not told stays in the outbox.
async fn mark(ports: Ports<'_>, version: Expect, record: &Record) -> Result<(), TaskError> {
    let ticket = put(Record::key(&record.matter), version, record)?;
    let leave = (!record.untold).then(|| outbox::leave(&record.matter));
    // Refused means that someone has written the ticket since: theirs is newer.
    ports.table.write([ticket].into_iter().chain(leave).collect()).await?;
    Ok(())
}

/// Sends the newest message of a ticket, if it was never sent, or tells chat applications what they missed of it. Whether
/// there was any of that.
pub(super) async fn send(ports: Ports<'_>, dedup_key: &str) -> Result<bool, TaskError> {
    let stored = read::<Record>(ports.table, &Record::key_of(dedup_key.to_owned())).await?;
    match stored {
        Some(Stored { record, version }) if !record.sent => {
            publish_and_mark(ports, Expect::Version(version), record).await?;
        }
        Some(stored) if stored.record.untold => tell_what_is_untold(ports, Some(stored)).await?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Publishes, and answers whether chat applications were told, too.
async fn publish(
    ports: Ports<'_>,
    matter: &Matter,
    sequence: u64,
    action: Action,
    report: &Report,
) -> Result<bool, TaskError> {
    let notice = notice(&Message::new(matter, sequence, action, report))?;
    ports.topic.publish(&notice).await?;
    Ok(ports.topic.tell_chat(&notice).await.is_ok())
}

/// Tells chat applications the newest message, if they missed it. That they cannot be told now either is no failure.
async fn tell_what_is_untold(ports: Ports<'_>, stored: Option<Stored<Record>>) -> Result<(), TaskError> {
    let Some(Stored { record, version }) = stored.filter(|stored| stored.record.untold) else {
        return Ok(());
    };
    let message = Message::new(&record.matter, record.sequence, record.action, &record.report);
    if ports.topic.tell_chat(&notice(&message)?).await.is_ok() {
        mark(ports, Expect::Version(version), &Record { untold: false, ..record }).await?;
    }
    Ok(())
}

/// Whether two reports tell a person the same: the times of the run aside.
fn same(old: &Report, new: &Report) -> bool {
    let known = new.occurrences.iter().all(|occurrence| old.occurrences.contains(occurrence));
    known && (&old.error, &old.cause, &old.failed_state) == (&new.error, &new.cause, &new.failed_state)
}

fn merged(old: &Report, new: &Report) -> Vec<crate::occurrence::Occurrence> {
    let mut all: Vec<_> = old.occurrences.iter().chain(&new.occurrences).cloned().collect();
    all.sort_by(|a, b| (a.at, &a.policy).cmp(&(b.at, &b.policy)));
    all.dedup();
    all
}
