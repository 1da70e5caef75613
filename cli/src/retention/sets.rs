//! From a catalogue of snapshots to sets, and what becomes of each.
//!
//! A million snapshots are sorted once; sets and series are runs of what has been sorted.

use std::collections::BTreeMap;
use std::{iter, mem};

use compact_str::CompactString;
use jiff::Timestamp;
use stopgap_core::backup_set::{Contradiction, Member, SetStatus, assess};
use stopgap_core::describe::catalogue::{Belongs, Catalogue, Entry, Name};
use stopgap_core::ebs_snapper;
use stopgap_core::inventory::SnapshotState;
use stopgap_core::policy::{Policy, Tool};
use stopgap_core::retention::{Action, Facts, Verdict, decide};

use super::answer::{Answer, Item, Title, Why};

/// A snapshot where it is sorted to. Names are numbered in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    policy: u32,
    /// The instance, or the group.
    member_of: u32,
    /// Newest first.
    at: std::cmp::Reverse<Timestamp>,
    /// Which of the adopted sets, of a snapshot that is in one.
    adopted: Option<u32>,
    entry: u32,
}

impl Place {
    fn same_series(&self, other: &Self) -> bool {
        (self.policy, self.member_of) == (other.policy, other.member_of)
    }

    fn same_set(&self, other: &Self) -> bool {
        self.same_series(other) && (self.at, self.adopted) == (other.at, other.adopted)
    }
}

/// A set.
struct Set {
    policy: Option<Name>,
    member_of: Name,
    at: Timestamp,
    ids: Vec<CompactString>,
    facts: Result<Facts, Contradiction>,
    adopted: bool,
}

/// A set of ebs_snapper's, adopted.
struct Adopted<'c> {
    policy: Name,
    instance: Name,
    at: Timestamp,
    volumes: usize,
    views: Vec<View<'c>>,
}

/// Which of the policies adopts ebs_snapper's snapshots.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Adopter {
    /// None of them.
    None,
    /// This one.
    One(Name),
    /// More than one: it depends on which selects the instance, and snapshots do not tell.
    Several,
}

/// A snapshot of a set.
#[derive(Clone, Copy)]
struct View<'c> {
    number: u32,
    id: &'c str,
    volume: &'c str,
    state: SnapshotState,
    started_at: Timestamp,
}

impl<'c> View<'c> {
    fn of(number: u32, entry: &'c Entry) -> Self {
        let Entry { id, volume, state, started_at, .. } = entry;
        Self { number, id, volume, state: *state, started_at: *started_at }
    }
}

impl<'c> Member for View<'c> {
    type Volume = &'c str;
    type Id = &'c str;

    fn id(&self) -> &'c str {
        self.id
    }

    fn volume(&self) -> &'c str {
        self.volume
    }

    fn state(&self) -> SnapshotState {
        self.state
    }

    fn started_at(&self) -> Timestamp {
        self.started_at
    }
}

/// What becomes of stopgap's sets, and of those that `adopter` adopts: each policy's retention over each instance's sets.
pub(super) fn by_instance<'c>(catalogue: &'c Catalogue, policies: &[Policy], adopter: Adopter) -> Answer<'c> {
    let order = catalogue.order();
    let mut answer = Answer::default();
    let adopted = match adopter {
        Adopter::One(policy) => adopted(catalogue, policy),
        Adopter::None | Adopter::Several => Vec::new(),
    };
    let mut places = places(catalogue, &mut answer, adopter, |belongs| match belongs {
        Belongs::Set { policy, instance, at, .. } => Some((order.place(policy), order.place(instance), at)),
        _ => None,
    });
    for (number, set) in (0..).zip(&adopted) {
        let (policy, member_of) = (order.place(set.policy), order.place(set.instance));
        let place = |view: &View| Place {
            policy,
            member_of,
            at: std::cmp::Reverse(set.at),
            adopted: Some(number),
            entry: view.number,
        };
        places.extend(set.views.iter().map(place));
    }
    places.sort_unstable();
    let policies: BTreeMap<&str, &Policy> =
        policies.iter().map(|policy| (policy.id.as_str(), policy)).collect();
    let mut scratch = Vec::new();
    for series in places.chunk_by(Place::same_series) {
        let sets = sets(catalogue, series, &adopted, &mut scratch);
        let Some(policy) = sets.first().and_then(|set| set.policy) else { continue };
        let policy = catalogue.name(policy);
        decided(catalogue, policy, policies.get(policy).copied(), sets, &mut answer);
    }
    answer
}

/// The sets that ebs_snapper's snapshots make, as sets of `policy`.
fn adopted(catalogue: &Catalogue, policy: Name) -> Vec<Adopted<'_>> {
    let mut by_instance: BTreeMap<Name, Vec<View>> = BTreeMap::new();
    for (number, entry) in (0..).zip(catalogue.entries()) {
        if let Belongs::EbsSnapper { instance } = entry.belongs {
            by_instance.entry(instance).or_default().push(View::of(number, entry));
        }
    }
    let sets = by_instance.into_iter().flat_map(|(instance, views)| {
        ebs_snapper::sets(views).into_iter().map(move |group| Adopted {
            policy,
            instance,
            at: group.at,
            volumes: group.volumes,
            views: group.members,
        })
    });
    sets.collect()
}

/// The complete and other sets of each policy and instance that is wanted: hands `each` the policy, the instance, and what
/// retention looks at, newest first.
pub(crate) fn each_series<'c>(
    catalogue: &'c Catalogue,
    mut wanted: impl FnMut(Name, Name) -> bool,
    mut each: impl FnMut(&'c str, &'c str, &[Facts]),
) {
    let order = catalogue.order();
    let place = |(number, entry): (u32, &'c Entry)| {
        let Belongs::Set { policy, instance, at, .. } = entry.belongs else { return None };
        wanted(policy, instance).then(|| Place {
            policy: order.place(policy),
            member_of: order.place(instance),
            at: std::cmp::Reverse(at),
            adopted: None,
            entry: number,
        })
    };
    let mut places: Vec<Place> = (0..).zip(catalogue.entries()).filter_map(place).collect();
    places.sort_unstable();
    let mut scratch = Vec::new();
    for series in places.chunk_by(Place::same_series) {
        let sets = sets(catalogue, series, &[], &mut scratch);
        let Some((policy, instance)) = sets.first().and_then(|set| Some((set.policy?, set.member_of))) else {
            continue;
        };
        let facts: Vec<Facts> = sets.iter().filter_map(|set| set.facts.ok()).collect();
        each(catalogue.name(policy), catalogue.name(instance), &facts);
    }
}

/// What becomes of sets that have a value of a tag in common: one series.
pub(super) fn by_group<'c>(catalogue: &'c Catalogue, policy: &Policy) -> Answer<'c> {
    let order = catalogue.order();
    let mut answer = Answer::default();
    let mut places = places(catalogue, &mut answer, Adopter::None, |belongs| match belongs {
        Belongs::Group(name) => Some((0, order.place(name), Timestamp::MIN)),
        _ => None,
    });
    places.sort_unstable();
    let groups = places.chunk_by(|a, b| a.member_of == b.member_of);
    let mut sets: Vec<Set> = groups.filter_map(|run| group(catalogue, run)).collect();
    // Equal times in the order of the names.
    sets.sort_by_key(|set| std::cmp::Reverse(set.at));
    decided(catalogue, "", Some(policy), sets, &mut answer);
    answer
}

/// The snapshots of sets; all others, but those that are adopted, are skipped.
fn places<'c>(
    catalogue: &'c Catalogue,
    answer: &mut Answer<'c>,
    adopter: Adopter,
    place: impl Fn(Belongs) -> Option<(u32, u32, Timestamp)>,
) -> Vec<Place> {
    let mut places = Vec::with_capacity(catalogue.entries().len());
    for (number, entry) in (0..).zip(catalogue.entries()) {
        if let Some((policy, member_of, at)) = place(entry.belongs) {
            let at = std::cmp::Reverse(at);
            places.push(Place { policy, member_of, at, adopted: None, entry: number });
        } else {
            let more = match (entry.belongs, adopter) {
                (Belongs::EbsSnapper { .. }, Adopter::One(_)) => continue,
                (Belongs::EbsSnapper { .. }, Adopter::Several) => Some(Why::SeveralAdopt),
                (Belongs::Unclear(why), Adopter::One(_) | Adopter::Several)
                | (Belongs::Malformed(why), _) => Some(Why::Malformed(catalogue.why(why))),
                _ => None,
            };
            let reasons = iter::once(Why::Foreign).chain(more).collect();
            answer.skip.push(Item {
                title: Title::Nothing,
                time: entry.started_at,
                snapshots: vec![entry.id.clone()],
                reasons,
            });
        }
    }
    // In the order of the file they would depend on it.
    answer.skip.sort_by(|a, b| (a.time, &a.snapshots).cmp(&(b.time, &b.snapshots)));
    places
}

/// The sets of a series.
fn sets<'c>(
    catalogue: &'c Catalogue,
    series: &[Place],
    adopted: &[Adopted<'c>],
    scratch: &mut Vec<(usize, View<'c>)>,
) -> Vec<Set> {
    // All snapshots are fetched before anything is made of one: they stand anywhere in the catalogue, and so the processor
    // waits for several at once.
    scratch.clear();
    scratch.extend(series.iter().filter_map(|place| {
        let entry = catalogue.entries().get(place.entry as usize)?;
        let volumes = match (place.adopted, entry.belongs) {
            (Some(number), _) => adopted.get(number as usize)?.volumes,
            (None, Belongs::Set { volumes, .. }) => volumes as usize,
            _ => 0,
        };
        Some((volumes, View::of(place.entry, entry)))
    }));
    let mut views = scratch.as_mut_slice();
    let sets = series.chunk_by(Place::same_set).filter_map(|run| {
        let (of_set, behind) = mem::take(&mut views).split_at_mut_checked(run.len())?;
        views = behind;
        set(catalogue, run.first()?, adopted, of_set)
    });
    sets.collect()
}

/// A set of stopgap's, or an adopted one: its first snapshot's place, and all its snapshots.
fn set<'c>(
    catalogue: &'c Catalogue,
    first: &Place,
    adopted: &[Adopted<'c>],
    views: &mut [(usize, View<'c>)],
) -> Option<Set> {
    let theirs = first.adopted.and_then(|number| adopted.get(number as usize));
    let (policy, instance, at) = match (theirs, catalogue.entries().get(first.entry as usize)?.belongs) {
        (Some(set), _) => (set.policy, set.instance, set.at),
        (None, Belongs::Set { policy, instance, at, .. }) => (policy, instance, at),
        _ => return None,
    };
    let mut ids: Vec<CompactString> = views.iter().map(|(_, view)| view.id.into()).collect();
    ids.sort_unstable();
    let facts = assess(views).map(|assessed| Facts {
        at,
        begun_at: assessed.begun_at,
        status: assessed.status,
        volumes: assessed.volumes,
        settled: assessed.settled,
    });
    Some(Set { policy: Some(policy), member_of: instance, at, ids, facts, adopted: theirs.is_some() })
}

/// A set of another tool's: it is complete when all its snapshots are.
fn group(catalogue: &Catalogue, run: &[Place]) -> Option<Set> {
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
    let mut ids: Vec<CompactString> = entries().map(|entry| entry.id.clone()).collect();
    ids.sort_unstable();
    Some(Set { policy: None, member_of: name, at, ids, facts: Ok(facts), adopted: false })
}

/// Adds what becomes of a series of sets, newest first.
fn decided<'c>(
    catalogue: &'c Catalogue,
    policy_id: &'c str,
    policy: Option<&Policy>,
    sets: Vec<Set>,
    answer: &mut Answer<'c>,
) {
    let facts: Vec<Facts> = sets.iter().filter_map(|set| set.facts.ok()).collect();
    let verdicts = policy.map(|policy| decide(&policy.retention, &policy.schedule.timezone, &facts, None));
    let mut verdicts = verdicts.unwrap_or_default().into_iter();
    let items = sets.into_iter().map(|set| {
        let member_of = catalogue.name(set.member_of);
        let title = match set.policy {
            Some(_) => Title::Occurrence { policy: policy_id, instance: member_of },
            None => Title::Group(member_of),
        };
        let (action, reasons): (_, Vec<Why>) = match (set.facts, policy) {
            (Err(contradiction), _) => (Action::Skip, vec![Why::Foreign, Why::Contradiction(contradiction)]),
            (Ok(_), None) => (Action::Skip, vec![Why::UnknownPolicy(policy_id)]),
            (Ok(_), Some(_)) => match verdicts.next() {
                Some(Verdict { action, reasons }) => (action, reasons.into_iter().map(Why::Reason).collect()),
                None => (Action::Skip, Vec::new()),
            },
        };
        let made_by = set.adopted.then_some(Why::MadeBy(Tool::EbsSnapper));
        let reasons = reasons.into_iter().chain(made_by).collect();
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
