//! Every link leads somewhere.

use std::fs;

use stopgap_tests::repository;

use crate::readme;

/// The inline links of a Markdown text: what is shown, and where it leads.
pub(crate) fn links(text: &str) -> Vec<(String, String)> {
    let ends = text.match_indices("](").map(|(at, _)| at);
    let links = ends.filter_map(|at| {
        let shown = &text[text[..at].rfind('[')? + 1..at];
        let to = text[at + 2..].split_once(')')?.0;
        Some((shown.to_owned(), to.to_owned()))
    });
    links.collect()
}

/// The anchor that a heading has on the page.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_to_a_file_or_a_heading() {
    let text = readme();
    let anchors: Vec<String> = text.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
    let links = links(&text);
    assert!(links.len() > 50, "only {} links were found", links.len());
    for (shown, to) in links.iter().filter(|(_, to)| !to.starts_with("https://")) {
        let (file, part) = to.split_once('#').unwrap_or((to, ""));
        if file.is_empty() {
            assert!(anchors.iter().any(|anchor| anchor == part), "[{shown}]({to})");
        } else {
            assert!(repository().join(file).exists(), "[{shown}]({to}): there is no {file}");
        }
    }
}

/// From the README to a state, and from the state to its code.
#[test]
fn a_link_to_a_state_leads_to_its_line() {
    for (shown, to) in links(&readme()) {
        let Some((file, line)) = to.split_once("#L") else { continue };
        let source = fs::read_to_string(repository().join(file)).unwrap();
        let line: usize = line.parse().unwrap();
        let found = source.lines().nth(line - 1).unwrap_or_default();
        assert_eq!(found.trim(), format!("\"{shown}\": {{"), "{to}");
    }
}
