//! What a template reads and includes, in the order in which it is rendered.
//!
//! `check` needs the places of all names, also in branches that no sample takes, and Tera has no
//! public syntax tree: so its tags are read here, as far as names go. Operators and their order do
//! not matter for that.

use std::ops::Range;

mod expressions;
mod tokens;

use expressions::Expressions;
use tokens::{Delimiter, Kind, Token, tokens};

/// A name with its place, in bytes of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) at: Range<usize>,
}

impl Name {
    /// The place of a literal without its quotes.
    pub(super) fn inner(&self) -> Range<usize> {
        self.at.start + 1..self.at.end.saturating_sub(1)
    }
}

/// One step of a path behind its first name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// `.name` or `["name"]`
    Field(Name),
    /// `[expression]`, or what a loop goes over: one of its items, not known which.
    Item,
}

/// `contact.first_name`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) root: Name,
    pub(super) segments: Vec<Segment>,
}

impl Path {
    /// From the first to the last name, in bytes.
    pub(super) fn at(&self) -> Range<usize> {
        let end = self.segments.iter().rev().find_map(|segment| match segment {
            Segment::Field(name) => Some(name.at.end),
            Segment::Item => None,
        });
        self.root.at.start..end.unwrap_or(self.root.at.end)
    }
}

/// A step of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A path is read. `guarded`: it may be undefined there without harm, since a default, a test
    /// or an `if` stands beside it.
    Read { path: Path, guarded: bool },
    /// `{% set name = … %}`: from here on, `name` stands for the path, or for something else.
    Set { name: String, path: Option<Path>, global: bool },
    /// `{% for names in … %}` and comprehensions: within it, the last name stands for an item of the
    /// path, or for something else.
    For { names: Vec<String>, path: Option<Path> },
    /// The end of a loop.
    EndFor,
    /// `{% include "name" %}`
    Include(Name),
    /// `{% block name %}`
    Block(String),
    /// Its end.
    EndBlock,
    /// `{{ super() }}`
    Super,
    /// `{% component name(arguments) %}`
    Component(Vec<String>),
    /// Its end.
    EndComponent,
}

/// A text that is put into a source before Tera compiles it, see [`super::limits`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Insertion {
    /// Before this byte of the source.
    pub(super) at: usize,
    pub(super) text: &'static str,
}

/// What a template reads and includes.
#[derive(Debug, Clone, Default)]
pub(super) struct Outline {
    /// The template that it extends.
    pub(super) extends: Option<Name>,
    pub(super) steps: Vec<Step>,
    /// Where loops, components and includes must ask whether they may go on; sorted.
    pub(super) insertions: Vec<Insertion>,
}

/// Asks whether there are steps left, and prints nothing.
const ASK: &str = "{{ campaignd_step() }}";

impl Outline {
    /// Reads a source that Tera accepted.
    pub(super) fn of(source: &str) -> Self {
        let tokens = tokens(source);
        let mut reader = Reader { outline: Self::default(), conditions: Vec::new() };
        let mut rest = tokens.as_slice();
        while let Some((open, after)) = rest.split_first() {
            let length = after.iter().position(|token| matches!(token.kind, Kind::Close(_)));
            let Some(length) = length else { break };
            let (inner, close) = (&after[..length], &after[length]);
            match open.kind {
                Kind::Open(Delimiter::Tag(dash)) => reader.tag(inner, open, dash, close),
                _ => reader.expression(inner, false),
            }
            rest = &after[length + 1..];
        }
        reader.outline.insertions.sort_by_key(|insertion| insertion.at);
        reader.outline
    }

    /// The templates that it extends and includes.
    pub(super) fn references(&self) -> impl Iterator<Item = &Name> {
        let includes = self.steps.iter().filter_map(|step| match step {
            Step::Include(name) => Some(name),
            _ => None,
        });
        self.extends.iter().chain(includes)
    }

    /// The path that is read at a byte of the source.
    pub(super) fn read_at(&self, byte: usize) -> Option<&Path> {
        self.steps.iter().find_map(|step| match step {
            Step::Read { path, .. } if path.at().contains(&byte) => Some(path),
            _ => None,
        })
    }
}

struct Reader {
    outline: Outline,
    /// What the conditions of the open `if`s mention: `None` in an `else`.
    conditions: Vec<Vec<String>>,
}

impl Reader {
    fn tag(&mut self, inner: &[Token<'_>], open: &Token<'_>, dash: bool, close: &Token<'_>) {
        let Some((first, rest)) = inner.split_first() else { return };
        let Kind::Word(word) = first.kind else {
            // `{% <component …> %}` and its end
            return self.expression(inner, false);
        };
        match word {
            "set" | "set_global" => self.set(rest, word == "set_global"),
            "for" => self.for_loop(rest, close),
            "endfor" => self.push(Step::EndFor),
            "if" | "elif" => {
                if word == "elif" {
                    self.conditions.pop();
                }
                self.expression(rest, true);
                self.conditions.push(expressions::mentions(rest));
            }
            "else" => {
                if let Some(condition) = self.conditions.last_mut() {
                    condition.clear();
                }
            }
            "endif" => {
                self.conditions.pop();
            }
            "include" => {
                if let Some(name) = literal(rest) {
                    self.insert(open.at.start, if dash { "{{- campaignd_step() }}" } else { ASK });
                    self.push(Step::Include(name));
                }
            }
            "extends" => self.outline.extends = literal(rest),
            "block" => {
                if let Some(Kind::Word(name)) = rest.first().map(|token| token.kind) {
                    self.push(Step::Block(name.to_owned()));
                }
            }
            "endblock" => self.push(Step::EndBlock),
            "component" => {
                self.push(Step::Component(expressions::parameters(rest)));
                self.insert_after(close);
            }
            "endcomponent" => self.push(Step::EndComponent),
            "filter" => self.expression(rest, false),
            _ => {}
        }
    }

    fn set(&mut self, rest: &[Token<'_>], global: bool) {
        let Some(Kind::Word(name)) = rest.first().map(|token| token.kind) else { return };
        let value = match rest.get(1).map(|token| token.kind) {
            Some(Kind::Symbol("=")) => &rest[2..],
            // `{% set name | filter %}…{% endset %}`
            _ => &[],
        };
        let path = expressions::only_path(value);
        self.expression(value, false);
        if path.is_some()
            && let Some(Step::Read { guarded, .. }) = self.outline.steps.last_mut()
        {
            // A name may stand for something undefined; what uses the name may not.
            *guarded = true;
        }
        self.push(Step::Set { name: name.to_owned(), path, global });
    }

    fn for_loop(&mut self, rest: &[Token<'_>], close: &Token<'_>) {
        let Some(split) = rest.iter().position(|token| token.kind == Kind::Word("in")) else { return };
        let (names, target) = (&rest[..split], &rest[split + 1..]);
        let path = expressions::only_path(target);
        self.expression(target, false);
        self.push(Step::For { names: expressions::words(names), path });
        self.insert_after(close);
    }

    fn expression(&mut self, tokens: &[Token<'_>], condition: bool) {
        let known = self.conditions.concat();
        let mut expressions = Expressions::new(condition, &known);
        expressions.read(tokens);
        self.outline.steps.append(&mut expressions.steps);
        self.outline.insertions.append(&mut expressions.insertions);
    }

    fn push(&mut self, step: Step) {
        self.outline.steps.push(step);
    }

    fn insert(&mut self, at: usize, text: &'static str) {
        self.outline.insertions.push(Insertion { at, text });
    }

    /// After a tag; its `-` must go on trimming what follows.
    fn insert_after(&mut self, close: &Token<'_>) {
        let text = if close.kind == Kind::Close(true) { "{{ campaignd_step() -}}" } else { ASK };
        self.insert(close.at.end, text);
    }
}

fn literal(tokens: &[Token<'_>]) -> Option<Name> {
    let token = tokens.first()?;
    match token.kind {
        Kind::Literal(text) => Some(Name { text: text.to_owned(), at: token.at.clone() }),
        _ => None,
    }
}
