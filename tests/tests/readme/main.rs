//! Holds README.md to the code: what it shows is generated, what it names is there.

mod commands;
mod links;
mod parts;
mod promises;
mod source;

use std::fs;

use stopgap_tests::repository;

/// The README.
fn readme() -> String {
    fs::read_to_string(repository().join("README.md")).expect("there is a README.md")
}
