//! The simulation.

pub mod asl;
pub mod runtime;
pub mod stepfunctions;
