//! What becomes of each set, and how it is written: one set a line, for people and for programs.

use std::fmt;
use std::io::{self, Write};

use compact_str::CompactString;
use jiff::Timestamp;
use stopgap_core::backup_set::Contradiction;
use stopgap_core::policy::Tool;
use stopgap_core::retention::Reason;

use crate::output::{plain, push_json};

/// What becomes of each set; of each policy and instance the oldest first.
#[derive(Default)]
pub(super) struct Answer<'c> {
    pub(super) keep: Vec<Item<'c>>,
    pub(super) delete: Vec<Item<'c>>,
    pub(super) skip: Vec<Item<'c>>,
}

/// A set, or a snapshot that is in none.
pub(super) struct Item<'c> {
    pub(super) title: Title<'c>,
    pub(super) time: Timestamp,
    /// The ids of its snapshots, sorted: copies, so that nothing has to be looked for while they are written.
    pub(super) snapshots: Vec<CompactString>,
    pub(super) reasons: Vec<Why<'c>>,
}

/// What makes it a set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Title<'c> {
    /// An occurrence of a policy on an instance.
    Occurrence { policy: &'c str, instance: &'c str },
    /// A value of the tag that was asked for.
    Group(&'c str),
    /// It is none.
    Nothing,
}

/// Why.
pub(super) enum Why<'c> {
    /// As the rules say.
    Reason(Reason),
    /// It is not stopgap's.
    Foreign,
    /// Its tags make no sense.
    Malformed(&'c str),
    /// Its snapshots contradict each other.
    Contradiction(Contradiction),
    /// It is one that a policy adopts, and who made it.
    MadeBy(Tool),
    /// More than one policy adopts it.
    SeveralAdopt,
    /// There are no rules for it.
    UnknownPolicy(&'c str),
}

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reason(reason) => reason.fmt(f),
            Self::Foreign => f.write_str("foreign"),
            Self::Malformed(why) => f.write_str(why),
            Self::Contradiction(contradiction) => contradiction.fmt(f),
            Self::MadeBy(tool) => write!(f, "made by {tool}"),
            Self::SeveralAdopt => f.write_str(
                "several policies in the file adopt it, and which of them selects the instance is not known here; leave one",
            ),
            Self::UnknownPolicy(policy) => write!(f, "there is no policy `{policy}` in the file"),
        }
    }
}

impl Answer<'_> {
    pub(super) fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut line = String::new();
        for (n, (name, items)) in
            [("keep", &self.keep), ("delete", &self.delete), ("skip", &self.skip)].into_iter().enumerate()
        {
            write!(out, "{} \"{name}\": [", if n == 0 { "{\n" } else { "],\n" })?;
            for (n, item) in items.iter().enumerate() {
                out.write_all(if n == 0 { b"\n  " } else { b",\n  " })?;
                line.clear();
                item.push_json(&mut line);
                out.write_all(line.as_bytes())?;
            }
            if !items.is_empty() {
                out.write_all(b"\n ")?;
            }
        }
        out.write_all(b"]\n}\n")
    }

    pub(super) fn write_text(&self, out: &mut dyn Write, at: Timestamp) -> io::Result<()> {
        for (action, items) in [("Keep", &self.keep), ("Delete", &self.delete), ("Skip", &self.skip)] {
            if items.is_empty() {
                continue;
            }
            writeln!(out, "{action} ({})", items.len())?;
            let mut last = None;
            for item in items {
                if last != Some(item.heading()) {
                    last = Some(item.heading());
                    writeln!(out, " {}", plain(&item.heading()))?;
                }
                let reasons: Vec<String> = item.reasons.iter().map(ToString::to_string).collect();
                let (snapshots, reasons) = (item.snapshots.join(" "), reasons.join("; "));
                writeln!(out, "  {}  {}  {}", item.time, plain(&reasons), plain(&snapshots))?;
            }
            writeln!(out)?;
        }
        let snapshots: usize = self.delete.iter().map(|item| item.snapshots.len()).sum();
        let (keep, delete, skip) = (self.keep.len(), self.delete.len(), self.skip.len());
        writeln!(out, "At {at}: {keep} to keep, {delete} to delete ({snapshots} snapshots), {skip} skipped.")
    }
}

impl Item<'_> {
    /// Adds it to JSON, on one line.
    fn push_json(&self, json: &mut String) {
        let time = self.time.to_string();
        json.push_str("{\"occurrence\":");
        match self.title {
            Title::Occurrence { policy, .. } => push_json(json, format_args!("{policy}/{time}")),
            Title::Group(value) => push_json(json, value),
            Title::Nothing => json.push_str("null"),
        }
        json.push_str(",\"time\":");
        push_json(json, &time);
        json.push_str(",\"snapshots\":[");
        push_all(json, &self.snapshots);
        json.push_str("],\"reasons\":[");
        push_all(json, &self.reasons);
        json.push_str("]}");
    }

    /// What stands above it and the others of its series.
    fn heading(&self) -> String {
        match self.title {
            Title::Occurrence { policy, instance } => format!("{instance} {policy}"),
            Title::Group(value) => value.to_owned(),
            Title::Nothing => "in no set".to_owned(),
        }
    }
}

/// Adds what stands in an array.
fn push_all(json: &mut String, texts: &[impl fmt::Display]) {
    for (n, text) in texts.iter().enumerate() {
        json.push_str(if n == 0 { "" } else { "," });
        push_json(json, text);
    }
}
