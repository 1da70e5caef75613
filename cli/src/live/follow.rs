//! Following runs: asking now and then how far they are, and telling what changes.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr};
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde::Serialize;
use stopgap_core::occurrence::Occurrence;
use stopgap_core::ports::{ExecutionStatus, Fault, FaultKind};
use stopgap_core::tasks::Failure as Ended;
use stopgap_core::tasks::resolve_run::Request;

use super::Stopgap;
use crate::failure::Failure;
use crate::output::plain;
use crate::progress;

/// Between two requests: DescribeExecution and GetExecutionHistory refill by 10 to 20 a second for the whole account, and
/// the machines themselves and others ask too.
const BETWEEN: Duration = Duration::from_millis(250);
/// Between two rounds.
const ROUND: Duration = Duration::from_secs(2);
/// How often in a row a request may fail before following ends.
const PATIENCE: u32 = 20;

/// A run that was started, and how far it is.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Followed {
    pub(super) instance_id: String,
    pub(super) occurrence: Occurrence,
    /// The execution, by its ARN.
    pub(super) execution: String,
    /// Whether there had been an execution of this name: then nothing was started anew.
    pub(super) existed: bool,
    /// When it begins; at once if absent.
    pub(super) start_at: Option<Timestamp>,
    /// How it stands, as far as it has been followed.
    pub(super) status: Option<ExecutionStatus>,
    /// The state that it entered last.
    pub(super) state: Option<String>,
    /// The error that it ended in.
    pub(super) error: Option<String>,
    /// The error's cause, in words.
    pub(super) cause: Option<String>,
}

impl Followed {
    pub(super) fn new(input: &Request, occurrence: &Occurrence, execution: String, existed: bool) -> Self {
        Self {
            instance_id: input.instance_id.clone(),
            occurrence: occurrence.clone(),
            execution,
            existed,
            start_at: input.start_at,
            status: None,
            state: None,
            error: None,
            cause: None,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.status.is_some_and(|status| status != ExecutionStatus::Running)
    }

    /// How it failed, if it did.
    pub(super) fn failure(&self) -> Option<String> {
        let how = match self.status? {
            ExecutionStatus::Running | ExecutionStatus::Succeeded => return None,
            ExecutionStatus::Failed => "failed",
            ExecutionStatus::TimedOut => "timed out",
            ExecutionStatus::Aborted => "was aborted",
        };
        let why = [&self.error, &self.cause].into_iter().flatten().filter(|part| !part.is_empty());
        let why = why.map(String::as_str).collect::<Vec<_>>().join(": ");
        let state = self.state.as_deref().unwrap_or("no state");
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        Some(format!("{} {how} in {state}{why}", self.instance_id))
    }

    fn line(&self) -> String {
        let state = self.state.as_deref().unwrap_or("waiting");
        match self.status {
            Some(ExecutionStatus::Succeeded) => format!("{} ended well in {state}", self.instance_id),
            _ => self.failure().unwrap_or_else(|| format!("{} {state}", self.instance_id)),
        }
    }
}

/// Follows the runs until all have ended, and answers whether the person gave up before.
///
/// # Errors
/// What keeps it from asking. The runs go on.
pub(super) async fn until_ended(
    stopgap: &Stopgap<'_>,
    runs: &mut [Followed],
    watch: &mut Watch,
) -> Result<bool, Failure> {
    let outcome = {
        let following = pin!(rounds(stopgap, runs, watch));
        let interrupted = pin!(stopgap.time.interrupted());
        match select(following, interrupted).await {
            Either::Left((outcome, _)) => outcome.map(|()| false),
            Either::Right(_) => Ok(true),
        }
    };
    watch.finish();
    outcome
}

async fn rounds(stopgap: &Stopgap<'_>, runs: &mut [Followed], watch: &mut Watch) -> Result<(), Failure> {
    let mut failed = 0;
    loop {
        for index in 0..runs.len() {
            let now = stopgap.time.now();
            let Some(run) = runs.get_mut(index) else { continue };
            // Nothing happens to a run before its time; a fleet of a thousand has some hundred under way.
            if run.has_ended() || (run.status.is_some() && run.start_at.is_some_and(|at| at > now)) {
                continue;
            }
            match ask(stopgap, run).await {
                Ok(true) => watch.tell(now, &run.line()),
                Ok(false) => {}
                Err(fault) if passes(fault.kind) && failed < PATIENCE => failed += 1,
                Err(fault) => {
                    return Err(match Failure::from(fault) {
                        Failure::Failed(why) => {
                            Failure::one(format!("no longer following, the runs go on: {}", why.join("; ")))
                        }
                        other => other,
                    });
                }
            }
            watch.show(runs);
            stopgap.time.sleep(BETWEEN).await;
        }
        if runs.iter().all(Followed::has_ended) {
            return Ok(());
        }
        stopgap.time.sleep(ROUND).await;
    }
}

fn passes(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::Throttled | FaultKind::Unavailable | FaultKind::Unanswered)
}

/// Asks how far a run is, and answers whether that is news.
async fn ask(stopgap: &Stopgap<'_>, run: &mut Followed) -> Result<bool, Fault> {
    let executions = stopgap.ports.executions;
    let Some(execution) = executions.execution(&run.execution).await? else {
        let message = format!("there is no execution {}", run.execution);
        return Err(Fault::new("DescribeExecution", FaultKind::NotFound, message));
    };
    let state = executions.newest_state(&run.execution).await?;
    // In the midst of many retries, the newest events may hold no state.
    let state = state.or_else(|| run.state.clone());
    let news = run.status != Some(execution.status) || run.state != state;
    run.status = Some(execution.status);
    run.state = state;
    if let Some(cause) = execution.cause {
        let ended = Ended { error: execution.error.clone().unwrap_or_default(), cause };
        run.cause = Some(ended.in_words());
    }
    run.error = execution.error;
    Ok(news)
}

/// Where it is told: a bar with what happens above it on a terminal, a line for each change elsewhere. On stderr, so that
/// stdout has the result alone.
pub(super) struct Watch {
    bar: Option<ProgressBar>,
    lines: Vec<String>,
}

impl Watch {
    pub(super) fn new() -> Self {
        let bar = stderr().is_terminal().then(|| progress::bar("{wide_msg}"));
        Self { bar, lines: Vec::new() }
    }

    fn tell(&mut self, at: Timestamp, what: &str) {
        let line = format!("{}  {}", at.strftime("%H:%M:%SZ"), plain(what));
        match &self.bar {
            Some(bar) => bar.println(&line),
            None => eprintln!("{line}"),
        }
        self.lines.push(line);
    }

    /// How many have ended, and in which states the others are.
    fn show(&self, runs: &[Followed]) {
        let Some(bar) = &self.bar else { return };
        let ended = runs.iter().filter(|run| run.has_ended()).count();
        let mut states: BTreeMap<&str, usize> = BTreeMap::new();
        for run in runs.iter().filter(|run| !run.has_ended()) {
            *states.entry(run.state.as_deref().unwrap_or("waiting")).or_default() += 1;
        }
        let states: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
        bar.set_length(runs.len() as u64);
        bar.set_position(ended as u64);
        bar.set_message(format!("{ended} of {} ended  {}", runs.len(), plain(&states.join(", "))));
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// What has been told.
    #[cfg(test)]
    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }
}
