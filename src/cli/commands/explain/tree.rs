//! An explanation for people: the tree, a line a part, under each leaf what was found.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use super::super::counted;
use crate::cli::shown::{self, printable};
use crate::domain::calendar;
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::Value;
use crate::domain::written;
use crate::evaluate::explain::{
    Absence, Counted, Evidence, Explanation, Leaf, Means, Part, PartKind, Placed, Turn, WindowEnd,
};

/// The whole tree.
pub(super) fn shown(explanation: &Explanation, zone: Zone, colour: bool) -> String {
    let all_decide = explanation.parts().iter().all(|part| part.decides);
    let tree = Tree { zone, colour, marks: !all_decide };
    let mut text = String::new();
    tree.part(&explanation.root, 0, &mut text);
    text
}

/// What turns the answer, and when it turns by itself.
pub(super) fn ways(explanation: &Explanation, zone: Zone, is_past: bool) -> String {
    let provided = provided(explanation, is_past);
    let other = if explanation.holds() { "to be out" } else { "to be in" };
    let mut text = String::new();
    let changes = explanation.smallest_changes();
    let changes = changes.iter().filter_map(|part| part.leaf.as_ref()?.change.as_ref());
    let told: Vec<String> = changes
        .map(|change| {
            let hint = if change.means == Means::Time { " (only time does that)" } else { "" };
            format!("{}{hint}", printable(&change.words))
        })
        .collect();
    text += &match told.split_first() {
        Some((first, rest)) => {
            let first = format!("{other:<14}{first}");
            let rest = rest.iter().map(|more| format!("{:<14}and {more}", ""));
            shown::lines(std::iter::once(first).chain(rest))
        }
        None if is_folded(explanation) => {
            shown::lines([format!("{other:<14}not told: the condition is too long to be unfolded")])
        }
        None => shown::lines([format!("{other:<14}nothing that a contact can do")]),
    };
    for part in explanation.touched_parts() {
        text += &shown::lines([format!("{:<14}this changes, too: {}", "", printable(&part.words))]);
    }
    let stays = if explanation.holds() { "stays in" } else { "stays out" };
    let becomes = if explanation.holds() { "out" } else { "in" };
    text += &shown::lines([match explanation.root.turns {
        None => format!("{:<14}{stays}, {provided}", "by itself"),
        Some(Turn { at, is_certain: true }) => {
            format!("{:<14}{becomes} at {}, {provided}", "by itself", shown::time(at, zone))
        }
        Some(Turn { at, is_certain: false }) => {
            format!("{:<14}{stays} until {} at least, {provided}", "by itself", shown::time(at, zone))
        }
    }]);
    text
}

/// `yes` or `no`, with what stands before the words.
pub(super) fn answer(holds: bool, colour: bool) -> String {
    let word = if holds { "yes  " } else { "no   " };
    match (colour, holds) {
        (false, _) => word.to_owned(),
        (true, true) => word.green().to_string(),
        (true, false) => word.red().to_string(),
    }
}

/// On which condition it is said what comes.
pub(super) fn provided(explanation: &Explanation, is_past: bool) -> &'static str {
    match (is_past, explanation.has_places()) {
        (true, _) => "by what is recorded since",
        (false, true) => "if nothing new happens and until contacts are ranked anew",
        (false, false) => "if nothing new happens",
    }
}

/// Whether a segment is not unfolded.
fn is_folded(explanation: &Explanation) -> bool {
    explanation.parts().iter().any(|part| part.kind == PartKind::Segment && part.parts.is_empty())
}

struct Tree {
    zone: Zone,
    colour: bool,
    /// Whether it is marked what decides: not where everything does.
    marks: bool,
}

impl Tree {
    fn part(&self, part: &Part, depth: usize, text: &mut String) {
        let answer = answer(part.holds, self.colour);
        let mut line = format!("{answer}{}{}", "  ".repeat(depth), words(part));
        // A group says nothing that its leaves do not.
        if self.marks && part.decides && part.parts.is_empty() {
            line += if self.colour { "   \u{1b}[1m<- decides\u{1b}[0m" } else { "   <- decides" };
        }
        *text += &shown::lines([line]);
        if let Some(leaf) = &part.leaf {
            for found in self.found(leaf) {
                *text += &shown::lines([format!("       {}{}", "  ".repeat(depth), printable(&found))]);
            }
        }
        for part in &part.parts {
            self.part(part, depth + 1, text);
        }
    }

    /// What stands under a leaf.
    fn found(&self, leaf: &Leaf) -> Vec<String> {
        let note = leaf.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        let no_events = leaf.absence == Some(Absence::NoEvents);
        let mut first = match (&leaf.value, &leaf.absence) {
            (None, _) if no_events => format!("no {}", leaf.subject),
            (Some(value), _) => format!("{}: {}{note}", leaf.subject, self.value(value)),
            (None, Some(absence)) => missing(&leaf.subject, absence),
            (None, None) => format!("no {}", leaf.subject),
        };
        let mut lines = Vec::new();
        if let Some(events) = &leaf.events {
            let of = if no_events { ":" } else { ", of" };
            let _ = write!(first, "{of} {}", self.stretch(events));
            lines.extend(self.latest(events));
        }
        if let Some(defined) = &leaf.defined {
            lines.insert(0, defined.clone());
        }
        lines.insert(0, first);
        lines.extend(leaf.place.as_ref().map(|place| self.place(place)));
        lines
    }

    /// `in from 1200 on, by the ranking of 3400 contacts at 2026-11-23 03:00`.
    fn place(&self, place: &Placed) -> String {
        let Some(at) = place.at else { return "not ranked yet".to_owned() };
        let value = |value: &Value| self.value(value);
        let is_in = match &place.bounds {
            None => "nobody is in".to_owned(),
            Some((None, None)) => "in is whoever has a value".to_owned(),
            Some((Some(from), None)) => format!("in from {} on", value(from)),
            Some((None, Some(to))) => format!("in up to {}", value(to)),
            Some((Some(from), Some(to))) => format!("in from {} up to {}", value(from), value(to)),
        };
        let contacts = counted(place.contacts, "contact", "contacts");
        format!("{is_in}, by the ranking of {contacts} at {}", self.time(at))
    }

    fn stretch(&self, events: &Evidence) -> String {
        let count = match events.counted {
            0 => format!("no {} event", events.event),
            1 => format!("1 {} event", events.event),
            more => format!("{more} {} events", events.event),
        };
        let from = events.from.map(|WindowEnd { at, is_in }| {
            format!(" {} {}", if is_in { "from" } else { "after" }, self.time(at))
        });
        let WindowEnd { at, is_in } = events.to;
        let to = format!(" {} {}", if is_in { "up to" } else { "before" }, self.time(at));
        format!("{count}{}{to}", from.unwrap_or_default())
    }

    fn latest(&self, events: &Evidence) -> Option<String> {
        if events.latest.is_empty() {
            return None;
        }
        let one = |counted: &Counted| {
            let properties: Vec<String> = counted
                .properties
                .iter()
                .map(|(name, value)| format!("{name} {}", self.value(value)))
                .collect();
            let at = self.time(counted.at);
            if properties.is_empty() { at } else { format!("{at} ({})", properties.join(", ")) }
        };
        let head = if events.latest.len() == 1 { "the last" } else { "the last ones" };
        let all: Vec<String> = events.latest.iter().map(one).collect();
        Some(format!("{head}: {}", all.join("; ")))
    }

    fn value(&self, value: &Value) -> String {
        match value {
            Value::Datetime(at) => self.time(*at),
            other => written::value(other),
        }
    }

    fn time(&self, at: Timestamp) -> String {
        calendar::local(at, self.zone).format("%Y-%m-%d %H:%M").to_string()
    }
}

fn words(part: &Part) -> String {
    match part.kind {
        PartKind::Segment if part.parts.is_empty() => {
            printable(&format!("segment {} (not unfolded)", part.words))
        }
        PartKind::Segment => printable(&format!("segment {}", part.words)),
        _ => printable(&part.words),
    }
}

fn missing(subject: &str, absence: &Absence) -> String {
    match absence {
        Absence::Unknown => format!("no {subject}"),
        Absence::Unreadable(raw) => format!("no {subject}: `{raw}` does not fit its type"),
        Absence::NoEvents => format!("no {subject}: no such event"),
        Absence::TooFew => format!("no {subject}: it takes two events"),
        Absence::NoProperty => format!("no {subject}: the events do not say it"),
    }
}
