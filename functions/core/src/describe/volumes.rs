//! `aws ec2 describe-volumes`.

use std::borrow::Cow;
use std::collections::HashSet;

use jiff::Timestamp;
use serde::Deserialize;

use super::error::{self, VOLUMES};
use super::{DescribeError, Described, RawTag, more_pages, tags};
use crate::inventory::{Attachment, Unknown, Volume};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Whole<'a> {
    #[serde(borrow)]
    volumes: Option<Vec<RawVolume<'a>>>,
    #[serde(borrow)]
    next_token: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a volume, an object")]
struct RawVolume<'a> {
    volume_id: String,
    size: Option<u64>,
    volume_type: Option<String>,
    kms_key_id: Option<String>,
    #[serde(borrow)]
    tags: Option<Vec<RawTag<'a>>>,
    attachments: Option<Vec<RawAttachment>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an attachment, an object")]
struct RawAttachment {
    instance_id: Option<String>,
    device: Option<String>,
    attach_time: Option<Timestamp>,
    state: Option<String>,
}

pub(super) fn read<'a>(file: &str, bytes: &'a [u8]) -> Result<Described<Volume>, DescribeError> {
    let take = |whole: &mut Whole<'a>| whole.volumes.take();
    let (whole, raw) = error::read::<Whole, _>(file, bytes, VOLUMES, take)?;
    let mut unknown: Vec<Unknown> = more_pages(file, whole.next_token.is_some()).into_iter().collect();
    let mut items = Vec::with_capacity(raw.len());
    let mut seen = HashSet::new();
    for volume in raw.into_iter().map(volume) {
        if seen.insert(volume.id.clone()) {
            items.push(volume);
        } else {
            unknown.push(Unknown::new(
                "volume",
                &volume.id,
                None,
                "it is described twice; only the first counts",
            ));
        }
    }
    Ok(Described { items, unknown })
}

fn volume(raw: RawVolume) -> Volume {
    let attachment = |raw: RawAttachment| {
        // A volume that is being managed for another service names no instance.
        let instance_id = raw.instance_id.filter(|_| raw.state.as_deref() != Some("detached"))?;
        Some(Attachment { instance_id, device: raw.device.unwrap_or_default(), attached_at: raw.attach_time })
    };
    Volume {
        id: raw.volume_id,
        size_gib: raw.size.unwrap_or_default(),
        volume_type: raw.volume_type.unwrap_or_default(),
        kms_key_id: raw.kms_key_id,
        tags: tags(raw.tags),
        attachments: raw.attachments.unwrap_or_default().into_iter().filter_map(attachment).collect(),
    }
}
