//! Bytes to a tree that keeps places.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use serde_yaml::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle, options};

use super::node::{Entry, Kind, Name, Node};
use super::scalar::Scalar;
use crate::diagnostic::{Lines, Place, Problem};

/// No file is larger: ten thousand campaigns fit.
const MAX_BYTES: usize = 8 << 20;
/// No file has more values, those that aliases repeat included: what stops a YAML bomb.
const MAX_NODES: usize = 200_000;
/// Nothing lies deeper.
const MAX_DEPTH: usize = 64;
/// No file repeats more by aliases.
const MAX_ALIASES: usize = 10_000;

/// What became of a file.
#[derive(Debug)]
pub struct Composed {
    /// Its text, without a byte order mark; empty where it is no UTF-8.
    pub text: Arc<str>,
    /// The tree; `None` where there is nothing in it, or nothing that can be read.
    pub root: Option<Node>,
    /// Whether the file could not be read to its end: its tree is then absent.
    pub stopped: bool,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Reads a file: one YAML document in UTF-8.
pub fn compose(file: &Arc<str>, bytes: &[u8]) -> Composed {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let stopped =
        |text: Arc<str>, problem| Composed { text, root: None, stopped: true, problems: vec![problem] };
    if bytes.len() > MAX_BYTES {
        let problem =
            Problem::error("too-large", format!("`{file}` is larger than 8 MiB"), Place::file(file.clone()));
        return stopped(Arc::from(""), problem.hint("split it into several files"));
    }
    let text: Arc<str> = match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) => {
            let text: Arc<str> = String::from_utf8_lossy(bytes).into();
            let valid = error.valid_up_to();
            let place = Lines::new(file.clone(), text.clone()).place(valid..valid + 1);
            let byte = bytes.get(valid).copied().unwrap_or_default();
            let problem = Problem::error("not-utf8", format!("byte 0x{byte:02x} is not UTF-8"), place);
            return stopped(text, problem.hint("save the file in the encoding UTF-8"));
        }
    };
    let mut composer = Composer::new(Lines::new(file.clone(), text.clone()), &text);
    let outcome = composer.run();
    let problems = std::mem::take(&mut composer.problems);
    match outcome {
        Ok(root) => Composed { text, root, stopped: false, problems },
        Err(Stopped) => Composed { text, root: None, stopped: true, problems },
    }
}

/// A problem was noted after which the file is not read on.
#[derive(Debug)]
struct Stopped;

/// A collection that is not closed yet.
struct Open {
    anchor: usize,
    place: Place,
    start: usize,
    flow: bool,
    broken: bool,
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

struct Composer<'t> {
    lines: Lines,
    text: &'t str,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    unfinished: HashSet<usize>,
    root: Option<Node>,
    documents: usize,
    nodes: usize,
    aliases: usize,
    problems: Vec<Problem>,
}

impl<'t> Composer<'t> {
    fn new(lines: Lines, text: &'t str) -> Self {
        Self {
            lines,
            text,
            open: Vec::new(),
            anchors: HashMap::new(),
            unfinished: HashSet::new(),
            root: None,
            documents: 0,
            nodes: 0,
            aliases: 0,
            problems: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<Option<Node>, Stopped> {
        let options =
            options! { strict_indentation: true, emit_comments: false, emit_unresolved_aliases: true };
        for step in Parser::new_from_str_with_options(self.text, options) {
            let (event, span) = step.map_err(|error| self.syntax(&error))?;
            self.event(event, span)?;
        }
        Ok(self.root.take())
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
                        _ => return self.unknown_tag(&place),
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
            self.problems.push(unknown_tag(&place));
        }
        if anchor != 0 {
            self.unfinished.insert(anchor);
        }
        let start = bytes(span).start;
        let flow = style == StructureStyle::Flow;
        self.open.push(Open { anchor, place, start, flow, broken: !known_tag, children });
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
                Kind::Map(entries)
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
                Some(Key::Broken) => {}
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

    fn unknown_tag(&mut self, place: &Place) -> Result<(), Stopped> {
        self.problems.push(unknown_tag(place));
        self.add(0, Node { place: place.clone(), kind: Kind::Broken })
    }

    fn place(&self, span: Span) -> Place {
        self.lines.place(bytes(span))
    }

    fn stop(&mut self, problem: Problem) -> Stopped {
        self.problems.push(problem);
        Stopped
    }

    fn syntax(&mut self, error: &ScanError) -> Stopped {
        let at = error.marker().byte_offset().unwrap_or(self.text.len());
        let place = self.lines.place(at..at + 1);
        let message = format!("the YAML can't be read: {}", error.info().to_lowercase());
        let hint = syntax_hint(self.lines.line(place.line));
        self.stop(Problem::error("syntax", message, place).maybe_hint(hint))
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

fn unknown_tag(place: &Place) -> Problem {
    Problem::error("unknown-tag", "there is no such YAML tag here", place.clone())
        .hint("leave out the word that begins with `!`; text that begins with it needs quotes")
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

/// What usually lies behind a line that can't be read.
fn syntax_hint(line: Option<&str>) -> Option<String> {
    let line = line?;
    if line.contains('\t') {
        return Some("YAML is indented with spaces, not with tabs".to_owned());
    }
    let value = line.split_once(": ").map_or(line, |(_, value)| value).trim_start_matches([' ', '-']);
    if value.starts_with(['@', '`', '%'])
        || (value.contains(": ") && !value.starts_with(['"', '\'', '{', '[']))
    {
        return Some("text with special characters needs quotes".to_owned());
    }
    None
}
