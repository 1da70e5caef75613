//! Every link leads somewhere: on the README, and on the pages in `docs`.

use std::fs;
use std::path::Path;

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

/// Whether a link that stands on `page`, a file in `folder`, leads to a file or a heading.
fn leads_somewhere(folder: &Path, page: &str, to: &str) -> bool {
    let (file, part) = to.split_once('#').unwrap_or((to, ""));
    let path = folder.join(if file.is_empty() { page } else { file });
    if part.is_empty() || path.extension().is_none_or(|extension| extension != "md") {
        return path.exists();
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().any(|line| line.starts_with('#') && anchor(line) == part)
}

#[test]
fn every_link_leads_to_a_file_or_a_heading() {
    let mut pages = vec![(repository(), "README.md".to_owned())];
    let docs = repository().join("docs");
    let names = fs::read_dir(&docs).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    pages.extend(names.filter(|name| name.ends_with(".md")).map(|name| (docs.clone(), name)));
    assert!(links(&readme()).len() > 50, "only {} links were found", links(&readme()).len());
    for (folder, page) in pages {
        let text = fs::read_to_string(folder.join(&page)).unwrap();
        for (shown, to) in links(&text).iter().filter(|(_, to)| !to.starts_with("https://")) {
            assert!(leads_somewhere(&folder, &page, to), "{page}: [{shown}]({to})");
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
