//! From the CDK app to a deployment in moto: synthesized, changed as far as moto needs it, created, and read back.

mod machine;
mod references;
mod stack;
mod synth;
mod template;

pub use stack::{Outputs, create_stack, deployed_function};
pub use synth::{Assembly, synthesize};
pub use template::{Adapted, adapt};
