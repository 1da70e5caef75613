//! A promise is worth what verifies it: each names its tests, and they are there.

use std::fs;

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
        for (name, file) in tests {
            let source = fs::read_to_string(repository().join(&file)).unwrap_or_default();
            let found = source.split("#[test]").skip(1).any(|rest| {
                let function = rest.trim_start().strip_prefix("fn ").unwrap_or_default();
                function.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('('))
            });
            assert!(found, "{title}: there is no test {name} in {file}");
        }
    }
}
