//! The matrix for people.

use std::fmt::Write as _;

use stopgap_sim::faults::{Matrix, Row, Violation, rows};

use crate::output::section;

/// What happened to the instance, the backup and the ticket for everything that went wrong; then what broke a promise.
pub(crate) fn of(matrix: &Matrix) -> String {
    let mut page = String::new();
    let row = |row: Row| {
        vec![
            row.place,
            row.outcome.instance.to_owned(),
            row.outcome.backup.to_owned(),
            row.outcome.ticket,
            row.what,
        ]
    };
    let table = rows(&matrix.singles).into_iter().map(row).collect();
    page += &section("What goes wrong", &["WHERE", "INSTANCE", "BACKUP", "TICKET", "WHAT"], table);
    for violation in &matrix.violations {
        page += &told(violation);
    }
    let singles = matrix.singles.len();
    let mut parts = vec![format!("{singles} single")];
    if matrix.pairs > 0 {
        parts.push(format!("{} in pairs", matrix.pairs));
    }
    if matrix.seeds > 0 {
        parts.push(format!("{} random", matrix.seeds));
    }
    let broke = match matrix.violations.len() {
        0 => "no promise was broken".to_owned(),
        n => format!("{n} broke a promise"),
    };
    let _ = writeln!(page, "{} scenarios ({}): {broke}.", matrix.scenarios, parts.join(", "));
    page
}

fn told(violation: &Violation) -> String {
    let Violation { seed, scenario, promise, what, history, .. } = violation;
    let mut text = format!("PROMISE {promise} BROKEN: {what}\n  scenario {scenario}\n  seed {seed}\n");
    for line in history {
        let _ = writeln!(text, "    {line}");
    }
    text + "\n"
}
