//! What Rackspace's ebs_snapper left behind: which snapshots are its, of which instance, and which belong together.
//!
//! It made one snapshot after another, CreateSnapshot first and CreateTags then, and wrote no number of volumes and no id of
//! a run. What it did write is a description that names instance and volume, and a tag `DeleteOn`. Read in its source,
//! `snapshot.py` and `utils.py`, up to 0.10.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, civil};

use crate::backup_set::Member;
use crate::inventory::Snapshot;
use crate::set_tags;

/// The tag with the day on which ebs_snapper would have deleted a snapshot, `YYYY-MM-DD`.
pub const DELETE_ON: &str = "DeleteOn";

/// How long one run of its took at most: its functions were ended after five minutes.
const RUN: SignedDuration = SignedDuration::from_mins(5);

/// How long after the beginning of one run's snapshots those of the next begin at most: it ran every fifteen minutes, and
/// took up to five to get to an instance.
const NEXT_RUN: SignedDuration = SignedDuration::from_mins(20);

/// How the description of each snapshot of `instance_id` begins.
pub fn description(instance_id: &str) -> String {
    format!("Created from {instance_id} by EbsSnapper(")
}

/// The instance that a snapshot of ebs_snapper is of; `None` when it is not its, having no tag [`DELETE_ON`].
///
/// The description says it: EC2 lets nobody change it, and it tells of the time when the snapshot was made. The volume's
/// attachment does not, for volumes move. Other tools write `DeleteOn` too, so the tag alone is not enough. The date does not
/// matter: other rules decide now.
///
/// # Errors
/// Why it cannot be told that it is ebs_snapper's, and of which instance.
pub fn instance_of<'a>(
    delete_on: Option<&str>,
    description: &'a str,
    volume_id: &str,
) -> Option<Result<&'a str, String>> {
    let delete_on = delete_on?;
    if delete_on.len() != 10 || delete_on.parse::<civil::Date>().is_err() {
        return Some(Err(format!("its tag `{DELETE_ON}` is no day such as 2026-11-21: `{delete_on}`")));
    }
    // `Created from i-… by EbsSnapper(0.10.6) for ami-… from vol-…`
    let named = || {
        let (instance_id, rest) = description.strip_prefix("Created from ")?.split_once(" by EbsSnapper(")?;
        let (_, volume) = rest.rsplit_once(" from ")?;
        let id = |text: &str, prefix: &str| {
            let digits = text.strip_prefix(prefix).unwrap_or_default();
            !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        (id(instance_id, "i-") && id(volume, "vol-")).then_some((instance_id, volume))
    };
    Some(match named() {
        None => Err(format!(
            "it has a tag `{DELETE_ON}`, but not the description by which ebs_snapper names the instance"
        )),
        // CopySnapshot keeps the description, and the copy's volume is `vol-ffffffff`.
        Some((_, volume)) if volume != volume_id => {
            Err(format!("it is a copy: its description names {volume}, and it is of `{volume_id}`"))
        }
        Some((instance_id, _)) => Ok(instance_id),
    })
}

/// The same of a described snapshot. One with a tag of stopgap's is stopgap's: it may have the volume's `DeleteOn`, copied.
pub fn instance_of_snapshot(snapshot: &Snapshot) -> Option<Result<&str, String>> {
    if snapshot.tags.keys().any(|key| key.starts_with(set_tags::PREFIX)) {
        return None;
    }
    let delete_on = snapshot.tags.get(DELETE_ON).map(String::as_str);
    instance_of(delete_on, &snapshot.description, &snapshot.volume_id)
}

/// Snapshots of one instance that make a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<M> {
    /// The set's time: when the first of them was begun, in whole seconds.
    pub at: Timestamp,
    /// How many volumes the set has to have.
    pub volumes: usize,
    /// Its snapshots, in the order in which they were begun; of each volume one.
    pub members: Vec<M>,
}

/// Sorts the snapshots of *one* instance into sets, the oldest first. Their order does not matter.
///
/// Snapshots begun within five minutes of the first, no two of one volume, are those of one run. Volumes fall due a few seconds
/// apart, each by its own last snapshot, so that a run often takes some of them and the next one the rest: what the very next
/// run took of *other* volumes belongs to the same set.
///
/// Nothing says how many volumes the instance had. A set has to have each volume of which there is a snapshot both before
/// and after it; and the newest set each one of the set before it. So a run that was cut short makes no complete set, and the
/// floor does not count it. A volume that came later, or was gone before, is not missed.
pub fn sets<M: Member>(mut members: Vec<M>) -> Vec<Group<M>> {
    members.sort_by_cached_key(|member| (member.started_at(), member.id()));
    let mut groups: Vec<Group<M>> = Vec::new();
    for run in runs(members) {
        let Some(at) = run.first().map(Member::started_at) else { continue };
        let of_volumes = |members: &[M]| members.iter().map(Member::volume).collect::<BTreeSet<_>>();
        let last = groups.last_mut().filter(|group| {
            let begun = group.members.last().map_or(group.at, Member::started_at);
            at.duration_since(begun) <= NEXT_RUN && of_volumes(&group.members).is_disjoint(&of_volumes(&run))
        });
        match last {
            Some(group) => group.members.extend(run),
            None => groups.push(Group { at: whole_seconds(at), volumes: 0, members: run }),
        }
    }
    expect(&mut groups);
    groups
}

/// The snapshots of each run.
fn runs<M: Member>(members: Vec<M>) -> Vec<Vec<M>> {
    let mut runs: Vec<Vec<M>> = Vec::new();
    for member in members {
        let same_run = |run: &&mut Vec<M>| {
            run.first().is_some_and(|first| member.started_at().duration_since(first.started_at()) <= RUN)
                && run.iter().all(|other| other.volume() != member.volume())
        };
        match runs.last_mut().filter(same_run) {
            Some(run) => run.push(member),
            None => runs.push(vec![member]),
        }
    }
    runs
}

/// Says of each group how many volumes it has to have.
fn expect<M: Member>(groups: &mut [Group<M>]) {
    // The first and the last group that each volume is in.
    let mut spans: BTreeMap<M::Volume, (usize, usize)> = BTreeMap::new();
    for (n, group) in groups.iter().enumerate() {
        for member in &group.members {
            spans.entry(member.volume()).or_insert((n, n)).1 = n;
        }
    }
    let newest = groups.len().saturating_sub(1);
    let (mut begin, mut end) = (vec![0_usize; groups.len() + 1], vec![0_usize; groups.len() + 1]);
    for (first, last) in spans.into_values() {
        let last = if last + 1 == newest { newest } else { last };
        for (counts, n) in [(&mut begin, first), (&mut end, last + 1)] {
            if let Some(count) = counts.get_mut(n) {
                *count += 1;
            }
        }
    }
    let mut volumes = 0;
    for ((group, begin), end) in groups.iter_mut().zip(begin).zip(end) {
        volumes = volumes + begin - end;
        group.volumes = volumes;
    }
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
