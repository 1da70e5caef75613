//! Writing results: to stdout, whole or not at all.
//!
//! Names and tags come from outside and may hold anything, escape codes for the terminal too. What people read shows such
//! characters as they would be written in a program; what programs read has them escaped as JSON does.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{ErrorKind, Write};

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde::Serialize;
use stopgap_core::text::is_deceptive;

use crate::BadInput;

/// How results are written.
#[derive(clap::Args)]
pub(crate) struct Output {
    /// How results are written.
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
    /// One JSON document on stdout and nothing else: the same as --output json.
    #[arg(long, global = true, conflicts_with = "output")]
    json: bool,
}

/// For whom results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs: one JSON document.
    Json,
}

impl Output {
    pub(crate) fn format(&self) -> Format {
        match self.output {
            Some(format) => format,
            None if self.json => Format::Json,
            None => Format::Table,
        }
    }
}

/// How wide a page of text is at most.
pub(crate) const WIDTH: usize = 120;

/// How many characters of a cell are shown, unless nothing stands to the right of it.
const CELL: usize = 48;

/// Prints `text` for people.
pub(crate) fn print(text: &str) {
    // Colours only where someone sees them: not in a pipe, a file, or with NO_COLOR.
    write(anstream::stdout().lock(), text);
}

/// Prints `value` as JSON, over several lines.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), BadInput> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| BadInput::one(format!("the answer cannot be written as JSON: {error}")))?;
    print_to(|out| {
        out.write_all(escaped(&text).as_bytes())?;
        out.write_all(b"\n")
    });
    Ok(())
}

/// JSON without anything in it that a terminal would obey.
fn escaped(json: &str) -> Cow<'_, str> {
    if json.is_ascii() && !json.contains('\u{7f}') {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 1);
    for character in json.chars() {
        // JSON allows these within a text as they are, and has them nowhere else; ASCII's are escaped already.
        if character >= '\u{7f}' && is_deceptive(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// Adds `text` to JSON. As serde_json would, but quicker where there is nothing in it to escape: of a million lines it would
/// look at each byte by itself.
pub(crate) fn push_json(json: &mut String, text: impl Display) {
    json.push('"');
    let start = json.len();
    // Writing to a string does not fail.
    let _ = write!(json, "{text}");
    let text = json.get(start..).unwrap_or_default();
    // All bytes are looked at, whatever is found, so that it is done for many at once.
    let plain = |byte: u8| matches!(byte, b' '..=b'~') & (byte != b'"') & (byte != b'\\');
    if text.bytes().fold(true, |all, byte| all & plain(byte)) {
        json.push('"');
    } else {
        let escaped = escaped(&serde_json::Value::from(text).to_string()).into_owned();
        json.truncate(start - 1);
        json.push_str(&escaped);
    }
}

/// Prints what is too long to be held as one text.
pub(crate) fn print_to(print: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) {
    let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    end_unless(print(&mut out).and_then(|()| out.flush()));
}

fn write(mut out: impl Write, text: &str) {
    end_unless(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Ends the program with status 1 when not all could be written, quietly when nobody reads any more.
fn end_unless(written: std::io::Result<()>) {
    if let Err(error) = written {
        if error.kind() != ErrorKind::BrokenPipe {
            eprintln!("error: stdout: {error}");
        }
        std::process::exit(1);
    }
}

/// `text` on one line, without anything that a terminal would obey: `\n`, `\u{1b}`.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_deceptive) {
        let shown = |c: char| if is_deceptive(c) { c.escape_default().to_string() } else { c.to_string() };
        Cow::Owned(text.chars().map(shown).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// A titled table with one line a row, and the number of rows in the title; nothing when there are none. Long cells are
/// cut, but for those of the last column.
pub(crate) fn section(title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let count = rows.len();
    let last = columns.len().saturating_sub(1);
    let rows = rows.into_iter().map(|row| {
        let cell = |(n, cell): (usize, &String)| match plain(cell) {
            cell if n < last => cut(&cell, CELL),
            cell => cell.into_owned(),
        };
        row.iter().enumerate().map(cell).collect::<Vec<_>>()
    });
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(columns.to_vec()).add_rows(rows);
    let lines: Vec<String> = table.lines().map(|line| format!(" {}", line.trim_end())).collect();
    format!("{title} ({count})\n{}\n\n", lines.join("\n"))
}

/// The first `width` characters, the last of them `…` when that is not all.
pub(crate) fn cut(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        None => text.to_owned(),
        Some(_) => text.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// `words` on lines that begin with `indent` spaces.
pub(crate) fn wrapped<'a>(indent: usize, words: impl Iterator<Item = &'a str>) -> String {
    let mut page = String::new();
    let mut line = String::new();
    for word in words {
        if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(page, "{:indent$}{line}", "");
            line.clear();
        }
        line += if line.is_empty() { "" } else { " " };
        line += word;
    }
    if !line.is_empty() {
        let _ = writeln!(page, "{:indent$}{line}", "");
    }
    page
}

/// "1 instance", "2 instances".
pub(crate) fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_shown_as_it_is() {
        assert_eq!(plain("a\u{1b}[31mb\nc\u{202e}d\u{9b}e"), "a\\u{1b}[31mb\\nc\\u{202e}d\\u{9b}e");
        assert_eq!(plain("Größe 😀 \\d"), "Größe 😀 \\d");
    }

    #[test]
    fn a_text_in_json_says_what_it_is_and_nothing_that_a_terminal_obeys() {
        let shown = |text: &str| {
            let mut json = "[".to_owned();
            push_json(&mut json, text);
            json
        };
        assert_eq!(shown("snap-1"), r#"["snap-1""#);
        assert_eq!(shown(""), r#"["""#);
        for special in ["\"", "\\", "\n", "\0", "\u{7f}", "\u{9b}", "\u{202e}", "ö", "😀"] {
            let text = format!("{}{special}", "a long text before it ".repeat(3));
            let json = shown(&text);
            let plain = json.chars().all(|c| !is_deceptive(c));
            assert!(
                plain && serde_json::from_str::<[String; 1]>(&format!("{json}]")).unwrap() == [text],
                "{json}"
            );
        }
    }

    #[test]
    fn a_long_cell_is_cut_unless_it_is_the_last() {
        let long = "x".repeat(60);
        let text = section("Rows", &["A", "B"], vec![vec![long.clone(), long.clone()]]);
        let expected = format!("{}…  {long}", "x".repeat(47));
        assert!(text.lines().any(|line| line.trim() == expected), "{text}");
    }
}
