//! Packed memberships: who is in a segment, since when and until when, in few rows. A row a member
//! costs more to write than the whole evaluation.
//!
//! A *member block* is [`CONTACTS_PER_MEMBER_BLOCK`] contacts with consecutive numbers. Its payload
//! holds those of them who are members, in the order of their numbers:
//!
//! ```text
//! members := (step from the previous contact: varint | entered_at − previous entered_at: zigzag varint, µs
//!             | until: varint, 0 for none, else 1 + zigzag of until − entered_at, µs)*
//! reviews := (step from the previous contact: varint | at − previous at: zigzag varint, µs)*
//! ```
//!
//! The first step counts from the block's first contact, the first times from 1970. The same members
//! have the same bytes, so that what did not change is not written.

use super::contact::ContactId;
use super::time::Timestamp;
use super::varint;

/// How many contacts share a block: a multiple of [`super::history::CONTACTS_PER_BLOCK`], so that ranges of
/// contacts cut neither.
pub const CONTACTS_PER_MEMBER_BLOCK: i64 = 4_096;

/// The number of a member block.
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

/// Why a contact entered.
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
    /// The earliest instant at which that may change without new data.
    pub until: Option<Timestamp>,
}

/// Bytes that are no payload of a member block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the packed memberships of block {block} are damaged; the next evaluation of all contacts writes them anew"
)]
pub struct DamagedMembers {
    /// Which block.
    pub block: i64,
}

/// Packs the members of one block. They are all of this block and in the order of their numbers.
pub fn pack_members(block: MemberBlock, members: impl IntoIterator<Item = Member>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut contact, mut entered_at) = (block.first().0, 0);
    for member in members {
        varint::push(&mut bytes, member.contact.0.wrapping_sub(contact) as u64);
        varint::push(&mut bytes, varint::zigzag(member.entered_at.micros().wrapping_sub(entered_at)));
        (contact, entered_at) = (member.contact.0, member.entered_at.micros());
        varint::push(
            &mut bytes,
            member
                .until
                .map_or(0, |until| varint::zigzag(until.micros().wrapping_sub(entered_at)).saturating_add(1)),
        );
    }
    bytes
}

/// The members of one block.
pub fn unpack_members(
    block: MemberBlock,
    bytes: &[u8],
) -> impl Iterator<Item = Result<Member, DamagedMembers>> {
    let mut reader = Reader { bytes, contact: block.first().0, at: 0 };
    std::iter::from_fn(move || {
        let (contact, entered_at) = match reader.step(block)? {
            Ok(step) => step,
            Err(damaged) => return Some(Err(damaged)),
        };
        let Some(until) = varint::take(&mut reader.bytes) else {
            reader.bytes = &[];
            return Some(Err(DamagedMembers { block: block.0 }));
        };
        let until =
            (until > 0).then(|| Timestamp::from_micros(entered_at.wrapping_add(varint::unzigzag(until - 1))));
        Some(Ok(Member { contact, entered_at: Timestamp::from_micros(entered_at), until }))
    })
}

/// Packs when contacts of one block are to be looked at again, in the order of their numbers.
pub fn pack_reviews(
    block: MemberBlock,
    reviews: impl IntoIterator<Item = (ContactId, Timestamp)>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut contact, mut previous) = (block.first().0, 0);
    for (next, at) in reviews {
        varint::push(&mut bytes, next.0.wrapping_sub(contact) as u64);
        varint::push(&mut bytes, varint::zigzag(at.micros().wrapping_sub(previous)));
        (contact, previous) = (next.0, at.micros());
    }
    bytes
}

/// When contacts of one block are to be looked at again.
pub fn unpack_reviews(
    block: MemberBlock,
    bytes: &[u8],
) -> impl Iterator<Item = Result<(ContactId, Timestamp), DamagedMembers>> {
    let mut reader = Reader { bytes, contact: block.first().0, at: 0 };
    std::iter::from_fn(move || {
        let step = reader.step(block)?;
        Some(step.map(|(contact, at)| (contact, Timestamp::from_micros(at))))
    })
}

struct Reader<'a> {
    bytes: &'a [u8],
    contact: i64,
    at: i64,
}

impl Reader<'_> {
    /// What both kinds of entries begin with.
    fn step(&mut self, block: MemberBlock) -> Option<Result<(ContactId, i64), DamagedMembers>> {
        if self.bytes.is_empty() {
            return None;
        }
        let step = varint::take(&mut self.bytes).zip(varint::take(&mut self.bytes)).map(|(step, at)| {
            self.contact = self.contact.wrapping_add(step as i64);
            self.at = self.at.wrapping_add(varint::unzigzag(at));
            (ContactId(self.contact), self.at)
        });
        let step = step.filter(|(contact, _)| MemberBlock::of(*contact) == block);
        if step.is_none() {
            self.bytes = &[];
        }
        Some(step.ok_or(DamagedMembers { block: block.0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_793_491_200_000_000;

    fn members() -> Vec<Member> {
        let member = |contact, entered_at, until: Option<i64>| Member {
            contact: ContactId(contact),
            entered_at: Timestamp::from_micros(entered_at),
            until: until.map(Timestamp::from_micros),
        };
        vec![
            member(8_192, NOW, None),
            member(8_193, NOW, Some(NOW + 86_400_000_000)),
            member(9_000, NOW - 5, Some(NOW)),
            member(12_287, -7, Some(i64::from(i32::MIN))),
        ]
    }

    #[test]
    fn what_is_packed_is_read() {
        let block = MemberBlock(2);
        let bytes = pack_members(block, members());
        let read: Result<Vec<_>, _> = unpack_members(block, &bytes).collect();
        assert_eq!(read, Ok(members()));
        let reviews: Vec<_> = members().iter().map(|member| (member.contact, member.entered_at)).collect();
        let bytes = pack_reviews(block, reviews.clone());
        assert_eq!(unpack_reviews(block, &bytes).collect::<Result<Vec<_>, _>>(), Ok(reviews));
        assert!(pack_members(block, []).is_empty() && unpack_members(block, &[]).next().is_none());
        assert_eq!(MemberBlock::of(ContactId(-1)), MemberBlock(-1));
    }

    #[test]
    fn damaged_payloads_are_found_and_end() {
        let block = MemberBlock(2);
        let bytes = pack_members(block, members());
        for length in 1..bytes.len() {
            assert!(unpack_members(block, &bytes[..length]).count() <= 4, "cut at {length}");
        }
        assert!(unpack_members(MemberBlock(0), &[0xff; 40]).any(|member| member.is_err()));
        assert!(unpack_reviews(MemberBlock(0), &[0x80, 0x80, 0x40, 0]).any(|review| review.is_err()));
    }
}
