//! The calendar run forward: what runs when, how long instances are down, what is deleted and kept, and what it costs.
//!
//! A year of a thousand instances has hundreds of thousands of runs, most of which repeat others. What is the same is done
//! once:
//!
//! - Of each tick of the fleet at which a policy is asked, core's own planner makes the plan. Ticks that are alike (the same
//!   policies, the same ages of their occurrences) share one, moved in time.
//! - Runs that wait for each other (on one instance, or in one concurrency group) are a bundle. A bundle of each kind is
//!   played on the engine: the shipped instance machine and the real tasks on a simulated AWS in which nothing is left to
//!   chance. Its downtime, calls and state transitions are reused by the bundles of its kind.
//! - What a tick of the fleet, each run that it dispatches, and each deletion of a set take is measured there, too.
//! - What is kept and deleted is decided by core's own retention, after each backup, once for all instances of a policy
//!   that have the same sets.
//!
//! Nothing fails in a forecast, and instances stay as they are in the inventory.

mod account;
mod assume;
mod calendar;
mod clusters;
mod cost;
mod ledger;
mod measure;
mod notes;
mod numbers;
mod orphans;
mod planning;
mod play;
mod recorded;
mod report;
mod series;
mod setting;
mod shape;
mod storage;
mod store;
mod summary;
mod usage;

pub use assume::Assumptions;
pub use calendar::TICK;
pub use cost::{Cost, DAYS_A_MONTH, Price};
pub use report::{
    Day, Deleted, Engine, Forecast, InstanceLine, KeptSets, LeftAlone, Month, Night, NotBackedUp, PolicyLine,
    Totals,
};
pub use storage::stored_share;
pub use usage::{FUNCTION_MB, PLANNER_MB};

use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use stopgap_core::inventory::Inventory;
use stopgap_core::policy::Policy;

use calendar::Calendar;
use ledger::Ledger;
use planning::{Likeness, Planner};
use recorded::Recorded;
use setting::Setting;
use shape::{Shape, Stage};

/// The longest forecast, in days.
pub const DAYS_MAX: u32 = 3_660;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The policies; nothing of a disabled one is due.
    pub policies: Vec<Policy>,
    /// What there is; stopgap's snapshots in it are the sets that retention begins with.
    pub inventory: Inventory,
    /// When the forecast begins.
    pub from: Timestamp,
    /// How many times 24 hours it has: 1 to [`DAYS_MAX`].
    pub days: u32,
    /// What is assumed.
    pub assumptions: Assumptions,
}

/// How far the forecast is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many days are done.
    pub days: u32,
    /// Of how many.
    pub of: u32,
    /// How many runs were played.
    pub runs_played: u64,
}

/// Runs the calendar forward, telling now and then how far it is. The same question has the same answer.
///
/// # Errors
/// In words: what cannot be simulated.
pub fn forecast(question: Question, mut progress: impl FnMut(Progress)) -> Result<Forecast, String> {
    let Question { policies, inventory, from, days, assumptions } = question;
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(format!("a forecast has 1 to {DAYS_MAX} days, not {days}"));
    }
    let day = SignedDuration::from_hours(24);
    let setting = Setting::new(policies, &inventory, assumptions);
    let recorded = Recorded::new(&setting, &inventory, from);
    let first = calendar::tick_from(from);
    let fleet = measure::fleet(&setting, first)?;
    let mut stage = Stage::new(&setting, &fleet);
    let mut planner = Planner::new(&setting, first);
    let mut calendar = Calendar::new(&setting.policies, first);
    let mut shapes: BTreeMap<Likeness, Rc<Shape>> = BTreeMap::new();
    let mut ledger = Ledger::new(&setting, &recorded, &fleet);
    let mut begins = from;
    for done in 0..days {
        let ends = begins.checked_add(day).map_err(|_| "the forecast ends after the year 9999".to_owned())?;
        ledger.begin_day(begins, calendar::ticks(begins, ends));
        while let Some((tick, asked)) = calendar.next(ends) {
            let likeness = planner.likeness(tick, &asked);
            let known = likeness.as_ref().and_then(|likeness| shapes.get(likeness)).map(Rc::clone);
            let shape = match known {
                Some(shape) => shape,
                None => {
                    let here = recorded.in_question(&setting, tick, first);
                    let planned = planner.plan(tick, &asked, here);
                    ledger.planned(&planned, tick == first);
                    let shape = Rc::new(stage.shape(tick, &planned)?);
                    if let Some(likeness) = likeness {
                        shapes.insert(likeness, Rc::clone(&shape));
                    }
                    shape
                }
            };
            let begun = shape
                .parts
                .iter()
                .map(|part| (occurrence(tick, part.age), part.policy, part.begun.as_slice()));
            planner.begun(tick, begun);
            ledger.tick(tick, &shape)?;
            ledger.orphans(tick, &asked, tick == first)?;
        }
        ledger.end_day();
        progress(Progress { days: done + 1, of: days, runs_played: stage.runs_played });
        begins = ends;
    }
    Ok(ledger.close(from, begins, days, &stage))
}

/// The time of an occurrence that is so many seconds old at `tick`.
fn occurrence(tick: Timestamp, age: i64) -> Timestamp {
    tick.checked_sub(SignedDuration::from_secs(age)).unwrap_or(Timestamp::MIN)
}
