//! Two things that go wrong in one run.

use jiff::SignedDuration;

use super::play::{Played, Scenario};
use super::singles::{acts, calls, events};
use super::trouble::Trouble;

/// When the rescuer has looked again for sure.
const NEXT_LOOK: SignedDuration = SignedDuration::from_mins(6);

/// The scenarios in which something goes wrong after what `first` has gone wrong with: at every call that the run which it
/// disturbed makes from then on, in every state it enters, and with every event that comes.
pub(super) fn seconds(first: &Scenario, played: &Played) -> Vec<Scenario> {
    let after = match first.troubles.last() {
        Some(Trouble::Call(..)) => played.calls.iter().position(|call| call.wrong).unwrap_or(usize::MAX),
        Some(Trouble::State(..)) => {
            let acted = played.acted;
            played.calls.iter().position(|call| acted.is_some_and(|at| at <= call.at)).unwrap_or(usize::MAX)
        }
        _ => 0,
    };
    let Some(from) = played.calls.get(after) else { return Vec::new() };
    let next = from.at.saturating_add(NEXT_LOOK).unwrap_or(from.at);
    let rest = Played {
        calls: played.calls[after..].to_vec(),
        states: played.states.iter().filter(|(at, _)| *at >= from.at).cloned().collect(),
        ..played.clone()
    };
    let known = |trouble: &Trouble| !first.troubles.contains(trouble);
    let seconds = calls(&rest, next).chain(acts(&rest)).chain(events(&rest, true)).filter(known);
    seconds
        .map(|second| Scenario {
            troubles: first.troubles.iter().cloned().chain([second]).collect(),
            rescuer: true,
            ..first.clone()
        })
        .collect()
}
