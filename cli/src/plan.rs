//! `stopgap plan`: what the fleet would do, offline, from what the AWS CLI saved, or live.

mod orphans;
mod preflight;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use stopgap_core::describe::catalogue::Catalogue;
use stopgap_core::describe::{self, DescribeError, Described};
use stopgap_core::inventory::{Instance, Inventory, Unknown, Volume};
use stopgap_core::occurrence::Occurrence;
use stopgap_core::plan::preflight::Subjects;
use stopgap_core::plan::{Action, Due, Plan, Question, occurrences_in_question, plan};

use crate::failure::BadInput;
use crate::output::{Format, plain, section};
#[cfg(feature = "aws")]
use crate::{aws::Options, failure::Failure, live};
use crate::{output, policy};

/// Say what is due, what is not and why, what matches nothing, and where policies overlap.
///
/// With --inventory it is offline: it knows no runs but those that the snapshots' tags tell of, and not where stopgap is
/// deployed: a policy without `targets` selects in every account and Region, and what a target leaves out is any.
#[cfg_attr(
    feature = "aws",
    doc = "Without, it asks AWS, needs no more than to read, and plans as the fleet does."
)]
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A folder with `instances.json`, `volumes.json` and `snapshots.json`: the output of
    /// `aws ec2 describe-instances`, `describe-volumes` and `describe-snapshots --owner-ids self`.
    #[arg(long, value_name = "DIR", requires_all = ["policies", "at"])]
    #[cfg_attr(not(feature = "aws"), arg(required = true))]
    inventory: Option<PathBuf>,
    /// The policies: one, an array, or `{"defaults": {...}, "policies": [...]}`. `-` reads stdin.
    #[cfg_attr(feature = "aws", doc = "Without --inventory, those that are stored if it is left out.")]
    #[arg(long, value_name = "FILE")]
    #[cfg_attr(not(feature = "aws"), arg(required = true))]
    policies: Option<String>,
    /// The time to plan for, such as 2026-11-21T02:00:00Z.
    #[cfg_attr(feature = "aws", doc = "Without --inventory, now if it is left out.")]
    #[arg(long, value_name = "RFC3339", value_parser = time)]
    #[cfg_attr(not(feature = "aws"), arg(required = true))]
    at: Option<Timestamp>,
}

/// Reads an RFC 3339 time, to the letter: jiff alone would take more, such as two zones that contradict each other.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    const RIGHT: &str = "write an RFC 3339 time with its offset, such as 2026-11-21T02:00:00Z";
    let shape = |text: &str, pattern: &str| {
        text.len() == pattern.len()
            && text.bytes().zip(pattern.bytes()).all(|(found, wanted)| match wanted {
                b'0' => found.is_ascii_digit(),
                b'T' => matches!(found, b'T' | b't' | b' '),
                b'+' => matches!(found, b'+' | b'-'),
                _ => found == wanted,
            })
    };
    let offset = text.rfind(['Z', 'z', '+', '-']).filter(|&at| at >= 19).ok_or(RIGHT)?;
    let (local, offset) = text.split_at_checked(offset).ok_or(RIGHT)?;
    let (seconds, fraction) = local.split_at_checked(19).ok_or(RIGHT)?;
    let fraction = fraction.is_empty()
        || fraction.strip_prefix('.').is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()));
    let offset =
        offset.eq_ignore_ascii_case("z") || (shape(offset, "+00:00") && offset.get(1..3) < Some("24"));
    if !(shape(seconds, "0000-00-00T00:00:00") && fraction && offset) {
        return Err(RIGHT.to_owned());
    }
    text.parse().map_err(|_| format!("there is no such time before 9999-12-30T22:00:00Z; {RIGHT}"))
}

#[cfg(feature = "aws")]
pub(crate) fn run(args: &Args, format: Format, options: &Options) -> Result<(), Failure> {
    if args.inventory.is_some() {
        return Ok(offline(args, format)?);
    }
    let policies = args.policies.as_deref().map(policy::load).transpose()?;
    options.connected(async |stopgap| live::plan::run(stopgap, policies, args.at, format).await)
}

#[cfg(not(feature = "aws"))]
pub(crate) fn run(args: &Args, format: Format) -> Result<(), BadInput> {
    offline(args, format)
}

fn offline(args: &Args, format: Format) -> Result<(), BadInput> {
    let (Some(folder), Some(file), Some(at)) = (&args.inventory, &args.policies, args.at) else {
        return Err(BadInput::one("offline, --inventory, --policies and --at are all needed"));
    };
    let ((mut inventory, catalogue), policies) = match (load(folder), policy::load(file)) {
        (Ok(inventory), Ok(policies)) => (inventory, policies),
        // The mistakes of both, so that one run tells them all.
        (inventory, policies) => {
            let of_inventory = inventory.err().map_or_else(Vec::new, |BadInput(messages)| messages);
            let of_policies = policies.err().map_or_else(Vec::new, |BadInput(messages)| messages);
            return Err(BadInput([of_inventory, of_policies].concat()));
        }
    };
    // Of a million snapshots only those of the occurrences that may be due.
    let occurrences: BTreeSet<Occurrence> =
        policies.iter().flat_map(|policy| occurrences_in_question(policy, at, None, None)).collect();
    inventory.snapshots = catalogue.snapshots(|policy, at| {
        occurrences.iter().any(|occurrence| occurrence.at == at && occurrence.policy.as_str() == policy)
    });
    let mut plan = plan(&Question {
        policies: &policies,
        inventory: &inventory,
        runs: &BTreeMap::new(),
        at,
        planned_until: None,
        home: None,
        only: None,
    });
    plan.orphans = orphans::of_recordings(&policies, &inventory, &catalogue, at);
    plan.preflight = Subjects::of(&plan, &policies, &inventory).look(&BTreeMap::new(), at);
    let printed = if format == Format::Json {
        output::print_json(&plan)
    } else {
        output::print(&report(&plan, at));
        Ok(())
    };
    // The program ends: to free millions of small pieces one by one would only take time.
    std::mem::forget((plan, inventory, catalogue));
    printed
}

/// What the folder describes, the snapshots apart.
fn load(folder: &Path) -> Result<(Inventory, Catalogue), BadInput> {
    let mut files = Files::of(folder);
    let (instances, volumes) = files.instances_and_volumes();
    let catalogue = files.snapshots();
    let unknown = files.end()?;
    Ok((Inventory { instances, volumes, snapshots: Vec::new(), unknown }, catalogue))
}

/// All that the folder describes, the snapshots whole and with their sizes.
pub(crate) fn load_whole(folder: &Path) -> Result<Inventory, BadInput> {
    let mut files = Files::of(folder);
    let (instances, volumes) = files.instances_and_volumes();
    let follows = "retention begins with nothing, and what has been backed up already is due again";
    let snapshots = files.read("snapshots", describe::snapshots, Some(follows));
    Ok(Inventory { instances, volumes, snapshots, unknown: files.end()? })
}

/// The files of a folder, and what is said of them while they are read.
struct Files<'a> {
    folder: &'a Path,
    unknown: Vec<Unknown>,
    notes: Vec<String>,
    errors: Vec<String>,
}

impl<'a> Files<'a> {
    fn of(folder: &'a Path) -> Self {
        Self { folder, unknown: Vec::new(), notes: Vec::new(), errors: Vec::new() }
    }

    fn instances_and_volumes(&mut self) -> (Vec<Instance>, Vec<Volume>) {
        let follows = "volumes are known only by the ids that instances name";
        let instances = self.read("instances", describe::instances, None);
        (instances, self.read("volumes", describe::volumes, Some(follows)))
    }

    /// Tells what is to be noted, and what could not be made sense of.
    fn end(self) -> Result<Vec<Unknown>, BadInput> {
        if !self.errors.is_empty() {
            return Err(BadInput(self.errors));
        }
        for note in self.notes {
            eprintln!("note: {}", plain(&note));
        }
        Ok(self.unknown)
    }

    /// What `what`.json describes. If it may be absent, what follows from that is noted.
    fn read<T>(
        &mut self,
        what: &str,
        parse: impl Fn(&str, &[u8]) -> Result<Described<T>, DescribeError>,
        if_absent: Option<&str>,
    ) -> Vec<T> {
        let path = self.folder.join(format!("{what}.json"));
        let name = path.display().to_string();
        let bytes = match (fs::read(&path), if_absent) {
            (Ok(bytes), _) => bytes,
            (Err(error), Some(follows)) if error.kind() == ErrorKind::NotFound => {
                self.notes.push(format!("there is no {name}: {follows}"));
                return Vec::new();
            }
            (Err(error), _) => {
                self.errors
                    .push(format!("{name}: {error}; save the output of `aws ec2 describe-{what}` there"));
                return Vec::new();
            }
        };
        match parse(&name, &bytes) {
            Ok(described) => {
                self.unknown.extend(described.unknown);
                described.items
            }
            Err(error) => {
                self.errors.push(error.to_string());
                Vec::new()
            }
        }
    }

    /// What snapshots.json describes; it may be absent.
    fn snapshots(&mut self) -> Catalogue {
        let path = self.folder.join("snapshots.json");
        let name = path.display().to_string();
        if matches!(fs::metadata(&path), Err(error) if error.kind() == ErrorKind::NotFound) {
            let follows = "no backup is known: what has been backed up already is due again";
            self.notes.push(format!("there is no {name}: {follows}"));
            return Catalogue::default();
        }
        match Catalogue::read(&name, || fs::File::open(&path), None) {
            Ok(mut catalogue) => {
                self.unknown.append(&mut catalogue.unknown);
                catalogue
            }
            Err(error) => {
                self.errors.push(error.to_string());
                Catalogue::default()
            }
        }
    }
}

/// A table of backups to make.
pub(crate) fn backups<'a>(title: &str, due: impl IntoIterator<Item = &'a Due>) -> String {
    let row = |due: &Due| {
        let action = match due.action {
            Action::StopSnapshotStart => "stop, snapshot, start",
            Action::Snapshot => "snapshot",
        };
        vec![
            due.instance_id.clone(),
            due.location.to_string(),
            due.occurrence.to_string(),
            action.to_owned(),
            due.start_at.to_string(),
            due.group.clone().unwrap_or_default(),
            due.reasons.join("; "),
            due.volumes.join(" "),
        ]
    };
    let columns =
        ["INSTANCE", "ACCOUNT/REGION", "OCCURRENCE", "ACTION", "START AT", "GROUP", "SELECTED BY", "VOLUMES"];
    section(title, &columns, due.into_iter().map(row).collect())
}

/// The plan for people.
pub(crate) fn report(plan: &Plan, at: Timestamp) -> String {
    let not_due = plan.not_due.iter().map(|not_due| {
        vec![not_due.instance_id.clone(), not_due.policy.to_string(), not_due.reasons.join("; ")]
    });
    let unmatched = plan.unmatched.iter().map(|policy| vec![policy.to_string()]);
    let overlaps = plan.overlaps.iter().map(|overlap| {
        let policies: Vec<String> = overlap.policies.iter().map(ToString::to_string).collect();
        vec![overlap.instance_id.clone(), policies.join(" ")]
    });
    let unknown = plan.unknown.iter().map(|unknown| {
        let instance = unknown.instance_id.clone().unwrap_or_default();
        vec![unknown.kind.clone(), unknown.id.clone(), instance, unknown.why.clone()]
    });
    let sections = [
        backups("Due", &plan.due),
        section("Not due", &["INSTANCE", "POLICY", "WHY"], not_due.collect()),
        section("Policies that match nothing", &["POLICY"], unmatched.collect()),
        section(
            "Selected by several policies (each keeps its own backups)",
            &["INSTANCE", "POLICIES"],
            overlaps.collect(),
        ),
        preflight::table(&plan.preflight),
        orphans::table(&plan.orphans),
        section("Unknown", &["KIND", "ID", "INSTANCE", "WHY"], unknown.collect()),
    ];
    let refused = plan.due.iter().filter(|due| plan.refuses(&due.instance_id, &due.policy)).count();
    let refused = if refused == 0 { String::new() } else { format!(" ({refused} of them would be refused)") };
    let summary = format!("At {at}: {} due{refused}, {} not due.\n", plan.due.len(), plan.not_due.len());
    sections.concat() + &summary
}
