//! One body of contracts for the ports of `stopgap-core`, held by what stands behind them: the simulated AWS, and the
//! adapters over the AWS SDK, whose other end is moto.
//!
//! A contract is what a port promises in its doc comments, and what the tasks rely on. Each is a function over a [`World`]
//! and becomes two tests, `simulated` and `moto`. What moto is known to do wrong is in [`faults`], by contract.

#![allow(clippy::unwrap_used, reason = "these are tests; clippy only sees that in #[test] functions")]

mod accounts;
mod alarms;
mod auto_scaling;
mod callbacks;
mod executions;
mod faults;
mod instances;
mod load_balancers;
mod moto;
mod plans_and_tickets;
mod preflight;
mod simulated;
mod snapshots;
mod table;
mod world;

pub(crate) use world::World;

/// Makes two tests of each contract.
macro_rules! contracts {
    ($($name:ident,)+) => {
        /// The contracts of this file.
        pub(crate) const NAMES: &[&str] = &[$(stringify!($name),)+];

        $(mod $name {
            #[test]
            fn simulated() {
                crate::simulated::hold(super::$name);
            }

            #[test]
            fn moto() {
                crate::moto::hold(stringify!($name), super::$name);
            }
        })+
    };
}
pub(crate) use contracts;
