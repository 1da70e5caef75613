//! A second opinion on the states-language engine of `stopgap-sim`: random small state machines run on it and in moto's
//! interpreter, and have to come to the same status, output and events.
//!
//! Machines grow from seeds ([`generate`]), so that a disagreement can be looked at again: `STOPGAP_SEED` is the first
//! seed, `STOPGAP_MACHINES` how many there are. What moto is known to do wrong is in [`faults`]; no machine is generated
//! that would meet it.
//!
//! Both run the same function ([`function`]), and moto's clock runs so fast that waits and retries take no time.

#![allow(clippy::unwrap_used, reason = "these are tests; clippy only sees that in #[test] functions")]

mod engine;
mod faults;
mod function;
mod generate;
mod lines;
mod moto;
mod run;

use futures::StreamExt;
use generate::Machine;
use run::Run;

/// How many machines there are, and the first one's seed. Enough that every state, field, comparison and function is in
/// some of them: see [`generate`]'s own test.
const MACHINES: u64 = 120;
const SEED: u64 = 3001;
/// How many run in moto at once.
const AT_ONCE: usize = 8;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

#[test]
fn random_machines_come_to_the_same_on_the_engine_and_in_moto() {
    let first = from_environment("STOPGAP_SEED", SEED);
    let seeds = first..first + from_environment("STOPGAP_MACHINES", MACHINES);
    let disagreements = moto::with(async |moto| {
        let compare = async |seed| {
            let machine = Machine::from_seed(seed);
            let (ours, theirs) = (engine::run(&machine), moto.run(&machine).await);
            run::disagreement(&machine, &ours, &theirs)
                .map(|why| report(seed, &machine, &ours, &theirs, &why))
        };
        let compared = futures::stream::iter(seeds).map(compare).buffered(AT_ONCE);
        compared.filter_map(std::future::ready).collect::<Vec<_>>().await
    });
    let count = disagreements.len();
    assert!(disagreements.is_empty(), "{count} disagreements, of which the first is:\n{}", disagreements[0]);
}

/// All that is needed to find out who is right.
fn report(seed: u64, machine: &Machine, ours: &Run, theirs: &Run, why: &str) -> String {
    format!(
        "seed {seed}: {why}\n\n{:#}\n\ninput: {}\n\nthe engine: {ours}\n\nmoto: {theirs}",
        machine.definition, machine.input
    )
}
