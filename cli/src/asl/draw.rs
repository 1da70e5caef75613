//! `stopgap asl draw`: a state machine as a Mermaid flowchart, for people.
//!
//! A picture that shows every arrow shows nothing, so three kinds are folded, and none of them hides a way:
//! - a `Catch` that leads where the state leads anyway has no arrow of its own;
//! - two or more states of a section that catch the same errors into the same state outside of it share one arrow, from
//!   the section;
//! - rules of a Choice that lead to the same state share one arrow.

use std::fmt::Write as _;

use serde_json::Value;

use crate::BadInput;

mod graph;
mod plan;
mod words;

use graph::{Edge, Graph, Kind, Node, Way};
use plan::{From, Plan};

/// The colours, readable on light and dark pages.
const CLASSES: &str = "  classDef task fill:#e3f2fd,stroke:#1565c0,color:#0d1b2a
  classDef wait fill:#f3e5f5,stroke:#7b1fa2,color:#0d1b2a
  classDef choice fill:#fffde7,stroke:#9e9d24,color:#0d1b2a
  classDef rescue fill:#fff3e0,stroke:#e65100,color:#0d1b2a,stroke-dasharray:4 3
  classDef good fill:#e8f5e9,stroke:#2e7d32,color:#0d1b2a
  classDef away fill:none,stroke:#9e9e9e,stroke-dasharray:2 2
  classDef bad fill:#ffebee,stroke:#c62828,color:#0d1b2a
";

/// A part of the picture with a box around it: the states from one on, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// What stands over the box.
    pub(super) title: String,
    /// The first state in it.
    pub(super) first: String,
}

impl std::str::FromStr for Section {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.rsplit_once('=') {
            Some((title, first)) if !title.is_empty() && !first.is_empty() => {
                Ok(Self { title: title.to_owned(), first: first.to_owned() })
            }
            _ => Err("write TITLE=STATE: the title of a box, and the first state in it".to_owned()),
        }
    }
}

/// Draws a definition: all of it, or the section of the title `only` with what leads into it and out of it.
///
/// # Errors
/// A section that begins with a state that is not there; a title that no section has.
pub(super) fn draw(definition: &Value, sections: &[Section], only: Option<&str>) -> Result<String, BadInput> {
    let graph = Graph::read(definition).map_err(|error| BadInput::one(error.to_string()))?;
    let unknown: Vec<String> = sections
        .iter()
        .filter(|section| graph.nodes.iter().all(|node| node.name != section.first))
        .map(|section| format!("--section {0}={1}: there is no state {1:?}", section.title, section.first))
        .collect();
    if !unknown.is_empty() {
        return Err(BadInput(unknown));
    }
    let number = |title| sections.iter().position(|section| section.title == title);
    let only = match only {
        Some(title) => Some(number(title).ok_or_else(|| {
            BadInput::one(format!("--only {title}: there is no such section; add --section {title:?}=STATE"))
        })?),
        None => None,
    };
    let mut picture = Picture { text: String::from("flowchart TB\n") };
    picture.graph(&graph, &Plan::new(&graph, sections), sections, only);
    picture.text.push_str(CLASSES);
    Ok(picture.text)
}

/// Text that grows.
struct Picture {
    text: String,
}

impl Picture {
    fn line(&mut self, depth: usize, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{:indent$}{text}", "", indent = 2 * depth);
    }

    fn graph(&mut self, graph: &Graph, plan: &Plan<'_>, sections: &[Section], only: Option<usize>) {
        let shown = |number: usize| only.is_none_or(|only| only == number);
        for (number, section) in sections.iter().enumerate().filter(|(number, _)| shown(*number)) {
            self.line(1, format_args!("subgraph {}[{}]", box_id(number), quoted(&section.title)));
            for node in graph.nodes.iter().filter(|node| plan.section(&node.name) == Some(number)) {
                self.node(2, node, plan);
            }
            self.line(1, format_args!("end"));
        }
        let inside = |from: From<'_>| from.section(plan) == only;
        let arrows: Vec<_> = plan
            .arrows
            .iter()
            .filter(|(from, edge)| only.is_none() || inside(*from) || plan.section(&edge.to) == only)
            .collect();
        for node in graph.nodes.iter().filter(|node| plan.section(&node.name).is_none()) {
            if only.is_none() || arrows.iter().any(|(_, edge)| edge.to == node.name) {
                self.node(1, node, plan);
            }
        }
        if only.is_some() {
            let away = arrows.iter().flat_map(|(from, edge)| [*from, From::State(&edge.to)]);
            let mut drawn: Vec<From<'_>> = Vec::new();
            for end in away.filter(|end| end.section(plan).is_some() && !inside(*end)) {
                if !drawn.contains(&end) {
                    drawn.push(end);
                    let label = quoted(end.label(sections));
                    self.line(1, format_args!("{}({label}):::away", end.id()));
                }
            }
        }
        for (from, edge) in arrows {
            self.arrow(&from.id(), edge);
        }
    }

    fn node(&mut self, depth: usize, node: &Node, plan: &Plan<'_>) {
        let (id, label) = (id(&node.name), quoted(&node.name));
        let class = match &node.kind {
            Kind::Succeed => "good",
            Kind::Fail => "bad",
            _ if plan.rescues.contains(&node.name) => "rescue",
            Kind::Wait | Kind::Callback => "wait",
            Kind::Choice => "choice",
            Kind::Task | Kind::Pass | Kind::Inside(_) => "task",
        };
        match &node.kind {
            Kind::Inside(graphs) => {
                let title =
                    if node.is_map { format!("{}: for each item", node.name) } else { node.name.clone() };
                self.line(depth, format_args!("subgraph {id}[{}]", quoted(&title)));
                for graph in graphs {
                    self.graph(graph, &Plan::new(graph, &[]), &[], None);
                }
                self.line(depth, format_args!("end"));
            }
            Kind::Task => self.line(depth, format_args!("{id}[{label}]:::{class}")),
            Kind::Callback | Kind::Wait => self.line(depth, format_args!("{id}{{{{{label}}}}}:::{class}")),
            Kind::Choice => self.line(depth, format_args!("{id}{{{label}}}:::{class}")),
            Kind::Pass => self.line(depth, format_args!("{id}({label}):::{class}")),
            Kind::Succeed | Kind::Fail => self.line(depth, format_args!("{id}([{label}]):::{class}")),
        }
    }

    /// Thick for what follows, thin for what is chosen, dashed for what an error leads to.
    fn arrow(&mut self, from: &str, edge: &Edge) {
        let arrow = match edge.way {
            Way::Next => "==>",
            Way::Choice => "-->",
            Way::Error => "-.->",
        };
        let label = if edge.label.is_empty() { String::new() } else { format!("|{}|", quoted(&edge.label)) };
        self.line(1, format_args!("{from} {arrow}{label} {}", id(&edge.to)));
    }
}

/// The id of a section's box.
fn box_id(number: usize) -> String {
    format!("section{}", number + 1)
}

/// A state's name as Mermaid takes it for an id: letters and digits are themselves, and `state` in front keeps words
/// such as `end` from being read as Mermaid's own.
fn id(name: &str) -> String {
    let plain =
        |c: char| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("_{:x}_", u32::from(c)) };
    let id: String = name.chars().map(plain).collect();
    if id.starts_with(|c: char| c.is_ascii_uppercase()) { id } else { format!("State_{id}") }
}

/// A text in quotes, with Mermaid's escapes for what would end it or be read as HTML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '#' | '<' | '>' | '&' | '`' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn machine() -> Value {
        let task = |next: &str, to: &str| {
            json!({
                "Type": "Task", "Resource": "x", "Next": next,
                "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": to }]
            })
        };
        json!({ "StartAt": "A", "States": {
            "A": task("B", "Tell"), "B": task("C", "Tell"), "C": task("end", "end"),
            "Tell": task("end", "end"), "end": { "Type": "Succeed" }
        } })
    }

    fn picture(sections: &[&str], only: Option<&str>) -> String {
        let sections: Vec<Section> = sections.iter().map(|text| text.parse().unwrap()).collect();
        draw(&machine(), &sections, only).unwrap_or_else(|BadInput(messages)| panic!("{messages:?}"))
    }

    #[test]
    fn errors_that_a_section_catches_alike_share_an_arrow_and_those_that_change_nothing_have_none() {
        let text = picture(&["First=A", "Then=C"], None);
        let dashed: Vec<_> = text.lines().filter(|line| line.contains("-.->")).map(str::trim).collect();
        assert_eq!(dashed, ["section1 -.-> Tell"]);
    }

    #[test]
    fn without_sections_every_state_has_its_own_arrows() {
        let text = picture(&[], None);
        assert!(text.contains("A -.-> Tell") && text.contains("B -.-> Tell"), "{text}");
    }

    #[test]
    fn a_state_that_only_errors_lead_to_looks_like_one() {
        let text = picture(&[], None);
        assert!(text.contains(r#"Tell["Tell"]:::rescue"#) && text.contains(r#"C["C"]:::task"#), "{text}");
    }

    #[test]
    fn a_section_alone_has_its_neighbours_and_no_more() {
        let text = picture(&["First=A", "Then=C"], Some("Then"));
        assert!(text.contains(r#"B("B"):::away"#) && text.contains("B ==> C"), "{text}");
        assert!(!text.contains("A ==> B"), "{text}");
    }

    #[test]
    fn names_that_mean_something_to_mermaid_are_only_names() {
        assert_eq!((id("end"), id("Übung 1")), ("State_end".to_owned(), "State__dc_bung_20_1".to_owned()));
        assert_eq!(quoted("a \"b\" <c>"), "\"a #34;b#34; #60;c#62;\"");
    }

    #[test]
    fn a_section_that_is_not_there_is_refused_by_name() {
        let section = Section { title: "Down".to_owned(), first: "Z".to_owned() };
        let BadInput(messages) = draw(&machine(), &[section], None).unwrap_err();
        assert_eq!(messages, [r#"--section Down=Z: there is no state "Z""#]);
        let BadInput(messages) = draw(&machine(), &[], Some("Up")).unwrap_err();
        assert_eq!(messages, [r#"--only Up: there is no such section; add --section "Up"=STATE"#]);
    }
}
