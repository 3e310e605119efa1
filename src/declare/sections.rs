//! The top level of all files together: which names are declared, each once.

use std::collections::{BTreeMap, BTreeSet};

use super::campaign::{Shared, duplicate_default};
use super::condition::EVERYONE;
use super::facts::{is_reserved_attribute, wrong_name};
use super::frequency;
use super::keys::{DEFAULTS, FILE};
use super::scope::Kind;
use crate::diagnostic::{Place, Problem};
use crate::domain::caps::Cap;
use crate::domain::event::MAIL_EVENTS;
use crate::domain::name::is_name;
use crate::domain::quiet_hours::QuietHours;
use crate::yaml::{Entry, Field, Fields, Kind as NodeKind, Node, Reader};

/// All declarations by kind and name, and the defaults.
#[derive(Debug, Default)]
pub(super) struct Sections<'n> {
    declared: BTreeMap<(Kind, &'n str), &'n Entry>,
    defaults: BTreeMap<&'n str, &'n Place>,
    /// What all `defaults` say together.
    pub(super) shared: Shared,
    /// Whether a `from` stands in `defaults` that was reported.
    pub(super) from_is_wrong: bool,
    /// How much marketing mail one contact gets.
    pub(super) caps: Vec<Cap>,
    /// When none goes out, and where that is written.
    pub(super) quiet_hours: Option<(&'n Place, Option<QuietHours>)>,
}

impl<'n> Sections<'n> {
    /// The declarations of a kind, by name.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = &'n Entry> + Clone + use<'_, 'n> {
        self.declared.iter().filter(move |((of, _), _)| *of == kind).map(|(_, entry)| *entry)
    }

    /// Reads the top level of a file.
    pub(super) fn file(&mut self, reader: &mut Reader, root: &'n Node) {
        let Some(fields) = Fields::read(reader, root, "a declaration file", &root.place, &FILE) else {
            return;
        };
        for field in fields.iter() {
            match field.key.name {
                "version" => {
                    reader.whole(field.value, "`version`", 1, 1);
                }
                "defaults" => self.defaults(reader, field),
                "caps" => self.caps.extend(frequency::caps(reader, field)),
                "quiet_hours" => {
                    let hours = frequency::quiet_hours(reader, field);
                    let (first, _) = *self.quiet_hours.get_or_insert((&field.name.place, hours));
                    if *first != field.name.place {
                        frequency::duplicate_quiet_hours(reader, field, first);
                    }
                }
                section => {
                    if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.section() == section) {
                        self.section(reader, kind, field);
                    }
                }
            }
        }
    }

    fn section(&mut self, reader: &mut Reader, kind: Kind, field: Field<'n>) {
        // A section whose declarations are all commented out is no mistake; nor is one that a program wrote
        // and had nothing to put into.
        if field.value.kind == NodeKind::Null
            || matches!(&field.value.kind, NodeKind::Map(entries) if entries.is_empty())
        {
            return;
        }
        for entry in reader.names(field).unwrap_or_default() {
            let name = entry.key.text.as_str();
            if !is_name(name) {
                wrong_name(reader, entry);
            } else if is_reserved(kind, name) {
                let message = format!("the {} `{name}` is built in", kind.word());
                let problem = Problem::error("reserved-name", message, entry.key.place.clone());
                reader.report(problem.hint("use it without declaring it, or take another name"));
            } else if let Some(first) = self.declared.get(&(kind, name)) {
                let message = format!("the {} `{name}` is declared twice", kind.word());
                let problem = Problem::error("duplicate-name", message, entry.key.place.clone());
                let problem = problem.related("first declared here", first.key.place.clone());
                reader.report(problem.hint("a name is declared once in all files"));
            } else {
                self.declared.insert((kind, name), entry);
            }
        }
    }

    fn defaults(&mut self, reader: &mut Reader, field: Field<'n>) {
        let errors = reader.errors();
        let Some(fields) = Fields::read(reader, field.value, "`defaults`", &field.name.place, &DEFAULTS)
        else {
            return;
        };
        if let NodeKind::Map(entries) = &field.value.kind {
            for entry in entries {
                if let Some(first) = self.defaults.get(entry.key.text.as_str()) {
                    duplicate_default(reader, entry, first);
                } else {
                    self.defaults.insert(&entry.key.text, &entry.key.place);
                }
            }
        }
        let shared = Shared::defaults(reader, &fields);
        self.from_is_wrong |=
            fields.is_misspelt("from") || fields.get("from").is_some() && reader.errors() > errors;
        self.shared = std::mem::take(&mut self.shared).or(&shared);
    }
}

fn is_reserved(kind: Kind, name: &str) -> bool {
    match kind {
        Kind::Attribute => is_reserved_attribute(name),
        Kind::Event => MAIL_EVENTS.contains(&name),
        Kind::Segment => name == EVERYONE,
        Kind::Trait | Kind::Score | Kind::Campaign => false,
    }
}

/// The words of a file that could not be read which may be names that it declares: those before a
/// colon. Nothing is said of them in other files.
pub(super) fn words(text: &str) -> BTreeSet<String> {
    text.lines()
        .flat_map(|line| line.split(':'))
        .filter_map(|part| part.rsplit(|char: char| !(char.is_ascii_alphanumeric() || char == '_')).next())
        .filter(|word| is_name(word))
        .map(str::to_owned)
        .collect()
}
