//! `resolve-run`: the first state of the instance machine. Turns what a person, the fleet or anyone typed into a run, or
//! says what is wrong with it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RunPlan;
use crate::error::{ErrorName, TaskError};
use crate::inventory::{Instance, Location};
use crate::measure::Measured;
use crate::occurrence::Occurrence;
use crate::policies;
use crate::policy::{Policy, PolicyId};
use crate::ports::{Context, Ports};
use crate::survey;

/// What the state hands over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// The execution's input, as it is (`$`).
    pub request: Value,
    /// The execution's ARN (`$$.Execution.Id`).
    pub execution: String,
    /// When it was started (`$$.Execution.StartTime`).
    pub started: Timestamp,
}

/// The input of an execution of the instance machine. Only `instance_id` is needed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The instance.
    pub instance_id: String,
    /// The policy; needed where none or several select the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyId>,
    /// The occurrence; the execution's start second if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<Occurrence>,
    /// The instance's account; looked for in all that the policy targets (that any does, without `policy`) if it is not
    /// given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The instance's Region; as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// When to begin; at once if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Timestamp>,
    /// Which try of the occurrence this is, from 0.
    #[serde(default)]
    pub attempt: u8,
    /// Say what would be done, and do nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// How far ahead a run may be started: it waits as a running execution, whose time-out counts.
const START_AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);

impl Measured for RunPlan {}

/// Resolves the request. Reads only; idempotent.
///
/// Needs `ec2:DescribeInstances` and the table.
///
/// # Errors
/// [`ErrorName::InvalidInput`], [`ErrorName::PolicyNotFound`], [`ErrorName::PolicyAmbiguous`] or
/// [`ErrorName::InstanceGone`], saying what would be right.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: Input) -> Result<RunPlan, TaskError> {
    let request = read(input.request)?;
    if let Some(start_at) = request.start_at.filter(|at| at.duration_since(input.started) > START_AHEAD_MAX) {
        let cause = format!("`start_at` {start_at} is more than {START_AHEAD_MAX:#} after {}", input.started);
        return Err(TaskError::new(ErrorName::InvalidInput, cause));
    }
    let home = &cx.settings.home;
    let (location, policy) = match asked(&request) {
        Some(id) => {
            let policy = stored(ports, id).await?;
            let who = format!("the policy `{id}` targets");
            let places = fitting(&request, policy.locations(home), &who)?;
            match places.as_slice() {
                // The fleet says all of it, and has just described the instance: every call saved here is one for an
                // instance that is down.
                [place] => (place.clone(), policy),
                places => (survey::find(ports.ec2, places, &request.instance_id).await?.0, policy),
            }
        }
        None => {
            let policies = policies::all(ports.table).await?;
            let places = fitting(&request, survey::places(&policies, home), "the policies target")?;
            let (place, instance) = survey::find(ports.ec2, &places, &request.instance_id).await?;
            let policy = only_match(policies, &place, &instance, home)?;
            // The same place, by the role that this policy names for it.
            let own = policy.locations(home).into_iter().find(|own| *own == place);
            (own.unwrap_or(place), policy)
        }
    };
    let occurrence =
        request.occurrence.clone().unwrap_or_else(|| Occurrence::new(policy.id.clone(), input.started));
    // The fleet's runs have their window from the occurrence. Someone who starts an old occurrence by hand wants it now,
    // not "missed": that window is counted from the start.
    let from = if request.start_at.is_some() { occurrence.at } else { input.started };
    let start_until = from.saturating_add(policy.schedule.start_within()).unwrap_or(Timestamp::MAX);
    Ok(RunPlan {
        instance_id: request.instance_id,
        location,
        occurrence,
        attempt: request.attempt,
        execution: input.execution,
        start_at: request.start_at.unwrap_or(input.started),
        start_until,
        dry_run: request.dry_run,
        policy,
    })
}

/// Reads the execution's input, naming the field that is wrong and what would be right.
fn read(request: Value) -> Result<Request, TaskError> {
    let invalid = |why: String| {
        let right = r#"it takes {"instance_id": "i-…"}, and may take policy, occurrence, account, region, start_at, attempt and dry_run"#;
        TaskError::new(ErrorName::InvalidInput, format!("the execution's input is wrong: {why}; {right}"))
    };
    let request: Request = super::read(request).map_err(invalid)?;
    let id = &request.instance_id;
    let digits = id.strip_prefix("i-").unwrap_or_default();
    if !(8..=17).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(invalid(format!("`{id}` is not an instance id (`i-` and 8 to 17 hexadecimal digits)")));
    }
    if let (Some(policy), Some(occurrence)) = (&request.policy, &request.occurrence)
        && *policy != occurrence.policy
    {
        return Err(invalid(format!("the occurrence {occurrence} is not one of the policy {policy}")));
    }
    Ok(request)
}

/// Those of `places` that the request does not rule out; at least one.
fn fitting(request: &Request, mut places: Vec<Location>, who: &str) -> Result<Vec<Location>, TaskError> {
    let all = places.iter().map(Location::to_string).collect::<Vec<_>>().join(", ");
    places.retain(|place| {
        request.account.as_ref().is_none_or(|account| *account == place.account)
            && request.region.as_ref().is_none_or(|region| *region == place.region)
    });
    if places.is_empty() {
        let asked = [&request.account, &request.region].into_iter().flatten().cloned().collect::<Vec<_>>();
        let cause = match all.as_str() {
            "" => "there is no policy, so there is nowhere to look for the instance".to_owned(),
            all => format!("{} is not among what {who}: {all}", asked.join("/")),
        };
        return Err(TaskError::new(ErrorName::InvalidInput, cause));
    }
    Ok(places)
}

/// The policy that the request asks for, by itself or by its occurrence.
fn asked(request: &Request) -> Option<&PolicyId> {
    request.policy.as_ref().or(request.occurrence.as_ref().map(|occurrence| &occurrence.policy))
}

async fn stored(ports: Ports<'_>, id: &PolicyId) -> Result<Policy, TaskError> {
    let missing = || TaskError::new(ErrorName::PolicyNotFound, format!("there is no policy `{id}`"));
    policies::get(ports.table, id).await?.ok_or_else(missing)
}

/// The only policy that selects the instance.
fn only_match(
    mut matching: Vec<Policy>,
    place: &Location,
    instance: &Instance,
    home: &Location,
) -> Result<Policy, TaskError> {
    matching
        .retain(|policy| policy.targets_place(place, Some(home)) && policy.selects(instance).is_selected());
    let ids = matching.iter().map(|policy| policy.id.as_str()).collect::<Vec<_>>().join(", ");
    match (matching.pop(), matching.is_empty()) {
        (Some(policy), true) => Ok(policy),
        (Some(_), false) => Err(TaskError::new(
            ErrorName::PolicyAmbiguous,
            format!("{} is selected by {ids}: say which by `policy`", instance.id),
        )),
        (None, _) => Err(TaskError::new(
            ErrorName::PolicyNotFound,
            format!("no policy selects {}: say by `policy` which one to use", instance.id),
        )),
    }
}
