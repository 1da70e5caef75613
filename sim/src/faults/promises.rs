//! The promises of the design, as what holds of the world at a moment.

mod backup;
mod instance;
pub(super) mod leftovers;
mod ticket;

use jiff::{SignedDuration, Timestamp};

use super::play::Scenario;
use super::stage::Stage;
use super::trouble::Trouble;
use crate::aws::{Called, World};

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Broken {
    /// Which of the seven.
    pub promise: u8,
    /// What is wrong, in words.
    pub what: String,
    /// Whether an instance is left stopped and nobody knows.
    pub left_stopped: bool,
}

/// When it is looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum When {
    /// An hour after the backup was due, whatever still goes wrong.
    InTheNight,
    /// When all is mended and at rest.
    Mended,
    /// After another night, in which nothing went wrong.
    NightAfter,
}

/// What is looked at.
pub(super) struct Moment<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) stage: &'a Stage,
    pub(super) moment: When,
    pub(super) calls: &'a [Called],
}

/// The message of a ticket.
struct Told {
    at: Timestamp,
    key: String,
    kind: String,
    action: String,
    sequence: u64,
    instance: String,
    error: String,
}

/// What does not hold.
pub(super) fn broken(moment: &Moment<'_>) -> Vec<Broken> {
    moment.stage.stopgap.aws.look(|world| {
        let told = told(world);
        let mut check = Check { moment, world, told: &told, broken: Vec::new() };
        for id in &moment.stage.subjects {
            check.comes_back(id);
            check.is_backed_up(id);
        }
        check.stays_stopped();
        check.deletes_nothing_else();
        check.tells_once();
        check.catches_everything();
        if moment.moment >= When::Mended {
            check.holds_nothing();
        }
        check.broken
    })
}

/// A run that has nothing to do any more, and does not end.
pub(super) fn lingers(idle_for: SignedDuration) -> Broken {
    let what = format!("an execution goes on for {} h though nothing is held", idle_for.as_hours());
    Broken { promise: 5, what, left_stopped: false }
}

/// What is held: leases, intents, slots.
pub(super) fn held(world: &World) -> impl Iterator<Item = &str> {
    let partitions = world.table.keys().map(|key| key.partition.as_str());
    partitions.filter(|partition| ["leases", "intents", "slots"].contains(partition))
}

fn told(world: &World) -> Vec<Told> {
    let messages = world.published.iter().map(|(at, notice)| {
        let text = |name: &str| notice.document[name].as_str().unwrap_or_default().to_owned();
        Told {
            at: *at,
            key: text("dedup_key"),
            kind: text("kind"),
            action: text("action"),
            sequence: notice.document["sequence"].as_u64().unwrap_or(0),
            instance: text("instance"),
            error: text("error"),
        }
    });
    messages.collect()
}

struct Check<'a> {
    moment: &'a Moment<'a>,
    world: &'a World,
    told: &'a [Told],
    broken: Vec<Broken>,
}

impl Check<'_> {
    fn breaks(&mut self, promise: u8, what: impl Into<String>) {
        self.broken.push(Broken { promise, what: what.into(), left_stopped: false });
    }

    fn is_left_stopped(&mut self, what: String) {
        self.broken.push(Broken { promise: 1, what, left_stopped: true });
    }

    fn now(&self) -> Timestamp {
        self.moment.stage.stopgap.runtime.clock().now()
    }

    fn has(&self, wanted: impl Fn(&Trouble) -> bool) -> bool {
        self.moment.scenario.troubles.iter().any(wanted)
    }

    fn is_open(&self, kind: &str, id: &str) -> bool {
        let mut of = self.told.iter().filter(|told| told.kind == kind && told.instance == *id);
        of.next_back().is_some_and(|told| told.action != "resolve")
    }
}
