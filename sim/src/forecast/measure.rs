//! What the fleet's ticks and single deletions take, measured on the engine as the difference between two worlds.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use stopgap_core::inventory::{Location, Tags};
use stopgap_core::occurrence::Occurrence;
use stopgap_core::policy::{self, Policy, ROLE_PREFIX, Target};
use stopgap_core::set_tags;

use super::calendar::TICK;
use super::play::deployment;
use super::setting::Setting;
use super::usage::Usage;
use crate::aws::InstanceSpec;
use crate::deployment::Deployment;

/// What the fleet machine takes.
pub(super) struct Fleet {
    /// A tick at which nothing is due.
    pub(super) idle: Usage,
    /// What a tick with work takes beyond that.
    pub(super) busy: Usage,
    /// What each item of its plan takes: a run that is dispatched.
    pub(super) item: Usage,
    /// A look of the rescuer that finds nothing.
    pub(super) rescue: Usage,
}

/// Measures the fleet's ticks: those without work with these policies and places, what work adds on an example.
/// What a plan has to ask about depends on the occurrences before it: the idle tick is one after `first`.
pub(super) fn fleet(setting: &Setting, first: Timestamp) -> Result<Fleet, String> {
    let at = Timestamp::UNIX_EPOCH;
    let example = example()?;
    let idle_example = idle_tick(&deployment(at, home(), std::iter::once(&example))?, at)?;
    let (one, two) = (dispatched(&example, 1)?, dispatched(&example, 2)?);
    let item = two.without(&one);
    let busy = one.without(&item).without(&idle_example);
    Ok(Fleet { idle: idle(setting, first)?, busy, item, rescue: rescue(at)? })
}

/// What deleting a set of so many volumes takes.
pub(super) fn deletion(volumes: usize) -> Result<Usage, String> {
    let example = example()?;
    Ok(by_hand(&example, 1, volumes, true)?.without(&by_hand(&example, 1, volumes, false)?))
}

fn home() -> Location {
    Location::new("123456789012", "us-east-1")
}

/// A policy of which each run deletes what the one before has made.
fn example() -> Result<Policy, String> {
    let document = json!({
        "id": "example",
        "select": { "any": [{ "tag": { "Example": ["*"] } }] },
        "schedule": { "expression": "rate(12 hours)" },
        "retention": { "keep_last": 1 },
    });
    policy::parse_value(&document).map_err(|errors| errors.to_string())
}

/// A tick at which nothing is due, in all places that are forecast.
fn idle(setting: &Setting, at: Timestamp) -> Result<Usage, String> {
    let home = setting.locations.first().cloned().unwrap_or_else(home);
    let mut regions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for place in &setting.locations {
        regions.entry(&place.account).or_default().push(place.region.clone());
    }
    let target = |(account, regions): (&&str, &Vec<String>)| Target {
        account: Some((*account).to_owned()),
        regions: Some(regions.clone()),
        role: None,
    };
    let targets: Vec<Target> = regions.iter().map(target).collect();
    let policies: Vec<Policy> =
        setting.policies.iter().map(|policy| Policy { targets: targets.clone(), ..policy.clone() }).collect();
    let stopgap = deployment(at, home, policies.iter())?;
    for account in regions.keys() {
        stopgap.aws.add_role(account, ROLE_PREFIX);
    }
    idle_tick(&stopgap, at)
}

/// The second of two ticks: the first finds no watermark.
fn idle_tick(stopgap: &Deployment, at: Timestamp) -> Result<Usage, String> {
    tick(stopgap, at)?;
    let before = Usage::of(stopgap);
    tick(stopgap, at.saturating_add(TICK).unwrap_or(at))?;
    Ok(Usage::of(stopgap).without(&before))
}

fn tick(stopgap: &Deployment, at: Timestamp) -> Result<(), String> {
    let started = stopgap.step_functions.start_execution(&stopgap.fleet, None, json!({ "at": at }));
    started.map_err(|error| error.to_string())?;
    stopgap.runtime.run();
    Ok(())
}

fn rescue(at: Timestamp) -> Result<Usage, String> {
    let stopgap = deployment(at, home(), std::iter::empty())?;
    let started = stopgap.step_functions.start_execution(&stopgap.rescue, None, json!({}));
    started.map_err(|error| error.to_string())?;
    stopgap.runtime.run();
    Ok(Usage::of(&stopgap))
}

/// What a tick takes at which so many runs are due, without what the runs take.
fn dispatched(example: &Policy, runs: usize) -> Result<Usage, String> {
    let due = Timestamp::UNIX_EPOCH;
    let before = due.checked_sub(TICK).unwrap_or(due);
    let stopgap = deployment(before, home(), std::iter::once(example))?;
    // The watermark, before there is anything to plan for.
    tick(&stopgap, before)?;
    let watermark = Usage::of(&stopgap);
    add(&stopgap, runs, 1);
    stopgap.runtime.run_until(due);
    tick(&stopgap, due)?;
    Ok(Usage::of(&stopgap).without(&watermark).without(&by_hand(example, runs, 1, false)?))
}

/// What runs take that are started as the fleet starts them, but not by it.
fn by_hand(example: &Policy, runs: usize, volumes: usize, with_earlier: bool) -> Result<Usage, String> {
    let due = Timestamp::UNIX_EPOCH;
    let stopgap = deployment(due, home(), std::iter::once(example))?;
    let occurrence = Occurrence::new(example.id.clone(), due);
    for id in add(&stopgap, runs, volumes) {
        if with_earlier {
            let earlier = due.checked_sub(SignedDuration::from_hours(12)).unwrap_or(due);
            let tags = Tags::from([
                (set_tags::POLICY.to_owned(), example.id.to_string()),
                (set_tags::INSTANCE.to_owned(), id.clone()),
                (set_tags::OCCURRENCE.to_owned(), Occurrence::new(example.id.clone(), earlier).to_string()),
                (set_tags::VOLUMES.to_owned(), volumes.to_string()),
            ]);
            stopgap.aws.add_backup(&id, earlier, &tags);
        }
        let name = occurrence.execution_name(&id, 0);
        let input = json!({
            "instance_id": id, "policy": example.id, "occurrence": occurrence, "account": home().account,
            "region": home().region, "start_at": due, "attempt": 0, "dry_run": false,
        });
        let started = stopgap.step_functions.start_execution(&stopgap.instance, Some(&name), input);
        started.map_err(|error| error.to_string())?;
    }
    stopgap.runtime.run();
    Ok(Usage::of(&stopgap))
}

fn add(stopgap: &Deployment, instances: usize, volumes: usize) -> Vec<String> {
    let spec = || {
        let spec = InstanceSpec::new(&home()).tag("Example", "yes");
        (1..volumes).fold(spec, |spec, _| spec.volume(8, &[]))
    };
    (0..instances).map(|_| stopgap.aws.add_instance(spec())).collect()
}
