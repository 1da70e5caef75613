//! stopgap's simulation: a states-language engine on a virtual clock, and a simulated AWS behind core's ports.
//!
//! The engine ([`asl`], [`runtime`], [`stepfunctions`]) knows nothing of EC2: it sees a task runner and a clock. [`aws`] is
//! the world behind the ports.

pub mod asl;
pub mod aws;
pub mod deployment;
pub mod faults;
pub mod forecast;
pub mod machines;
pub mod night;
pub mod runtime;
pub mod stepfunctions;
