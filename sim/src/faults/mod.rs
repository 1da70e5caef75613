//! The fault matrix: everything that can go wrong with a backup, and whether the promises hold.
//!
//! Each scenario is a night of the shipped state machines and the real tasks in the simulated AWS, in which one thing or
//! several go wrong; then all is mended, and the night after goes by, unless the first has left no more than one without
//! trouble leaves. The design's promises are checked in the night, when all is mended, and after the second night.
//!
//! A scenario has a name that stays the same from version to version: `StopInstance/StopInstances#1/throttled-once` is the
//! first StopInstances call of the state `StopInstance`.

mod acts;
mod history;
mod kind;
mod matrix;
mod named;
mod outcome;
mod pairs;
mod play;
mod promises;
mod rows;
mod seeds;
mod singles;
mod stage;
mod trouble;

pub use kind::Kind;
pub use matrix::{Line, Matrix, Question, Tried, Violation, matrix, play_all};
pub use outcome::Outcome;
pub use play::Scenario;
pub use rows::{Row, rows};
pub use singles::singles;
pub use stage::Setting;
pub use trouble::{Act, Place, Plight, Trouble};
