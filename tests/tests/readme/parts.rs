//! The generated parts of the README and of `docs/policies.md`. Each stands between `<!-- begin NAME -->` and `<!-- end NAME -->`.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::fs;

use stopgap_core::environment::{VARIABLES, Variable};
use stopgap_core::preflight::Finding;
use stopgap_core::tasks::NAMES;
use stopgap_core::ticket::{self, Kind};
use stopgap_tests::definition::Definition;
use stopgap_tests::{repository, stopgap, with_part};

use crate::source::{Field, fields, function_docs};

/// How the instance machine is cut: a title, and the state that it begins with.
const SECTIONS: [(&str, &str); 4] = [
    ("Prepare", "ResolveRun"),
    ("Down", "EnterStandby"),
    ("Up again", "IsRestartOwed"),
    ("Afterwards", "AreSnapshotsBegun"),
];

/// Writes them with UPDATE=1 in the environment.
#[test]
fn every_generated_part_is_what_the_code_gives() {
    hold("README.md", parts());
    hold("docs/policies.md", vec![("findings".to_owned(), findings())]);
}

fn hold(file: &str, parts: Vec<(String, String)>) {
    let path = repository().join(file);
    let mut wanted = fs::read_to_string(&path).expect("the page is there");
    for (name, content) in parts {
        wanted = with_part(&wanted, &name, &content);
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &wanted).expect("the page can be written");
    }
    let written = fs::read_to_string(&path).expect("the page is there");
    let difference = written.lines().zip(wanted.lines()).find(|(written, wanted)| written != wanted);
    assert!(
        written == wanted,
        "{file}: run `UPDATE=1 cargo test -p stopgap-tests --test readme`; first difference: {difference:?}"
    );
}

fn parts() -> Vec<(String, String)> {
    let mut parts: Vec<(String, String)> = SECTIONS
        .iter()
        .map(|(title, _)| {
            (format!("picture of {title}"), picture("statemachine/instance.asl.json", Some(title)))
        })
        .collect();
    let mut part = |name: &str, content: String| parts.push((name.to_owned(), content));
    part("picture of the fleet", picture("statemachine/fleet.asl.json", None));
    part("picture of the rescuer", picture("statemachine/rescue.asl.json", None));
    part("functions", functions());
    part("tickets", tickets());
    part("instance input", inputs(&fields("functions/core/src/tasks/resolve_run.rs", "Request")));
    part("fleet input", inputs(&fields("functions/core/src/tasks/plan_fleet.rs", "FleetRequest")));
    part("environment", environment());
    part("demo", demo());
    part("forecast", forecast());
    parts
}

/// What `stopgap asl draw` draws.
fn picture(file: &str, only: Option<&str>) -> String {
    let mut command = stopgap();
    command.args(["asl", "draw"]).arg(repository().join(file));
    if let Some(only) = only {
        command.args(SECTIONS.map(|(title, first)| format!("--section={title}={first}")));
        command.args(["--only", only]);
    }
    format!("```mermaid\n{}```\n", output(command))
}

/// The end of the page that `cargo demo` prints.
fn demo() -> String {
    let mut command = stopgap();
    command.arg("demo");
    let page = output(command);
    let (_, summary) = page.split_once("\nSummary\n").expect("the page has a summary");
    format!("```text\n{}\n```\n", summary.trim_end())
}

/// Policies and numbers of a year of the fleet in `tests/fleet`.
fn forecast() -> String {
    let fleet = repository().join("tests/fleet");
    let mut command = stopgap();
    command.args(["simulate", "--from", "2026-12-01T00:00:00Z", "--days", "365", "--policies"]);
    let page = output({
        command.arg(fleet.join("policies.json")).arg("--inventory").arg(fleet);
        command
    });
    let part = |title: &str| {
        let begin = page.find(&format!("\n{title}")).expect("the page has this part") + 1;
        let rest = page.get(begin..).unwrap_or_default();
        rest.split("\n\n").next().unwrap_or_default().to_owned()
    };
    format!("```text\n{}\n\n{}\n```\n", part("Policies"), part("Summary"))
}

fn output(mut command: std::process::Command) -> String {
    let output = command.output().expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the output is text")
}

/// Functions, with the states that use them and the code.
fn functions() -> String {
    let (all, docs) = (Definition::all(), function_docs());
    let mut table = String::from("| Function | What it does | States |\n|---|---|---|\n");
    for name in NAMES {
        let states = all.iter().flat_map(|definition| {
            let calling = definition.tasks().into_iter().filter(|state| state.function() == Some(*name));
            calling.map(|state| {
                let (name, path) = (state.name, definition.path);
                format!("[{name}]({path}#L{})", definition.line(name))
            })
        });
        let states = states.collect::<Vec<_>>().join(", ");
        let states = if states.is_empty() { "(fed by events)".to_owned() } else { states };
        let module = name.replace('-', "_");
        let does = &docs[&module];
        let _ = writeln!(table, "| [`{name}`](functions/core/src/tasks/{module}.rs) | {does} | {states} |");
    }
    table
}

/// The kinds of tickets, the most urgent first.
fn tickets() -> String {
    let schema = ticket::schema();
    let meaning = |kind: &Kind| {
        let kinds = schema["$defs"]["Kind"]["oneOf"].as_array().expect("the schema lists the kinds");
        let kind = kinds.iter().find(|entry| entry["const"] == kind.as_str()).expect("every kind is in it");
        kind["description"].as_str().expect("every kind says what it means").to_owned()
    };
    let mut kinds = Kind::ALL.to_vec();
    kinds.sort_by_key(|kind| kind.severity());
    let mut table = String::from("| Kind | Severity | Meaning |\n|---|---|---|\n");
    for kind in kinds {
        let _ = writeln!(table, "| `{kind}` | {} | {} |", kind.severity().as_str(), meaning(&kind));
    }
    table
}

/// What can be found before a backup, the gravest first.
fn findings() -> String {
    let mut findings = Finding::ALL.to_vec();
    findings.sort_by_key(|finding| (Reverse(finding.default_verdict()), finding.fixed().is_none()));
    let mut table = String::from("| Finding | Default | Meaning |\n|---|---|---|\n");
    for finding in findings {
        let always = if finding.fixed().is_some() { ", always" } else { "" };
        let (verdict, meaning) = (finding.default_verdict(), finding.meaning());
        let _ = writeln!(table, "| `{finding}` | {verdict}{always} | {meaning} |");
    }
    table
}

/// What the functions read from their environment.
fn environment() -> String {
    let mut table = String::from("| Variable | Default | Meaning |\n|---|---|---|\n");
    for Variable { name, default, meaning, .. } in VARIABLES {
        let default = match default {
            None => "must be set".to_owned(),
            Some("") => "none".to_owned(),
            Some(default) => format!("`{default}`"),
        };
        let _ = writeln!(table, "| `{name}` | {default} | {meaning} |");
    }
    table
}

/// The fields of an execution's input.
fn inputs(fields: &[Field]) -> String {
    let mut table = String::from("| Field | Needed | Meaning |\n|---|---|---|\n");
    for Field { name, doc, optional } in fields {
        let _ = writeln!(table, "| `{name}` | {} | {doc} |", if *optional { "no" } else { "yes" });
    }
    table
}
