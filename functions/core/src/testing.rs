//! Instances, volumes and snapshots for tests.

use crate::inventory::{
    Attachment, BlockDevice, Instance, InstanceState, Location, Snapshot, SnapshotState, Volume,
};
use crate::set_tags;

/// A running instance in 111111111111/eu-west-1 with `volumes`, the first its root, attached long ago.
pub(crate) fn instance(id: &str, volumes: &[&str], tags: &[(&str, &str)]) -> Instance {
    let devices = volumes.iter().zip('a'..).map(|(volume, letter)| BlockDevice {
        device: format!("/dev/sd{letter}"),
        volume_id: (*volume).to_owned(),
        attached_at: "2020-01-01T00:00:00Z".parse().ok(),
    });
    Instance {
        id: id.to_owned(),
        location: Location::new("111111111111", "eu-west-1"),
        state: InstanceState::Running,
        state_reason: None,
        root_device: Some("/dev/sda".to_owned()),
        devices: devices.collect(),
        tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        spot_request: None,
        hibernation: false,
        passing_address: None,
        attributes: [("instance-type", Some("m5.large"))].into_iter().collect(),
    }
}

/// A volume attached to `instance_id`.
pub(crate) fn volume(id: &str, instance_id: &str, tags: &[(&str, &str)]) -> Volume {
    Volume {
        id: id.to_owned(),
        size_gib: 8,
        volume_type: "gp3".to_owned(),
        kms_key_id: None,
        tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        attachments: vec![Attachment {
            instance_id: instance_id.to_owned(),
            device: "/dev/sda".to_owned(),
            attached_at: None,
        }],
    }
}

/// A completed snapshot with the set tags of `occurrence` and `volumes`.
pub(crate) fn snapshot(id: &str, volume: &str, instance: &str, occurrence: &str, volumes: usize) -> Snapshot {
    let policy = occurrence.split('/').next().unwrap_or_default();
    let count = volumes.to_string();
    let tags = [
        (set_tags::POLICY, policy),
        (set_tags::INSTANCE, instance),
        (set_tags::OCCURRENCE, occurrence),
        (set_tags::VOLUMES, &count),
    ];
    Snapshot {
        id: id.to_owned(),
        owner: None,
        volume_id: volume.to_owned(),
        state: SnapshotState::Completed,
        started_at: "2026-11-20T02:05:00Z".parse().unwrap(),
        size_gib: 8,
        description: String::new(),
        tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
    }
}
