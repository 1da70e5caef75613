//! Which state stands in which section, and which arrows are drawn.

use super::graph::{Edge, Graph, Way};
use super::{Section, box_id, id};

/// A graph as it will be drawn.
pub(super) struct Plan<'a> {
    /// The states that only an error leads to.
    pub(super) rescues: Vec<String>,
    /// The arrows, each with where it begins.
    pub(super) arrows: Vec<(From<'a>, &'a Edge)>,
    /// For each state, the number of its section. Ends stand in none.
    sections: Vec<(&'a str, Option<usize>)>,
}

/// Where an arrow begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum From<'a> {
    /// At a state.
    State(&'a str),
    /// At a section: several of its states lead there alike.
    Section(usize),
}

impl<'a> Plan<'a> {
    pub(super) fn new(graph: &'a Graph, sections: &[Section]) -> Self {
        let mut current = None;
        let section = |node: &'a super::Node| {
            current = sections.iter().position(|section| section.first == node.name).or(current);
            (node.name.as_str(), current.filter(|_| !node.is_end()))
        };
        let sections = graph.nodes.iter().map(section).collect();
        let mut plan = Self { rescues: graph.rescues(), arrows: Vec::new(), sections };
        for edge in &graph.edges {
            let arrow = (plan.origin(graph, edge), edge);
            let alike = |(from, other): &(From<'_>, &Edge)| {
                *from == arrow.0 && (&other.to, &other.label) == (&edge.to, &edge.label)
            };
            if matches!(arrow.0, From::State(_)) || !plan.arrows.iter().any(alike) {
                plan.arrows.push(arrow);
            }
        }
        plan
    }

    /// The number of a state's section.
    pub(super) fn section(&self, name: &str) -> Option<usize> {
        self.sections.iter().find(|(state, _)| *state == name).and_then(|(_, section)| *section)
    }

    /// Where the arrow of `edge` begins: at its section, if another state of it leads there for the same errors.
    fn origin(&self, graph: &Graph, edge: &'a Edge) -> From<'a> {
        let home = self.section(&edge.from);
        let shared = graph.edges.iter().filter(|other| {
            (other.way, &other.to, &other.label) == (Way::Error, &edge.to, &edge.label)
                && self.section(&other.from) == home
        });
        match home {
            Some(home)
                if edge.way == Way::Error && self.section(&edge.to) != Some(home) && shared.count() > 1 =>
            {
                From::Section(home)
            }
            _ => From::State(&edge.from),
        }
    }
}

impl<'a> From<'a> {
    /// The number of the section that it is, or is in.
    pub(super) fn section(self, plan: &Plan<'_>) -> Option<usize> {
        match self {
            Self::State(name) => plan.section(name),
            Self::Section(number) => Some(number),
        }
    }

    /// Its id in the picture.
    pub(super) fn id(self) -> String {
        match self {
            Self::State(name) => id(name),
            Self::Section(number) => box_id(number),
        }
    }

    /// What stands on it.
    pub(super) fn label<'b>(self, sections: &'b [Section]) -> &'b str
    where
        'a: 'b,
    {
        match self {
            Self::State(name) => name,
            Self::Section(number) => sections.get(number).map_or("", |section| &section.title),
        }
    }
}
