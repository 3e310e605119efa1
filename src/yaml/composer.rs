//! Events of the YAML parser to a tree: aliases, merge keys, duplicates, budgets.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde_yaml::granit_parser::{
    ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StructureStyle, options,
};

use super::node::{Entry, Kind, Name, Node};
use super::scalar::Scalar;
use crate::diagnostic::{Lines, Place, Problem};

/// No file has more values, those that aliases repeat included: what stops a YAML bomb.
const MAX_NODES: usize = 200_000;
/// Nothing lies deeper.
const MAX_DEPTH: usize = 64;
/// No file repeats more by aliases.
const MAX_ALIASES: usize = 10_000;

/// A problem was noted after which the file is not read on.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It is no YAML.
    Syntax,
    /// It is more than is read.
    Limit,
}

/// A collection that is not closed yet.
struct Open {
    anchor: usize,
    place: Place,
    start: usize,
    flow: bool,
    broken: bool,
    /// A key was reported, and is not among the children.
    lacks_key: bool,
    children: Children,
}

enum Children {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, keys: HashMap<String, Place>, key: Option<Key>, merged: Vec<Node> },
}

/// A key that waits for its value.
enum Key {
    Named(Name),
    Merge,
    /// Reported; the value is read and dropped.
    Broken,
}

/// Builds the tree of one document.
pub(super) struct Composer<'t> {
    lines: Lines,
    text: &'t str,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    unfinished: HashSet<usize>,
    root: Option<Node>,
    documents: usize,
    nodes: usize,
    /// Values that are held for aliases.
    anchored: usize,
    aliases: usize,
    problems: Vec<Problem>,
}

impl<'t> Composer<'t> {
    /// Reads a text. `strict`: what is inside brackets and quotes is indented more than its key.
    pub(super) fn run(
        lines: Lines,
        text: &'t str,
        strict: bool,
    ) -> (Result<Option<Node>, Stopped>, Vec<Problem>) {
        let mut composer = Self {
            lines,
            text,
            open: Vec::new(),
            anchors: HashMap::new(),
            unfinished: HashSet::new(),
            root: None,
            documents: 0,
            nodes: 0,
            anchored: 0,
            aliases: 0,
            problems: Vec::new(),
        };
        let outcome = composer.events(strict).map(|()| composer.root.take());
        (outcome, composer.problems)
    }

    fn events(&mut self, strict: bool) -> Result<(), Stopped> {
        let options = options! {
            strict_indentation: strict,
            emit_comments: false,
            emit_unresolved_aliases: true,
        };
        for step in Parser::new_from_str_with_options(self.text, options) {
            let (event, span) = step.map_err(|error| self.syntax(&error))?;
            self.event(event, span)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Stopped> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let problem =
                        Problem::error("second-document", "a file is one document", self.place(span));
                    return Err(self.stop(problem.hint("put what follows into a file of its own")));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let place = self.place(span);
                let mut plain = style == ScalarStyle::Plain;
                if let Some(tag) = tag {
                    match tag.core_suffix() {
                        Some("str") => plain = false,
                        Some("null" | "bool" | "int" | "float") => {}
                        _ if tag.handle().is_empty() && tag.suffix() == "!" => plain = false,
                        _ => {
                            self.unknown_tag(span);
                            return self.add(anchor, Node { place, kind: Kind::Broken });
                        }
                    }
                }
                let scalar = Scalar { text: text.into_owned(), plain };
                let kind = if scalar.is_null() { Kind::Null } else { Kind::Scalar(scalar) };
                self.add(anchor, Node { place, kind })?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                let known = tag.is_none_or(|tag| tag.core_suffix() == Some("seq"));
                self.begin(Children::List(Vec::new()), style, anchor, known, span)?;
            }
            Event::MappingStart(style, anchor, tag) => {
                let known = tag.is_none_or(|tag| tag.core_suffix() == Some("map"));
                let children = Children::Map {
                    entries: Vec::new(),
                    keys: HashMap::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.begin(children, style, anchor, known, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            Event::Alias(anchor) => self.alias(anchor, span)?,
            Event::UnresolvedAlias(name) => {
                let place = self.place(span);
                let message = format!("there is no anchor `&{name}` before this");
                self.problems.push(Problem::error("unknown-anchor", message, place.clone()));
                self.add(0, Node { place, kind: Kind::Broken })?;
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(
        &mut self,
        children: Children,
        style: StructureStyle,
        anchor: usize,
        known_tag: bool,
        span: Span,
    ) -> Result<(), Stopped> {
        let place = self.place(span);
        if self.open.len() >= MAX_DEPTH {
            return Err(self.too_deep(place));
        }
        if !known_tag {
            self.unknown_tag(span);
        }
        if anchor != 0 {
            self.unfinished.insert(anchor);
        }
        let start = bytes(span).start;
        let flow = style == StructureStyle::Flow;
        self.open.push(Open { anchor, place, start, flow, broken: !known_tag, lacks_key: false, children });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), Stopped> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let mut place = open.place;
        if open.flow {
            place = self.lines.place(open.start..bytes(span).end);
        }
        let kind = match open.children {
            _ if open.broken => Kind::Broken,
            Children::List(items) => Kind::List(items),
            Children::Map { mut entries, keys, merged, .. } => {
                self.merge(&mut entries, &keys, merged);
                if let (false, Some(first)) = (open.flow, entries.first()) {
                    place = first.key.place.clone();
                }
                if entries.is_empty() && open.lacks_key { Kind::Broken } else { Kind::Map(entries) }
            }
        };
        self.unfinished.remove(&open.anchor);
        self.add(open.anchor, Node { place, kind })
    }

    /// `<<: *other` adds what is not written here; of several the first that has a key counts.
    fn merge(&mut self, entries: &mut Vec<Entry>, keys: &HashMap<String, Place>, merged: Vec<Node>) {
        let mut seen: HashSet<String> = keys.keys().cloned().collect();
        for node in merged {
            match node.kind {
                Kind::Map(others) => {
                    entries.extend(others.into_iter().filter(|entry| seen.insert(entry.key.text.clone())));
                }
                Kind::Broken => {}
                _ => {
                    let problem =
                        Problem::error("wrong-type", "`<<` takes a map, or a list of maps", node.place);
                    self.problems.push(problem.hint("for example `<<: *shared`"));
                }
            }
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Stopped> {
        let place = self.place(span);
        self.aliases += 1;
        if self.aliases > MAX_ALIASES {
            let message = format!("there are more than {MAX_ALIASES} aliases in the file");
            return Err(self.stop(Problem::error("too-large", message, place)));
        }
        let Some(node) = self.anchors.get(&anchor) else {
            let message = if self.unfinished.contains(&anchor) {
                "an anchor can't hold an alias to itself"
            } else {
                "there is no such anchor before this"
            };
            self.problems.push(Problem::error("unknown-anchor", message, place.clone()));
            return self.add(0, Node { place, kind: Kind::Broken });
        };
        let (count, depth) = node.extent();
        if self.open.len() + depth > MAX_DEPTH {
            return Err(self.too_deep(place));
        }
        if self.nodes + count > MAX_NODES {
            return Err(self.too_many(place));
        }
        // `add` counts one of them.
        self.nodes += count - 1;
        let node = node.clone();
        self.add(0, node)
    }

    fn add(&mut self, anchor: usize, node: Node) -> Result<(), Stopped> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.too_many(node.place));
        }
        if anchor != 0 {
            // Anchors in anchors hold the same values again and again.
            self.anchored += node.extent().0;
            if self.anchored > MAX_NODES {
                return Err(self.too_many(node.place));
            }
            self.anchors.insert(anchor, node.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut parent.children {
            Children::List(items) => items.push(node),
            Children::Map { entries, keys, key, merged } => match key.take() {
                None => *key = Some(read_key(node, &mut self.problems)),
                Some(Key::Broken) => parent.lacks_key = true,
                Some(Key::Merge) => match node.kind {
                    Kind::List(nodes) => merged.extend(nodes),
                    _ => merged.push(node),
                },
                Some(Key::Named(name)) => {
                    if let Some(first) = keys.get(&name.text) {
                        let message = format!("`{}` is written twice", name.text);
                        let problem = Problem::error("duplicate-key", message, name.place);
                        self.problems.push(problem.related("first written here", first.clone()));
                        return Ok(());
                    }
                    keys.insert(name.text.clone(), name.place.clone());
                    let mut value = node;
                    if value.kind == Kind::Null && value.place.length <= 1 {
                        // Nothing stands nowhere: its key is what can be shown.
                        value.place = name.place.clone();
                    }
                    entries.push(Entry { key: name, value });
                }
            },
        }
        Ok(())
    }

    fn unknown_tag(&mut self, span: Span) {
        let tag = span.tag_span().unwrap_or(span);
        let message = format!("the YAML tag `{}` means nothing here", tag.slice(self.text).unwrap_or("!"));
        let problem = Problem::error("unknown-tag", message, self.place(tag));
        self.problems.push(problem.hint("leave it out; text that begins with `!` needs quotes"));
    }

    fn place(&self, span: Span) -> Place {
        self.lines.place(bytes(span))
    }

    fn stop(&mut self, problem: Problem) -> Stopped {
        self.problems.push(problem);
        Stopped::Limit
    }

    fn syntax(&mut self, error: &ScanError) -> Stopped {
        let at = error.marker().byte_offset().unwrap_or(self.text.len());
        let place = self.lines.place(at..at + 1);
        if *error.kind() == ErrorKind::RecursionLimitExceeded {
            return self.too_deep(place);
        }
        let message = format!("the YAML can't be read: {}", error.info().to_lowercase());
        let hint = self.lines.line(place.line).and_then(|line| syntax_hint(line, place.column));
        self.problems.push(Problem::error("syntax", message, place).maybe_hint(hint));
        Stopped::Syntax
    }

    fn too_deep(&mut self, place: Place) -> Stopped {
        let message = format!("the values lie more than {MAX_DEPTH} levels deep");
        self.stop(Problem::error("too-deep", message, place))
    }

    fn too_many(&mut self, place: Place) -> Stopped {
        let message =
            format!("there are more than {MAX_NODES} values in the file, those repeated by aliases included");
        let problem = Problem::error("too-large", message, place);
        self.stop(problem.hint("split the file, or repeat less by aliases"))
    }
}

fn bytes(span: Span) -> Range<usize> {
    span.byte_range().filter(|range| range.start <= range.end).unwrap_or(0..0)
}

fn read_key(node: Node, problems: &mut Vec<Problem>) -> Key {
    match node.kind {
        Kind::Scalar(scalar) if scalar.plain && scalar.text == "<<" => Key::Merge,
        Kind::Scalar(scalar) => Key::Named(Name { text: scalar.text, place: node.place }),
        Kind::Broken => Key::Broken,
        _ => {
            problems.push(Problem::error("wrong-key", "a key must be text", node.place.clone()));
            Key::Broken
        }
    }
}

/// What usually lies behind a line that can't be read at a column.
fn syntax_hint(line: &str, column: u32) -> Option<String> {
    if line.trim_start_matches(' ').starts_with('\t') {
        return Some("YAML is indented with spaces, not with tabs".to_owned());
    }
    let at_quote = line.chars().nth(column as usize - 1).is_some_and(|char| matches!(char, '"' | '\''));
    if at_quote || line.matches('"').count() % 2 == 1 {
        return Some("is the quote at its end missing?".to_owned());
    }
    let value = line.split_once(": ").map_or(line, |(_, value)| value).trim_start_matches([' ', '-']);
    let needs_quotes = value.starts_with(['@', '`', '%'])
        || value.contains(": ") && !value.starts_with(['"', '\'', '{', '[']);
    needs_quotes.then(|| "text with special characters needs quotes".to_owned())
}
