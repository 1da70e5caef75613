//! A promise is worth what verifies it: each names its tests, and they are there. So does each fault of other tools.

use std::fs;
use std::path::Path;

use stopgap_tests::repository;

use crate::links::links;
use crate::readme;

/// The tests that a text names: links whose text is `` `name` `` and whose target is a Rust file.
fn tests(text: &str) -> Vec<(String, String)> {
    let named = links(text).into_iter().filter(|(_, to)| to.ends_with(".rs"));
    let names = named.filter_map(|(name, to)| {
        let name = name.strip_prefix('`')?.strip_suffix('`')?;
        // A test's name is a sentence; a link to a module has a word or two.
        (name.matches('_').count() >= 3).then(|| (name.to_owned(), to.clone()))
    });
    names.collect()
}

#[test]
fn every_promise_names_tests_and_each_of_them_exists() {
    let text = readme();
    let (_, promises) = text.split_once("\n## Promises\n").expect("there is a chapter of promises");
    let (promises, _) = promises.split_once("\n## ").expect("it ends");
    let promises: Vec<&str> = promises.split("\n### ").skip(1).collect();
    assert_eq!(promises.len(), 7);
    for promise in promises {
        let title = promise.lines().next().unwrap_or_default();
        let tests = tests(promise);
        assert!(tests.len() >= 2, "{title} names {} tests", tests.len());
        are_there(title, &repository(), tests);
    }
}

/// Holds that each test is in the file that it is said to be in, seen from `folder`.
fn are_there(title: &str, folder: &Path, tests: Vec<(String, String)>) {
    for (name, file) in tests {
        let source = fs::read_to_string(folder.join(&file)).unwrap_or_default();
        let found = source.split("#[test]").skip(1).any(|rest| {
            let function = rest.trim_start().strip_prefix("fn ").unwrap_or_default();
            function.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('('))
        });
        assert!(found, "{title}: there is no test {name} in {file}");
    }
}

#[test]
fn every_fault_of_other_tools_names_tests_and_each_of_them_exists() {
    let folder = repository().join("docs");
    let text = fs::read_to_string(folder.join("others.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.ends_with("| tests |"));
    let rows: Vec<&str> = rows.collect();
    assert!(rows.len() >= 20, "{} rows", rows.len());
    for row in rows {
        let tests = tests(row);
        assert!(!tests.is_empty(), "no test: {row}");
        are_there(row, &folder, tests);
    }
}
