//! A policy as one of Amazon Data Lifecycle Manager's, where that does the same.
//!
//! The shapes and limits are those of CreateLifecyclePolicy (API version 2018-01-12): a custom policy of snapshots that
//! targets instances. What DLM does differently and lets a policy be is a note; what it cannot do is a reason not to.

mod schedule;

use serde::Serialize;
use serde_json::{Map, Value, json};
use stopgap_core::policy::{
    Autoscaling, Consistency, Count, Matcher, Orphans, Policy, Retention, TagMatch, TagSource, Target,
    VolumeMatcher,
};
use stopgap_core::span::Span;

/// How many tags a policy may target, or leave volumes out by.
const TAGS_MAX: usize = 50;
/// How many tags a schedule may add.
const ADDED_MAX: usize = 45;
/// How many snapshots of a volume can be retained by count.
const COUNT_MAX: u32 = 1000;
/// How many years snapshots can be retained by age.
const YEARS_MAX: i64 = 100;

/// What there is to say about a part of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Note {
    /// The field of the policy.
    pub(super) part: &'static str,
    /// What DLM does differently, or cannot do.
    pub(super) message: String,
}

/// What a policy is for DLM.
#[derive(Debug, Serialize)]
pub(super) struct Lifecycle {
    /// The input of `aws dlm create-lifecycle-policy`.
    pub(super) input: Value,
    /// Where it is to be created; a policy of DLM's is for one account and Region. What is absent is where stopgap is deployed.
    pub(super) places: Vec<Target>,
    /// What DLM does differently.
    pub(super) notes: Vec<Note>,
}

/// What stands against it, and what is to be noted.
#[derive(Default)]
struct Found {
    reasons: Vec<Note>,
    notes: Vec<Note>,
}

impl Found {
    fn cannot<T>(&mut self, part: &'static str, message: impl Into<String>) -> Option<T> {
        self.reasons.push(Note { part, message: message.into() });
        None
    }

    fn note(&mut self, part: &'static str, message: impl Into<String>) {
        self.notes.push(Note { part, message: message.into() });
    }
}

/// The policy for DLM.
///
/// # Errors
/// Everything that stands against it.
pub(super) fn lifecycle(policy: &Policy, role: Option<&str>) -> Result<Lifecycle, Vec<Note>> {
    let mut found = Found::default();
    let target_tags = target_tags(policy, &mut found);
    let create = schedule::create_rule(&policy.schedule, &mut found);
    let retain = retain_rule(&policy.retention, &mut found);
    let parameters = parameters(policy, &mut found);
    let mut schedule = tags(policy, &mut found);
    others(policy, &mut found);
    let (Some(target_tags), Some(create), Some(retain), Some(parameters), true) =
        (target_tags, create, retain, parameters, found.reasons.is_empty())
    else {
        found.reasons.sort();
        return Err(found.reasons);
    };
    schedule.insert("Name".to_owned(), policy.id.as_str().into());
    schedule.insert("CreateRule".to_owned(), create);
    schedule.insert("RetainRule".to_owned(), retain);
    let mut details = json!({
        "PolicyType": "EBS_SNAPSHOT_MANAGEMENT",
        "ResourceTypes": ["INSTANCE"],
        "ResourceLocations": ["CLOUD"],
        "TargetTags": target_tags,
        "Schedules": [schedule],
    });
    if !parameters.is_empty() {
        details["Parameters"] = parameters.into();
    }
    let mut input = json!({
        "Description": format!("stopgap policy {}", policy.id),
        "State": if policy.enabled { "ENABLED" } else { "DISABLED" },
        "PolicyDetails": details,
    });
    if let Some(role) = role {
        input["ExecutionRoleArn"] = role.into();
    }
    found.notes.sort();
    Ok(Lifecycle { input, places: policy.targets.clone(), notes: found.notes })
}

/// `select`: instances that have one of these tags.
fn target_tags(policy: &Policy, found: &mut Found) -> Option<Vec<Value>> {
    const ANY: &str = "select.any";
    if !policy.select.except.is_empty() {
        found.cannot::<()>(
            "select.except",
            "DLM has no exceptions: it takes every instance with one of the target tags",
        );
    }
    let mut tags = Vec::new();
    for matcher in &policy.select.any {
        let pairs = match matcher {
            Matcher::Tag(tags) => one_of(tags),
            Matcher::Name(name) => one_of(&[("Name".to_owned(), vec![name.clone()])].into()),
            Matcher::Asg(_) => Err("it selects by tag, and not by Auto Scaling group".to_owned()),
            Matcher::Instance(_) => {
                Err("it selects by tag, and not by instance id; give the instance a tag".to_owned())
            }
            Matcher::Filter(_) => Err("it selects by tag, and not by other filters".to_owned()),
            Matcher::All(_) => {
                Err("it takes instances that have one of several tags, not those that have all".to_owned())
            }
        };
        match pairs {
            Ok(pairs) => tags.extend(pairs),
            Err(why) => found.cannot(ANY, format!("DLM cannot: {why}")).unwrap_or_default(),
        }
    }
    tags.sort();
    tags.dedup();
    if tags.len() > TAGS_MAX {
        return found
            .cannot(ANY, format!("DLM takes {TAGS_MAX} target tags, and this asks for {}", tags.len()));
    }
    Some(tags.into_iter().map(tag).collect())
}

/// The pairs of key and value of which one must be there.
fn one_of(tags: &TagMatch) -> Result<Vec<(String, String)>, String> {
    let mut keys = tags.iter();
    let (Some((key, values)), None) = (keys.next(), keys.next()) else {
        return Err("it takes what has one of several tags, not what has all of them".to_owned());
    };
    if key.starts_with("aws:") {
        return Err(format!("the tag `{key}` is AWS's own"));
    }
    if let Some(value) = values.iter().find(|value| value.contains(['*', '?'])) {
        return Err(format!("it compares values to the letter, and `{value}` has a wildcard"));
    }
    Ok(values.iter().map(|value| (key.clone(), value.clone())).collect())
}

fn tag((key, value): (String, String)) -> Value {
    json!({ "Key": key, "Value": value })
}

/// `retention`: one rule, by count or by age.
fn retain_rule(retention: &Retention, found: &mut Found) -> Option<Value> {
    const PART: &str = "retention";
    let used = |count: Option<Count>| count.filter(|count| *count != Count::Of(0));
    let Retention { keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly, .. } = retention;
    let periods = [
        ("keep_hourly", keep_hourly),
        ("keep_daily", keep_daily),
        ("keep_weekly", keep_weekly),
        ("keep_monthly", keep_monthly),
        ("keep_yearly", keep_yearly),
    ];
    let periods: Vec<&str> =
        periods.into_iter().filter(|(_, count)| used(**count).is_some()).map(|(name, _)| name).collect();
    if !periods.is_empty() {
        let message = format!(
            "DLM keeps by count or by age, and not one of each period ({}); it would take a schedule of its own, with snapshots \
             of its own, for each",
            periods.join(", ")
        );
        return found.cannot(PART, message);
    }
    let floor = used(retention.at_least);
    match (retention.keep_for, used(retention.keep_last), floor) {
        (Some(_), Some(_), _) => {
            found.cannot(PART, "DLM keeps by count or by age, and not by whichever keeps more")
        }
        (Some(_), None, Some(floor)) if floor > Count::Of(1) => found.cannot(
            PART,
            format!(
                "DLM has no floor: by age it deletes all but the last one, and at least {floor} are to stay"
            ),
        ),
        (Some(age), None, _) => by_age(&age, found),
        (None, last, floor) => match last.max(floor) {
            Some(Count::Of(count)) if count <= COUNT_MAX => {
                found.note(
                    PART,
                    "DLM counts the snapshots of each volume; stopgap counts the instance's complete sets, so that one with a \
                     failed snapshot does not count",
                );
                Some(json!({ "Count": count }))
            }
            count => {
                let count = count.map(|count| count.to_string()).unwrap_or_default();
                found.cannot(PART, format!("DLM keeps at most {COUNT_MAX} by count, and this is {count}"))
            }
        },
    }
}

fn by_age(age: &Span, found: &mut Found) -> Option<Value> {
    const PART: &str = "retention";
    let span = age.as_jiff();
    let units = [
        (i64::from(span.get_years()), "YEARS", YEARS_MAX),
        (i64::from(span.get_months()), "MONTHS", YEARS_MAX * 12),
        (i64::from(span.get_weeks()), "WEEKS", YEARS_MAX * 52),
        (i64::from(span.get_days()), "DAYS", YEARS_MAX * 365),
    ];
    let mut given = units.into_iter().filter(|(value, ..)| *value != 0);
    let whole = match (given.next(), given.next(), age.exact()) {
        // Hours and less beside a unit of the calendar.
        (Some((value, unit, max)), None, None) if span == calendar(unit, value) => Some((value, unit, max)),
        (_, _, Some(exact)) if exact.as_secs() % 86_400 == 0 => {
            Some((exact.as_secs() / 86_400, "DAYS", YEARS_MAX * 365))
        }
        _ => None,
    };
    let Some((value, unit, _)) = whole.filter(|(value, _, max)| (1..=*max).contains(value)) else {
        let message = format!(
            "DLM keeps for a number of days, weeks, months or years, up to {YEARS_MAX} years, and not for `{age}`"
        );
        return found.cannot(PART, message);
    };
    found.note(
        PART,
        "DLM counts the age from now, and stopgap from the newest complete set: while backups fail, DLM goes on deleting, down to \
         the last snapshot",
    );
    if matches!(unit, "MONTHS" | "YEARS") {
        found.note(
            PART,
            "stopgap counts months and years by the calendar; how many days they have is DLM's to say",
        );
    }
    Some(json!({ "Interval": value, "IntervalUnit": unit }))
}

/// A span of one unit.
fn calendar(unit: &str, value: i64) -> jiff::SpanFieldwise {
    let span = jiff::Span::new();
    let span = match unit {
        "YEARS" => span.try_years(value),
        "MONTHS" => span.try_months(value),
        "WEEKS" => span.try_weeks(value),
        _ => span.try_days(value),
    };
    span.unwrap_or_default().fieldwise()
}

/// `volumes`: which are left out.
fn parameters(policy: &Policy, found: &mut Found) -> Option<Map<String, Value>> {
    const PART: &str = "volumes.except";
    let mut parameters = Map::new();
    if !policy.volumes.root {
        parameters.insert("ExcludeBootVolume".to_owned(), true.into());
    }
    let mut tags = Vec::new();
    for VolumeMatcher::Tag(matched) in &policy.volumes.except {
        match one_of(matched) {
            Ok(pairs) => tags.extend(pairs),
            Err(why) => found.cannot(PART, format!("DLM cannot: {why}")).unwrap_or_default(),
        }
    }
    tags.sort();
    tags.dedup();
    if tags.len() > TAGS_MAX {
        return found
            .cannot(PART, format!("DLM leaves out by {TAGS_MAX} tags, and this asks for {}", tags.len()));
    }
    if !tags.is_empty() {
        if policy.volumes.root {
            found.note(
                PART,
                "DLM leaves out data volumes by it; a root volume with such a tag is in its backups",
            );
        }
        parameters.insert("ExcludeDataVolumeTags".to_owned(), tags.into_iter().map(tag).collect());
    }
    Some(parameters)
}

/// `tags`: the schedule's part of them.
fn tags(policy: &Policy, found: &mut Found) -> Map<String, Value> {
    let mut schedule = Map::new();
    let from = |source| policy.tags.from.contains(&source);
    schedule.insert("CopyTags".to_owned(), from(TagSource::Volume).into());
    if from(TagSource::Instance) {
        found.note("tags.from", "DLM copies the tags of volumes, and not those of the instance");
    }
    let add = &policy.tags.add;
    if add.len() > ADDED_MAX {
        found.cannot::<()>("tags.add", format!("DLM adds {ADDED_MAX} tags, and these are {}", add.len()));
    } else if !add.is_empty() {
        let tags = add.iter().map(|(key, value)| tag((key.clone(), value.clone())));
        schedule.insert("TagsToAdd".to_owned(), tags.collect());
    }
    schedule
}

/// What else a policy says.
fn others(policy: &Policy, found: &mut Found) {
    if policy.consistency == Consistency::Stop {
        found.cannot::<()>(
            "consistency",
            "DLM stops no instance; where the data is safe to copy from a running one, write `\"consistency\": \"crash\"`",
        );
    }
    if policy.autoscaling == Autoscaling::Skip {
        found.cannot::<()>("autoscaling", "DLM does not leave out the members of Auto Scaling groups");
    }
    match policy.orphans {
        Orphans::Keep => found.note(
            "orphans",
            "of an instance that is gone DLM keeps all that it keeps by count, and the last of what it keeps by age",
        ),
        Orphans::ExpireAfter(_) => found
            .cannot::<()>("orphans", "DLM never deletes the last snapshots of an instance that is gone")
            .unwrap_or_default(),
    }
    if !policy.adopt.is_empty() {
        found.cannot::<()>("adopt", "DLM deletes only what it made itself");
    }
    found.note(
        "schedule.start_within",
        "DLM begins within an hour after the time; no ticket tells of a backup that failed or was missed: watch its metrics in \
         CloudWatch",
    );
    if policy.targets.iter().any(|target| target.account.is_some() || target.regions.is_some()) {
        found.note(
            "targets",
            "a policy of DLM's is for the account and Region that it is created in: create it in each",
        );
    }
}

#[cfg(test)]
mod tests;
