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

/// A text with `content` between its marks `<!-- begin NAME -->` and `<!-- end NAME -->`.
///
/// # Panics
/// If a mark is missing.
pub fn with_part(text: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{begin} is missing"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{end} is missing"));
    format!("{before}{begin}{content}{end}{after}")
}

/// The repository, where the tests were built.
pub fn repository() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
