//! `stopgap run`: backups by hand.

use std::cell::Cell;

use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use stopgap_core::error::{ErrorName, TaskError};
use stopgap_core::inventory::Location;
use stopgap_core::occurrence::Occurrence;
use stopgap_core::plan::{self, Due, NotDue};
use stopgap_core::policies;
use stopgap_core::policy::PolicyId;
use stopgap_core::ports::{Context, FaultKind, Settings, Started};
use stopgap_core::survey::{self, Survey};
use stopgap_core::tasks::{Document, RunPlan, StateInput, prepare_run, resolve_run};

use super::follow::{self, Followed, Watch};
use super::{Stopgap, Unread, unread, unread_section};
use crate::failure::{BadInput, Failure};
use crate::output::{self, Format, section};
use crate::plan::backups;

/// The alias by which the instance machine is started: after a release is rolled back, runs by hand follow it too.
const ALIAS: &str = "live";
/// How many executions are started at the same time. StartExecution is limited to some hundred a second.
const AT_ONCE: usize = 8;

/// Back up an instance, or all that a policy selects, now.
///
/// The occurrence is this second: asked for twice in one second, it is one backup. All that a policy selects is spread like
/// the fleet's runs, so that the request limits of EC2 last. A run goes on whatever becomes of this command.
#[derive(clap::Args, Debug, Default)]
#[command(group(clap::ArgGroup::new("which").args(["instance", "policy"]).required(true).multiple(true)))]
pub(crate) struct Args {
    /// The instance. Without it, --policy says which: all that it selects.
    pub(super) instance: Option<String>,
    /// By this policy, whether or not it selects the instance.
    #[arg(long, value_name = "ID")]
    pub(super) policy: Option<PolicyId>,
    /// Say what would be started, and what would keep it from being backed up; start nothing.
    #[arg(long, conflicts_with = "follow")]
    pub(super) dry_run: bool,
    /// Show how the runs go on until all have ended, with exit status 1 if any fails. Ctrl-C ends the following and not
    /// the runs, with exit status 1 too.
    #[arg(long)]
    pub(super) follow: bool,
}

/// Runs the command.
pub(crate) async fn run(stopgap: &Stopgap<'_>, args: &Args, format: Format) -> Result<(), Failure> {
    let asked = asked(stopgap, args).await?;
    if args.dry_run {
        match format {
            Format::Json => output::print_json(&asked)?,
            Format::Table => output::print(&dry_text(&asked)),
        }
        return Ok(());
    }
    let mut done = start(stopgap, asked).await;
    let mut watch = Watch::new();
    if format == Format::Table {
        output::print(&text(&done));
    }
    let mut interrupted = false;
    if args.follow {
        interrupted = follow::until_ended(stopgap, &mut done.started, &mut watch).await?;
    }
    if format == Format::Json {
        output::print_json(&done)?;
    }
    ended(&done, interrupted)
}

pub(super) async fn asked(stopgap: &Stopgap<'_>, args: &Args) -> Result<Asked, Failure> {
    match (&args.instance, &args.policy) {
        (Some(instance), policy) => one(stopgap, instance, policy.as_ref(), args.dry_run).await,
        (None, Some(policy)) => all_of(stopgap, policy).await,
        (None, None) => Err(BadInput::one("say which: an instance, or --policy").into()),
    }
}

/// What is asked for.
#[derive(Debug, Serialize)]
pub(super) struct Asked {
    /// The runs, by instance.
    pub(super) runs: Vec<Run>,
    /// The instances that would be refused, and are not begun.
    pub(super) refused: Vec<NotDue>,
    pub(super) unread: Vec<Unread>,
}

/// A run to start.
#[derive(Debug, Serialize)]
pub(super) struct Run {
    /// The name of its execution.
    pub(super) name: String,
    /// The execution's input.
    pub(super) input: resolve_run::Request,
    pub(super) occurrence: Occurrence,
    /// What is known of the backup beforehand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) backup: Option<Due>,
    /// What would be done, or keep it from being done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<String>,
}

/// A run of one instance: what the machine's first state would make of it is asked beforehand, so that a wrong instance
/// or policy is told here and not by an execution that fails.
async fn one(
    stopgap: &Stopgap<'_>,
    instance_id: &str,
    policy: Option<&PolicyId>,
    dry_run: bool,
) -> Result<Asked, Failure> {
    let now = stopgap.time.now();
    let settings = Settings::new(stopgap.home.clone());
    let remaining = || SignedDuration::MAX;
    let cx = Context { now, remaining: &remaining, settings: &settings };
    let request = resolve_run::Request {
        instance_id: instance_id.to_owned(),
        policy: policy.cloned(),
        ..Default::default()
    };
    let asked = resolve_run::Request { dry_run, ..request.clone() };
    let asked = serde_json::to_value(&asked)
        .map_err(|error| BadInput::one(format!("the request cannot be written: {error}")))?;
    let input = resolve_run::Input { request: asked, execution: String::new(), started: now };
    let resolved = match (resolve_run::run(stopgap.ports, cx, input).await, policy) {
        (Ok(resolved), _) => resolved,
        // The functions may get into accounts that a person may not: they look for it there.
        (Err(error), Some(policy)) if error.name == ErrorName::AccessDenied && !dry_run => {
            eprintln!("note: {}; the run itself looks for it", output::plain(&error.cause));
            let occurrence = Occurrence::new(policy.clone(), now);
            let input = resolve_run::Request { occurrence: Some(occurrence.clone()), ..request };
            return Ok(Asked::one(to_start(input, occurrence, None, Vec::new())));
        }
        (Err(error), _) => return Err(error.into()),
    };
    let notes = if dry_run { foreseen(stopgap, cx, resolved.clone()).await? } else { Vec::new() };
    let occurrence = resolved.occurrence.clone();
    let input = placed(instance_id, &resolved.location, &occurrence);
    Ok(Asked::one(to_start(input, occurrence, None, notes)))
}

impl Asked {
    fn one(run: Run) -> Self {
        Self { runs: vec![run], refused: Vec::new(), unread: Vec::new() }
    }
}

/// What the run would do, by the task that decides it.
async fn foreseen(stopgap: &Stopgap<'_>, cx: Context<'_>, run: RunPlan) -> Result<Vec<String>, Failure> {
    let restarts = run.policy.consistency;
    let input = StateInput { state: "PrepareRun".to_owned(), document: Document::new(run) };
    let prepared = prepare_run::run(stopgap.ports, cx, input).await?;
    let mut notes = prepared.reasons;
    if !prepared.volumes.is_empty() {
        let how = match (prepared.stop, restarts) {
            (true, _) => "stop it, snapshot",
            (false, stopgap_core::policy::Consistency::Crash) => "without stopping it, snapshot",
            (false, stopgap_core::policy::Consistency::Stop) => "it is stopped: snapshot",
        };
        let then = if prepared.restart_owed { ", start it" } else { "" };
        notes.push(format!("{how} {}{then}", prepared.volumes.join(" ")));
    }
    if let Some(shield) = prepared.shield {
        notes.push(format!("keep {} from replacing it meanwhile", shield.group()));
    }
    Ok(notes)
}

/// Runs of all that a policy selects.
async fn all_of(stopgap: &Stopgap<'_>, id: &PolicyId) -> Result<Asked, Failure> {
    let Some(policy) = policies::get(stopgap.ports.table, id).await? else {
        let all = policies::list(stopgap.ports.table).await?;
        return Err(super::policies::none(id, all.iter().map(|stored| stored.id.as_str())));
    };
    let places = survey::places([&policy], &stopgap.home);
    let Survey { inventory, unread: faults, .. } = survey::inventory(stopgap.ports.ec2, &places).await;
    let (due, refused) = plan::by_hand(&policy, &inventory, stopgap.time.now(), &stopgap.home);
    let runs = due.into_iter().map(|due| {
        let input = resolve_run::Request {
            start_at: Some(due.start_at),
            ..placed(&due.instance_id, &due.location, &due.occurrence)
        };
        let mut notes = Vec::new();
        if due.start_at >= due.start_by {
            notes.push(format!(
                "too many to begin within start_within: it would be missed at {}",
                due.start_by
            ));
        }
        to_start(input, due.occurrence.clone(), Some(due), notes)
    });
    Ok(Asked { runs: runs.collect(), refused, unread: unread(faults) })
}

fn placed(instance_id: &str, at: &Location, occurrence: &Occurrence) -> resolve_run::Request {
    resolve_run::Request {
        instance_id: instance_id.to_owned(),
        policy: Some(occurrence.policy.clone()),
        occurrence: Some(occurrence.clone()),
        account: Some(at.account.clone()),
        region: Some(at.region.clone()),
        ..Default::default()
    }
}

fn to_start(
    input: resolve_run::Request,
    occurrence: Occurrence,
    backup: Option<Due>,
    notes: Vec<String>,
) -> Run {
    Run { name: occurrence.execution_name(&input.instance_id, 0), input, occurrence, backup, notes }
}

/// What was started.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    pub(super) started: Vec<Followed>,
    /// What could not be started, with why.
    pub(super) failed: Vec<NotStarted>,
    pub(super) refused: Vec<NotDue>,
    pub(super) unread: Vec<Unread>,
}

/// A run that could not be started.
#[derive(Debug, Serialize)]
pub(super) struct NotStarted {
    pub(super) instance_id: String,
    pub(super) why: String,
}

/// Starts the executions.
pub(super) async fn start(stopgap: &Stopgap<'_>, asked: Asked) -> Done {
    let machine = Machine { arn: &stopgap.machine, without_alias: Cell::new(false) };
    let begun = stream::iter(&asked.runs).map(|run| machine.start(stopgap, run)).buffered(AT_ONCE);
    let begun: Vec<Result<Followed, NotStarted>> = begun.collect().await;
    let mut done =
        Done { started: Vec::new(), failed: Vec::new(), refused: asked.refused, unread: asked.unread };
    for outcome in begun {
        match outcome {
            Ok(started) => done.started.push(started),
            Err(failed) => done.failed.push(failed),
        }
    }
    done
}

/// The instance machine.
struct Machine<'a> {
    arn: &'a str,
    /// Whether it turned out to have no alias, as where it was not deployed by the CDK app.
    without_alias: Cell<bool>,
}

impl Machine<'_> {
    async fn start(&self, stopgap: &Stopgap<'_>, run: &Run) -> Result<Followed, NotStarted> {
        let failed = |why: String| NotStarted { instance_id: run.input.instance_id.clone(), why };
        let input = serde_json::to_value(&run.input).map_err(|error| failed(error.to_string()))?;
        let executions = stopgap.ports.executions;
        let alias = format!("{}:{ALIAS}", self.arn);
        let mut answer = Err(stopgap_core::ports::Fault::new("StartExecution", FaultKind::NotFound, ""));
        if !self.without_alias.get() {
            answer = executions.start(&alias, &run.name, &input).await;
        }
        if matches!(&answer, Err(fault) if fault.kind == FaultKind::NotFound) {
            self.without_alias.set(true);
            answer = executions.start(self.arn, &run.name, &input).await;
        }
        let (execution, existed) = match answer {
            Ok(Started::Running(execution)) => (execution, false),
            Ok(Started::NameTaken) => {
                let execution = self.arn.replacen(":stateMachine:", ":execution:", 1);
                (format!("{execution}:{}", run.name), true)
            }
            Err(fault) if fault.kind == FaultKind::NotFound => {
                let (arn, name) = (self.arn, &stopgap.name);
                return Err(failed(format!("there is no state machine {arn}: is `{name}` deployed whole?")));
            }
            Err(fault) => {
                let Failure::Failed(why) = Failure::from(TaskError::from(fault)) else {
                    return Err(failed(String::new()));
                };
                return Err(failed(why.join("; ")));
            }
        };
        Ok(Followed::new(&run.input, &run.occurrence, execution, existed))
    }
}

/// What went wrong, if anything did.
pub(super) fn ended(done: &Done, interrupted: bool) -> Result<(), Failure> {
    let mut failures: Vec<String> = Vec::new();
    failures.extend(
        done.failed.iter().map(|failed| format!("{}: not started: {}", failed.instance_id, failed.why)),
    );
    failures.extend(done.unread.iter().map(|unread| {
        format!("{} could not be read, so nothing was started there: {}", unread.location, unread.why)
    }));
    failures.extend(done.started.iter().filter_map(Followed::failure));
    if interrupted {
        let going = done.started.iter().filter(|run| !run.has_ended()).count();
        failures.push(format!("no longer following; {going} runs go on: `stopgap status` shows them"));
    }
    if failures.is_empty() { Ok(()) } else { Err(Failure::Failed(failures)) }
}

fn refused_section(refused: &[NotDue]) -> String {
    let rows = refused.iter().map(|refused| vec![refused.instance_id.clone(), refused.reasons.join("; ")]);
    section("Refused, not started", &["INSTANCE", "WHY"], rows.collect())
}

pub(super) fn dry_text(asked: &Asked) -> String {
    let runs = asked.runs.iter().map(|run| {
        let begins = run.input.start_at.map_or_else(|| "at once".to_owned(), |at| at.to_string());
        vec![run.input.instance_id.clone(), begins, run.name.clone(), run.notes.join("; ")]
    });
    [
        unread_section(&asked.unread),
        section("Would start", &["INSTANCE", "BEGINS", "EXECUTION", "NOTES"], runs.collect()),
        backups("Backups", asked.runs.iter().filter_map(|run| run.backup.as_ref())),
        refused_section(&asked.refused),
        format!("{} runs would be started, {} refused.\n", asked.runs.len(), asked.refused.len()),
    ]
    .concat()
}

fn text(done: &Done) -> String {
    let runs = done.started.iter().map(|run| {
        vec![
            run.instance_id.clone(),
            run.occurrence.to_string(),
            run.start_at.map_or_else(|| "at once".to_owned(), |at: Timestamp| at.to_string()),
            run.execution.clone(),
        ]
    });
    let title = "Started";
    [
        section(title, &["INSTANCE", "OCCURRENCE", "BEGINS", "EXECUTION"], runs.collect()),
        refused_section(&done.refused),
    ]
    .concat()
}
