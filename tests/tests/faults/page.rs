//! docs/faults.md, as it is made of the matrix.

use std::fmt::Write as _;

use stopgap_sim::faults::{Act, Kind, Plight, Setting, rows};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/faults.md");

#[test]
fn the_page_shows_what_the_matrix_comes_to() {
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PATH, &page).expect("docs/faults.md can be written");
    }
    let written = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        written == page,
        "docs/faults.md is not what the matrix comes to; make it anew with UPDATE=1 cargo test -p stopgap-tests --test faults the_page"
    );
}

fn page() -> String {
    let lines = super::played();
    let rows = rows(lines);
    let mut page = String::from(INTRODUCTION);
    let mut meanings = |title: &str, names: Vec<(&str, &str)>| {
        let _ = writeln!(page, "\n{title}\n\n| name | meaning |\n|---|---|");
        for (name, meaning) in names {
            let _ = writeln!(page, "| `{name}` | {meaning} |");
        }
    };
    meanings(
        "A call of a port goes wrong:",
        Kind::ALL.iter().map(|k| (k.as_str(), k.description())).collect(),
    );
    meanings(
        "Something happens while a run is in a state:",
        Act::ALL.iter().map(|a| (a.as_str(), a.description())).collect(),
    );
    meanings("The world is unkind:", Plight::ALL.iter().map(|p| (p.as_str(), p.description())).collect());
    let usual = |setting: &Setting| !setting.as_str().is_empty();
    let settings = Setting::ALL.iter().filter(|s| usual(s)).map(|s| (s.as_str(), s.description())).collect();
    meanings("Things are not as usual before:", settings);
    let _ = writeln!(
        page,
        "\n## What became of it\n\n{} scenarios. The instance and the ticket are as they are an hour after the backup was due, the trouble not yet mended.",
        lines.len()
    );
    let mut place = "";
    for row in &rows {
        if row.place != place {
            place = &row.place;
            let _ = writeln!(
                page,
                "\n### {place}\n\n| instance | backup | ticket | when this goes wrong |\n|---|---|---|---|"
            );
        }
        let outcome = &row.outcome;
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} |",
            outcome.instance, outcome.backup, outcome.ticket, row.what
        );
    }
    page
}

const INTRODUCTION: &str = "\
# What happens when something goes wrong

Everything that can go wrong with a backup, once each, and what became of the instance, its backup and its ticket. This page
is made from the fault matrix, and a test keeps it true. `cargo stopgap faults` plays the same on your machine; `--pairs`
adds every second thing that goes wrong after the first (of two after which a night takes the same course, one), and
`--seeds N` random sequences over a small fleet.

Each scenario is a night of the shipped state machines and the real tasks in the simulated AWS. After it all is mended, and
another night goes by, unless the first has left no more than a night without trouble leaves. The
[promises](../README.md#promises) are checked in the night, when all is mended, and after the second night. But for
executions that are lost, the rescuer is off: the run itself has to restart the instance and to tell.

A scenario's name is its state (or the function, where no state calls it), the operation, which such call of that state it
is, and what goes wrong: `StopInstance/StopInstances#1/throttled-once`. States of the other machines have the machine's name
before them.
";
