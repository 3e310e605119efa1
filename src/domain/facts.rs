//! Packed facts: what a full pass reads of all contacts, in few rows; beside them stand attributes, see
//! [`super::attributes`]. The contacts are the truth; what is here can be made anew from them.
//!
//! Facts are packed by member blocks, see [`super::membership`]. A payload holds the block's contacts in
//! the order of their numbers:
//!
//! ```text
//! facts   := number of zones: varint, (length: varint, name)*, contact*
//! contact := step from the previous contact: varint | marks: byte
//!            | time of each consent that has one, marketing first, − that of the previous contact that has: zigzag varint, µs
//!            | created_at − that of the previous contact: zigzag varint, µs
//!            | zone: varint, its place in the list, if there is one
//! marks   := marketing: 2 bits, tracking: 2 bits, whether there is a time of marketing, of tracking, a zone: a bit each
//! ```
//!
//! The first step counts from the block's first contact, the first times from 1970.

use super::consent::{Consent, ConsentState};
use super::contact::{ContactId, ContactView};
use super::membership::MemberBlock;
use super::time::Timestamp;
use super::varint;

/// The facts of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Who.
    pub id: ContactId,
    /// Consent to marketing.
    pub marketing: Consent,
    /// Consent to tracking.
    pub tracking: Consent,
    /// When the contact was created.
    pub created_at: Timestamp,
    /// The name of an IANA zone.
    pub time_zone: Option<&'a str>,
}

impl<'a> Facts<'a> {
    /// As a contact of whom nothing else is known.
    pub const fn view(&self) -> ContactView<'a> {
        ContactView {
            id: self.id,
            key: "",
            external_id: None,
            email: None,
            time_zone: self.time_zone,
            language: None,
            created_at: self.created_at,
            marketing: self.marketing,
            tracking: self.tracking,
            attributes: "{}",
            named: None,
        }
    }
}

impl<'a> From<&ContactView<'a>> for Facts<'a> {
    fn from(contact: &ContactView<'a>) -> Self {
        let ContactView { id, marketing, tracking, created_at, time_zone, .. } = *contact;
        Self { id, marketing, tracking, created_at, time_zone }
    }
}

/// Bytes that are no payload of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the packed facts of contacts in block {block} are damaged; `campaignd migrate --rebuild-histories` makes them anew"
)]
pub struct DamagedFacts {
    /// Which block.
    pub block: i64,
}

/// Packs the facts of one block's contacts.
#[derive(Debug)]
pub struct FactsPacker {
    zones: Vec<String>,
    contacts: Vec<u8>,
    previous: Previous,
}

/// What the next contact's numbers count from.
#[derive(Debug, Clone, Copy)]
struct Previous {
    contact: i64,
    marketing_since: i64,
    tracking_since: i64,
    created_at: i64,
}

impl Previous {
    const fn of(block: MemberBlock) -> Self {
        Self { contact: block.first().0, marketing_since: 0, tracking_since: 0, created_at: 0 }
    }
}

const MARKETING_SINCE: u8 = 0x10;
const TRACKING_SINCE: u8 = 0x20;
const ZONE: u8 = 0x40;

impl FactsPacker {
    /// Begins a block.
    pub const fn new(block: MemberBlock) -> Self {
        Self { zones: Vec::new(), contacts: Vec::new(), previous: Previous::of(block) }
    }

    /// Adds a contact; they come in the order of their numbers.
    pub fn push(&mut self, facts: &Facts<'_>) {
        let Self { zones, contacts, previous } = self;
        let state = |consent: Consent| consent.state.code() as u8;
        let mark = |present: bool, mark: u8| if present { mark } else { 0 };
        varint::push(contacts, facts.id.0.wrapping_sub(previous.contact) as u64);
        previous.contact = facts.id.0;
        contacts.push(
            state(facts.marketing)
                | state(facts.tracking) << 2
                | mark(facts.marketing.since.is_some(), MARKETING_SINCE)
                | mark(facts.tracking.since.is_some(), TRACKING_SINCE)
                | mark(facts.time_zone.is_some(), ZONE),
        );
        let times = [
            (facts.marketing.since, &mut previous.marketing_since),
            (facts.tracking.since, &mut previous.tracking_since),
            (Some(facts.created_at), &mut previous.created_at),
        ];
        for (at, previous) in times {
            let Some(at) = at else { continue };
            varint::push(contacts, varint::zigzag(at.micros().wrapping_sub(*previous)));
            *previous = at.micros();
        }
        if let Some(zone) = facts.time_zone {
            let place = zones.iter().position(|known| known == zone).unwrap_or_else(|| {
                zones.push(zone.to_owned());
                zones.len() - 1
            });
            varint::push(contacts, place as u64);
        }
    }

    /// The payload.
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.contacts.len() + 32 * self.zones.len() + 1);
        varint::push(&mut bytes, self.zones.len() as u64);
        for zone in &self.zones {
            varint::push(&mut bytes, zone.len() as u64);
            bytes.extend_from_slice(zone.as_bytes());
        }
        bytes.extend_from_slice(&self.contacts);
        bytes
    }
}

/// The payload in which some contacts have other facts, or are no more (`None`); in the order of their
/// numbers. For when few of a block's contacts changed.
pub fn repack(
    block: MemberBlock,
    payload: &[u8],
    changed: &[(ContactId, Option<Facts<'_>>)],
) -> Result<Vec<u8>, DamagedFacts> {
    let mut packer = FactsPacker::new(block);
    let mut changed = changed.iter().peekable();
    for facts in FactsReader::new(block, payload)? {
        let facts = facts?;
        let mut is_changed = false;
        while let Some((contact, new)) = changed.next_if(|(contact, _)| *contact <= facts.id) {
            is_changed |= *contact == facts.id;
            if let Some(new) = new {
                packer.push(new);
            }
        }
        if !is_changed {
            packer.push(&facts);
        }
    }
    for new in changed.filter_map(|(_, new)| new.as_ref()) {
        packer.push(new);
    }
    Ok(packer.finish())
}

/// The facts of a block's contacts, in the order of their numbers.
#[derive(Debug)]
pub struct FactsReader<'a> {
    block: MemberBlock,
    zones: Vec<&'a str>,
    bytes: &'a [u8],
    previous: Previous,
}

impl<'a> FactsReader<'a> {
    /// Reads a payload.
    pub fn new(block: MemberBlock, payload: &'a [u8]) -> Result<Self, DamagedFacts> {
        let mut bytes = payload;
        let zones = zones(&mut bytes).ok_or(DamagedFacts { block: block.0 })?;
        Ok(Self { block, zones, bytes, previous: Previous::of(block) })
    }

    #[inline]
    fn read(&mut self) -> Option<Facts<'a>> {
        let bytes = &mut self.bytes;
        let previous = &mut self.previous;
        previous.contact = previous.contact.wrapping_add(varint::take(bytes)? as i64);
        let id = ContactId(previous.contact);
        let (marks, rest) = bytes.split_first()?;
        *bytes = rest;
        let mut since = |mark: u8, previous: &mut i64| -> Option<Option<Timestamp>> {
            if marks & mark == 0 {
                return Some(None);
            }
            *previous = previous.wrapping_add(varint::take_signed(bytes)?);
            Some(Some(Timestamp::from_micros(*previous)))
        };
        let state = |code: u8| ConsentState::from_code(i16::from(code & 3));
        let marketing =
            Consent { state: state(*marks), since: since(MARKETING_SINCE, &mut previous.marketing_since)? };
        let tracking =
            Consent { state: state(marks >> 2), since: since(TRACKING_SINCE, &mut previous.tracking_since)? };
        previous.created_at = previous.created_at.wrapping_add(varint::take_signed(bytes)?);
        let mut time_zone = None;
        if marks & ZONE != 0 {
            let place = usize::try_from(varint::take(bytes)?).ok()?;
            time_zone = Some(*self.zones.get(place)?);
        }
        let created_at = Timestamp::from_micros(previous.created_at);
        (MemberBlock::of(id) == self.block).then_some(Facts {
            id,
            marketing,
            tracking,
            created_at,
            time_zone,
        })
    }
}

fn zones<'a>(bytes: &mut &'a [u8]) -> Option<Vec<&'a str>> {
    let count = usize::try_from(varint::take(bytes)?).ok().filter(|count| *count <= bytes.len())?;
    let mut zones = Vec::with_capacity(count);
    for _ in 0..count {
        let length = usize::try_from(varint::take(bytes)?).ok()?;
        let (name, rest) = bytes.split_at_checked(length)?;
        zones.push(std::str::from_utf8(name).ok()?);
        *bytes = rest;
    }
    Some(zones)
}

impl<'a> Iterator for FactsReader<'a> {
    type Item = Result<Facts<'a>, DamagedFacts>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.is_empty() {
            return None;
        }
        let facts = self.read();
        if facts.is_none() {
            self.bytes = &[];
        }
        Some(facts.ok_or(DamagedFacts { block: self.block.0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: MemberBlock = MemberBlock(2);

    fn people() -> Vec<Facts<'static>> {
        use ConsentState::{No, Unknown, Yes};
        let at = Timestamp::from_micros;
        let consent = |state, since: Option<i64>| Consent { state, since: since.map(at) };
        let person = |id, marketing, tracking, created_at, time_zone| Facts {
            id: ContactId(id),
            marketing,
            tracking,
            created_at: at(created_at),
            time_zone,
        };
        vec![
            person(8_192, consent(Yes, Some(1_793_491_200_000_000)), consent(Unknown, None), 5, None),
            person(8_193, consent(No, Some(-7)), consent(Yes, Some(9)), -5, Some("Europe/Paris")),
            person(9_000, consent(Unknown, None), consent(No, None), i64::MAX, Some("")),
            person(12_287, consent(Yes, None), consent(Unknown, Some(1)), i64::MIN, Some("Europe/Paris")),
        ]
    }

    fn packed(people: &[Facts<'_>]) -> Vec<u8> {
        let mut packer = FactsPacker::new(BLOCK);
        for facts in people {
            packer.push(facts);
        }
        packer.finish()
    }

    #[test]
    fn what_is_packed_is_read() {
        for count in 0..=4 {
            let people = &people()[..count];
            let bytes = packed(people);
            let read: Result<Vec<_>, _> = FactsReader::new(BLOCK, &bytes).expect("a block").collect();
            assert_eq!(read, Ok(people.to_vec()));
        }
        let view = people()[1].view();
        assert_eq!(Facts::from(&view), people()[1]);
    }

    #[test]
    fn some_change_and_the_others_stay() {
        let [first, second, third, fourth] = people()[..] else { panic!("four") };
        let old = packed(&[first, third, fourth]);
        let moved = Facts { time_zone: Some("Asia/Tokyo"), ..third };
        let changed = [(second.id, Some(second)), (third.id, Some(moved)), (ContactId(9_001), None)];
        let new = repack(BLOCK, &old, &changed).expect("it is whole");
        assert_eq!(new, packed(&[first, second, moved, fourth]));
        let gone = [(first.id, None), (fourth.id, None)];
        assert_eq!(repack(BLOCK, &new, &gone), Ok(packed(&[second, moved])));
        let back = [(fourth.id, Some(fourth))];
        assert_eq!(repack(BLOCK, &packed(&[]), &back), Ok(packed(&[fourth])));
    }

    #[test]
    fn damaged_payloads_are_found_and_end() {
        let bytes = packed(&people());
        for length in 0..bytes.len() {
            let read = FactsReader::new(BLOCK, &bytes[..length]);
            assert!(read.is_err() || read.is_ok_and(|read| read.count() <= 4), "cut at {length}");
        }
        for position in 0..bytes.len() {
            for altered in [0x00, 0x7f, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[position] = altered;
                assert!(FactsReader::new(BLOCK, &bytes).map_or(0, Iterator::count) < 100);
            }
        }
    }
}
