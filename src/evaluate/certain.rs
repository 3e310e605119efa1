//! What is certain of contacts by which events they have at all: whoever never bought gets the answer of nothing
//! from every test of purchases. Mostly most contacts lack most kinds of events; what is certain of them is
//! worked out once for all who have the same kinds, and what is left to ask of them is put together.

use std::collections::BTreeMap;

use super::answer::{Answer, Outcome};
use super::program::{Node, Program};
use crate::domain::time::Timestamp;

/// The answers that all contacts share who have the same kinds of events.
#[derive(Debug)]
pub(super) struct Certain {
    /// By node; `None`: it depends.
    pub(super) nodes: Vec<Option<bool>>,
    /// One a condition; where it depends, no, for good.
    pub(super) outcomes: Vec<Outcome>,
    /// What is left to ask.
    pub(super) open: Vec<Open>,
}

/// Conditions that depend on more, and have a part in common.
#[derive(Debug)]
pub(super) struct Open {
    /// If this node does not hold, for good, neither does one of them.
    pub(super) guard: Option<usize>,
    /// Nodes, with the places of the conditions whose answers they have.
    pub(super) asked: Vec<(usize, Vec<usize>)>,
}

/// What is certain, by kinds of contacts, as far as such contacts were met.
#[derive(Debug, Default)]
pub(super) struct Certainties(Vec<Option<Certain>>);

/// Which of a program's first streams a contact has events of, a bit each.
#[derive(Debug, Clone, Copy)]
struct Streams(usize);

impl Streams {
    /// Of so many streams it matters whether a contact has events: 1,024 kinds of contacts.
    const MOST: usize = 10;

    /// `newest`: the time of the newest event of each stream.
    fn of(newest: &[Option<Timestamp>]) -> Self {
        let streams = newest.iter().take(Self::MOST).enumerate();
        Self(streams.map(|(place, newest)| usize::from(newest.is_some()) << place).sum())
    }

    const fn lack(self, stream: usize) -> bool {
        stream < Self::MOST && self.0 >> stream & 1 == 0
    }
}

impl Certainties {
    /// Forgets what was certain of another program.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What is certain of a contact by the time of its newest event of each stream.
    #[inline]
    pub(super) fn of(&mut self, program: &Program, newest: &[Option<Timestamp>]) -> &Certain {
        let streams = Streams::of(newest);
        if self.0.len() <= streams.0 {
            self.0.resize_with(streams.0 + 1, || None);
        }
        self.0[streams.0].get_or_insert_with(|| Certain::of(program, streams))
    }
}

impl Certain {
    fn of(program: &Program, streams: Streams) -> Self {
        let mut nodes = Vec::with_capacity(program.nodes.len());
        for node in &program.nodes {
            nodes.push(program.certain(node, streams, &nodes));
        }
        let answers = program.conditions.iter().map(|node| nodes[*node]);
        let outcomes =
            answers.clone().map(|answer| Answer::lasting(answer.unwrap_or_default()).into()).collect();
        let mut left: BTreeMap<Option<usize>, BTreeMap<usize, Vec<usize>>> = BTreeMap::new();
        for (place, node) in program.conditions.iter().enumerate() {
            if nodes[*node].is_none() {
                let node = program.alone(*node, &nodes);
                left.entry(program.guard(node, &nodes)).or_default().entry(node).or_default().push(place);
            }
        }
        let open = left.into_iter().map(|(guard, asked)| Open { guard, asked: asked.into_iter().collect() });
        Self { open: open.collect(), nodes, outcomes }
    }
}

impl Program {
    /// The part of a node that has its answer, where all other parts are certain and leave it to that one; else
    /// the node.
    fn alone(&self, node: usize, certain: &[Option<bool>]) -> usize {
        let (Node::All(parts) | Node::Any(parts)) = &self.nodes[node] else { return node };
        let mut open = parts.iter().filter(|part| certain[**part].is_none());
        match (open.next(), open.next()) {
            (Some(part), None) => self.alone(*part, certain),
            _ => node,
        }
    }

    /// The first part without which a node does not hold.
    fn guard(&self, node: usize, certain: &[Option<bool>]) -> Option<usize> {
        let Node::All(parts) = &self.nodes[node] else { return None };
        parts.iter().find(|part| certain[**part].is_none()).copied()
    }

    /// The answer of a node for all contacts who have events of these streams only, if that decides it for good;
    /// `known` are those of the nodes before.
    fn certain(&self, node: &Node, streams: Streams, known: &[Option<bool>]) -> Option<bool> {
        // As the nodes' answers combine: one part decides, or all parts are known not to.
        let any = |parts: &[usize], decisive: bool| {
            let answers = || parts.iter().map(|part| known[*part]);
            let decided = answers().any(|answer| answer == Some(decisive));
            (decided || answers().all(|answer| answer.is_some())).then_some(decided)
        };
        let has_none = |stream: Option<usize>| stream.is_none_or(|stream| streams.lack(stream));
        match node {
            Node::Constant(holds) => Some(*holds),
            Node::All(parts) => any(parts, false).map(|decided| !decided),
            Node::Any(parts) => any(parts, true),
            Node::None(parts) => any(parts, true).map(|decided| !decided),
            Node::Events(node) => has_none(node.measured.stream).then_some(node.of_nothing),
            Node::Score(node) => {
                let mut parts = self.scores[node.score].parts.iter();
                parts.all(|part| streams.lack(part.stream)).then_some(node.of_nothing)
            }
            Node::Ranked(node) => has_none(node.measured.stream).then_some(false),
            Node::Attribute(..) | Node::Consent(..) | Node::ConsentSince(..) | Node::Bucket(_) => None,
        }
    }
}
