//! The CDK app's own checks: lint, types, and what its tests say of the stacks.

use std::process::Command;

use stopgap_e2e::{paths, tools};

#[test]
fn the_stacks_pass_their_own_lint_types_and_tests() {
    let app = paths::repository().join("cdk");
    tools::cdk(&app, &paths::target().join("tools")).unwrap();
    let output = Command::new("npm").arg("test").current_dir(&app).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "npm test: {}\n{out}{err}", output.status);
    assert!(out.contains("Tests "), "no test was run:\n{out}");
}
