//! Random sequences of things that go wrong, over a small fleet.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::play::Scenario;
use super::stage::Setting;
use super::trouble::Trouble;

/// How many instances the fleet has: two of one concurrency group, one of them a member of an Auto Scaling group, one by
/// itself, and one that is stopped.
const INSTANCES: usize = 4;
/// How many things go wrong at most.
const TROUBLES: usize = 5;
/// Up to which call of its kind something goes wrong: each run makes its own.
const NTH: u32 = 6;

/// The scenario of a seed: some of what goes wrong in single scenarios, at any of the calls that the fleet's runs make.
pub(super) fn scenario(seed: u64, troubles: &[Trouble]) -> Scenario {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let settings =
        [Setting::Night, Setting::Night, Setting::Night, Setting::Suspend, Setting::CompletedFirst];
    let setting = settings[chance.random_range(0..settings.len())];
    let count = chance.random_range(1..=TROUBLES);
    let mut chosen: Vec<Trouble> = Vec::new();
    for _ in 0..count {
        let mut trouble = troubles[chance.random_range(0..troubles.len())].clone();
        match &mut trouble {
            Trouble::Call(_, _, nth, _) | Trouble::Event(_, nth, _) => *nth = chance.random_range(1..=NTH),
            Trouble::State(..) | Trouble::World(_) => {}
        }
        if !chosen.contains(&trouble) {
            chosen.push(trouble);
        }
    }
    Scenario { setting, troubles: chosen, rescuer: true, instances: INSTANCES, seed }
}
