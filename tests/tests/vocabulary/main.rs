//! One name all the way, and one way back: what binds the state machine files to the code that runs behind them.

mod crates;
mod errors;
mod names;
mod restart;
