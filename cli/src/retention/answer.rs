//! What becomes of each set, and how it is written: one set a line, for people and for programs.

use std::fmt;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use serde::ser::SerializeStruct;
use stopgap_core::backup_set::Contradiction;
use stopgap_core::policy::Tool;
use stopgap_core::retention::Reason;

use crate::output::{self, plain};

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
    /// The ids of its snapshots, sorted.
    pub(super) snapshots: Vec<&'c str>,
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

impl Serialize for Why<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Item<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = self.time.to_string();
        let mut fields = serializer.serialize_struct("Item", 4)?;
        match self.title {
            Title::Occurrence { policy, .. } => {
                fields.serialize_field("occurrence", &[policy, "/", &time].concat())?;
            }
            Title::Group(value) => fields.serialize_field("occurrence", value)?,
            Title::Nothing => fields.serialize_field("occurrence", &None::<&str>)?,
        }
        fields.serialize_field("time", &time)?;
        fields.serialize_field("snapshots", &self.snapshots)?;
        fields.serialize_field("reasons", &self.reasons)?;
        fields.end()
    }
}

impl Answer<'_> {
    pub(super) fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        for (n, (name, items)) in
            [("keep", &self.keep), ("delete", &self.delete), ("skip", &self.skip)].into_iter().enumerate()
        {
            write!(out, "{} \"{name}\": [", if n == 0 { "{\n" } else { "],\n" })?;
            for (n, item) in items.iter().enumerate() {
                out.write_all(if n == 0 { b"\n  " } else { b",\n  " })?;
                output::write_json(&mut *out, item)?;
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
    /// What stands above it and the others of its series.
    fn heading(&self) -> String {
        match self.title {
            Title::Occurrence { policy, instance } => format!("{instance} {policy}"),
            Title::Group(value) => value.to_owned(),
            Title::Nothing => "in no set".to_owned(),
        }
    }
}
