//! Which names an e-mail uses, over its layouts, blocks and includes, in branches not taken too.

use std::collections::HashMap;
use std::ops::Range;

use super::outline::{Path, Segment, Step};
use super::source::Source;
use super::templates::Inner;

/// A step of a path; loops and brackets stand for any item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Field(String),
    Item,
}

/// One use of a name.
#[derive(Debug, Clone)]
pub(super) struct Use<'t> {
    /// Where it is written.
    pub(super) source: &'t Source,
    /// `contact`
    pub(super) root: String,
    /// `first_name`; of a name that stands for a path, the whole path.
    pub(super) parts: Vec<Part>,
    /// The place of the root or of a part, in bytes; parts that come from elsewhere have none.
    pub(super) places: Vec<Option<Range<usize>>>,
    /// It may be undefined there without harm.
    pub(super) guarded: bool,
}

impl Use<'_> {
    /// The name of the first part behind the root.
    pub(super) fn field(&self) -> Option<&str> {
        match self.parts.first()? {
            Part::Field(name) => Some(name),
            Part::Item => None,
        }
    }
}

/// All uses of one template (a part of an e-mail) as it is rendered.
pub(super) fn of<'t>(templates: &'t Inner, name: &str) -> Vec<Use<'t>> {
    let mut walk = Walk { templates, uses: Vec::new(), lineage: Vec::new(), depth: 0 };
    let mut entry = name;
    // From the template itself to the layout at the end of its line.
    while let Some(source) = templates.sources.get(entry) {
        walk.lineage.push(source);
        match &source.outline.extends {
            Some(extends) if walk.lineage.len() < 50 => entry = &extends.text,
            _ => break,
        }
    }
    if let Some(base) = walk.lineage.last().copied() {
        let mut scope = Scope::default();
        walk.steps(base, &base.outline.steps, &mut scope, None);
    }
    for source in templates.sources.values() {
        // Components see their arguments only, whoever calls them.
        walk.components(source);
    }
    walk.uses
}

/// What a local name stands for.
#[derive(Debug, Clone)]
enum Binding {
    /// A path of the context.
    Path { root: String, parts: Vec<Part> },
    /// Something else: whatever is asked of it is fine.
    Other,
}

#[derive(Debug, Clone, Default)]
struct Scope {
    names: Vec<(String, Binding)>,
    global: HashMap<String, Binding>,
    /// Lengths of `names` where loops began.
    loops: Vec<usize>,
    /// Inside a component: nothing but its own names exists.
    closed: bool,
}

impl Scope {
    fn binding(&self, name: &str) -> Option<&Binding> {
        let local = self.names.iter().rev().find(|(known, _)| known == name).map(|(_, binding)| binding);
        local.or_else(|| self.global.get(name))
    }
}

struct Walk<'t> {
    templates: &'t Inner,
    uses: Vec<Use<'t>>,
    /// The template and those it extends, the nearest first.
    lineage: Vec<&'t Source>,
    depth: usize,
}

impl<'t> Walk<'t> {
    /// `block` is the one that is being walked, and how far up the lineage it was found.
    fn steps(
        &mut self,
        source: &'t Source,
        steps: &'t [Step],
        scope: &mut Scope,
        block: Option<(&'t str, usize)>,
    ) {
        // Cycles do not compile; this is a bound all the same.
        if self.depth > 100 {
            return;
        }
        self.depth += 1;
        let mut index = 0;
        while let Some(step) = steps.get(index) {
            match step {
                Step::Read { path, guarded } => self.read(source, path, *guarded, scope),
                Step::Set { name, path, global } => {
                    let binding = path.as_ref().map_or(Binding::Other, |path| bind(path, scope, false));
                    if *global {
                        scope.global.insert(name.clone(), binding);
                    } else {
                        scope.names.push((name.clone(), binding));
                    }
                }
                Step::For { names, path } => {
                    scope.loops.push(scope.names.len());
                    let mut item = path.as_ref().map_or(Binding::Other, |path| bind(path, scope, true));
                    scope.names.push(("loop".to_owned(), Binding::Other));
                    for name in names.iter().rev() {
                        scope.names.push((name.clone(), std::mem::replace(&mut item, Binding::Other)));
                    }
                }
                Step::EndFor => {
                    let length = scope.loops.pop().unwrap_or(0);
                    scope.names.truncate(length);
                }
                Step::Include(name) => {
                    if let Some(included) = self.templates.sources.get(&name.text) {
                        // What it sets is forgotten behind it.
                        let mut inner = scope.clone();
                        inner.loops.clear();
                        self.steps(included, &included.outline.steps, &mut inner, None);
                    }
                }
                Step::Block(name) => {
                    index = end_of_block(steps, index);
                    self.block(name, 0, scope);
                }
                Step::Super => {
                    if let Some((name, level)) = block {
                        self.block(name, level + 1, scope);
                    }
                }
                Step::Component(_) => index = end_of_component(steps, index),
                Step::EndBlock | Step::EndComponent => {}
            }
            index += 1;
        }
        self.depth -= 1;
    }

    /// The block as the nearest template at or above `level` writes it.
    fn block(&mut self, name: &'t str, level: usize, scope: &mut Scope) {
        for (level, source) in self.lineage.clone().into_iter().enumerate().skip(level) {
            let steps = &source.outline.steps;
            let start = steps.iter().position(|step| matches!(step, Step::Block(block) if block == name));
            if let Some(start) = start {
                let end = end_of_block(steps, start);
                return self.steps(source, &steps[start + 1..end], scope, Some((name, level)));
            }
        }
    }

    fn components(&mut self, source: &'t Source) {
        let steps = &source.outline.steps;
        for (start, step) in steps.iter().enumerate() {
            if let Step::Component(parameters) = step {
                let end = end_of_component(steps, start);
                let names = parameters.iter().map(|name| (name.clone(), Binding::Other)).collect();
                let mut scope = Scope { names, closed: true, ..Scope::default() };
                self.steps(source, &steps[start + 1..end], &mut scope, None);
            }
        }
    }

    fn read(&mut self, source: &'t Source, path: &Path, guarded: bool, scope: &Scope) {
        let (root, mut parts) = match scope.binding(&path.root.text) {
            Some(Binding::Other) => return,
            Some(Binding::Path { root, parts }) => (root.clone(), parts.clone()),
            None if scope.closed => (format!("{COMPONENT}{}", path.root.text), Vec::new()),
            None => (path.root.text.clone(), Vec::new()),
        };
        let mut places: Vec<Option<Range<usize>>> = vec![None; parts.len() + 1];
        if scope.binding(&path.root.text).is_none() {
            places[0] = Some(path.root.at.clone());
        }
        for segment in &path.segments {
            match segment {
                Segment::Field(name) => {
                    parts.push(Part::Field(name.text.clone()));
                    places.push(Some(name.at.clone()));
                }
                Segment::Item => {
                    parts.push(Part::Item);
                    places.push(None);
                }
            }
        }
        self.uses.push(Use { source, root, parts, places, guarded });
    }
}

/// Stands before the root of a name that a component does not have.
pub(super) const COMPONENT: &str = "component ";

fn bind(path: &Path, scope: &Scope, item: bool) -> Binding {
    let (root, mut parts) = match scope.binding(&path.root.text) {
        Some(Binding::Other) => return Binding::Other,
        Some(Binding::Path { root, parts }) => (root.clone(), parts.clone()),
        None => (path.root.text.clone(), Vec::new()),
    };
    parts.extend(path.segments.iter().map(|segment| match segment {
        Segment::Field(name) => Part::Field(name.text.clone()),
        Segment::Item => Part::Item,
    }));
    if item {
        parts.push(Part::Item);
    }
    Binding::Path { root, parts }
}

fn end_of_block(steps: &[Step], start: usize) -> usize {
    let mut depth = 0usize;
    for (index, step) in steps.iter().enumerate().skip(start) {
        match step {
            Step::Block(_) => depth += 1,
            Step::EndBlock => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index;
                }
            }
            _ => {}
        }
    }
    steps.len()
}

fn end_of_component(steps: &[Step], start: usize) -> usize {
    let end = steps.iter().skip(start).position(|step| *step == Step::EndComponent);
    end.map_or(steps.len(), |end| start + end)
}
