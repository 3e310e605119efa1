//! The tree of a YAML file. Every part of it knows where it stands.

use serde_json::Value;

use crate::diagnostic::Place;

use super::scalar::Scalar;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands: a scalar or a `[…]` in full, a block by its first key or item.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Nothing, `~` or `null`.
    Null,
    /// Text, a number, a boolean.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of writing, without duplicates.
    Map(Vec<Entry>),
    /// Something that was reported already; readers say nothing more of it.
    Broken,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Name,
    /// The value.
    pub value: Node,
}

/// A text and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

impl Node {
    /// What it is, for messages: `a list`.
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Scalar(scalar) => scalar.describe(),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a map".to_owned(),
            Kind::Broken => "unreadable".to_owned(),
        }
    }

    /// The value of a key, of a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(entries) => {
                entries.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
            }
            _ => None,
        }
    }

    /// The JSON value of it.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null | Kind::Broken => Value::Null,
            Kind::Scalar(scalar) => scalar.to_json(),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(entries) => {
                entries.iter().map(|entry| (entry.key.text.clone(), entry.value.to_json())).collect()
            }
        }
    }

    /// How many nodes it has with itself, and how deep they lie.
    pub(super) fn extent(&self) -> (usize, usize) {
        let children: &mut dyn Iterator<Item = &Self> = match &self.kind {
            Kind::List(items) => &mut items.iter(),
            Kind::Map(entries) => &mut entries.iter().map(|entry| &entry.value),
            _ => return (1, 1),
        };
        children
            .map(Self::extent)
            .fold((1, 1), |(count, depth), (more, below)| (count + more, depth.max(below + 1)))
    }
}
