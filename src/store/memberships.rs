//! Memberships: who is in which segment, since when, and until when without new data.

use super::contacts::ChangeMark;
use super::{Result, Store};
use crate::domain::contact::ContactId;
use crate::domain::name::SegmentName;
use crate::domain::time::Timestamp;

/// The number under which the database knows a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub i64);

/// A segment as the database knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownSegment {
    /// Its number.
    pub id: SegmentId,
    /// Its name.
    pub name: SegmentName,
    /// When it was evaluated last, with which declaration and up to which data.
    pub evaluated: Option<Evaluated>,
}

/// An evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The instant of the evaluation.
    pub at: Timestamp,
    /// Fingerprint of the declaration and of all that it names.
    pub fingerprint: String,
    /// The data that it saw.
    pub mark: ChangeMark,
}

/// A current member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub contact: ContactId,
    /// Since when.
    pub entered_at: Timestamp,
    /// The earliest instant at which that may change without new data.
    pub until: Option<Timestamp>,
}

/// What an evaluation changed in one segment. Contacts are in the order of their numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentChange {
    /// Which.
    pub segment: SegmentId,
    /// New members with their `until`.
    pub entered: Vec<(ContactId, Option<Timestamp>)>,
    /// Former members.
    pub left: Vec<ContactId>,
    /// Members that stay, whose `until` is another.
    pub until: Vec<(ContactId, Option<Timestamp>)>,
    /// How it was evaluated.
    pub evaluated: Evaluated,
}

/// When contacts are to be looked at again although no data came in: the least `until` of all
/// answers, also of those that are no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reviews {
    /// They stay as they are.
    Keep,
    /// For all contacts: what is not named has none. In the order of numbers.
    All(Vec<(ContactId, Timestamp)>),
    /// For these contacts only. In the order of numbers.
    Some(Vec<(ContactId, Option<Timestamp>)>),
}

/// Somebody who entered or left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    /// Who.
    pub contact: ContactId,
    /// When.
    pub at: Timestamp,
}

/// The numbers of segments, given to those that have none yet; in the order of the names.
pub async fn ensure_segments(store: &Store, names: &[SegmentName]) -> Result<Vec<KnownSegment>> {
    todo!()
}

/// The members of a segment, in the order of their numbers.
pub async fn members(store: &Store, segment: SegmentId) -> Result<Vec<Member>> {
    todo!()
}

/// Which of these contacts are members, in the order of their numbers.
pub async fn members_among(store: &Store, segment: SegmentId, contacts: &[ContactId]) -> Result<Vec<Member>> {
    todo!()
}

/// Writes what evaluations changed, in one transaction: those who left become past intervals.
pub async fn apply(
    store: &Store,
    changes: &[SegmentChange],
    reviews: &Reviews,
    now: Timestamp,
) -> Result<()> {
    todo!()
}

/// Contacts to be looked at again at `now`, in the order of numbers.
pub async fn due_for_review(store: &Store, now: Timestamp) -> Result<Vec<ContactId>> {
    todo!()
}

/// How many members a segment has.
pub async fn count(store: &Store, segment: SegmentId) -> Result<u64> {
    todo!()
}

/// Some members, the first by number.
pub async fn sample(store: &Store, segment: SegmentId, limit: u32) -> Result<Vec<Member>> {
    todo!()
}

/// Who entered last, latest first.
pub async fn lately_entered(store: &Store, segment: SegmentId, limit: u32) -> Result<Vec<Passage>> {
    todo!()
}

/// Who left last, latest first.
pub async fn lately_left(store: &Store, segment: SegmentId, limit: u32) -> Result<Vec<Passage>> {
    todo!()
}
