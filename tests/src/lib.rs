//! What the tests share.

pub mod definition;
pub mod invariants;
mod scene;

pub use scene::{Scene, evening, home, nightly};

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The command `stopgap`, built without the AWS SDK as `cargo stopgap` builds it.
///
/// # Panics
/// When it cannot be built.
pub fn stopgap() -> Command {
    static BUILT: OnceLock<escargot::CargoRun> = OnceLock::new();
    let build = || {
        let build = escargot::CargoBuild::new().package("stopgap").bin("stopgap").no_default_features();
        build
            .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
            .run()
            .expect("stopgap builds")
    };
    BUILT.get_or_init(build).command()
}

/// The repository, where the tests were built.
pub fn repository() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
