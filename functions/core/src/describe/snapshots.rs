//! `aws ec2 describe-snapshots`.
//!
//! There can be a hundred thousand in each Region, so they are turned into inventory types one by one as they are read.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::error::{self, SNAPSHOTS};
use super::{DescribeError, Described, RawTag, more_pages, tags};
use crate::inventory::{Snapshot, SnapshotState, Unknown};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Whole<'a> {
    snapshots: Option<Converted>,
    #[serde(borrow)]
    next_token: Option<Cow<'a, str>>,
}

/// The same with the items as they are.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WholeRaw<'a> {
    #[serde(borrow)]
    snapshots: Option<Vec<RawSnapshot<'a>>>,
    #[serde(borrow)]
    next_token: Option<Cow<'a, str>>,
}

/// What a file holds.
pub(super) struct Raws<'a> {
    pub(super) items: Vec<RawSnapshot<'a>>,
    /// Whether there is more than was saved.
    pub(super) more: bool,
}

/// Reads the items as they are.
pub(super) fn read_whole<'a>(file: &str, bytes: &'a [u8]) -> Result<Raws<'a>, DescribeError> {
    let take = |whole: &mut WholeRaw<'a>| whole.snapshots.take();
    let (whole, items) = error::read::<WholeRaw<'_>, _>(file, bytes, SNAPSHOTS, take)?;
    Ok(Raws { items, more: whole.next_token.is_some() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a snapshot, an object")]
pub(super) struct RawSnapshot<'a> {
    #[serde(borrow)]
    pub(super) snapshot_id: Cow<'a, str>,
    #[serde(borrow)]
    owner_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) volume_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) state: Option<Cow<'a, str>>,
    pub(super) start_time: Option<Timestamp>,
    volume_size: Option<u64>,
    #[serde(borrow)]
    pub(super) description: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) tags: Option<Vec<RawTag<'a>>>,
}

/// The items of the array, converted.
struct Converted(Described<Snapshot>);

impl<'de> Deserialize<'de> for Converted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;
        impl<'de> Visitor<'de> for Items {
            type Value = Described<Snapshot>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of snapshots")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut described = Described { items: Vec::new(), unknown: Vec::new() };
                while let Some(raw) = items.next_element::<RawSnapshot<'de>>()? {
                    match snapshot(raw) {
                        Ok(snapshot) => described.items.push(snapshot),
                        Err(unknown) => described.unknown.push(unknown),
                    }
                }
                Ok(described)
            }
        }
        deserializer.deserialize_seq(Items).map(Converted)
    }
}

pub(super) fn read<'a>(file: &str, bytes: &'a [u8]) -> Result<Described<Snapshot>, DescribeError> {
    let take = |whole: &mut Whole<'a>| whole.snapshots.take();
    let (whole, Converted(mut described)) = error::read::<Whole<'_>, _>(file, bytes, SNAPSHOTS, take)?;
    described.unknown.extend(more_pages(file, whole.next_token.is_some()));
    Ok(described)
}

fn snapshot(raw: RawSnapshot<'_>) -> Result<Snapshot, Unknown> {
    let state = state(&raw.snapshot_id, raw.state.as_deref())?;
    let started_at = raw.start_time.ok_or_else(|| missing(&raw.snapshot_id, "StartTime"))?;
    Ok(Snapshot {
        id: raw.snapshot_id.into_owned(),
        owner: raw.owner_id.filter(|owner| !owner.is_empty()).map(Cow::into_owned),
        volume_id: raw.volume_id.map(Cow::into_owned).unwrap_or_default(),
        state,
        started_at,
        size_gib: raw.volume_size.unwrap_or_default(),
        description: raw.description.map(Cow::into_owned).unwrap_or_default(),
        tags: tags(raw.tags),
    })
}

/// A snapshot's state by its name.
pub(super) fn state(id: &str, name: Option<&str>) -> Result<SnapshotState, Unknown> {
    let name = name.ok_or_else(|| missing(id, "State"))?;
    SnapshotState::from_name(name).ok_or_else(|| {
        let why = format!("its state `{name}` is not one that EC2 documents, so it counts for nothing");
        Unknown::new("snapshot", id, None, why)
    })
}

pub(super) fn missing(id: &str, field: &str) -> Unknown {
    Unknown::new("snapshot", id, None, format!("it has no `{field}`, so it counts for nothing"))
}
