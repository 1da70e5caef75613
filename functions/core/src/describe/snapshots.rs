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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a snapshot, an object")]
struct RawSnapshot<'a> {
    #[serde(borrow)]
    snapshot_id: Cow<'a, str>,
    #[serde(borrow)]
    owner_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    volume_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state: Option<Cow<'a, str>>,
    start_time: Option<Timestamp>,
    volume_size: Option<u64>,
    #[serde(borrow)]
    description: Option<Cow<'a, str>>,
    #[serde(borrow)]
    tags: Option<Vec<RawTag<'a>>>,
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
    described.unknown.extend(more_pages(file, whole.next_token));
    Ok(described)
}

fn snapshot(raw: RawSnapshot<'_>) -> Result<Snapshot, Unknown> {
    let name = raw.state.as_deref().ok_or_else(|| missing(&raw.snapshot_id, "State"))?;
    let state = SnapshotState::from_name(name).ok_or_else(|| {
        let why = format!("its state `{name}` is not one that EC2 documents, so it counts for nothing");
        Unknown::new("snapshot", &raw.snapshot_id, None, why)
    })?;
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

fn missing(id: &str, field: &str) -> Unknown {
    Unknown::new("snapshot", id, None, format!("it has no `{field}`, so it counts for nothing"))
}
