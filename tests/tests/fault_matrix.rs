//! The tests of the fault matrix, in a build of their own: ten thousand nights take ten times as long in the profile of all
//! other tests.

use std::process::Command;

use stopgap_tests::repository;

#[test]
fn the_fault_matrix_holds_and_finds_what_is_broken_on_purpose() {
    let mut tests = Command::new(env!("CARGO"));
    tests
        .args(["test", "--locked", "--profile", "matrix", "--package", "stopgap-tests", "--test", "faults"])
        .current_dir(repository());
    let status = tests.status().expect("cargo can be started");
    assert!(status.success(), "{tests:?}: {status}; its output is above");
}
