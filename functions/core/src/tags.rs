//! The tags of a snapshot: stopgap's own on create, everything else by `copy-tags`.

use std::collections::BTreeMap;

use crate::inventory::Tags;
use crate::policy::{TagSource, Tagging};
use crate::set_tags::{self, TAGS_MAX};
use crate::tasks::RunPlan;

/// The *set tags*: what every snapshot of a set carries from the moment it exists, so that it can be found, counted and
/// pruned even if nothing else of it is ever written.
pub fn of_set(run: &RunPlan, volumes: usize) -> Tags {
    Tags::from([
        (set_tags::POLICY.to_owned(), run.policy.id.to_string()),
        (set_tags::INSTANCE.to_owned(), run.instance_id.clone()),
        (set_tags::OCCURRENCE.to_owned(), run.occurrence.to_string()),
        (set_tags::VOLUMES.to_owned(), volumes.to_string()),
    ])
}

/// What `copy-tags` writes on one snapshot, and what did not fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagPlan {
    /// To be written.
    pub write: Tags,
    /// Keys for which there was no room, in the order in which they were considered.
    pub dropped: Vec<String>,
}

/// Plans the tags of a snapshot of a volume: `stopgap:device`, then the policy's `add`, then those of each source.
///
/// `present` is what the snapshot has already; its keys cost no room. A key that comes twice keeps its first value. Keys
/// of the sources that belong to AWS or to stopgap are passed over: the first cannot be written, the second would make a
/// copy of a volume that was itself restored from a backup pass for that backup.
pub fn plan(
    tagging: &Tagging,
    device: Option<&str>,
    volume: &Tags,
    instance: &Tags,
    present: &Tags,
) -> TagPlan {
    let device = device.map(|device| (set_tags::DEVICE.to_owned(), device.to_owned()));
    let foreign = |key: &str| !key.starts_with("aws:") && !key.starts_with(set_tags::PREFIX);
    let sources = tagging.from.iter().flat_map(|source| match source {
        TagSource::Volume => volume,
        TagSource::Instance => instance,
    });
    let added = tagging.add.iter().chain(sources).filter(|(key, _)| foreign(key));
    let wanted = device.into_iter().chain(added.map(|(key, value)| (key.clone(), value.clone())));

    let mut taken: BTreeMap<String, ()> =
        present.keys().filter(|key| !key.starts_with("aws:")).map(|key| (key.clone(), ())).collect();
    let mut plan = TagPlan::default();
    for (key, value) in wanted {
        if plan.write.contains_key(&key) || plan.dropped.contains(&key) {
            continue;
        }
        if taken.contains_key(&key) || taken.len() < TAGS_MAX {
            taken.insert(key.clone(), ());
            plan.write.insert(key, value);
        } else {
            plan.dropped.push(key);
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set_tags::TAGS_MAX;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn many(prefix: &str, count: usize) -> Tags {
        (0..count).map(|n| (format!("{prefix}{n:02}"), "v".to_owned())).collect()
    }

    fn tagging(add: Tags) -> Tagging {
        Tagging { from: vec![TagSource::Volume, TagSource::Instance], add }
    }

    #[test]
    fn copies_all_tags_of_volume_and_instance() {
        let plan = plan(
            &tagging(tags(&[("CostCenter", "42")])),
            Some("/dev/sdf"),
            &tags(&[("V", "1")]),
            &tags(&[("I", "2")]),
            &Tags::new(),
        );
        let expected = tags(&[("CostCenter", "42"), ("I", "2"), ("V", "1"), ("stopgap:device", "/dev/sdf")]);
        assert_eq!(plan, TagPlan { write: expected, dropped: vec![] });
    }

    #[test]
    fn what_the_policy_adds_wins_then_the_volume_then_the_instance() {
        let plan = plan(
            &tagging(tags(&[("A", "policy")])),
            None,
            &tags(&[("A", "volume"), ("B", "volume")]),
            &tags(&[("A", "instance"), ("B", "instance"), ("C", "instance")]),
            &Tags::new(),
        );
        assert_eq!(plan.write, tags(&[("A", "policy"), ("B", "volume"), ("C", "instance")]));
    }

    #[test]
    fn tags_of_aws_and_of_stopgap_are_never_copied() {
        let volume = tags(&[
            ("aws:cloudformation:stack-name", "s"),
            ("stopgap:occurrence", "other/2020-01-01T00:00:00Z"),
        ]);
        assert_eq!(
            plan(&tagging(Tags::new()), None, &volume, &Tags::new(), &Tags::new()),
            TagPlan::default()
        );
    }

    #[test]
    fn what_no_longer_fits_is_named_and_ours_come_first() {
        let set = tags(&[
            ("stopgap:policy", "p"),
            ("stopgap:instance", "i"),
            ("stopgap:occurrence", "o"),
            ("stopgap:volumes", "1"),
        ]);
        let plan = plan(&tagging(Tags::new()), Some("/dev/sda1"), &many("v", 30), &many("i", 30), &set);
        assert_eq!(set.len() + plan.write.len(), TAGS_MAX);
        assert!(plan.write.contains_key("stopgap:device"));
        assert_eq!(plan.dropped, (15..30).map(|n| format!("i{n:02}")).collect::<Vec<_>>());
    }

    #[test]
    fn repeating_the_copy_on_a_tagged_snapshot_changes_nothing() {
        let (volume, instance) = (many("v", 30), many("i", 30));
        let first = plan(&tagging(Tags::new()), Some("/dev/sda1"), &volume, &instance, &Tags::new());
        let second = plan(&tagging(Tags::new()), Some("/dev/sda1"), &volume, &instance, &first.write);
        assert_eq!(second, first);
    }
}
