//! Declaration files to a valid catalogue, or every problem in them.
//!
//! | step | file | what |
//! |---|---|---|
//! | find | [`files`] | every YAML file below `campaigns/` |
//! | compose | [`crate::yaml`] | a file's tree, in which everything keeps its place |
//! | collect | [`sections`] | which names are declared in all files together |
//! | read | [`facts`] [`scores`] [`condition`] [`ranked`] [`mod@test`] [`events`] [`follow`] [`bounds`] [`dates`] [`campaign`] [`schedule`] [`frequency`] | declarations, in an order in which each needs only those before it |
//! | judge | [`segments`] [`lint`] [`judge`] [`certainty`] [`reach`] [`newcomers`] | cycles; what is legal and cannot be meant, or hardly |
//!
//! [`keys`] is the language as tables; [`scope`] tells what a name stands for.
//!
//! Every problem of every file is found in one go: a reader notes what is wrong and goes on, and a
//! declaration that is wrong still counts as declared, so that one mistake is reported once. A
//! syntax error stops its own file; names that this file seems to declare are not missed in others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{self, Problem, Sources};
use crate::domain::catalogue::Catalogue;
use crate::domain::name::{AttributeName, EventName, ScoreName, TraitName};
use crate::domain::time::Zone;
use crate::yaml::{self, Kind as NodeKind, Node, Reader};

mod bounds;
mod campaign;
mod certainty;
mod condition;
mod dates;
mod events;
mod facts;
mod files;
mod follow;
mod frequency;
mod judge;
pub mod keys;
mod limits;
mod lint;
mod newcomers;
mod places;
mod ranked;
mod reach;
mod schedule;
mod scope;
mod scores;
mod sections;
mod segments;
mod test;

use condition::Conditions;
use scope::{Kind, Scope};
use sections::Sections;

pub use places::Places;

/// What was read from a project's declarations.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// All declarations; `None` when there is an error among the problems.
    pub catalogue: Option<Catalogue>,
    /// What could be read, also when there are errors: for checks that go on after them (a template
    /// that is missing). Attributes, traits and scores that are wrong are in it as something, so that
    /// nobody who names them is blamed. Never evaluate it.
    pub draft: Catalogue,
    /// Whether every file could be read; else names that `draft` lacks may be declared all the same.
    pub complete: bool,
    /// Errors and warnings, sorted by file, line and column.
    pub problems: Vec<Problem>,
    /// Where each declaration and its keys stand.
    pub places: Places,
    /// The texts of the files, for [`crate::diagnostic::text::render`].
    pub sources: Sources,
    /// The files that were read, relative to the project folder, sorted.
    pub files: Vec<Arc<str>>,
    /// What is worth a word but neither wrong nor dubious: `campaigns/new.yaml is empty`.
    pub notes: Vec<String>,
}

/// A file to read declarations from.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its name, relative to the project folder.
    pub name: Arc<str>,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Reads all declarations of a project: every `.yaml` and `.yml` file below `campaigns/`, in
/// sorted order. `time_zone` is the installation's.
pub fn load(project: &Path, time_zone: Zone) -> Loaded {
    let found = files::find(project);
    let mut loaded = read_all(&found.files, time_zone, found.problems);
    let folder = files::FOLDER;
    if !found.folder {
        loaded.notes.push(format!("there is no folder {folder}/: nothing is declared"));
    } else if found.files.is_empty() {
        loaded.notes.push(format!("there is no .yaml file in {folder}/: nothing is declared"));
    }
    loaded
}

/// Reads declarations from files that are at hand. `time_zone` is the installation's.
pub fn read(files: &[SourceFile], time_zone: Zone) -> Loaded {
    read_all(files, time_zone, Vec::new())
}

fn read_all(files: &[SourceFile], time_zone: Zone, unreadable: Vec<Problem>) -> Loaded {
    let mut problems = unreadable;
    let mut sources = Sources::new();
    let mut places = Places::default();
    let mut notes = Vec::new();
    let mut lost = BTreeSet::new();
    let mut roots = Vec::new();
    let mut complete = problems.is_empty();
    for file in files {
        let composed = yaml::compose(&file.name, &file.bytes);
        problems.extend(composed.problems);
        if composed.stopped {
            lost.extend(sections::words(&composed.text));
            complete = false;
        }
        sources.insert(file.name.clone(), composed.text);
        match composed.root {
            Some(Node { kind: NodeKind::Null, .. }) => notes.push(format!("{} is empty", file.name)),
            None if !composed.stopped => notes.push(format!("{} is empty", file.name)),
            Some(root) => roots.push(root),
            None => {}
        }
    }
    for root in &roots {
        places.note_all(root);
    }
    let mut reader = Reader::new();
    let draft = draft(&mut reader, &roots, time_zone, lost, complete);
    problems.extend(reader.into_problems());
    diagnostic::sort(&mut problems);
    let sound = !problems.iter().any(Problem::is_error);
    let catalogue = sound.then(|| draft.clone());
    let files = files.iter().map(|file| file.name.clone()).collect();
    Loaded { catalogue, draft, complete, problems, places, sources, files, notes }
}

/// Reads all trees. `complete`: there is no file whose declarations are unknown.
fn draft(
    reader: &mut Reader,
    roots: &[Node],
    time_zone: Zone,
    lost: BTreeSet<String>,
    complete: bool,
) -> Catalogue {
    let mut sections = Sections::default();
    for root in roots {
        sections.file(reader, root);
    }
    let mut scope = Scope {
        time_zone,
        attributes: BTreeMap::new(),
        events: facts::mail_events()
            .map(|(name, event)| (name.as_str().to_owned(), Some((name, event))))
            .collect(),
        traits: BTreeMap::new(),
        scores: BTreeMap::new(),
        segments: sections.of(Kind::Segment).map(|entry| entry.key.text.clone()).collect(),
        lost,
    };
    for entry in sections.of(Kind::Attribute) {
        let attribute = facts::attribute(reader, entry);
        let named = AttributeName::parse(&entry.key.text).ok().zip(attribute);
        scope.attributes.insert(entry.key.text.clone(), named);
    }
    for entry in sections.of(Kind::Event) {
        let event = facts::event(reader, entry);
        scope.events.insert(entry.key.text.clone(), EventName::parse(&entry.key.text).ok().zip(event));
    }
    for entry in sections.of(Kind::Trait) {
        let computed = facts::computed(reader, &scope, entry);
        scope.traits.insert(entry.key.text.clone(), TraitName::parse(&entry.key.text).ok().zip(computed));
    }
    for entry in sections.of(Kind::Score) {
        let declared = scores::score(reader, &scope, entry);
        scope.scores.insert(entry.key.text.clone(), ScoreName::parse(&entry.key.text).ok().zip(declared));
    }
    let mut conditions = Conditions::new(&scope);
    let segments = segments::read(reader, &mut conditions, sections.of(Kind::Segment));
    let mut campaigns = BTreeMap::new();
    let mut count = 0;
    for entry in sections.of(Kind::Campaign) {
        count += 1;
        let shared = &sections.shared;
        let wrong = sections.from_is_wrong;
        if let Some(campaign) = campaign::read(reader, &mut conditions, shared, time_zone, wrong, entry) {
            campaigns.insert(campaign.name.clone(), campaign);
        }
    }
    campaign::check_former_names(reader, &sections.of(Kind::Campaign));
    if complete && count > 0 && reader.errors() == 0 {
        segments::warn_of_unused(reader, sections.of(Kind::Segment), &conditions.used);
    }
    let declared = conditions.declared;
    let attributes = scope.attributes.into_iter().filter_map(|(name, declared)| {
        declared.or_else(|| Some((AttributeName::parse(&name).ok()?, facts::guessed_attribute(name))))
    });
    let traits = scope.traits.into_iter().filter_map(|(name, declared)| {
        declared.or_else(|| Some((TraitName::parse(&name).ok()?, facts::guessed_trait()?)))
    });
    let scores = scope.scores.into_iter().filter_map(|(name, declared)| {
        declared.or_else(|| Some((ScoreName::parse(&name).ok()?, scores::guessed())))
    });
    let catalogue = Catalogue {
        attributes: attributes.collect(),
        events: scope.events.into_values().flatten().collect(),
        traits: traits.collect(),
        scores: scores.collect(),
        segments,
        campaigns,
        caps: sections.caps,
        quiet_hours: sections.quiet_hours.and_then(|(_, hours)| hours),
    };
    if complete && reader.errors() == 0 {
        judge::judge(reader, &catalogue, &declared);
    }
    catalogue
}
