//! `stopgap policy list|get|put|delete`: the policies in the table.
//!
//! A stored policy has a *revision*, which rises with each change. Nothing is overwritten unseen: whoever changes a policy
//! says which revision was read, or `--force`; and a change in the very moment between is refused either way.

use clap::Subcommand;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stopgap_core::backup_set;
use stopgap_core::error::{ErrorName, TaskError};
use stopgap_core::policies::{self, SIZE_MAX, Stored};
use stopgap_core::policy::{Policy, PolicyId};
use stopgap_core::ports::Expect;
use stopgap_core::status;
use stopgap_core::survey::{self, Survey};

use super::{Stopgap, Unread, unread, unread_section};
use crate::failure::{BadInput, Failure};
use crate::output::{self, Format, plain, section};
use crate::policy as files;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List the policies that are stored.
    List,
    /// Print a stored policy as it was written.
    ///
    /// With --json: {"id", "revision", "document"}, which `put` takes back and refuses if the policy has changed since.
    Get {
        /// The policy.
        id: PolicyId,
    },
    /// Check policies and store them.
    ///
    /// A new policy is stored as it is. One that is there and differs is overwritten only if --if-revision names the
    /// revision that is stored, if the file is what `get --json` printed and nobody changed it since, or with --force.
    Put(Put),
    /// Delete a policy. Its snapshots stay, and are no longer pruned.
    Delete {
        /// The policy.
        id: PolicyId,
        /// Only if this revision is stored.
        #[arg(long, value_name = "NUMBER")]
        if_revision: Option<u64>,
        /// Say what remains, and delete nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// The arguments of `stopgap policy put`.
#[derive(clap::Args, Debug)]
pub(crate) struct Put {
    /// The file: one policy, an array, `{"defaults": {...}, "policies": [...]}`, or what `get --json` prints. `-` reads
    /// stdin.
    file: String,
    /// Only if this revision is stored; for a file with one policy.
    #[arg(long, value_name = "NUMBER")]
    if_revision: Option<u64>,
    /// Overwrite whatever revision is stored.
    #[arg(long, conflicts_with = "if_revision")]
    force: bool,
    /// Say what would change, and store nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
pub(crate) async fn run(stopgap: &Stopgap<'_>, command: &Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::List => show(&list(stopgap).await?, format, |all| listed(all)),
        Command::Get { id } => {
            let stored = get(stopgap, id).await?;
            match format {
                Format::Json => output::print_json(&stored)?,
                Format::Table => {
                    output::print_json(&stored.document)?;
                    let revision = stored.revision;
                    eprintln!("note: revision {revision}; to change it: put --if-revision {revision}");
                }
            }
            Ok(())
        }
        Command::Put(args) => {
            let text = files::text(&args.file)?;
            show(&put(stopgap, args, &text).await?, format, |all| put_text(all))
        }
        Command::Delete { id, if_revision, dry_run } => {
            show(&delete(stopgap, id, *if_revision, *dry_run).await?, format, deleted)
        }
    }
}

fn show<T: Serialize>(value: &T, format: Format, text: impl Fn(&T) -> String) -> Result<(), Failure> {
    match format {
        Format::Json => output::print_json(value)?,
        Format::Table => output::print(&text(value)),
    }
    Ok(())
}

/// A policy in the list.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Listed {
    id: String,
    revision: u64,
    enabled: Option<bool>,
    schedule: Option<String>,
    next: Option<Timestamp>,
    /// Why it cannot be read; then no backup of any policy is planned.
    error: Option<String>,
}

async fn list(stopgap: &Stopgap<'_>) -> Result<Vec<Listed>, Failure> {
    let now = stopgap.time.now();
    let listed = |stored: Stored| {
        let (policy, error) = match stored.policy() {
            Ok(policy) => (Some(policy), None),
            Err(error) => (None, Some(error.cause)),
        };
        let schedule = policy.as_ref().map(|policy| &policy.schedule);
        let schedule = schedule.map(|schedule| format!("{} {}", schedule.expression, schedule.timezone));
        let next = policy.as_ref().filter(|policy| policy.enabled);
        Listed {
            revision: stored.version,
            enabled: policy.as_ref().map(|policy| policy.enabled),
            schedule,
            next: next.and_then(|policy| policy.schedule.next(now)),
            error,
            id: stored.id,
        }
    };
    Ok(policies::list(stopgap.ports.table).await?.into_iter().map(listed).collect())
}

fn listed(listed: &[Listed]) -> String {
    if listed.is_empty() {
        return "There is no policy yet: store one with `stopgap policy put FILE`.\n".to_owned();
    }
    let rows = listed.iter().map(|policy| {
        let enabled = match policy.enabled {
            Some(true) => "yes",
            Some(false) => "no",
            None => "CANNOT BE READ",
        };
        vec![
            policy.id.clone(),
            policy.revision.to_string(),
            enabled.to_owned(),
            policy.next.map_or_else(|| "-".to_owned(), |next| next.to_string()),
            policy.error.clone().or_else(|| policy.schedule.clone()).unwrap_or_default(),
        ]
    });
    section("Policies", &["POLICY", "REVISION", "ENABLED", "NEXT RUN", "SCHEDULE"], rows.collect())
}

/// A policy's document, and which revision of it this is.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revision {
    id: String,
    revision: u64,
    document: Value,
}

async fn get(stopgap: &Stopgap<'_>, id: &PolicyId) -> Result<Revision, Failure> {
    let stored = stored(stopgap, id).await?;
    Ok(Revision { id: stored.id, revision: stored.version, document: stored.document })
}

async fn stored(stopgap: &Stopgap<'_>, id: &PolicyId) -> Result<Stored, Failure> {
    match policies::stored(stopgap.ports.table, id).await? {
        Some(stored) => Ok(stored),
        None => {
            let all = policies::list(stopgap.ports.table).await?;
            Err(none(id, all.iter().map(|stored| stored.id.as_str())))
        }
    }
}

/// There is no policy `id`, but others.
pub(super) fn none<'a>(id: &PolicyId, known: impl Iterator<Item = &'a str>) -> Failure {
    match known.collect::<Vec<_>>()[..] {
        [] => Failure::one(format!("there is no policy `{id}`, and no other")),
        ref known => Failure::one(format!("there is no policy `{id}`; there are {}", known.join(", "))),
    }
}

/// What became of a policy that was put.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Outcome {
    id: PolicyId,
    /// What happened, or with --dry-run would happen.
    outcome: Change,
    /// The fields that differ from what was stored.
    fields: Vec<String>,
    /// The revision that is stored then.
    revision: u64,
    dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Change {
    Created,
    Changed,
    Unchanged,
}

/// Stores what the file says, after all of it has been found sound. Policies that differ need to be asked for: see
/// [`Command::Put`].
async fn put(stopgap: &Stopgap<'_>, args: &Put, text: &str) -> Result<Vec<Outcome>, Failure> {
    let Read { policies, read_as } = read(&args.file, text)?;
    let if_revision = args.if_revision.or(read_as.filter(|_| !args.force));
    if if_revision.is_some() && policies.len() != 1 {
        let count = policies.len();
        return Err(
            BadInput::one(format!("--if-revision is for a file with one policy; there are {count}")).into()
        );
    }
    let mut changes = Vec::new();
    let mut unasked = Vec::new();
    for (policy, document) in policies {
        let stored = policies::stored(stopgap.ports.table, &policy.id).await?;
        let id = &policy.id;
        match (&stored, if_revision) {
            (Some(stored), Some(read)) if stored.version != read => unasked.push(format!(
                "the policy `{id}` has changed: revision {} is stored, and {read} was read; get it again",
                stored.version
            )),
            (None, Some(read)) => {
                unasked.push(format!("revision {read} of the policy `{id}` was read, and there is none now"));
            }
            (Some(stored), None)
                if !args.force && !args.dry_run && differing(stored, &policy) != Some(Vec::new()) =>
            {
                let revision = stored.version;
                unasked.push(format!(
                    "the policy `{id}` is stored and differs: see --dry-run, then --if-revision {revision} or --force"
                ));
            }
            _ => {}
        }
        changes.push((policy, document, stored));
    }
    if !unasked.is_empty() {
        return Err(Failure::Failed(unasked));
    }
    let mut outcomes = Vec::new();
    for (policy, document, stored) in changes {
        outcomes.push(put_one(stopgap, policy, &document, stored.as_ref(), args.dry_run).await?);
    }
    Ok(outcomes)
}

async fn put_one(
    stopgap: &Stopgap<'_>,
    policy: Policy,
    document: &Value,
    stored: Option<&Stored>,
    dry_run: bool,
) -> Result<Outcome, Failure> {
    let (outcome, expect, revision) = match stored {
        None => (Change::Created, Expect::Absent, 1),
        Some(stored) if stored.document == *document => (Change::Unchanged, Expect::Any, stored.version),
        // Whatever was said: between reading it and here, somebody else may have changed it.
        Some(stored) => (Change::Changed, Expect::Version(stored.version), stored.version + 1),
    };
    let fields = stored.and_then(|stored| differing(stored, &policy)).unwrap_or_default();
    if !dry_run && outcome != Change::Unchanged {
        policies::put(stopgap.ports.table, document, expect).await?;
    }
    Ok(Outcome { id: policy.id, outcome, fields, revision, dry_run })
}

/// The fields in which a policy differs from what is stored; `None` if what is stored cannot be read.
fn differing(stored: &Stored, policy: &Policy) -> Option<Vec<String>> {
    let (old, new) = (stored.policy().ok()?, policy);
    let (old, new) = (serde_json::to_value(old).ok()?, serde_json::to_value(new).ok()?);
    let fields = new.as_object()?.iter().filter(|(name, value)| old.get(name) != Some(value));
    let mut fields: Vec<String> = fields.map(|(name, _)| name.clone()).collect();
    fields.sort();
    Some(fields)
}

/// What a file says, and which revision it was read as, if it says that.
struct Read {
    policies: Vec<(Policy, Value)>,
    read_as: Option<u64>,
}

/// Reads a file to store: every mistake in it is told before anything is written.
fn read(file: &str, text: &str) -> Result<Read, BadInput> {
    if let Ok(Revision { revision, document, .. }) = serde_json::from_str::<Revision>(text) {
        let mut policies = files::parse(file, &document.to_string())?;
        let (Some(policy), true) = (policies.pop(), policies.is_empty()) else {
            return Err(BadInput::one(format!("{}: `document` must be one policy", files::name(file))));
        };
        return sized(file, vec![(policy, document)])
            .map(|policies| Read { policies, read_as: Some(revision) });
    }
    let policies = files::parse(file, text)?;
    let written: Value = serde_json::from_str(text)
        .map_err(|error| BadInput::one(format!("{}: is not valid JSON: {error}", files::name(file))))?;
    let documents = match written {
        Value::Array(documents) => documents,
        Value::Object(file) if file.contains_key("policies") => Vec::new(),
        document => vec![document],
    };
    let mut documents = documents.into_iter();
    let with_documents = policies.into_iter().map(|policy| {
        // As it was written, so that it reads back the same; where the file's defaults have a say, with them.
        let document = documents.next().map_or_else(|| serde_json::to_value(&policy), Ok);
        document.map(|document| (policy, document))
    });
    let policies = with_documents.collect::<Result<Vec<_>, _>>();
    let policies =
        policies.map_err(|error| BadInput::one(format!("the policy cannot be written: {error}")))?;
    sized(file, policies).map(|policies| Read { policies, read_as: None })
}

/// Those policies, if each is small enough to be stored.
fn sized(file: &str, policies: Vec<(Policy, Value)>) -> Result<Vec<(Policy, Value)>, BadInput> {
    let sizes = policies.iter().map(|(policy, document)| (&policy.id, document.to_string().len()));
    let large = sizes.filter(|(_, size)| *size > SIZE_MAX);
    let large: Vec<String> = large
        .map(|(id, size)| {
            format!("{}: the policy `{id}` has {size} bytes, and may have {SIZE_MAX}", files::name(file))
        })
        .collect();
    if large.is_empty() { Ok(policies) } else { Err(BadInput(large)) }
}

fn put_text(outcomes: &[Outcome]) -> String {
    let line = |outcome: &Outcome| {
        let Outcome { id, revision, dry_run, .. } = outcome;
        let would = if *dry_run { "would be " } else { "" };
        let what = match outcome.outcome {
            Change::Created => format!("{would}created"),
            Change::Changed if outcome.fields.is_empty() => format!("{would}written anew"),
            Change::Changed => format!("{would}changed in {}", outcome.fields.join(", ")),
            Change::Unchanged => "unchanged".to_owned(),
        };
        format!("{id}: {what} (revision {revision})\n")
    };
    outcomes.iter().map(line).collect()
}

/// What remains of a policy that is deleted.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Remains {
    id: PolicyId,
    /// Whether it is deleted.
    deleted: bool,
    /// The instances with a run of it under way, which goes on.
    running: Vec<String>,
    /// How many sets of snapshots it has made that are still there.
    sets: usize,
    /// How many snapshots are in them.
    snapshots: usize,
    /// The places that could not be looked into.
    unread: Vec<Unread>,
}

async fn delete(
    stopgap: &Stopgap<'_>,
    id: &PolicyId,
    if_revision: Option<u64>,
    dry_run: bool,
) -> Result<Remains, Failure> {
    let stored = stored(stopgap, id).await?;
    if let Some(read) = if_revision.filter(|read| *read != stored.version) {
        return Err(Failure::one(format!(
            "the policy `{id}` has changed: revision {} is stored, and {read} was read; nothing was deleted",
            stored.version
        )));
    }
    // One that cannot be read can still be deleted; where its snapshots are is not known then.
    let policy = stored.policy().ok();
    let open = status::read(stopgap.ports).await?;
    let places = survey::places(&policy, &stopgap.home);
    let Survey { inventory, unread: faults, .. } = survey::inventory(stopgap.ports.ec2, &places).await;
    let sets = backup_set::group(&inventory.snapshots).sets;
    let sets: Vec<_> = sets.into_iter().filter(|set| set.policy() == id).collect();
    let mine = open.leases.iter().filter(|(_, lease)| lease.occurrence.policy == *id);
    let running = mine.filter(|(_, lease)| open.running.contains(&lease.owner));
    if !dry_run {
        let expect = Expect::Version(stored.version);
        policies::delete(stopgap.ports.table, id, expect).await.map_err(|error| match error {
            TaskError { name: ErrorName::Conflict, cause } => {
                Failure::one(format!("{cause}; nothing was deleted"))
            }
            error => error.into(),
        })?;
    }
    Ok(Remains {
        id: id.clone(),
        deleted: !dry_run,
        running: running.map(|(key, _)| key.clone()).collect(),
        sets: sets.len(),
        snapshots: sets.iter().map(|set| set.snapshots.len()).sum(),
        unread: unread(faults),
    })
}

fn deleted(remains: &Remains) -> String {
    let Remains { id, sets, snapshots, running, .. } = remains;
    let mut text = unread_section(&remains.unread);
    text += &if remains.deleted { format!("{id}: deleted.\n") } else { format!("{id}: would be deleted.\n") };
    if *snapshots > 0 {
        text += &format!("{snapshots} snapshots in {sets} sets stay, and are no longer pruned.\n");
    }
    for instance in running {
        text += &format!("The run on {} goes on.\n", plain(instance));
    }
    text
}

#[cfg(test)]
mod tests;
