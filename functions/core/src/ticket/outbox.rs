//! The outbox: the tickets whose newest message is recorded and not known to be out.
//!
//! Whoever opens or resolves a ticket tries for some minutes to publish it; where the topic is out of reach for longer,
//! nobody would come back to it. An entry is written together with the ticket and deleted together with the mark that it was
//! sent, so that what is left here is what the rescuer has to send.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Matter, desk};
use crate::error::TaskError;
use crate::ports::{Context, Expect, Key, Ports, Write};
use crate::records::{Record, Stored, put, read_all};

/// The time-out of the functions: of an entry this young the function may still be publishing that wrote it.
const GRACE: SignedDuration = SignedDuration::from_mins(1);

/// An entry. Its sort key is the ticket's dedup key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// When the message was recorded.
    since: Timestamp,
}

impl Record for Entry {}

const PARTITION: &str = "outbox";

fn key(dedup_key: String) -> Key {
    Key { partition: PARTITION.to_owned(), sort: dedup_key }
}

/// The write that enters a ticket. It goes with the ticket's own, whose condition is enough for both.
pub(super) fn enter(matter: &Matter, since: Timestamp) -> Result<Write, TaskError> {
    put(key(matter.dedup_key()), Expect::Any, &Entry { since })
}

/// The write that takes a ticket out, as above.
pub(super) fn leave(matter: &Matter) -> Write {
    Write::Delete { key: key(matter.dedup_key()), expect: Expect::Any }
}

/// Sends what is in the outbox, chat applications' share too, for as long as the invocation has time. What cannot be sent
/// stays there, and holds up nothing else.
///
/// Idempotent as tickets are: a message may come twice, under one number.
///
/// # Errors
/// Only where the outbox cannot be read.
pub async fn send_outbox(ports: Ports<'_>, cx: Context<'_>) -> Result<(), TaskError> {
    for (key, entry) in read_all::<Entry>(ports.table, PARTITION).await? {
        if cx.is_ending() {
            break;
        }
        if cx.now.duration_since(entry.record.since) > GRACE {
            // The next look tries again.
            let _ = send(ports, key, &entry).await;
        }
    }
    Ok(())
}

async fn send(ports: Ports<'_>, key: Key, entry: &Stored<Entry>) -> Result<(), TaskError> {
    if desk::send(ports, &key.sort).await? {
        return Ok(());
    }
    // A ticket that is forgotten, or out long since: the entry is all that is left. Refused means that it is a new one.
    let expect = Expect::Version(entry.version);
    ports.table.write(vec![Write::Delete { key, expect }]).await?;
    Ok(())
}
