//! stopgap on moto: the synthesized stacks, the real function programs, the shipped state machines.
//!
//! [`cloud`] is what stands for AWS; [`platform`] is stopgap deployed to it; a [`scene`] is a tester at work.

pub mod clients;
pub mod clock;
pub mod cloud;
pub mod deploy;
pub mod functions;
pub mod host;
pub mod http;
pub mod moto;
pub mod paths;
pub mod platform;
pub mod router;
pub mod scene;
pub mod self_check;
pub mod shared;
pub mod ticket_queue;
pub mod tools;
