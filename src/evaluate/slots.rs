//! Values of one contact while it is evaluated: small, without allocations of their own, read out of
//! JSON only when something asks for them.

use std::hash::{Hash, Hasher};

use chrono::NaiveDate;

use crate::domain::attributes::NamedAttributes;
use crate::domain::json::{self, Token};
use crate::domain::number::Number;
use crate::domain::text::{compose, fold_into};
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::{self, Value, ValueType};

/// A value; its texts are in [`Texts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Slot {
    #[default]
    Missing,
    Number(Number),
    Boolean(bool),
    Date(NaiveDate),
    Datetime(Timestamp),
    Text(Place),
    List(Place),
}

/// A stretch of [`Texts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    start: u32,
    end: u32,
}

/// The texts of one contact's slots, one after the other.
#[derive(Debug, Default)]
pub(super) struct Texts {
    characters: String,
    items: Vec<Place>,
}

impl Texts {
    pub(super) fn clear(&mut self) {
        self.characters.clear();
        self.items.clear();
    }

    pub(super) fn text(&self, place: Place) -> &str {
        &self.characters[place.start as usize..place.end as usize]
    }

    pub(super) fn list(&self, place: Place) -> impl Iterator<Item = &str> + Clone {
        self.items[place.start as usize..place.end as usize].iter().map(|item| self.text(*item))
    }

    pub(super) fn push(&mut self, text: &str, folded: bool) -> Place {
        let start = self.characters.len() as u32;
        if folded {
            fold_into(text, &mut self.characters);
        } else {
            self.characters.push_str(&compose(text));
        }
        Place { start, end: self.characters.len() as u32 }
    }

    pub(super) fn push_list(&mut self, items: &[String], folded: bool) -> Place {
        let start = self.items.len() as u32;
        for item in items {
            self.push_item(item, folded);
        }
        Place { start, end: self.items.len() as u32 }
    }

    /// A value as a list; `None` if it is none.
    fn push_list_of(&mut self, token: Token<'_>, folded: bool) -> Option<Place> {
        let start = self.items.len() as u32;
        value::each_item(token, |item| self.push_item(item, folded))?;
        Some(Place { start, end: self.items.len() as u32 })
    }

    fn push_item(&mut self, item: &str, folded: bool) {
        let item = self.push(item, folded);
        self.items.push(item);
    }

    /// Whether two slots have equal values.
    pub(super) fn equal(&self, one: Slot, other: Slot) -> bool {
        match (one, other) {
            (Slot::Text(one), Slot::Text(other)) => self.text(one) == self.text(other),
            (Slot::List(one), Slot::List(other)) => self.list(one).eq(self.list(other)),
            _ => one == other,
        }
    }

    /// A hash that equal values share.
    pub(super) fn hash(&self, slot: Slot) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        match slot {
            Slot::Missing => {}
            Slot::Number(number) => number.hash(&mut hasher),
            Slot::Boolean(value) => value.hash(&mut hasher),
            Slot::Date(day) => day.hash(&mut hasher),
            Slot::Datetime(at) => at.hash(&mut hasher),
            Slot::Text(place) => self.text(place).hash(&mut hasher),
            Slot::List(place) => self.list(place).for_each(|item| item.hash(&mut hasher)),
        }
        hasher.finish()
    }

    /// The slot's value, on its own.
    pub(super) fn value(&self, slot: Slot) -> Option<Value> {
        Some(match slot {
            Slot::Missing => return None,
            Slot::Number(number) => Value::Number(number),
            Slot::Boolean(value) => Value::Boolean(value),
            Slot::Date(day) => Value::Date(day),
            Slot::Datetime(at) => Value::Datetime(at),
            Slot::Text(place) => Value::Text(self.text(place).to_owned()),
            Slot::List(place) => Value::List(self.list(place).map(str::to_owned).collect()),
        })
    }
}

/// A member of a JSON object that is wanted, and how it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Its key: the name on the wire.
    pub(super) key: String,
    pub(super) value_type: ValueType,
    /// Texts are folded, to be compared.
    pub(super) folded: bool,
}

/// What is wanted of one kind of JSON object; a slot each.
#[derive(Debug)]
pub(super) struct Reader {
    wanted: Vec<Wanted>,
    /// The zone of local times.
    zone: Zone,
}

impl Reader {
    /// Nothing is wanted yet.
    pub(super) const fn new(zone: Zone) -> Self {
        Self { wanted: Vec::new(), zone }
    }

    /// The slot for a wanted member; the same for the same.
    pub(super) fn slot(&mut self, wanted: Wanted) -> usize {
        let known = self.wanted.iter().position(|known| *known == wanted);
        known.unwrap_or_else(|| {
            self.wanted.push(wanted);
            self.wanted.len() - 1
        })
    }

    pub(super) const fn len(&self) -> usize {
        self.wanted.len()
    }

    /// The keys of all that is wanted, each once.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.wanted.iter().map(|wanted| wanted.key.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// One slot out of attributes that stand by themselves.
    pub(super) fn read_named(&self, slot: usize, named: &NamedAttributes<'_>, texts: &mut Texts) -> Slot {
        let wanted = &self.wanted[slot];
        let token = named.get(&wanted.key).and_then(json::token);
        token.and_then(|token| wanted.read(token, self.zone, texts)).unwrap_or_default()
    }

    /// Puts what an object has into the slots, which are missing before. Of two members with one key the
    /// last one counts.
    pub(super) fn read(&self, object: &str, texts: &mut Texts, mut put: impl FnMut(usize, Slot)) {
        for (key, token) in json::members(object) {
            for (slot, wanted) in self.wanted.iter().enumerate() {
                if key.is(&wanted.key) {
                    put(slot, wanted.read(token, self.zone, texts).unwrap_or_default());
                }
            }
        }
    }
}

impl Wanted {
    /// As [`value::read()`] does, into a slot.
    fn read(&self, token: Token<'_>, zone: Zone, texts: &mut Texts) -> Option<Slot> {
        Some(match self.value_type {
            ValueType::Text => Slot::Text(texts.push(&value::token_text(token)?, self.folded)),
            ValueType::Number => Slot::Number(value::token_number(token)?),
            ValueType::Boolean => Slot::Boolean(value::token_boolean(token)?),
            ValueType::Date => Slot::Date(value::token_date(token)?),
            ValueType::Datetime => Slot::Datetime(value::token_datetime(token, zone)?),
            ValueType::List => Slot::List(texts.push_list_of(token, self.folded)?),
        })
    }
}
