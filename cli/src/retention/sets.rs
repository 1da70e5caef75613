//! From a catalogue of snapshots to sets, and what becomes of each.
//!
//! A million snapshots are sorted once; sets and series are runs of what has been sorted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use stopgap_core::backup_set::{Contradiction, Member, SetStatus, assess};
use stopgap_core::describe::catalogue::{Belongs, Catalogue, Entry, Name};
use stopgap_core::inventory::SnapshotState;
use stopgap_core::policy::Policy;
use stopgap_core::retention::{Action, Facts, Verdict, decide};

use super::answer::{Answer, Item, Title, Why};

/// A snapshot where it is sorted to. Names are numbered in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'c> {
    policy: u32,
    /// The instance, or the group.
    member_of: u32,
    /// Newest first.
    at: std::cmp::Reverse<Timestamp>,
    id: &'c str,
    entry: u32,
}

/// A set.
struct Set<'c> {
    policy: Option<Name>,
    member_of: Name,
    at: Timestamp,
    ids: Vec<&'c str>,
    facts: Result<Facts, Contradiction>,
}

/// A snapshot of a set.
#[derive(Clone, Copy)]
struct View<'c> {
    id: &'c str,
    entry: &'c Entry,
}

impl<'c> Member for View<'c> {
    type Volume = Name;
    type Id = &'c str;

    fn id(&self) -> &'c str {
        self.id
    }

    fn volume(&self) -> Name {
        self.entry.volume
    }

    fn state(&self) -> SnapshotState {
        self.entry.state
    }

    fn started_at(&self) -> Timestamp {
        self.entry.started_at
    }
}

/// What becomes of stopgap's sets: each policy's retention over each instance's sets.
pub(super) fn by_instance<'c>(catalogue: &'c Catalogue, policies: &[Policy]) -> Answer<'c> {
    let order = catalogue.order();
    let mut answer = Answer::default();
    let places = places(catalogue, &mut answer, |belongs| match belongs {
        Belongs::Set { policy, instance, at, .. } => Some((order.place(policy), order.place(instance), at)),
        _ => None,
    });
    let policies: BTreeMap<&str, &Policy> =
        policies.iter().map(|policy| (policy.id.as_str(), policy)).collect();
    let mut scratch = Vec::new();
    let same_set = |a: &Place, b: &Place| (a.policy, a.member_of, a.at) == (b.policy, b.member_of, b.at);
    let same_series = |a: &Place, b: &Place| (a.policy, a.member_of) == (b.policy, b.member_of);
    for series in places.chunk_by(same_series) {
        let sets: Vec<Set> =
            series.chunk_by(same_set).filter_map(|run| set(catalogue, run, &mut scratch)).collect();
        let Some(policy) = sets.first().and_then(|set| set.policy) else { continue };
        let policy = catalogue.name(policy);
        decided(catalogue, policy, policies.get(policy).copied(), sets, &mut answer);
    }
    answer
}

/// What becomes of sets that have a value of a tag in common: one series.
pub(super) fn by_group<'c>(catalogue: &'c Catalogue, policy: &Policy) -> Answer<'c> {
    let order = catalogue.order();
    let mut answer = Answer::default();
    let places = places(catalogue, &mut answer, |belongs| match belongs {
        Belongs::Group(name) => Some((0, order.place(name), Timestamp::MIN)),
        _ => None,
    });
    let groups = places.chunk_by(|a, b| a.member_of == b.member_of);
    let mut sets: Vec<Set> = groups.filter_map(|run| group(catalogue, run)).collect();
    // Equal times in the order of the names.
    sets.sort_by_key(|set| std::cmp::Reverse(set.at));
    decided(catalogue, "", Some(policy), sets, &mut answer);
    answer
}

/// The snapshots of sets, sorted; all others are skipped.
fn places<'c>(
    catalogue: &'c Catalogue,
    answer: &mut Answer<'c>,
    place: impl Fn(Belongs) -> Option<(u32, u32, Timestamp)>,
) -> Vec<Place<'c>> {
    let mut places = Vec::with_capacity(catalogue.entries().len());
    for (number, entry) in (0..).zip(catalogue.entries()) {
        let id = catalogue.id(entry);
        if let Some((policy, member_of, at)) = place(entry.belongs) {
            places.push(Place { policy, member_of, at: std::cmp::Reverse(at), id, entry: number });
        } else {
            let mut reasons = vec![Why::Foreign];
            if let Belongs::Malformed(why) = entry.belongs {
                reasons.push(Why::Malformed(catalogue.why(why)));
            }
            answer.skip.push(Item {
                title: Title::Nothing,
                time: entry.started_at,
                snapshots: vec![id],
                reasons,
            });
        }
    }
    places.sort_unstable();
    // In the order of the file they would depend on it.
    answer.skip.sort_by(|a, b| (a.time, &a.snapshots).cmp(&(b.time, &b.snapshots)));
    places
}

/// A set of stopgap's.
fn set<'c>(
    catalogue: &'c Catalogue,
    run: &[Place<'c>],
    scratch: &mut Vec<(usize, View<'c>)>,
) -> Option<Set<'c>> {
    scratch.clear();
    let entries =
        run.iter().filter_map(|place| Some((place.id, catalogue.entries().get(place.entry as usize)?)));
    scratch.extend(entries.map(|(id, entry)| {
        let volumes = if let Belongs::Set { volumes, .. } = entry.belongs { volumes } else { 0 };
        (volumes as usize, View { id, entry })
    }));
    let (_, first) = scratch.first()?;
    let Belongs::Set { policy, instance, at, .. } = first.entry.belongs else { return None };
    let facts = assess(scratch).map(|assessed| Facts {
        at,
        begun_at: assessed.begun_at,
        status: assessed.status,
        volumes: assessed.volumes,
        settled: assessed.settled,
    });
    let ids = run.iter().map(|place| place.id).collect();
    Some(Set { policy: Some(policy), member_of: instance, at, ids, facts })
}

/// A set of another tool's: it is complete when all its snapshots are.
fn group<'c>(catalogue: &'c Catalogue, run: &[Place<'c>]) -> Option<Set<'c>> {
    let entries = || run.iter().filter_map(|place| catalogue.entries().get(place.entry as usize));
    let Belongs::Group(name) = entries().next()?.belongs else { return None };
    let at = entries().map(|entry| entry.started_at).min()?;
    let begun_at = entries().map(|entry| entry.started_at).max()?;
    let count = |state| entries().filter(|entry| entry.state == state).count();
    let (volumes, completed) = (run.len(), count(SnapshotState::Completed));
    let status = match () {
        () if completed == volumes => SetStatus::Complete,
        () if completed + count(SnapshotState::Pending) == volumes => SetStatus::Pending,
        () => SetStatus::Incomplete { completed },
    };
    let settled = entries().all(|entry| entry.state.is_settled());
    let facts = Facts { at, begun_at, status, volumes, settled };
    let ids = run.iter().map(|place| place.id).collect();
    Some(Set { policy: None, member_of: name, at, ids, facts: Ok(facts) })
}

/// Adds what becomes of a series of sets, newest first.
fn decided<'c>(
    catalogue: &'c Catalogue,
    policy_id: &'c str,
    policy: Option<&Policy>,
    sets: Vec<Set<'c>>,
    answer: &mut Answer<'c>,
) {
    let facts: Vec<Facts> = sets.iter().filter_map(|set| set.facts.ok()).collect();
    let verdicts = policy.map(|policy| decide(&policy.retention, &policy.schedule.timezone, &facts));
    let mut verdicts = verdicts.unwrap_or_default().into_iter();
    let items = sets.into_iter().map(|set| {
        let member_of = catalogue.name(set.member_of);
        let title = match set.policy {
            Some(_) => Title::Occurrence { policy: policy_id, instance: member_of },
            None => Title::Group(member_of),
        };
        let (action, reasons) = match (set.facts, policy) {
            (Err(contradiction), _) => (Action::Skip, vec![Why::Foreign, Why::Contradiction(contradiction)]),
            (Ok(_), None) => (Action::Skip, vec![Why::UnknownPolicy(policy_id)]),
            (Ok(_), Some(_)) => match verdicts.next() {
                Some(Verdict { action, reasons }) => (action, reasons.into_iter().map(Why::Reason).collect()),
                None => (Action::Skip, Vec::new()),
            },
        };
        (action, Item { title, time: set.at, snapshots: set.ids, reasons })
    });
    let items: Vec<(Action, Item)> = items.collect();
    // Oldest first.
    for (action, item) in items.into_iter().rev() {
        match action {
            Action::Keep => answer.keep.push(item),
            Action::Delete => answer.delete.push(item),
            Action::Skip => answer.skip.push(item),
        }
    }
}
