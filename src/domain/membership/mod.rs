//! Packed memberships: who is in a segment, since when and until when, in few rows. A row a member
//! costs more to write than the whole evaluation.
//!
//! A *kept block* is [`CONTACTS_PER_KEPT_BLOCK`] contacts with consecutive numbers. Its payload holds those of
//! them who are members, or who are to be looked at again, in the order of their numbers:
//!
//! ```text
//! members := (step from the previous contact: varint | entered_at − previous entered_at: zigzag varint, µs)*
//! reviews := (step from the previous contact: varint | at − previous at: zigzag varint, µs)*
//! ```
//!
//! The first step counts from the block's first contact, the first times from 1970. The same members
//! have the same bytes, so that what did not change is not written.

mod amend;

pub use amend::{AmendedReviews, Amendment, amend_reviews};

use super::contact::ContactId;
use super::time::Timestamp;
use super::varint;

/// How many contacts share a page of a pass, and a row of packed facts: a multiple of
/// [`super::history::CONTACTS_PER_BLOCK`], so that ranges of contacts cut neither.
pub const CONTACTS_PER_MEMBER_BLOCK: i64 = 4_096;

/// How many contacts share a row of members or reviews: so few that a row lies on one page of the database
/// (some 5 bytes a contact), and that whoever writes a thousand contacts of a million does not write all rows.
pub const CONTACTS_PER_KEPT_BLOCK: i64 = 512;

/// The number of a kept block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeptBlock(pub i64);

impl KeptBlock {
    /// The block of a contact.
    pub const fn of(contact: ContactId) -> Self {
        Self(contact.0.div_euclid(CONTACTS_PER_KEPT_BLOCK))
    }

    /// The first contact of the block.
    pub const fn first(self) -> ContactId {
        ContactId(self.0 * CONTACTS_PER_KEPT_BLOCK)
    }
}

/// The number of a block of [`CONTACTS_PER_MEMBER_BLOCK`] contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberBlock(pub i64);

impl MemberBlock {
    /// The block of a contact.
    pub const fn of(contact: ContactId) -> Self {
        Self(contact.0.div_euclid(CONTACTS_PER_MEMBER_BLOCK))
    }

    /// The first contact of the block.
    pub const fn first(self) -> ContactId {
        ContactId(self.0 * CONTACTS_PER_MEMBER_BLOCK)
    }
}

/// Why a contact entered or left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryCause {
    /// What became known of it.
    Data,
    /// Time passed.
    Time,
    /// The condition, or something it names, was declared anew.
    Declaration,
    /// It was evaluated for the first time, or the first time since its campaign is active.
    First,
    /// A file of old facts was imported.
    Import,
    /// Contacts were ranked anew: others' values moved the bounds of a place.
    Population,
}

impl EntryCause {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Data, Self::Time, Self::Declaration, Self::First, Self::Import, Self::Population];

    /// The word for it in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Time => "time",
            Self::Declaration => "declaration",
            Self::First => "first",
            Self::Import => "import",
            Self::Population => "population",
        }
    }

    /// Whether something happened to the contact: what `on_entry` mails for.
    pub const fn is_news(self) -> bool {
        matches!(self, Self::Data | Self::Time)
    }
}

/// A member of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub contact: ContactId,
    /// Since when.
    pub entered_at: Timestamp,
}

/// Bytes that are no payload of a kept block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the packed memberships of block {block} are damaged; `campaignd migrate --reevaluate` makes all of them anew"
)]
pub struct DamagedMembers {
    /// Which block.
    pub block: i64,
}

/// Packs the members of one block. They are all of this block and in the order of their numbers.
pub fn pack_members(block: KeptBlock, members: impl IntoIterator<Item = Member>) -> Vec<u8> {
    pack(block, members.into_iter().map(|member| (member.contact, member.entered_at)))
}

/// The members of one block.
pub fn unpack_members(
    block: KeptBlock,
    bytes: &[u8],
) -> impl Iterator<Item = Result<Member, DamagedMembers>> {
    unpack(block, bytes).map(|entry| entry.map(|(contact, entered_at)| Member { contact, entered_at }))
}

/// Packs when contacts of one block are to be looked at again, in the order of their numbers.
pub fn pack_reviews(block: KeptBlock, reviews: impl IntoIterator<Item = (ContactId, Timestamp)>) -> Vec<u8> {
    pack(block, reviews.into_iter())
}

/// When contacts of one block are to be looked at again.
pub fn unpack_reviews(
    block: KeptBlock,
    bytes: &[u8],
) -> impl Iterator<Item = Result<(ContactId, Timestamp), DamagedMembers>> {
    unpack(block, bytes)
}

/// What an entry takes, a little more than is usual: a step of up to two bytes and a time of up to nine.
const MOST_BYTES: usize = 11;

/// Writes entries one after the other.
struct Packer {
    bytes: Vec<u8>,
    /// Of the last entry.
    contact: i64,
    at: i64,
}

impl Packer {
    fn new(block: KeptBlock, capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), contact: block.first().0, at: 0 }
    }

    fn push(&mut self, contact: ContactId, at: Timestamp) {
        varint::push(&mut self.bytes, contact.0.wrapping_sub(self.contact) as u64);
        varint::push(&mut self.bytes, varint::zigzag(at.micros().wrapping_sub(self.at)));
        (self.contact, self.at) = (contact.0, at.micros());
    }
}

fn pack(block: KeptBlock, entries: impl Iterator<Item = (ContactId, Timestamp)>) -> Vec<u8> {
    let mut packer = Packer::new(block, MOST_BYTES * entries.size_hint().0);
    for (contact, at) in entries {
        packer.push(contact, at);
    }
    packer.bytes
}

fn unpack(
    block: KeptBlock,
    bytes: &[u8],
) -> impl Iterator<Item = Result<(ContactId, Timestamp), DamagedMembers>> {
    Entries::new(block, bytes)
}

/// Reads entries one after the other; damage ends them.
#[derive(Debug, Clone)]
struct Entries<'b> {
    block: KeptBlock,
    rest: &'b [u8],
    /// Of the last entry.
    contact: i64,
    at: i64,
}

impl<'b> Entries<'b> {
    fn new(block: KeptBlock, bytes: &'b [u8]) -> Self {
        Self { block, rest: bytes, contact: block.first().0, at: 0 }
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<(ContactId, Timestamp), DamagedMembers>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = varint::take(&mut self.rest).zip(varint::take(&mut self.rest)).map(|(step, since)| {
            self.contact = self.contact.wrapping_add(step as i64);
            self.at = self.at.wrapping_add(varint::unzigzag(since));
            (ContactId(self.contact), Timestamp::from_micros(self.at))
        });
        let entry = entry.filter(|(contact, _)| KeptBlock::of(*contact) == self.block);
        if entry.is_none() {
            self.rest = &[];
        }
        Some(entry.ok_or(DamagedMembers { block: self.block.0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_793_491_200_000_000;

    fn members() -> Vec<Member> {
        let member = |contact, entered_at| Member {
            contact: ContactId(contact),
            entered_at: Timestamp::from_micros(entered_at),
        };
        vec![member(1_024, NOW), member(1_025, NOW), member(1_200, NOW - 5), member(1_535, -7)]
    }

    #[test]
    fn what_is_packed_is_read() {
        let block = KeptBlock(2);
        let bytes = pack_members(block, members());
        let read: Result<Vec<_>, _> = unpack_members(block, &bytes).collect();
        assert_eq!(read, Ok(members()));
        let reviews: Vec<_> = members().iter().map(|member| (member.contact, member.entered_at)).collect();
        let bytes = pack_reviews(block, reviews.clone());
        assert_eq!(unpack_reviews(block, &bytes).collect::<Result<Vec<_>, _>>(), Ok(reviews));
        assert!(pack_members(block, []).is_empty() && unpack_members(block, &[]).next().is_none());
        assert_eq!(KeptBlock::of(ContactId(-1)), KeptBlock(-1));
    }

    #[test]
    fn damaged_payloads_are_found_and_end() {
        let block = KeptBlock(2);
        let bytes = pack_members(block, members());
        for length in 1..bytes.len() {
            assert!(unpack_members(block, &bytes[..length]).count() <= 4, "cut at {length}");
        }
        assert!(unpack_members(KeptBlock(0), &[0xff; 40]).any(|member| member.is_err()));
        assert!(unpack_reviews(KeptBlock(0), &[0x80, 0x80, 0x40, 0]).any(|review| review.is_err()));
    }
}
