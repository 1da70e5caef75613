//! Every command is one, and every example of a policy is a policy.

use std::collections::BTreeSet;

use stopgap_core::policy;
use stopgap_tests::stopgap;

use crate::readme;

/// The subcommands of `stopgap` that the README's code names: `asl draw` for `cargo stopgap asl draw FILE`.
fn subcommands(text: &str) -> BTreeSet<Vec<String>> {
    let is_word =
        |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && !word.starts_with('-');
    let words =
        |rest: &str| rest.split_whitespace().take_while(is_word).map(str::to_owned).collect::<Vec<_>>();
    let code = text.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = code.flat_map(str::lines).filter_map(|line| line.strip_prefix("$ cargo "));
    let of_stopgap = lines.filter_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        line.strip_prefix("stopgap ").map(words).or_else(|| line.starts_with("demo").then(|| words(line)))
    });
    of_stopgap.collect()
}

#[test]
fn every_command_that_is_shown_exists() {
    let subcommands = subcommands(&readme());
    assert!(subcommands.len() >= 6, "{subcommands:?}");
    for words in subcommands {
        let output = stopgap().args(&words).arg("--help").output().unwrap();
        assert!(output.status.success(), "stopgap {}", words.join(" "));
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains(&format!("Usage: stopgap {}", words.join(" "))), "{help}");
    }
}

#[test]
fn every_policy_that_is_shown_is_one() {
    let text = readme();
    let blocks = text.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let policies: Vec<&str> = blocks.filter(|block| block.contains("\"select\"")).collect();
    assert!(!policies.is_empty());
    for example in policies {
        assert!(policy::parse(example).is_ok(), "{example}: {:?}", policy::parse(example).err());
    }
}
