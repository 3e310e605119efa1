//! A map that is read by a table of keys.

use super::keys::{Group, Key};
use super::node::{Entry, Kind, Name, Node};
use super::reader::Reader;
use crate::diagnostic::{Place, Problem, nearest, similar::listed};

/// A map whose keys are all in its table.
#[derive(Debug, Clone)]
pub struct Fields<'n> {
    group: &'static Group,
    place: &'n Place,
    known: Vec<Field<'n>>,
    /// Keys that seem to be meant by unknown ones: they are misspelt, not missing.
    meant: Vec<&'static str>,
}

/// A key that is written, with its value.
#[derive(Debug, Clone, Copy)]
pub struct Field<'n> {
    /// What the table says of it.
    pub key: &'static Key,
    /// As it is written.
    pub name: &'n Name,
    /// Its value.
    pub value: &'n Node,
}

impl<'n> Fields<'n> {
    /// Reads a map. `at` is where its declaration or key is written, for what is missing in it.
    /// What is unknown or not available is reported and left out. `None` where it is no map.
    pub fn read(
        reader: &mut Reader,
        node: &'n Node,
        subject: &str,
        at: &'n Place,
        group: &'static Group,
    ) -> Option<Self> {
        let entries = reader.map(node, subject, group)?;
        let mut fields = Self { group, place: at, known: Vec::new(), meant: Vec::new() };
        for entry in entries {
            fields.add(reader, entry);
        }
        Some(fields)
    }

    fn add(&mut self, reader: &mut Reader, entry: &'n Entry) {
        let name = &entry.key;
        match self.group.key(&name.text) {
            Some(key) if key.available => self.known.push(Field { key, name, value: &entry.value }),
            Some(key) => reader.not_available(&format!("`{}`", key.name), &name.place),
            None => {
                let meant = nearest(&name.text, self.group.names());
                self.meant.extend(meant);
                let hint = match meant {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("it has {}", listed(self.group.names())),
                };
                let message = format!("{} has no key `{}`", self.group.name, name.text);
                reader.report(Problem::error("unknown-key", message, name.place.clone()).hint(hint));
            }
        }
    }

    /// Whether a key seems to be meant by one that is misspelt, and was reported.
    pub fn is_misspelt(&self, name: &str) -> bool {
        self.meant.contains(&name)
    }

    /// A key, where it is written. Its name must be in the table.
    pub fn get(&self, name: &str) -> Option<Field<'n>> {
        debug_assert!(
            self.group.key(name).is_some_and(|key| key.available),
            "`{name}` is not in the table of {}",
            self.group.path
        );
        self.known.iter().find(|field| field.key.name == name).copied()
    }

    /// A key that must be written; reported where it is neither written nor misspelt.
    pub fn require(&self, reader: &mut Reader, name: &str) -> Option<Field<'n>> {
        let field = self.get(name);
        if field.is_none() && !self.is_misspelt(name) {
            let key = self.group.key(name)?;
            let message = format!("{} needs `{name}`: {}", self.group.name, key.meaning);
            let problem = Problem::error("missing-key", message, self.place.clone());
            reader.report(problem.hint(format!("for example `{}`", key.example)));
        }
        field
    }

    /// All keys that are written, known and available, in the order of writing.
    pub fn iter(&self) -> impl Iterator<Item = Field<'n>> {
        self.known.iter().copied()
    }

    /// Where the map's declaration or key is written.
    pub fn place(&self) -> &'n Place {
        self.place
    }
}

impl Field<'_> {
    /// Its name for messages: `` `within` ``.
    pub fn subject(&self) -> String {
        format!("`{}`", self.key.name)
    }

    /// Reports that the value is not what the table says.
    pub fn wrong_type(&self, reader: &mut Reader) {
        if self.value.kind != Kind::Broken {
            let message =
                format!("{} must be {}, not {}", self.subject(), self.key.value, self.value.describe());
            let problem = Problem::error("wrong-type", message, self.value.place.clone());
            reader.report(problem.hint(format!("for example `{}`", self.key.example)));
        }
    }
}
