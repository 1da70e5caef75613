//! Amazon States Language, in its JSONPath form: definitions, and how data flows through a state.
//!
//! [`StateMachine::parse`] turns a definition into types that can only say what the engine can run; everything else
//! is refused with the state and the field named. What runs a definition is
//! [`stepfunctions`](crate::stepfunctions).
//!
//! JSONata and workflow variables (`Assign`) are refused by name.

pub mod choice;
mod error;
pub mod intrinsics;
mod json;
pub mod model;
mod parse;
pub mod paths;
mod substitute;
pub mod template;

pub use error::DefinitionError;
pub use model::StateMachine;
pub use substitute::{SubstituteError, substitute};
