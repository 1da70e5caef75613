//! The whole matrix: singles, pairs and random sequences, and what they came to.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use super::outcome::Outcome;
use super::pairs::{self, Courses};
use super::play::{Scenario, play};
use super::{Place, Trouble, seeds, singles};
use crate::aws::Sabotage;
use crate::machines::{self, Machines};

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Pairs, too.
    pub pairs: bool,
    /// So many random sequences, too.
    pub seeds: u64,
    /// Only scenarios whose name contains this.
    pub only: Option<String>,
}

/// The stopgap that is tried: its machines' texts, and what is broken about it on purpose.
#[derive(Clone, Copy, Debug)]
pub struct Tried<'a> {
    /// `statemachine/fleet.asl.json`.
    pub fleet: &'a str,
    /// `statemachine/instance.asl.json`.
    pub instance: &'a str,
    /// `statemachine/rescue.asl.json`.
    pub rescue: &'a str,
    /// What is broken at its ports.
    pub sabotage: Option<&'a Sabotage>,
}

impl Tried<'_> {
    /// What is shipped.
    pub const SHIPPED: Tried<'static> = Tried {
        fleet: machines::FLEET,
        instance: machines::INSTANCE,
        rescue: machines::RESCUE,
        sabotage: None,
    };

    fn machines(&self) -> Result<Machines, String> {
        Machines::read(self.fleet, self.instance, self.rescue)
    }
}

/// A scenario and what it came to.
#[derive(Clone, Debug)]
pub struct Line {
    /// What was played.
    pub scenario: Scenario,
    /// What became of the instance.
    pub outcome: Outcome,
    /// The states that were entered.
    pub states: BTreeSet<Place>,
    /// The course that the night took: the same number for the same calls, states and events in the same order.
    pub course: u64,
    /// The promises that were broken.
    pub violations: Vec<Violation>,
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Where all chance came from.
    pub seed: u64,
    /// The scenario, shrunk to what is needed for it.
    pub scenario: String,
    /// Which promise.
    pub promise: u8,
    /// What is wrong.
    pub what: String,
    /// What happened.
    pub history: Vec<String>,
    /// Whether an instance is left stopped and nobody knows.
    #[serde(skip)]
    pub left_stopped: bool,
}

/// What everything came to.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    /// How many scenarios there were.
    pub scenarios: u64,
    /// How many of them were pairs.
    pub pairs: u64,
    /// How many of them were random.
    pub seeds: u64,
    /// The single ones, in their order.
    pub singles: Vec<Line>,
    /// What was broken.
    pub violations: Vec<Violation>,
}

impl Matrix {
    /// The numbers and what was broken, as `--json` prints them.
    pub fn summary(&self) -> Value {
        let left = self.violations.iter().filter(|violation| violation.left_stopped).count();
        json!({
            "scenarios": self.scenarios,
            "singles": self.singles.len(),
            "pairs": self.pairs,
            "seeds": self.seeds,
            "violations": self.violations,
            "left_stopped_without_ticket": left,
        })
    }
}

/// Plays all that is asked of what is shipped. `expect` is told how many scenarios there are so far, `done` of each that
/// was played.
///
/// # Errors
/// When the machines do not run.
pub fn matrix(
    question: &Question,
    expect: impl Fn(u64) + Sync,
    done: impl Fn() + Sync,
) -> Result<Matrix, String> {
    let tried = Tried::SHIPPED;
    let all = singles(&tried.machines()?)?;
    let of = |scenario: &Scenario| question.only.as_ref().is_none_or(|only| scenario.id().contains(only));
    let asked: Vec<Scenario> = all.iter().filter(|scenario| of(scenario)).cloned().collect();
    expect(count(asked.len()) + question.seeds);
    let lines = play_all(&tried, &asked, &done)?;
    let mut matrix = Matrix { scenarios: count(lines.len()), ..Matrix::default() };
    matrix.violations = lines.iter().flat_map(|line| line.violations.clone()).collect();
    matrix.singles = lines;
    if question.pairs {
        let (played, violations) = play_pairs(&tried, &matrix.singles, &expect, &done)?;
        matrix.pairs = played;
        matrix.violations.extend(violations);
    }
    if question.seeds > 0 {
        matrix.seeds = question.seeds;
        matrix.violations.extend(play_seeds(&tried, &all, question.seeds, &done)?);
    }
    matrix.scenarios += matrix.pairs + matrix.seeds;
    Ok(matrix)
}

/// Plays these, in their order, on all processors: each scenario is a world of its own.
///
/// # Errors
/// When the machines do not run.
pub fn play_all(
    tried: &Tried<'_>,
    scenarios: &[Scenario],
    done: &(impl Fn() + Sync),
) -> Result<Vec<Line>, String> {
    let one = |machines: &mut Result<Machines, String>, scenario: &Scenario| {
        let machines = machines.as_ref().map_err(String::clone)?;
        let played = play(machines, scenario, tried.sabotage.cloned())?;
        let violations = violations(machines, tried, scenario, &played)?;
        done();
        let states = played.states.iter().map(|(_, state)| Place::from(&**state)).collect();
        let course = played.course();
        Ok(Line { scenario: scenario.clone(), outcome: played.outcome, states, course, violations })
    };
    scenarios.par_iter().map_init(|| tried.machines(), one).collect()
}

fn play_pairs(
    tried: &Tried<'_>,
    singles: &[Line],
    expect: &(impl Fn(u64) + Sync),
    done: &(impl Fn() + Sync),
) -> Result<(u64, Vec<Violation>), String> {
    let expected = std::sync::atomic::AtomicU64::new(count(singles.len()));
    let courses = Courses::of(singles);
    let one = |machines: &mut Result<Machines, String>, first: &Scenario| {
        let machines = machines.as_ref().map_err(String::clone)?;
        let first = Scenario { rescuer: true, ..first.clone() };
        let played = play(machines, &first, tried.sabotage.cloned())?;
        let seconds = courses.seconds(&first, &played);
        let more = count(seconds.len());
        expect(expected.fetch_add(more, std::sync::atomic::Ordering::Relaxed) + more);
        let mut broken = Vec::new();
        for scenario in &seconds {
            let played = play(machines, scenario, tried.sabotage.cloned())?;
            broken.extend(violations(machines, tried, scenario, &played)?);
            done();
        }
        Ok((more, broken))
    };
    let played: Result<Vec<_>, String> =
        pairs::firsts(singles).into_par_iter().with_max_len(1).map_init(|| tried.machines(), one).collect();
    let played = played?;
    let number = played.iter().map(|(number, _)| number).sum();
    Ok((number, played.into_iter().flat_map(|(_, broken)| broken).collect()))
}

fn play_seeds(
    tried: &Tried<'_>,
    singles: &[Scenario],
    seeds: u64,
    done: &(impl Fn() + Sync),
) -> Result<Vec<Violation>, String> {
    let troubles: Vec<Trouble> =
        singles.iter().filter_map(|single| single.troubles.last().cloned()).collect();
    let one = |machines: &mut Result<Machines, String>, seed: u64| {
        let machines = machines.as_ref().map_err(String::clone)?;
        let scenario = seeds::scenario(seed, &troubles);
        let played = play(machines, &scenario, tried.sabotage.cloned())?;
        let violations = violations(machines, tried, &scenario, &played)?;
        done();
        Ok(violations)
    };
    let played: Result<Vec<_>, String> =
        (1..=seeds).into_par_iter().map_init(|| tried.machines(), one).collect();
    Ok(played?.into_iter().flatten().collect())
}

/// What a scenario broke, each with the shortest history that shows it.
fn violations(
    machines: &Machines,
    tried: &Tried<'_>,
    scenario: &Scenario,
    played: &super::play::Played,
) -> Result<Vec<Violation>, String> {
    let mut violations = Vec::new();
    let mut told = BTreeSet::new();
    for broken in &played.broken {
        if !told.insert(broken.promise) {
            continue;
        }
        let shortest = shortest(machines, tried, scenario, broken.promise)?;
        let shown = play(machines, &shortest, tried.sabotage.cloned())?;
        violations.push(Violation {
            seed: scenario.seed,
            scenario: shortest.id(),
            promise: broken.promise,
            what: broken.what.clone(),
            history: shown.history,
            left_stopped: broken.left_stopped,
        });
    }
    Ok(violations)
}

/// Leaves out what can be left out of a scenario while it still breaks the promise.
fn shortest(
    machines: &Machines,
    tried: &Tried<'_>,
    scenario: &Scenario,
    promise: u8,
) -> Result<Scenario, String> {
    let breaks = |scenario: &Scenario| -> Result<bool, String> {
        let played = play(machines, scenario, tried.sabotage.cloned())?;
        Ok(played.broken.iter().any(|broken| broken.promise == promise))
    };
    let mut shortest = scenario.clone();
    let mut n = 0;
    while n < shortest.troubles.len() {
        let mut without = shortest.clone();
        without.troubles.remove(n);
        if breaks(&without)? {
            shortest = without;
        } else {
            n += 1;
        }
    }
    Ok(shortest)
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
