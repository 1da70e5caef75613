//! The simulation.

pub mod runtime;
