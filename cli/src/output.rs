//! Writing results: to stdout, whole or not at all.

use std::io::{ErrorKind, Write};

use comfy_table::Table;
use comfy_table::presets::NOTHING;

/// Prints `text`. Ends the program with status 1 when it cannot be written, quietly when nobody reads any more.
pub(crate) fn print(text: &str) {
    // Colours only where someone sees them: not in a pipe, a file, or with NO_COLOR.
    let mut out = anstream::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        if error.kind() != ErrorKind::BrokenPipe {
            eprintln!("error: stdout: {error}");
        }
        std::process::exit(1);
    }
}

/// A titled table with one line a row, and the number of rows in the title; nothing when there are none.
pub(crate) fn section(title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let count = rows.len();
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(columns.to_vec()).add_rows(rows);
    let lines: Vec<String> = table.lines().map(|line| format!(" {}", line.trim_end())).collect();
    format!("{title} ({count})\n{}\n\n", lines.join("\n"))
}
