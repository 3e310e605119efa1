//! Packed attributes: what a full pass reads of contacts whose attributes somebody asks for, a column for
//! each name, so that it reads those it needs and no others. The contacts are the truth; what is here can
//! be made anew from them.
//!
//! Attributes are packed by member blocks, beside the facts of the same contacts ([`super::facts`]), and in
//! the same order. Values are JSON as it came; each different one stands once in its column:
//!
//! ```text
//! attributes := (length: varint, name | length: varint, column)*
//! column     := number of different values: varint, (length: varint, JSON)*
//!               | (step from the previous contact that has one: varint, place of its value: varint)*
//! ```
//!
//! The first step counts from the place before the block's first contact, so that none is 0.

use std::collections::HashMap;

use super::facts::DamagedFacts;
use super::json;
use super::membership::MemberBlock;
use super::varint;

/// Attributes of a contact that a reader named, as JSON.
#[derive(Debug, Clone, Copy)]
pub struct NamedAttributes<'a> {
    /// Their names on the wire.
    pub names: &'a [String],
    /// Their values, in the order of the names; `None`: the contact has none.
    pub values: &'a [Option<&'a str>],
}

impl<'a> NamedAttributes<'a> {
    /// The value of one of them; `None` if there is none, or the reader did not name it.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let place = self.names.iter().position(|known| known == name)?;
        *self.values.get(place)?
    }
}

/// Packs the attributes of one block's contacts.
#[derive(Debug, Default)]
pub struct AttributesPacker {
    /// How many contacts there were.
    contacts: u64,
    columns: Vec<Column>,
    /// The columns by name.
    places: HashMap<String, usize>,
    name: String,
    value: String,
}

#[derive(Debug, Default)]
struct Column {
    /// The place of each different value.
    known: HashMap<String, u64>,
    values: Vec<u8>,
    contacts: Vec<u8>,
    /// The last contact, counted from 1, and the place of its value; not yet among `contacts`, since of two members
    /// with one name the last one counts.
    last: Option<(u64, u64)>,
    /// The last of `contacts`.
    previous: u64,
}

impl AttributesPacker {
    /// Adds the next contact's attributes: a JSON object.
    pub fn push(&mut self, object: &str) {
        self.contacts += 1;
        for (name, value) in json::members(object) {
            self.name.clear();
            name.decode_into(&mut self.name);
            let place = self.places.get(&self.name).copied().unwrap_or_else(|| {
                self.places.insert(self.name.clone(), self.columns.len());
                self.columns.push(Column::default());
                self.columns.len() - 1
            });
            self.value.clear();
            value.write(&mut self.value);
            self.columns[place].put(self.contacts, &self.value);
        }
    }

    /// The payload.
    pub fn finish(self) -> Vec<u8> {
        let mut places: Vec<_> = self.places.into_iter().collect();
        places.sort_unstable_by_key(|(_, place)| *place);
        let mut bytes = Vec::new();
        for ((name, _), mut column) in places.into_iter().zip(self.columns) {
            column.note_last();
            let mut count = Vec::new();
            varint::push(&mut count, column.known.len() as u64);
            push_bytes(&mut bytes, name.as_bytes());
            varint::push(&mut bytes, (count.len() + column.values.len() + column.contacts.len()) as u64);
            bytes.extend([count, column.values, column.contacts].concat());
        }
        bytes
    }
}

impl Column {
    fn put(&mut self, contact: u64, value: &str) {
        let new = self.known.len() as u64;
        let place = self.known.get(value).copied().unwrap_or(new);
        if place == new {
            push_bytes(&mut self.values, value.as_bytes());
            self.known.insert(value.to_owned(), new);
        }
        if self.last.is_some_and(|(last, _)| last != contact) {
            self.note_last();
        }
        self.last = Some((contact, place));
    }

    fn note_last(&mut self) {
        let Some((contact, place)) = self.last.take() else { return };
        varint::push(&mut self.contacts, contact - self.previous);
        varint::push(&mut self.contacts, place);
        self.previous = contact;
    }
}

fn push_bytes(bytes: &mut Vec<u8>, text: &[u8]) {
    varint::push(bytes, text.len() as u64);
    bytes.extend_from_slice(text);
}

/// Some attributes of a block's contacts, in the order of the contacts' numbers.
#[derive(Debug)]
pub struct AttributesReader<'a> {
    block: MemberBlock,
    columns: Vec<WantedColumn<'a>>,
    /// Of the contact that was read last.
    values: Vec<Option<&'a str>>,
}

#[derive(Debug, Default)]
struct WantedColumn<'a> {
    values: Vec<&'a str>,
    contacts: &'a [u8],
    /// How many contacts come before the next one that has a value, and that value; `None`: no more do.
    next: Option<(u64, &'a str)>,
}

impl<'a> AttributesReader<'a> {
    /// Reads what is wanted of a payload.
    pub fn new(block: MemberBlock, payload: &'a [u8], wanted: &[String]) -> Result<Self, DamagedFacts> {
        let columns = columns(payload, wanted).ok_or(DamagedFacts { block: block.0 })?;
        Ok(Self { block, columns, values: vec![None; wanted.len()] })
    }

    /// The values of the next contact, in the order in which they were wanted.
    #[inline]
    pub fn next_contact(&mut self) -> Result<&[Option<&'a str>], DamagedFacts> {
        for (column, value) in self.columns.iter_mut().zip(&mut self.values) {
            *value = column.take(self.block)?;
        }
        Ok(&self.values)
    }
}

fn columns<'a>(mut bytes: &'a [u8], wanted: &[String]) -> Option<Vec<WantedColumn<'a>>> {
    let mut columns: Vec<_> = wanted.iter().map(|_| WantedColumn::default()).collect();
    while !bytes.is_empty() {
        let name = take_bytes(&mut bytes)?;
        let column = take_bytes(&mut bytes)?;
        if let Some(place) = wanted.iter().position(|wanted| wanted.as_bytes() == name) {
            columns[place] = WantedColumn::new(column)?;
        }
    }
    Some(columns)
}

/// The names of the attributes that a block's contacts have, in no order.
pub fn names(block: MemberBlock, mut payload: &[u8]) -> Result<Vec<String>, DamagedFacts> {
    let damaged = DamagedFacts { block: block.0 };
    let mut names = Vec::new();
    while !payload.is_empty() {
        let (name, _) = take_bytes(&mut payload).zip(take_bytes(&mut payload)).ok_or(damaged)?;
        names.push(std::str::from_utf8(name).map_err(|_| damaged)?.to_owned());
    }
    Ok(names)
}

fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(varint::take(bytes)?).ok()?;
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

impl<'a> WantedColumn<'a> {
    fn new(mut bytes: &'a [u8]) -> Option<Self> {
        let count = usize::try_from(varint::take(&mut bytes)?).ok().filter(|count| *count <= bytes.len())?;
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(std::str::from_utf8(take_bytes(&mut bytes)?).ok()?);
        }
        let mut column = Self { values, contacts: bytes, next: None };
        column.advance()?;
        Some(column)
    }

    /// The value of the block's next contact.
    #[inline]
    fn take(&mut self, block: MemberBlock) -> Result<Option<&'a str>, DamagedFacts> {
        match &mut self.next {
            None => Ok(None),
            Some((0, value)) => {
                let value = *value;
                self.advance().ok_or(DamagedFacts { block: block.0 })?;
                Ok(Some(value))
            }
            Some((before, _)) => {
                *before -= 1;
                Ok(None)
            }
        }
    }

    #[inline]
    fn advance(&mut self) -> Option<()> {
        self.next = None;
        if !self.contacts.is_empty() {
            let step = varint::take(&mut self.contacts)?;
            let place = usize::try_from(varint::take(&mut self.contacts)?).ok()?;
            self.next = Some((step.checked_sub(1)?, *self.values.get(place)?));
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: MemberBlock = MemberBlock(2);

    const PEOPLE: [&str; 6] = [
        r#"{"country": "FR", "interests": ["tennis", "golf"], "city": "Paris"}"#,
        "{}",
        r#"{"interests": [], "country": "FR"}"#,
        r#"{"country": "BE", "c\u006funtry": "DE", "age": 7.50, "b2b": true, "city": null}"#,
        r#"{"city": "a \"quoted\" one", "deep": {"a": [1, {}]}}"#,
        "damaged",
    ];

    fn packed(people: &[&str]) -> Vec<u8> {
        let mut packer = AttributesPacker::default();
        for person in people {
            packer.push(person);
        }
        packer.finish()
    }

    fn read(payload: &[u8], names: &[&str]) -> Result<Vec<Vec<Option<String>>>, DamagedFacts> {
        let wanted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut reader = AttributesReader::new(BLOCK, payload, &wanted)?;
        let owned = |values: &[Option<&str>]| values.iter().map(|value| value.map(str::to_owned)).collect();
        PEOPLE.iter().map(|_| Ok(owned(reader.next_contact()?))).collect()
    }

    #[test]
    fn what_is_wanted_is_read_as_it_came() {
        let rows = read(&packed(&PEOPLE), &["country", "nobody_has_it", "city", "deep", "interests"]);
        let rows: Vec<String> = rows
            .expect("it is whole")
            .iter()
            .map(|row| {
                row.iter().map(|value| value.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(" | ")
            })
            .collect();
        insta::assert_snapshot!(rows.join("\n"), @r#"
        "FR" | - | "Paris" | - | ["tennis", "golf"]
        - | - | - | - | -
        "FR" | - | - | - | []
        "DE" | - | null | - | -
        - | - | "a \"quoted\" one" | {"a": [1, {}]} | -
        - | - | - | - | -
        "#);
        assert_eq!(read(&packed(&[]), &["country"]), Ok(vec![vec![None]; PEOPLE.len()]));
        let names = names(BLOCK, &packed(&PEOPLE)).expect("it is whole");
        assert_eq!(names, ["country", "interests", "city", "age", "b2b", "deep"]);
    }

    #[test]
    fn equal_values_stand_once() {
        let person = r#"{"interests": ["tennis", "golf", "football", "cooking"]}"#;
        let (once, often) = (packed(&[person]).len(), packed(&[person; 100]).len());
        assert!(often <= once + 2 * 100, "{once} and {often}");
    }

    #[test]
    fn damaged_payloads_are_found_and_end() {
        let bytes = packed(&PEOPLE);
        for position in 0..bytes.len() {
            let _ = read(&bytes[..position], &["country", "deep"]);
            let _ = names(BLOCK, &bytes[..position]);
            for altered in [0x00, 0x7f, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[position] = altered;
                let _ = read(&bytes, &["country", "city", "interests"]);
            }
        }
        assert_eq!(read(&bytes[..bytes.len() - 1], &["deep"]), Err(DamagedFacts { block: 2 }));
    }
}
