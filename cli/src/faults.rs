//! `stopgap faults`: everything that can go wrong with a backup, played, and whether the promises hold.

mod page;

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::ProgressBar;
use stopgap_sim::faults::{self, Matrix, Question};

use crate::failure::{BadInput, Failure};
use crate::output::{self, Format};
use crate::progress;

/// Let everything go wrong that can, on the real state machines and the real task code, and say whether the promises hold.
///
/// Each scenario is a night in a simulated AWS in which something goes wrong, the mending of it, and the night after, unless
/// the first has left no more than a night without trouble leaves. A broken promise is told with the shortest history that
/// shows it, and the exit status is 1.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Each two things that go wrong in one night, too: the second at every call, in every state and with every event after
    /// the first. Of ways to go wrong after which a night takes the same course, call for call, one is tried, and of states
    /// that are entered at one moment, one. With `--only`, those whose first thing has a name that contains it.
    #[arg(long)]
    pairs: bool,
    /// So many random sequences of things that go wrong over a small fleet, too.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=10_000_000))]
    seeds: u64,
    /// Only scenarios whose name contains this, such as `StopInstance/` or `access-denied`.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let question = Question { pairs: args.pairs, seeds: args.seeds, only: args.only.clone() };
    let bar = Bar::new();
    let matrix = faults::matrix(&question, |of| bar.expect(of), || bar.done());
    bar.finish();
    let matrix = matrix.map_err(Failure::one)?;
    if matrix.scenarios == 0 {
        let only = args.only.as_deref().unwrap_or_default();
        return Err(BadInput::one(format!(
            "--only: no scenario's name contains `{only}`; names are such as StopInstance/StopInstances#1/access-denied"
        ))
        .into());
    }
    if format == Format::Json {
        output::print_json(&matrix.summary())?;
    } else {
        output::print(&page::of(&matrix));
    }
    verdict(&matrix)
}

fn verdict(matrix: &Matrix) -> Result<(), Failure> {
    match matrix.violations.len() {
        0 => Ok(()),
        n => Err(Failure::one(format!("{} of {} scenarios broke a promise", n, matrix.scenarios))),
    }
}

/// Progress: a bar on a terminal, a line now and then elsewhere. On stderr, so that stdout has the result alone.
struct Bar {
    bar: Option<ProgressBar>,
    of: AtomicU64,
    done: AtomicU64,
}

impl Bar {
    fn new() -> Self {
        let words = "{pos} of {len} scenarios, {eta} left";
        let bar = stderr().is_terminal().then(|| progress::bar(words));
        Self { bar, of: AtomicU64::new(0), done: AtomicU64::new(0) }
    }

    fn expect(&self, of: u64) {
        self.of.store(of, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.set_length(of);
        }
    }

    fn done(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.bar {
            Some(bar) => bar.inc(1),
            None if done.is_multiple_of(10_000) => {
                eprintln!("{done} of {} scenarios", self.of.load(Ordering::Relaxed));
            }
            None => {}
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
