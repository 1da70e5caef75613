//! One state.

use serde_json::Value;

use super::fields::Fields;
use super::{MAX_SECONDS, handlers, map, query_language, resource, rules, states};
use crate::asl::choice::timestamp;
use crate::asl::error::Report;
use crate::asl::model::{Count, Graph, Io, Kind, Parallel, State, Task, Text, Transition, Wait};
use crate::asl::template::Template;

pub(super) fn state(value: &Value, at: &str, report: &Report) -> Option<State> {
    let fields = Fields::of(value, at, report)?;
    fields.comment();
    query_language(&fields);
    let mut io = Io::default();
    let (kind, what) = match fields.required_text("Type")? {
        "Pass" => (pass(&fields, &mut io), "a Pass state"),
        "Task" => (task(&fields, &mut io), "a Task state"),
        "Choice" => (choice(&fields, &mut io), "a Choice state"),
        "Wait" => (wait(&fields, &mut io), "a Wait state"),
        "Succeed" => (succeed(&fields, &mut io), "a Succeed state"),
        "Fail" => (fail(&fields), "a Fail state"),
        "Parallel" => (parallel(&fields, &mut io), "a Parallel state"),
        "Map" => (map::map(&fields, &mut io), "a Map state"),
        other => {
            fields.error(
                "Type",
                format!(
                    "is {other:?}; the types are Task, Choice, Wait, Pass, Parallel, Map, Succeed and Fail"
                ),
            );
            return None;
        }
    };
    fields.finish(what);
    Some(State { kind: kind?, io })
}

pub(super) fn paths(fields: &Fields<'_>, io: &mut Io) {
    io.input_path = fields.path_or_null("InputPath");
    io.output_path = fields.path_or_null("OutputPath");
}

pub(super) fn results(fields: &Fields<'_>, io: &mut Io) {
    io.result_selector = fields.template("ResultSelector");
    io.result_path = fields.result_path();
}

/// `Next` or `End`, exactly one of which has to be there.
pub(super) fn then(fields: &Fields<'_>) -> Option<Transition> {
    let end = fields.flag("End");
    let next = if fields.has("Next") { fields.required_text("Next") } else { fields.text("Next") };
    match (fields.has("Next"), fields.has("End")) {
        // `End` is false by default, so saying so changes nothing.
        (true, true) if end == Some(false) => next.map(|next| Transition::Next(next.to_owned())),
        (true, true) => {
            fields.error("End", "and Next exclude each other; keep one of the two");
            None
        }
        (true, false) => next.map(|next| Transition::Next(next.to_owned())),
        (false, true) if end == Some(true) => Some(Transition::End),
        (false, true) => {
            if end == Some(false) {
                fields.error("End", "is false and there is no Next; give a Next, or \"End\": true");
            }
            None
        }
        (false, false) => {
            fields.error_here("has neither Next nor End; give one of the two");
            None
        }
    }
}

fn pass(fields: &Fields<'_>, io: &mut Io) -> Option<Kind> {
    paths(fields, io);
    io.parameters = fields.template("Parameters");
    io.result_path = fields.result_path();
    let result = fields.get("Result").cloned();
    Some(Kind::Pass { result, then: then(fields)? })
}

fn task(fields: &Fields<'_>, io: &mut Io) -> Option<Kind> {
    paths(fields, io);
    io.parameters = fields.template("Parameters");
    results(fields, io);
    let resource = fields.required_text("Resource");
    if let Some(fault) = resource.and_then(resource::fault) {
        fields.error("Resource", fault);
    }
    let timeout = fields.count("TimeoutSeconds", "TimeoutSecondsPath", 1, MAX_SECONDS);
    let heartbeat = fields.count("HeartbeatSeconds", "HeartbeatSecondsPath", 1, MAX_SECONDS);
    if let (Some(Count::Fixed(timeout)), Some(Count::Fixed(heartbeat))) = (&timeout, &heartbeat)
        && heartbeat >= timeout
    {
        fields.error(
            "HeartbeatSeconds",
            format!("is {heartbeat}, but has to be less than TimeoutSeconds, which is {timeout}"),
        );
    }
    let credentials = fields.template("Credentials");
    let errors = handlers::handlers(fields);
    let then = then(fields);
    Some(Kind::Task(Box::new(Task {
        resource: resource?.to_owned(),
        timeout,
        heartbeat,
        credentials,
        errors,
        then: then?,
    })))
}

fn choice(fields: &Fields<'_>, io: &mut Io) -> Option<Kind> {
    paths(fields, io);
    for field in ["Next", "End"] {
        if fields.has(field) {
            fields.get(field);
            fields
                .error(field, "is not a field of a Choice state: it leads on by its Choices and its Default");
        }
    }
    let default = fields.text("Default").map(str::to_owned);
    let rules = rules::choices(fields);
    Some(Kind::Choice { rules: rules?, default })
}

fn wait(fields: &Fields<'_>, io: &mut Io) -> Option<Kind> {
    const FORMS: [&str; 4] = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
    paths(fields, io);
    let seconds =
        fields.integer("Seconds", 0, MAX_SECONDS).map(|seconds| Wait::Seconds(Count::Fixed(seconds)));
    let seconds_path = fields.data_path("SecondsPath").map(|path| Wait::Seconds(Count::Path(path)));
    let at = fields.text("Timestamp").and_then(|text| match timestamp(text) {
        Some(at) => Some(Wait::Timestamp(at)),
        None => {
            fields.error("Timestamp", format!("has to be a time such as 2026-03-14T01:59:00Z, not {text:?}"));
            None
        }
    });
    let at_path = fields.data_path("TimestampPath").map(Wait::TimestampPath);
    let given: Vec<&str> = FORMS.into_iter().filter(|name| fields.has(name)).collect();
    match given.as_slice() {
        [_] => {}
        [] => fields.error_here("has to say how long: Seconds, SecondsPath, Timestamp or TimestampPath"),
        [first, others @ ..] => {
            fields.error(first, format!("and {} exclude each other; keep one of them", others.join(", ")));
        }
    }
    let then = then(fields);
    Some(Kind::Wait { wait: seconds.or(seconds_path).or(at).or(at_path)?, then: then? })
}

fn succeed(fields: &Fields<'_>, io: &mut Io) -> Option<Kind> {
    paths(fields, io);
    no_successor(fields, "Succeed");
    Some(Kind::Succeed)
}

fn no_successor(fields: &Fields<'_>, name: &str) {
    for field in ["Next", "End"] {
        if fields.has(field) {
            fields.get(field);
            fields.error(field, format!("is not a field of a {name} state, which ends by itself"));
        }
    }
}

fn fail(fields: &Fields<'_>) -> Option<Kind> {
    no_successor(fields, "Fail");
    for field in ["InputPath", "OutputPath"] {
        if fields.has(field) {
            fields.get(field);
            fields.error(field, "is not a field of a Fail state, which has no output");
        }
    }
    let error = text_or_path(fields, "Error", "ErrorPath");
    let cause = text_or_path(fields, "Cause", "CausePath");
    Some(Kind::Fail { error, cause })
}

/// AWS: `ErrorPath` and `CausePath` take a reference path, or an intrinsic function that returns a text.
fn text_or_path(fields: &Fields<'_>, name: &'static str, path: &'static str) -> Option<Text> {
    let fixed = fields.text(name).map(|text| Text::Fixed(text.to_owned()));
    let computed = fields
        .text(path)
        .and_then(|text| fields.parsed(path, text, Template::computed(path, text)))
        .map(Text::Computed);
    if fields.has(name) && fields.has(path) {
        fields.error(name, format!("and {path} exclude each other; keep one of the two"));
    }
    fixed.or(computed)
}

fn parallel(fields: &Fields<'_>, io: &mut Io) -> Option<Kind> {
    paths(fields, io);
    io.parameters = fields.template("Parameters");
    results(fields, io);
    let branches = branches(fields);
    let errors = handlers::handlers(fields);
    let then = then(fields);
    Some(Kind::Parallel(Box::new(Parallel { branches: branches?, errors, then: then? })))
}

fn branches(fields: &Fields<'_>) -> Option<Vec<Graph>> {
    if !fields.has("Branches") {
        fields.get("Branches");
        fields.error("Branches", "is missing");
        return None;
    }
    let items = fields.array("Branches")?;
    if items.is_empty() {
        fields.error("Branches", "has to have at least one branch");
    }
    let parsed: Vec<Option<Graph>> = items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let branch = Fields::of(item, format!("{}[{index}]", fields.path("Branches")), fields.report)?;
            branch.comment();
            let graph = states(&branch);
            branch.finish("a branch");
            graph
        })
        .collect();
    parsed.into_iter().collect()
}
