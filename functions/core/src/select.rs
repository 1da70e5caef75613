//! Which instances a policy selects, which of their volumes, and why.

use std::collections::BTreeMap;

use wildmatch::WildMatch;

use crate::inventory::{Instance, Tags, Volume};
use crate::policy::{Matcher, Policy, Select, TagMatch, VolumeMatcher, VolumeSelect};

/// The DescribeInstances filters that a policy may use, besides `tag:<key>` and `tag-key`: those that can be answered
/// from what DescribeInstances returns. Whoever describes instances fills [`Instance::attributes`] with them; those
/// of its own fields (`instance-id`, `instance-state-name`, `owner-id`, `root-device-name`,
/// `block-device-mapping.*`) are answered from there.
pub const FILTERS: &[&str] = &[
    "architecture",
    "availability-zone",
    "block-device-mapping.device-name",
    "block-device-mapping.volume-id",
    "dns-name",
    "hypervisor",
    "iam-instance-profile.arn",
    "image-id",
    "instance-id",
    "instance-lifecycle",
    "instance-state-name",
    "instance-type",
    "instance.group-id",
    "instance.group-name",
    "ip-address",
    "key-name",
    "owner-id",
    "placement-group-name",
    "platform",
    "platform-details",
    "private-dns-name",
    "private-ip-address",
    "requester-id",
    "reservation-id",
    "root-device-name",
    "root-device-type",
    "subnet-id",
    "tenancy",
    "virtualization-type",
    "vpc-id",
];

/// Whether `name` is a filter that a policy may use.
pub fn is_filter(name: &str) -> bool {
    FILTERS.contains(&name)
        || name == "tag-key"
        || name.strip_prefix("tag:").is_some_and(|key| !key.is_empty())
}

/// Whether a policy selects an instance, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// It does; what matched, in words.
    Selected(Vec<String>),
    /// Something matched, but so did an exception; which, in words.
    Excepted(String),
    /// Nothing matched.
    NotSelected,
}

impl Selection {
    /// Whether the instance is selected.
    pub fn is_selected(&self) -> bool {
        matches!(self, Self::Selected(_))
    }
}

impl Policy {
    /// Whether this policy selects `instance`. What is terminated or shutting down is never selected.
    pub fn selects(&self, instance: &Instance) -> Selection {
        self.select.applied_to(instance)
    }
}

impl Select {
    /// Whether `instance` is selected: not gone, matched by one of `any` and by none of `except`.
    pub fn applied_to(&self, instance: &Instance) -> Selection {
        if instance.state.is_gone() {
            return Selection::NotSelected;
        }
        let reasons: Vec<String> = self.any.iter().filter_map(|matcher| matcher.reason(instance)).collect();
        if reasons.is_empty() {
            return Selection::NotSelected;
        }
        match self.except.iter().find_map(|matcher| matcher.reason(instance)) {
            Some(reason) => Selection::Excepted(format!("excepted by {reason}")),
            None => Selection::Selected(reasons),
        }
    }
}

impl Matcher {
    /// Why this matches `instance`, in words such as `tag Backup=nightly`; `None` when it does not.
    pub fn reason(&self, instance: &Instance) -> Option<String> {
        match self {
            Self::Tag(tags) => tags_reason(tags, &instance.tags),
            Self::Asg(pattern) => {
                let group = instance.auto_scaling_group().filter(|group| matches(pattern, group))?;
                Some(format!("Auto Scaling group {group}"))
            }
            Self::Name(pattern) => {
                instance.name().filter(|name| matches(pattern, name)).map(|name| format!("name {name:?}"))
            }
            Self::Instance(id) => (*id == instance.id).then(|| format!("instance {id}")),
            Self::All(matchers) => {
                let reasons: Option<Vec<String>> =
                    matchers.iter().map(|matcher| matcher.reason(instance)).collect();
                reasons.map(|reasons| reasons.join(" and "))
            }
            Self::Filter(filters) => {
                let reason = |(name, patterns): (&String, &Vec<String>)| {
                    let value = filter_values(name, instance)
                        .into_iter()
                        .find(|value| any_matches(patterns, value))?;
                    Some(format!("{name}={value}"))
                };
                let reasons: Option<Vec<String>> = filters.iter().map(reason).collect();
                reasons.map(|reasons| format!("filter {}", reasons.join(" and ")))
            }
        }
    }
}

/// What a filter sees of an instance.
fn filter_values<'a>(name: &'a str, instance: &'a Instance) -> Vec<&'a str> {
    if let Some(key) = name.strip_prefix("tag:") {
        return instance.tags.get(key).map(String::as_str).into_iter().collect();
    }
    match name {
        "tag-key" => instance.tags.keys().map(String::as_str).collect(),
        "instance-id" => vec![&instance.id],
        "instance-state-name" => vec![instance.state.as_str()],
        "owner-id" => vec![&instance.location.account],
        "root-device-name" => instance.root_device.as_deref().into_iter().collect(),
        "block-device-mapping.device-name" => {
            instance.devices.iter().map(|device| device.device.as_str()).collect()
        }
        "block-device-mapping.volume-id" => {
            instance.devices.iter().map(|device| device.volume_id.as_str()).collect()
        }
        _ => instance.attributes.values(name).collect(),
    }
}

fn tags_reason(wanted: &TagMatch, tags: &Tags) -> Option<String> {
    let reason = |(key, patterns): (&String, &Vec<String>)| {
        let value = tags.get(key).filter(|value| any_matches(patterns, value))?;
        Some(format!("tag {key}={value}"))
    };
    let reasons: Option<Vec<String>> = wanted.iter().map(reason).collect();
    reasons.map(|reasons| reasons.join(" and "))
}

fn any_matches(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, text))
}

fn matches(pattern: &str, text: &str) -> bool {
    WildMatch::new(pattern).matches(text)
}

/// The volumes of an instance that a backup will contain, and those it leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeSelection {
    /// The ids of the volumes in it, sorted. One that the inventory does not know is in it: an exception by tag cannot
    /// be checked, and copying too much loses nothing.
    pub ids: Vec<String>,
    /// Those of `ids` that the inventory does not know.
    pub unknown: Vec<String>,
    /// What is left out, with the reason in words.
    pub left_out: BTreeMap<String, String>,
}

impl VolumeSelect {
    /// Which volumes of `instance` a backup contains; `volumes` are those the inventory knows, by id.
    pub fn applied_to(&self, instance: &Instance, volumes: &BTreeMap<&str, &Volume>) -> VolumeSelection {
        let mut selection = VolumeSelection::default();
        for device in &instance.devices {
            let id = &device.volume_id;
            let volume = volumes.get(id.as_str());
            let excepted = volume.and_then(|volume| {
                self.except.iter().find_map(|VolumeMatcher::Tag(tags)| tags_reason(tags, &volume.tags))
            });
            if !self.root && instance.is_root(id) {
                selection.left_out.insert(id.clone(), "the root volume".to_owned());
            } else if let Some(reason) = excepted {
                selection.left_out.insert(id.clone(), format!("excepted by {reason}"));
            } else {
                selection.ids.push(id.clone());
                if volume.is_none() {
                    selection.unknown.push(id.clone());
                }
            }
        }
        selection.ids.sort();
        selection.ids.dedup();
        selection.unknown.sort();
        selection.unknown.dedup();
        selection
    }
}

#[cfg(test)]
mod tests;
