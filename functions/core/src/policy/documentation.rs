//! Holds `docs/policies.md` to the code.

use super::*;
use crate::schedule::Expression;

/// The documentation's blocks of `language`.
fn documented(language: &str) -> Vec<&'static str> {
    let start = format!("```{language}\n");
    DOCUMENTATION.split(start.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

const DOCUMENTATION: &str = include_str!("../../../../docs/policies.md");

#[test]
fn the_documented_examples_are_policies() {
    let examples = documented("json");
    assert!(examples.len() >= 3);
    for example in examples {
        assert_eq!(parse(example).map(|_| ()).map_err(|errors| errors.to_string()), Ok(()), "{example}");
    }
    let with_defaults = parse(documented("json")[2]).unwrap();
    assert_eq!(with_defaults[0].retention.at_least, Some(Count::Of(2)));
    assert_eq!(with_defaults[1].retention.at_least, None);
}

#[test]
fn the_documented_defaults_are_the_built_in_ones() {
    let rows = DOCUMENTATION.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let mut documented: Vec<(&str, &str)> = rows
        .filter_map(|(path, rest)| Some((path, rest.strip_prefix('`')?.split_once('`')?.0)))
        .filter(|(path, _)| path.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'.'))
        .collect();
    let mut built_in: Vec<(&str, &str)> =
        defaults::BUILT_IN.iter().map(|default| (default.path, default.value)).collect();
    documented.sort_unstable();
    built_in.sort_unstable();
    assert_eq!(documented, built_in);
}

#[test]
fn every_filter_is_documented() {
    for filter in crate::select::FILTERS {
        assert!(DOCUMENTATION.contains(&format!("`{filter}`")), "{filter}");
    }
}

#[test]
fn the_documented_schedules_are_expressions() {
    let rows = DOCUMENTATION.lines().filter(|line| {
        line.starts_with("| `cron(") || line.starts_with("| `rate(") || line.starts_with("| `at(")
    });
    let expressions: Vec<&str> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
    assert_eq!(expressions.len(), 10);
    for expression in expressions {
        assert!(expression.parse::<Expression>().is_ok(), "{expression}");
    }
}
