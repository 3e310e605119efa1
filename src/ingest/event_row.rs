//! A row to an event, and the message id of events that have none.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::contact_row::{address, bounded, identifier, instant, no_boolean, text_of_fact};
use super::reason::Reason;
use super::values::{self, Field, Given, LONGEST_NAME};
use super::vocabulary::{Fact, Vocabulary};
use crate::domain::time::{Timestamp, Zone};
use crate::store::events::IncomingEvent;

/// The properties of one event may have this many bytes of JSON together.
const LARGEST_ROW: usize = 20_000;
/// An event may be this far in the future: clocks differ, and so do zones.
const FUTURE: Duration = Duration::from_hours(24);
/// A file with more different event names probably has the wrong column for it.
pub(super) const MOST_NAMES: usize = 1_000;
/// Fields of properties that are not declared are kept for the next row, up to this many.
const MOST_FIELDS: usize = 10_000;

/// The built-in facts of one row.
#[derive(Debug, Default)]
pub(super) struct EventFacts {
    event: IncomingEvent,
}

impl EventFacts {
    /// Takes a built-in fact. `column` is what the file calls it.
    pub(super) fn take(
        &mut self,
        fact: Fact,
        given: Given<'_>,
        column: &str,
        zone: Zone,
    ) -> Result<(), Reason> {
        if matches!(fact, Fact::Id | Fact::Email) {
            no_boolean(given, column)?;
        }
        let Some(text) = text_of_fact(given, column)? else { return Ok(()) };
        let twice = match fact {
            Fact::Id => self.event.external_id.replace(identifier(&text, column)?).is_some(),
            Fact::Email => self.event.email.replace(address(&text, column)?).is_some(),
            Fact::Event => !std::mem::replace(&mut self.event.name, bounded(&text, column)?).is_empty(),
            Fact::At => self.event.at.replace(instant(&text, column, zone)?).is_some(),
            Fact::MessageId => self.event.message_id.replace(bounded(&text, column)?).is_some(),
            _ => false,
        };
        if twice { Err(Reason::of(format!("`{column}` is given twice"))) } else { Ok(()) }
    }

    /// The name of the event as the file says it.
    pub(super) fn name(&self) -> &str {
        &self.event.name
    }
}

/// What rows of events have in common, and what was seen of them so far.
#[derive(Debug)]
pub(super) struct Events {
    vocabulary: Arc<Vocabulary>,
    zone: Zone,
    latest: Timestamp,
    kinds: HashMap<String, Kind>,
    seen: Occurrences,
}

/// One kind of event in this file.
#[derive(Debug)]
struct Kind {
    wire_name: String,
    fields: HashMap<String, Arc<Field>>,
}

/// The properties of one row, as they are put together.
#[derive(Debug, Default)]
pub(super) struct Properties {
    json: String,
    /// What the row says, whatever is declared; see [`Given::write_plain`].
    plain: String,
    members: Vec<Member>,
}

/// A property: where its name stands in the JSON, and its value in the plain text.
#[derive(Debug)]
struct Member {
    name: Range<usize>,
    plain: Range<usize>,
}

impl Events {
    /// Events are read at `now`; times without a zone are in `zone`.
    pub(super) fn new(vocabulary: Arc<Vocabulary>, zone: Zone, now: Timestamp) -> Self {
        Self {
            vocabulary,
            zone,
            latest: now.plus(FUTURE),
            kinds: HashMap::new(),
            seen: Occurrences::default(),
        }
    }

    /// Whether the file has more names of events than it can have.
    pub(super) fn has_too_many_names(&self) -> bool {
        self.kinds.len() > MOST_NAMES
    }

    /// Looks up what kind of event a row is, by `--event` or by what it says itself.
    pub(super) fn name(&mut self, facts: &mut EventFacts) -> Result<(), Reason> {
        if let Some(only) = &self.vocabulary.only_event {
            facts.event.name.clone_from(only);
        }
        if facts.event.name.is_empty() {
            return Err(Reason::of("`event` is missing"));
        }
        if !self.kinds.contains_key(&facts.event.name) {
            let declared = self.vocabulary.event(&facts.event.name);
            let kind = Kind {
                wire_name: declared.map_or(&facts.event.name, |declared| &declared.wire_name).clone(),
                fields: declared.map(|declared| declared.properties.clone()).unwrap_or_default(),
            };
            self.kinds.insert(facts.event.name.clone(), kind);
        }
        Ok(())
    }

    /// Takes a property of an event whose name is known.
    pub(super) fn property(
        &mut self,
        facts: &EventFacts,
        properties: &mut Properties,
        name: &str,
        given: Given<'_>,
        column: &str,
    ) -> Result<(), Reason> {
        let Some(kind) = self.kinds.get_mut(facts.name()) else { return Ok(()) };
        if let Some(field) = kind.fields.get(name) {
            return properties.add(field, given, column, self.zone);
        }
        let field = Arc::new(Field::new(name, None, &[]));
        if kind.fields.len() < MOST_FIELDS {
            kind.fields.insert(name.to_owned(), Arc::clone(&field));
        }
        properties.add(&field, given, column, self.zone)
    }

    /// The whole event.
    pub(super) fn finish(
        &mut self,
        facts: EventFacts,
        properties: &mut Properties,
    ) -> Result<IncomingEvent, Reason> {
        let mut event = facts.event;
        if let Some(kind) = self.kinds.get(&event.name) {
            event.name.clone_from(&kind.wire_name);
        }
        if event.external_id.is_none() && event.email.is_none() {
            return Err(Reason::of("the row names no contact: it has neither `id` nor `email`"));
        }
        let Some(at) = event.at else { return Err(Reason::of("`at` is missing: the row has no time")) };
        if at > self.latest {
            return Err(Reason::with("`at` is more than 24 hours in the future", &at.to_string()));
        }
        let members = properties.sorted_members();
        if let Some(pair) = members.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Reason::of(format!("two columns are the property {}", pair[0].0)));
        }
        if event.message_id.is_none() {
            event.message_id = Some(self.seen.message_id(&event, at, &members));
        }
        event.properties = properties.take();
        Ok(event)
    }
}

impl Properties {
    fn add(&mut self, field: &Field, given: Given<'_>, column: &str, zone: Zone) -> Result<(), Reason> {
        if field.wire_name.len() > LONGEST_NAME {
            return Err(Reason::of(format!("a name is longer than {LONGEST_NAME} bytes")));
        }
        let start = self.json.len();
        self.json.push(if start == 0 { '{' } else { ',' });
        self.json.push_str(&field.key);
        let name = start + 1..self.json.len();
        self.json.push(':');
        if values::write(&mut self.json, field, given, column, zone)? {
            let from = self.plain.len();
            given.write_plain(&mut self.plain);
            self.members.push(Member { name, plain: from..self.plain.len() });
        } else {
            self.json.truncate(start);
        }
        if self.json.len() > LARGEST_ROW {
            return Err(Reason::of(format!("the row's properties are larger than {LARGEST_ROW} bytes")));
        }
        Ok(())
    }

    /// Makes ready for the next row.
    pub(super) fn clear(&mut self) {
        self.json.clear();
        self.plain.clear();
        self.members.clear();
    }

    /// Names and values, by name: the order of the columns does not make another event.
    fn sorted_members(&self) -> Vec<(&str, &str)> {
        let texts = |member: &Member| (&self.json[member.name.clone()], &self.plain[member.plain.clone()]);
        let mut members: Vec<_> = self.members.iter().map(texts).collect();
        members.sort_unstable();
        members
    }

    fn take(&mut self) -> String {
        if self.json.is_empty() {
            return String::new();
        }
        self.json.push('}');
        self.json.clone()
    }
}

/// Message ids for events that have none, so that a file can be imported again: computed from the
/// contact, the name, the time and the properties, and numbered among equal events of the file (an
/// order may well have two equal lines). Properties count as they stand in the file, and blank ones not at all,
/// so that a declaration that comes later makes no other event of the same row.
///
/// Remembers eight bytes of the hash of each event: about 16 MB a million rows.
#[derive(Debug)]
struct Occurrences {
    /// In parts, so that growing one does not need twice the memory of all.
    seen: Vec<HashSet<u64, BuildHasherDefault<AsItIs>>>,
    repeated: HashMap<u64, u64>,
}

const PARTS: usize = 64;

impl Default for Occurrences {
    fn default() -> Self {
        Self { seen: vec![HashSet::default(); PARTS], repeated: HashMap::new() }
    }
}

impl Occurrences {
    /// The id begins with the time, so that events which arrive in order of time are neighbours in
    /// the database's index, too.
    fn message_id(&mut self, event: &IncomingEvent, at: Timestamp, members: &[(&str, &str)]) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        match (&event.external_id, &event.email) {
            (Some(id), _) => add(id),
            (None, email) => {
                add("@");
                add(&email.as_deref().unwrap_or_default().to_lowercase());
            }
        }
        add(&event.name);
        for (name, value) in members.iter().filter(|(_, value)| !value.is_empty()) {
            add(name);
            add(value);
        }
        hash.update(at.micros().to_le_bytes());
        let hash: [u8; 32] = hash.finalize().into();
        let (first, rest) = hash.split_at(8);
        let short = first.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let seconds = at.micros().div_euclid(1_000_000).wrapping_add(1 << 39) as u64;
        let mut id = String::with_capacity(24);
        push_base32(&mut id, &seconds.to_be_bytes()[3..]);
        push_base32(&mut id, &rest[..10]);
        if !self.seen[short as usize % PARTS].insert(short) {
            let repeats = self.repeated.entry(short).or_insert(0);
            *repeats += 1;
            id.push('-');
            id.push_str(&repeats.to_string());
        }
        id
    }
}

/// A hash is not hashed again.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |number, byte| number << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        // The low bits chose the part, and the table uses both ends.
        self.0 = number.rotate_right(32);
    }
}

/// Base 32 with the alphabet that sorts as the bytes do (RFC 4648, section 7), in lower case. For
/// whole groups of five bytes.
fn push_base32(out: &mut String, bytes: &[u8]) {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    for group in bytes.chunks_exact(5) {
        let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            out.push(ALPHABET[(bits >> (place * 5)) as usize & 31] as char);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Members = [(&'static str, &'static str)];

    fn ids(rows: &[(&str, i64, &Members)]) -> Vec<String> {
        let mut seen = Occurrences::default();
        rows.iter()
            .map(|(id, at, members)| {
                let event = IncomingEvent {
                    external_id: Some((*id).to_owned()),
                    name: "purchase".to_owned(),
                    ..IncomingEvent::default()
                };
                seen.message_id(&event, Timestamp::from_seconds(*at), members)
            })
            .collect()
    }

    #[test]
    fn message_ids_tell_events_apart_and_number_equal_ones() {
        let book: &Members = &[("\"product\"", "\"book\"")];
        let pen: &Members = &[("\"product\"", "\"pen\"")];
        let made = ids(&[("1", 10, book), ("1", 10, pen), ("1", 10, book), ("2", 10, book), ("1", 10, book)]);
        assert_eq!(made[2], format!("{}-1", made[0]));
        assert_eq!(made[4], format!("{}-2", made[0]));
        let different: HashSet<_> = made.iter().collect();
        assert_eq!(different.len(), made.len());
        assert_eq!(
            made[..2],
            ids(&[("1", 10, book), ("1", 10, pen)])[..],
            "they are the same in every import"
        );
        assert!(made.iter().all(|id| id.len() <= 26));
    }

    #[test]
    fn message_ids_sort_by_time() {
        let made =
            ids(&[("1", -5, &[]), ("1", 0, &[]), ("1", 1_293_000_000, &[]), ("1", 1_774_776_600, &[])]);
        assert!(made.is_sorted(), "{made:?}");
    }
}
