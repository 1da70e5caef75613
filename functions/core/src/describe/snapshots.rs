//! `aws ec2 describe-snapshots`.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use super::error::{self, SNAPSHOTS};
use super::{DescribeError, Described, RawTag, more_pages, tags};
use crate::inventory::{Snapshot, SnapshotState, Unknown};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Whole<'a> {
    #[serde(borrow)]
    snapshots: Option<Vec<RawSnapshot<'a>>>,
    #[serde(borrow)]
    next_token: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawSnapshot<'a> {
    #[serde(borrow)]
    snapshot_id: Cow<'a, str>,
    #[serde(borrow)]
    owner_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    volume_id: Option<Cow<'a, str>>,
    state: Option<SnapshotState>,
    start_time: Option<Timestamp>,
    volume_size: Option<u64>,
    #[serde(borrow)]
    description: Option<Cow<'a, str>>,
    #[serde(borrow)]
    tags: Option<Vec<RawTag<'a>>>,
}

pub(super) fn read<'a>(file: &str, bytes: &'a [u8]) -> Result<Described<Snapshot>, DescribeError> {
    let take = |whole: &mut Whole<'a>| whole.snapshots.take();
    let (whole, raw) = error::read::<Whole, _>(file, bytes, SNAPSHOTS, take)?;
    let mut items = Vec::with_capacity(raw.len());
    let mut unknown: Vec<Unknown> = more_pages(file, whole.next_token).into_iter().collect();
    for raw in raw {
        match (raw.state, raw.start_time) {
            (Some(state), Some(started_at)) => items.push(Snapshot {
                id: raw.snapshot_id.into_owned(),
                owner: raw.owner_id.filter(|owner| !owner.is_empty()).map(Cow::into_owned),
                volume_id: raw.volume_id.map(Cow::into_owned).unwrap_or_default(),
                state,
                started_at,
                size_gib: raw.volume_size.unwrap_or_default(),
                description: raw.description.map(Cow::into_owned).unwrap_or_default(),
                tags: tags(raw.tags),
            }),
            (None, _) => unknown.push(missing(&raw.snapshot_id, "State")),
            (_, None) => unknown.push(missing(&raw.snapshot_id, "StartTime")),
        }
    }
    Ok(Described { items, unknown })
}

fn missing(id: &str, field: &str) -> Unknown {
    Unknown::new("snapshot", id, None, format!("it has no `{field}`, so it counts for nothing"))
}
