//! What a person does with stopgap, on parts that nobody here wrote: the synthesized stacks, deployed to moto; the real
//! function programs behind a Lambda host; the shipped state machines in moto's interpreter.
//!
//! One platform serves them all. Each has a policy of its own name, and instances that only this policy selects.

mod by_hand;
mod faults;
mod fleet_night;
mod other_account;
mod pruning;
mod rescue;
mod rights;
mod tickets;

use stopgap_e2e::platform::Platform;

fn stopgap() -> &'static Platform {
    stopgap_e2e::shared::platform("scenarios")
}
