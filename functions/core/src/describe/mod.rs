//! Reads what `aws ec2 describe-instances`, `describe-volumes` and `describe-snapshots` print (JSON) into inventory
//! types.
//!
//! What AWS may leave out may be missing; what cannot be made sense of without losing anything else is reported as
//! [`Unknown`] beside the rest. A file of the wrong shape is an error that says what it is and what it should be.
//!
//! The CLI joins pages itself, so a `NextToken` in the output means that there is more than was saved.

mod attributes;
pub mod catalogue;
mod error;
mod instances;
mod scan;
mod snapshots;
mod volumes;

pub use error::{DescribeError, text};

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Deserialize;

use crate::inventory::{Instance, Snapshot, Tags, Unknown, Volume};

/// What a file describes, and what in it could not be made sense of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described<T> {
    /// What it describes, in its order, each once.
    pub items: Vec<T>,
    /// What could not be made sense of.
    pub unknown: Vec<Unknown>,
}

/// Reads the output of `aws ec2 describe-instances`. `file` is its name, for messages.
///
/// The account is the reservation's `OwnerId`, the Region that of the Availability Zone.
///
/// # Errors
/// When it is not that output: where, and what would be right.
pub fn instances(file: &str, bytes: &[u8]) -> Result<Described<Instance>, DescribeError> {
    instances::read(file, bytes)
}

/// Reads the output of `aws ec2 describe-volumes`.
///
/// # Errors
/// When it is not that output: where, and what would be right.
pub fn volumes(file: &str, bytes: &[u8]) -> Result<Described<Volume>, DescribeError> {
    volumes::read(file, bytes)
}

/// Reads the output of `aws ec2 describe-snapshots`.
///
/// # Errors
/// When it is not that output: where, and what would be right.
pub fn snapshots(file: &str, bytes: &[u8]) -> Result<Described<Snapshot>, DescribeError> {
    snapshots::read(file, bytes)
}

/// What has been read so far, each id once.
struct Found<T> {
    items: Vec<T>,
    unknown: Vec<Unknown>,
    seen: HashSet<String>,
}

impl<T> Found<T> {
    fn new() -> Self {
        Self { items: Vec::new(), unknown: Vec::new(), seen: HashSet::new() }
    }

    /// Whether it is the first of its id.
    fn is_first(&mut self, kind: &str, id: &str, instance_id: Option<&str>) -> bool {
        let first = self.seen.insert(id.to_owned());
        if !first {
            let why = "it is described twice; only the first counts";
            self.unknown.push(Unknown::new(kind, id, instance_id, why));
        }
        first
    }

    /// All of it, when `file` says whether there is more.
    fn end(self, file: &str, more: bool) -> Described<T> {
        let unknown = more_pages(file, more).into_iter().chain(self.unknown).collect();
        Described { items: self.items, unknown }
    }
}

/// The Region of an Availability Zone, Local Zone (`us-west-2-lax-1a`) or Wavelength Zone
/// (`us-east-1-wl1-bos-wlz-1`): everything up to the first part that begins with a digit, and of that the digits.
pub fn region_of(zone: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in zone.split('-') {
        if part.is_empty() {
            return None;
        }
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        if digits.is_empty() {
            parts.push(part);
        } else {
            parts.push(&digits);
            return (parts.len() >= 3).then(|| parts.join("-"));
        }
    }
    None
}

/// A tag. Texts are borrowed from the file where they can be: a million snapshots are read in one go.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a tag, an object")]
struct RawTag<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow, default)]
    value: Option<Cow<'a, str>>,
}

fn tags(raw: Option<Vec<RawTag>>) -> Tags {
    let text = |tag: RawTag| (tag.key.into_owned(), tag.value.map(Cow::into_owned).unwrap_or_default());
    raw.unwrap_or_default().into_iter().map(text).collect()
}

/// That the file holds only the first page.
fn more_pages(file: &str, more: bool) -> Option<Unknown> {
    more.then(|| {
        Unknown::new("page", file, None, "it has a `NextToken`: there is more than was saved; save it without --no-paginate and --max-items")
    })
}

#[cfg(test)]
mod tests;
