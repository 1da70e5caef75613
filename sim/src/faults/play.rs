//! Plays a scenario: a night in which something goes wrong, the mending of it, and the night after.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use super::acts::await_states;
use super::history;
use super::outcome::{self, Outcome};
use super::promises::{self, Broken, Moment};
use super::stage::{Setting, Stage, at, build, mended_at};
use super::trouble::Trouble;
use crate::aws::{Called, EventFault, Injection, Sabotage};
use crate::machines::Machines;

/// The fleet's ticks, the rescuer's looks, and how long everything has to come to rest.
const TICK: SignedDuration = SignedDuration::from_mins(15);
const AT_REST_WITHIN: SignedDuration = SignedDuration::from_hours(60);
/// How long something may go on when nothing is held any more.
const LINGERS: SignedDuration = SignedDuration::from_hours(1);

/// What goes wrong, and in what circumstances.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scenario {
    /// How things are before.
    pub setting: Setting,
    /// What goes wrong.
    pub troubles: Vec<Trouble>,
    /// Whether the rescuer looks after lost runs.
    pub rescuer: bool,
    /// How many instances there are; one, but for random scenarios.
    pub instances: usize,
    /// Where all chance comes from.
    pub seed: u64,
}

impl Scenario {
    /// One over one instance.
    pub fn new(setting: Setting, troubles: Vec<Trouble>, rescuer: bool) -> Self {
        Self { setting, troubles, rescuer, instances: 1, seed: 1 }
    }

    /// Its name, which stays: the setting if it is not the usual one, and what goes wrong.
    pub fn id(&self) -> String {
        let troubles: Vec<String> = self.troubles.iter().map(ToString::to_string).collect();
        let troubles = if troubles.is_empty() { "nothing".to_owned() } else { troubles.join(" + ") };
        match self.setting.as_str() {
            "" => troubles,
            setting => format!("{setting}: {troubles}"),
        }
    }
}

/// What a scenario came to.
#[derive(Clone, Debug)]
pub(super) struct Played {
    /// The promises that were broken.
    pub broken: Vec<Broken>,
    /// What became of the first instance.
    pub outcome: Outcome,
    /// The calls of the first night.
    pub calls: Vec<Called>,
    /// The states that were entered in the first night, in order.
    pub states: Vec<Entry>,
    /// When a person, or AWS, did the first of what they do.
    pub acted: Option<Timestamp>,
    /// What happened, in words, if a promise was broken.
    pub history: Vec<String>,
    /// The events of the first night, by name and number.
    pub events: Vec<(&'static str, u32)>,
}

impl Played {
    /// A number for the course of the night: what was called, entered and told, in its order, whatever the time.
    pub(super) fn course(&self) -> u64 {
        let mut course = DefaultHasher::new();
        for call in &self.calls {
            (&call.site, call.wrong).hash(&mut course);
        }
        for (_, state) in &self.states {
            state.hash(&mut course);
        }
        self.events.hash(&mut course);
        (&self.outcome.instance, &self.outcome.backup, &self.outcome.ticket).hash(&mut course);
        course.finish()
    }
}

/// Plays it.
///
/// # Errors
/// When the world cannot be set up: a broken state machine.
pub(super) fn play(
    machines: &Machines,
    scenario: &Scenario,
    sabotage: Option<Sabotage>,
) -> Result<Played, String> {
    let stage = Rc::new(build(machines, scenario.setting, scenario.seed, scenario.instances)?);
    arm(&stage, scenario, sabotage);
    await_states(&stage, &scenario.troubles);
    let states = states(&stage);
    let runtime = &stage.stopgap.runtime;

    stage.stopgap.schedule(at(1, 45), at(1, 45));
    if scenario.setting == Setting::LateFleet {
        // What its first tick cannot tell, the next one has to.
        stage.stopgap.schedule(at(2, 45), at(3, 0));
    } else {
        stage.stopgap.schedule(at(2, 0), at(2, 45));
    }
    if scenario.rescuer {
        stage.stopgap.rescue(at(1, 45), mended_at());
    }
    runtime.run_until(mended_at());
    let (calls, events) = stage.stopgap.aws.change(|world| {
        world.watch.noting = false;
        (std::mem::take(&mut world.watch.calls), std::mem::take(&mut world.watch.events))
    });
    let states = states.take();
    let moment = |moment| Moment { scenario, stage: &stage, moment, calls: &calls };
    let mut broken = promises::broken(&moment(promises::When::InTheNight));
    let outcome = outcome::of(&stage);

    stage.mend();
    if scenario.rescuer {
        stage.stopgap.rescue_every(at(3, 5), at(4, 0));
    }
    // The rescuer has looked once more by then.
    runtime.run_until(at(3, 11));
    let idle_for = rest(&stage);
    if idle_for > LINGERS {
        broken.push(promises::lingers(idle_for));
    }
    broken.extend(promises::broken(&moment(promises::When::Mended)));
    // What follows a night without trouble is played where there is none; whatever leaves the same is followed by the same.
    let is_known = !scenario.troubles.is_empty() && promises::leftovers::are_usual(&stage);
    if !is_known || !broken.is_empty() {
        next_night(&stage, scenario.rescuer);
        broken.extend(promises::broken(&moment(promises::When::NightAfter)));
    }
    broken.sort();
    broken.dedup();
    let acted = stage.acted.borrow().first().copied();
    let history = if broken.is_empty() { Vec::new() } else { history::of(&stage, &calls, &states) };
    Ok(Played { broken, outcome, calls, states, events, acted, history })
}

/// Lets go wrong what does from the beginning.
fn arm(stage: &Stage, scenario: &Scenario, sabotage: Option<Sabotage>) {
    for trouble in &scenario.troubles {
        match trouble {
            Trouble::Call(_, _, _, kind) => {
                let Some(at) = trouble.site() else { continue };
                let injection = Injection { at, lasts: kind.lasts(), wrong: kind.wrong() };
                stage.stopgap.aws.change(|world| world.watch.arm(injection));
            }
            Trouble::Event(event, nth, how) => stage.stopgap.aws.change(|world| {
                world.event_faults.push(EventFault { event, nth: *nth, how: *how });
            }),
            Trouble::World(plight) => stage.befall(*plight),
            Trouble::State(..) => {}
        }
    }
    stage.stopgap.aws.change(|world| world.sabotage = sabotage);
}

/// When which state was entered.
pub(super) type Entry = (Timestamp, Rc<str>);

/// Notes the states that are entered.
fn states(stage: &Stage) -> Rc<RefCell<Vec<Entry>>> {
    let states = Rc::new(RefCell::new(Vec::new()));
    let (noted, clock) = (Rc::clone(&states), stage.stopgap.runtime.clock());
    stage.stopgap.step_functions.subscribe_to_states(move |machine, _, state| {
        noted.borrow_mut().push((clock.now(), crate::aws::place_of(machine, state)));
    });
    states
}

/// Lets time pass until nothing runs. How long something ran although nothing was held any more.
fn rest(stage: &Stage) -> SignedDuration {
    let runtime = &stage.stopgap.runtime;
    let clock = runtime.clock();
    let until = clock.now().saturating_add(AT_REST_WITHIN).unwrap_or(Timestamp::MAX);
    let mut held_until = clock.now();
    while !stage.stopgap.step_functions.is_idle() && clock.now() < until {
        let step = clock.now().saturating_add(TICK).unwrap_or(until);
        runtime.run_until(step);
        if stage.stopgap.aws.look(|world| promises::held(world).next().is_some()) {
            held_until = clock.now();
        }
    }
    clock.now().duration_since(held_until)
}

/// The next night after this one, in which nothing goes wrong.
fn next_night(stage: &Stage, rescuer: bool) {
    let runtime = &stage.stopgap.runtime;
    let now = runtime.clock().now();
    let mut due = at(26, 0);
    while due < now.saturating_add(TICK).unwrap_or(now) {
        due = due.saturating_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
    }
    let minutes = |n| due.saturating_add(SignedDuration::from_mins(n)).unwrap_or(due);
    runtime.run_until(minutes(-1));
    stage.stopgap.schedule(due, minutes(30));
    if rescuer {
        stage.stopgap.rescue_every(minutes(0), minutes(45));
    }
    runtime.run_until(minutes(46));
    rest(stage);
}
