//! The matrix as a table: what goes wrong in a state, and what became of it; what came to the same in one row.

use std::collections::{BTreeMap, BTreeSet};

use super::Kind;
use super::matrix::Line;
use super::outcome::Outcome;
use super::trouble::{Trouble, delivery};

/// What came to the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it goes wrong: a state or a function, an event, or the world; and what is so before, if it is not the usual.
    pub place: String,
    /// What goes wrong.
    pub what: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How many scenarios that is.
    pub scenarios: usize,
}

/// By place in the order of the scenarios, and there by what became of them: what came most often first.
pub fn rows(lines: &[Line]) -> Vec<Row> {
    let mut places: Vec<String> = Vec::new();
    let mut groups: BTreeMap<(usize, Outcome), Vec<&Trouble>> = BTreeMap::new();
    for line in lines {
        let Some(trouble) = line.scenario.troubles.last() else { continue };
        let before = &line.scenario.troubles[..line.scenario.troubles.len() - 1];
        let before: Vec<String> = before.iter().map(ToString::to_string).collect();
        let before = [line.scenario.setting.as_str().to_owned(), before.join(" + ")];
        let before: Vec<String> = before.into_iter().filter(|part| !part.is_empty()).collect();
        let place = if before.is_empty() {
            place(trouble)
        } else {
            format!("{} (after {})", place(trouble), before.join(", "))
        };
        let n = places.iter().position(|known| *known == place).unwrap_or_else(|| {
            places.push(place);
            places.len() - 1
        });
        groups.entry((n, line.outcome.clone())).or_default().push(trouble);
    }
    let mut rows: Vec<(usize, Row)> = groups
        .into_iter()
        .map(|((n, outcome), troubles)| {
            let (what, scenarios) = (what(&troubles), troubles.len());
            (n, Row { place: places[n].clone(), what, outcome, scenarios })
        })
        .collect();
    rows.sort_by(|(n, a), (m, b)| (n, b.scenarios, &a.what).cmp(&(m, a.scenarios, &b.what)));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn place(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Call(place, ..) | Trouble::State(place, _) => place.to_string(),
        Trouble::Event(event, ..) => format!("event {event}"),
        Trouble::World(_) => "the world".to_owned(),
    }
}

/// What goes wrong, in few words: operations with which the same goes wrong together, and many ways by what is left out.
fn what(troubles: &[&Trouble]) -> String {
    let mut calls: BTreeMap<&str, BTreeSet<Kind>> = BTreeMap::new();
    let mut others: Vec<&str> = Vec::new();
    for trouble in troubles {
        match trouble {
            Trouble::Call(_, operation, _, kind) => drop(calls.entry(operation).or_default().insert(*kind)),
            Trouble::State(_, act) => others.push(act.as_str()),
            Trouble::Event(_, _, how) => others.push(delivery(*how)),
            Trouble::World(plight) => others.push(plight.as_str()),
        }
    }
    let mut alike: BTreeMap<BTreeSet<Kind>, Vec<&str>> = BTreeMap::new();
    for (operation, kinds) in calls {
        alike.entry(kinds).or_default().push(operation);
    }
    let mut parts: Vec<String> = alike
        .into_iter()
        .map(|(kinds, operations)| format!("{}: {}", operations.join(", "), ways(&kinds)))
        .collect();
    parts.sort();
    others.dedup();
    if !others.is_empty() {
        parts.push(others.join(", "));
    }
    parts.join("; ")
}

fn ways(kinds: &BTreeSet<Kind>) -> String {
    let names = |kinds: &mut dyn Iterator<Item = &Kind>| {
        kinds.map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
    };
    let left_out = Kind::ALL.len() - kinds.len();
    match left_out {
        0 => "whatever goes wrong".to_owned(),
        1..=5 => {
            format!("whatever but {}", names(&mut Kind::ALL.iter().filter(|kind| !kinds.contains(kind))))
        }
        _ => names(&mut kinds.iter()),
    }
}
