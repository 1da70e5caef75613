//! `aws ec2 describe-volumes`.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use super::error::{self, VOLUMES};
use super::{DescribeError, Described, Found, RawTag, scan, tags};
use crate::inventory::{Attachment, Volume};

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

fn add(found: &mut Found<Volume>, raw: RawVolume) {
    let volume = volume(raw);
    if found.is_first("volume", &volume.id, None) {
        found.items.push(volume);
    }
}

pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Described<Volume>, DescribeError> {
    let mut found = Found::new();
    let read =
        scan::items(bytes, VOLUMES.array, |scanner| scanner.value().map(|volume| add(&mut found, volume)));
    match read {
        Ok(rest) => Ok(found.end(file, rest.more)),
        // Whatever is odd about it: the ordinary way takes it, or says why not.
        Err(_) => read_whole(file, bytes),
    }
}

/// The same, all volumes at once.
fn read_whole<'a>(file: &str, bytes: &'a [u8]) -> Result<Described<Volume>, DescribeError> {
    let take = |whole: &mut Whole<'a>| whole.volumes.take();
    let (whole, volumes) = error::read::<Whole, _>(file, bytes, VOLUMES, take)?;
    let mut found = Found::new();
    volumes.into_iter().for_each(|volume| add(&mut found, volume));
    Ok(found.end(file, whole.next_token.is_some()))
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
