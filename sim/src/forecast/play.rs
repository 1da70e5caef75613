//! A bundle of runs, played on the engine: the shipped instance machine and the real tasks, in a world that has just the
//! instances of the bundle.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};
use stopgap_core::error::ErrorName;
use stopgap_core::inventory::{Instance, Location};
use stopgap_core::policy::Policy;

use super::planning::Wanted;
use super::setting::Setting;
use super::usage::Usage;
use crate::aws::GroupSpec;
use crate::deployment::Deployment;
use crate::stepfunctions::{Execution, Keep, Status};

/// Where what little chance there is comes from: how long to wait before a busy slot is asked for again.
const SEED: u64 = 1;

/// What became of a bundle. Times are in milliseconds from the first run's `start_at`.
#[derive(Clone, Debug)]
pub(super) struct Played {
    /// Its runs, in their order.
    pub(super) runs: Vec<PlayedRun>,
    pub(super) usage: Usage,
}

/// What became of a run.
#[derive(Clone, Debug)]
pub(super) struct PlayedRun {
    pub(super) ended: Ended,
    /// From when until when the instance was down for it.
    pub(super) down: Option<(i64, i64)>,
    /// When the run was over.
    pub(super) over: i64,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Completed,
    /// It could not begin in time.
    Missed,
    /// Why there is no backup, in words.
    Failed(String),
}

/// A deployment in which nothing is left to chance but the jitter of retries, with these policies at home.
pub(super) fn deployment<'p>(
    at: Timestamp,
    home: Location,
    policies: impl Iterator<Item = &'p Policy>,
) -> Result<Deployment, String> {
    let stopgap = Deployment::new(at, SEED, home, Keep::Outline)?;
    stopgap.aws.change(|world| world.even = true);
    for policy in policies {
        stopgap.aws.add_policy(policy);
    }
    Ok(stopgap)
}

/// Plays `bundle` from `tick` on.
pub(super) fn play(setting: &Setting, tick: Timestamp, bundle: &[&Wanted]) -> Result<Played, String> {
    let numbers: BTreeSet<usize> = bundle.iter().map(|run| run.instance).collect();
    let instances: Vec<&Instance> = numbers.iter().filter_map(|n| setting.instance(*n)).collect();
    let home = instances.first().map(|instance| instance.location.clone()).ok_or("there is no instance")?;
    let used: BTreeSet<usize> = bundle.iter().map(|run| run.policy).collect();
    let policies: Vec<Policy> = used
        .iter()
        .filter_map(|n| setting.policies.get(*n))
        // Here, all is at home.
        .map(|policy| Policy { targets: Vec::new(), ..policy.clone() })
        .collect();
    let stopgap = deployment(tick, home.clone(), policies.iter())?;
    let volumes = setting.volumes();
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for instance in instances {
        stopgap.aws.add_described(instance, &volumes, setting.assumed.pace());
        if let Some(group) = instance.auto_scaling_group() {
            groups.entry(group).or_default().push(instance.id.clone());
        }
    }
    for (name, members) in groups {
        let drains_for = setting.assumed.drain;
        let (location, name) = (home.clone(), name.to_owned());
        stopgap.aws.add_group(GroupSpec { location, name, minimum: 0, members, drains_for });
    }
    let mut names = Vec::new();
    for run in bundle {
        let id = setting.instance(run.instance).map(|instance| instance.id.as_str()).unwrap_or_default();
        let name = run.occurrence.execution_name(id, run.attempt);
        // What the fleet's dispatch starts a run with.
        let input = json!({
            "instance_id": id,
            "policy": run.occurrence.policy,
            "occurrence": run.occurrence,
            "account": home.account,
            "region": home.region,
            "start_at": run.start_at,
            "attempt": run.attempt,
            "dry_run": false,
        });
        let started = stopgap.step_functions.start_execution(&stopgap.instance, Some(&name), input);
        started.map_err(|error| format!("{name}: {error}"))?;
        names.push((name, id.to_owned()));
    }
    stopgap.runtime.run();
    let zero = bundle.first().map_or(tick, |run| run.start_at);
    Ok(Played { runs: ended(&stopgap, &names, zero), usage: Usage::of(&stopgap) })
}

fn ended(stopgap: &Deployment, names: &[(String, String)], zero: Timestamp) -> Vec<PlayedRun> {
    let executions: BTreeMap<String, Execution> =
        stopgap.step_functions.executions().into_iter().map(|e| (e.name.clone(), e)).collect();
    let since = |time: Timestamp| i64::try_from(time.duration_since(zero).as_millis()).unwrap_or(i64::MAX);
    let over = |name: &String| executions.get(name).and_then(|e| e.stopped).unwrap_or(zero);
    let run = |(name, id): &(String, String)| {
        // Runs of one instance take turns: what it was down since the one before was over is this one's.
        let others = names.iter().filter(|(other, of)| of == id && other != name);
        let before = others.map(|(other, _)| over(other)).filter(|end| *end < over(name)).max();
        let down = stopgap.aws.look(|world| {
            let mut downs = world.machine(id).into_iter().flat_map(|machine| &machine.downs);
            let own = |down: &&crate::aws::Down| {
                before.is_none_or(|before| before < down.from) && down.from <= over(name)
            };
            downs.rfind(own).and_then(|down| Some((since(down.from), since(down.until?))))
        });
        let ended =
            executions.get(name).map_or_else(|| Ended::Failed("it was not started".to_owned()), outcome);
        PlayedRun { ended, down, over: since(over(name)) }
    };
    names.iter().map(run).collect()
}

fn outcome(execution: &Execution) -> Ended {
    let answer = |state: &str, field: &str| {
        execution.output.as_ref().map(|output| output[state]["Payload"][field].clone()).unwrap_or_default()
    };
    match execution.status {
        Status::Succeeded if answer("closed", "ok") == Value::Bool(true) => Ended::Completed,
        Status::Succeeded => {
            let reasons = answer("prepared", "reasons");
            let reasons: Vec<&str> =
                reasons.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            Ended::Failed(reasons.join("; "))
        }
        _ if execution.error.as_deref() == Some(ErrorName::StartWindowPassed.as_str()) => Ended::Missed,
        _ => Ended::Failed(execution.cause.clone().or_else(|| execution.error.clone()).unwrap_or_default()),
    }
}
