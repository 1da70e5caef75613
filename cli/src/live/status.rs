//! `stopgap status`: newest backups, next runs, what is under way, and open tickets.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use stopgap_core::inventory::InstanceState;
use stopgap_core::policies;
use stopgap_core::policy::{PolicyId, Tool};
use stopgap_core::status::{self, Backup, Newest, Question, Status, Ticket};
use stopgap_core::survey::{self, Survey};

use super::{Stopgap, Unread, unread, unread_section};
use crate::failure::Failure;
use crate::output::{self, Format, section};

/// Say how things stand: newest backups, next runs, what is under way, open tickets.
///
/// Reads only. Exit status 0 whatever it finds.
#[derive(clap::Args, Debug, Default)]
pub(crate) struct Args {
    /// This policy alone.
    #[arg(long, value_name = "ID")]
    pub(super) policy: Option<PolicyId>,
    /// This instance alone.
    #[arg(long, value_name = "ID")]
    pub(super) instance: Option<String>,
}

/// How things stand, and when that was.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    pub(super) at: Timestamp,
    #[serde(flatten)]
    pub(super) status: Status,
    pub(super) unread: Vec<Unread>,
}

/// Runs the command.
pub(crate) async fn run(stopgap: &Stopgap<'_>, args: &Args, format: Format) -> Result<(), Failure> {
    let standing = standing(stopgap, args).await?;
    match format {
        Format::Json => output::print_json(&standing)?,
        Format::Table => output::print(&text(&standing)),
    }
    Ok(())
}

pub(super) async fn standing(stopgap: &Stopgap<'_>, args: &Args) -> Result<Standing, Failure> {
    let policies = policies::all(stopgap.ports.table).await?;
    if let Some(id) = args.policy.as_ref().filter(|id| policies.iter().all(|policy| policy.id != **id)) {
        return Err(super::policies::none(id, policies.iter().map(|policy| policy.id.as_str())));
    }
    let open = status::read(stopgap.ports).await?;
    // Those of disabled policies too: their backups stand as they are.
    let asked = policies.iter().filter(|policy| args.policy.as_ref().is_none_or(|only| *only == policy.id));
    let places = survey::places(asked, &stopgap.home);
    let Survey { mut inventory, unread: faults, .. } = survey::inventory(stopgap.ports.ec2, &places).await;
    if policies.iter().any(|policy| policy.adopt.contains(&Tool::EbsSnapper)) {
        // A place that cannot be read is among the faults already.
        inventory.snapshots.extend(survey::left_behind(stopgap.ports.ec2, &places).await);
    }
    let at = stopgap.time.now();
    let question = Question {
        policies: &policies,
        inventory: &inventory,
        open: &open,
        at,
        home: &stopgap.home,
        policy: args.policy.as_ref(),
        instance: args.instance.as_deref(),
    };
    Ok(Standing { at, status: status::status(&question), unread: unread(faults) })
}

/// When a backup was made, and by whom if it was not stopgap.
fn made(newest: &Newest) -> String {
    let by = newest.adopted.map(|tool| format!(" ({tool})")).unwrap_or_default();
    format!("{}{by}", newest.occurrence.at)
}

/// How things stand, for people.
pub(super) fn text(standing: &Standing) -> String {
    let Status { backups, other_tickets } = &standing.status;
    let rows = backups.iter().map(|backup| {
        let newest = backup.newest.as_ref();
        vec![
            backup.policy.to_string(),
            backup.instance_id.clone(),
            backup.name.clone().unwrap_or_default(),
            backup.instance_state.map_or("not found", |state| state.as_str()).to_owned(),
            newest.map_or_else(|| "none".to_owned(), made),
            newest.map(|newest| age(newest.age_seconds)).unwrap_or_default(),
            backup.next.map_or_else(|| "-".to_owned(), |next| next.to_string()),
            backup.tickets.len().to_string(),
            now(backup),
        ]
    });
    let columns =
        ["POLICY", "INSTANCE", "NAME", "STATE", "NEWEST BACKUP", "AGE", "NEXT RUN", "TICKETS", "NOW"];
    let mut tickets: Vec<&Ticket> =
        backups.iter().flat_map(|backup| &backup.tickets).chain(other_tickets).collect();
    tickets.sort();
    // One of an instance that several policies select stands with each of them.
    tickets.dedup();
    let count = tickets.len();
    let tickets = tickets.into_iter().map(|ticket| {
        vec![
            ticket.severity.as_str().to_owned(),
            ticket.dedup_key.trim_start_matches("stopgap/").to_owned(),
            ticket.opened_at.to_string(),
            ticket.cause.clone(),
        ]
    });
    [
        unread_section(&standing.unread),
        section("Backups", &columns, rows.collect()),
        section("Open tickets", &["SEVERITY", "MATTER", "SINCE", "WHY"], tickets.collect()),
        format!("At {}: {} backups, {count} open tickets.\n", standing.at, backups.len()),
    ]
    .concat()
}

/// What happens to the instance at this moment, in words.
fn now(backup: &Backup) -> String {
    let run = backup.run.as_ref().map(|run| match run.running {
        true => format!("run of {} under way", run.occurrence.at),
        false => format!("run of {} ended without closing", run.occurrence.at),
    });
    let runs = backup.instance_state == Some(InstanceState::Running);
    let owed = backup.restart_owed.as_ref().map(|owed| match owed.left {
        // Someone has started it: the debt is closed by the next run.
        true if runs => format!("restart owed since {}, and it runs", owed.since),
        true => format!("LEFT STOPPED since {}: start it, or run it again", owed.since),
        false => format!("being backed up since {}", owed.since),
    });
    [owed, run].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// An age in its two largest units: `1d 12h`, `3h 5m`, `40s`.
fn age(seconds: i64) -> String {
    let age = SignedDuration::from_secs(seconds.max(0));
    let (hours, minutes) = (age.as_hours(), age.as_mins());
    match hours {
        0 if minutes == 0 => format!("{}s", age.as_secs()),
        0 => format!("{minutes}m"),
        1..48 => format!("{hours}h {}m", minutes % 60),
        _ => format!("{}d {}h", hours / 24, hours % 24),
    }
}
