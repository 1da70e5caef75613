//! Whether the snapshots of a set are all that it needs.

use std::fmt;

use jiff::Timestamp;

use super::SetStatus;
use crate::inventory::SnapshotState;

/// A snapshot of a set, as far as it matters whether the set is complete.
pub trait Member: Copy {
    /// Names a volume.
    type Volume: Ord;
    /// Names a snapshot.
    type Id: Ord;

    /// Its id.
    fn id(&self) -> Self::Id;
    /// The volume it is of.
    fn volume(&self) -> Self::Volume;
    /// Its state.
    fn state(&self) -> SnapshotState;
    /// When it was begun.
    fn started_at(&self) -> Timestamp;
}

/// What the snapshots of a set come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessed<M> {
    /// How many volumes the set has.
    pub volumes: usize,
    /// Whether it can be restored from.
    pub status: SetStatus,
    /// Those that it does not need.
    pub surplus: Vec<M>,
    /// When the last of them was begun.
    pub begun_at: Timestamp,
    /// Whether all of them are completed or failed.
    pub settled: bool,
}

/// Why snapshots with the same set tags do not make a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// They do not name the same number of volumes.
    Sizes,
    /// There are more volumes than they say.
    TooMany {
        /// How many there are.
        found: usize,
        /// How many they say.
        said: usize,
    },
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sizes => f.write_str("its snapshots disagree on how many volumes it has"),
            Self::TooMany { found, said } => {
                write!(f, "it has snapshots of {found} volumes, but its tags say {said}")
            }
        }
    }
}

/// Assesses the snapshots of a set, each with the number of volumes that its tags say; brings them into another order.
///
/// # Errors
/// When they contradict each other.
pub fn assess<M: Member>(members: &mut [(usize, M)]) -> Result<Assessed<M>, Contradiction> {
    let failed = |member: &(usize, M)| member.1.state() == SnapshotState::Error;
    // A try that ended in error says nothing about the one after it: volumes may have come and gone between them. Unless
    // there is nothing else.
    let all_failed = members.iter().all(failed);
    let aside = |member: &(usize, M)| !all_failed && failed(member);
    // By volume, the best first: completed before pending before the rest, then the oldest; what failed comes last.
    members.sort_unstable_by_key(|member| {
        let (_, snapshot) = member;
        (aside(member), snapshot.volume(), rank(snapshot.state()), snapshot.started_at(), snapshot.id())
    });
    let mut surplus = Vec::new();
    let (mut found, mut completed, mut pending) = (0, 0, 0);
    let mut said: Option<usize> = None;
    let mut last: Option<M> = None;
    let (mut begun_at, mut settled) = (Timestamp::MIN, true);
    for member in members.iter() {
        let (volumes, snapshot) = *member;
        begun_at = begun_at.max(snapshot.started_at());
        settled &= snapshot.state().is_settled();
        if aside(member) {
            surplus.push(snapshot);
            continue;
        }
        if said.is_some_and(|said| said != volumes) {
            return Err(Contradiction::Sizes);
        }
        said = Some(volumes);
        if last.is_some_and(|last| last.volume() == snapshot.volume()) {
            surplus.push(snapshot);
            continue;
        }
        last = Some(snapshot);
        found += 1;
        completed += usize::from(snapshot.state() == SnapshotState::Completed);
        pending += usize::from(snapshot.state() == SnapshotState::Pending);
    }
    let volumes = said.unwrap_or_default();
    if found > volumes {
        return Err(Contradiction::TooMany { found, said: volumes });
    }
    let status = match () {
        () if completed == volumes => SetStatus::Complete,
        () if completed + pending == volumes => SetStatus::Pending,
        () => SetStatus::Incomplete { completed },
    };
    Ok(Assessed { volumes, status, surplus, begun_at, settled })
}

fn rank(state: SnapshotState) -> u8 {
    match state {
        SnapshotState::Completed => 0,
        SnapshotState::Pending => 1,
        SnapshotState::Recovering | SnapshotState::Recoverable => 2,
        SnapshotState::Error => 3,
    }
}
