//! What evaluations changed is written, in one transaction; erased contacts are taken out.

use std::collections::BTreeMap;
use std::iter::Peekable;

use super::super::bulk::{Bulk, Cell};
use super::super::kept::{KeptRow, KeptTable, Wanted};
use super::super::reviews::{self, ReviewGroup, Reviews};
use super::super::{Result, Store, StoreError, passages};
use super::{EntryCause, Evaluated, Member, SegmentId, blocks_of, unpacked};
use crate::domain::contact::ContactId;
use crate::domain::membership::{KeptBlock, pack_members};
use crate::domain::roster::Roster;
use crate::domain::time::Timestamp;

/// What an evaluation changed in one segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentChange {
    /// Which.
    pub segment: SegmentId,
    /// New members.
    pub entered: Roster,
    /// Former members.
    pub left: Roster,
    /// Why they entered or left …
    pub cause: EntryCause,
    /// … but for these, in the order of their numbers.
    pub other_causes: Vec<(ContactId, EntryCause)>,
    /// Former members who are nobody any more, having become others: they did not leave.
    pub gone: Roster,
    /// The evaluation before, from which this one went out; `None`: it is the first.
    pub before: Option<Evaluated>,
    /// How it was evaluated.
    pub evaluated: Evaluated,
}

/// Writes what evaluations changed: who entered and who left is logged, but not at a segment's first
/// evaluation, which says nothing of when they came. What is `undeclared` loses its fingerprint: reviews do not
/// speak of it any more, so all of it is evaluated anew when it comes back.
///
/// Nothing is written, and it fails with [`StoreError::EvaluatedMeanwhile`], when one of the segments was evaluated since
/// `before`: whoever stood still over its evaluation must not undo what others found out later.
pub async fn apply(
    store: &Store,
    changes: &[SegmentChange],
    undeclared: &[SegmentId],
    group: ReviewGroup,
    reviews: &Reviews,
    now: Timestamp,
) -> Result<()> {
    let mut bulk = Bulk::begin(store, "write memberships").await?;
    for SegmentId(segment) in undeclared {
        bulk.execute("UPDATE segments SET fingerprint = '' WHERE id = $1", &[*segment]).await?;
    }
    for change in changes {
        apply_change(&mut bulk, change, now).await?;
    }
    reviews::write(&mut bulk, group, reviews).await?;
    bulk.commit().await
}

async fn apply_change(bulk: &mut Bulk, change: &SegmentChange, now: Timestamp) -> Result<()> {
    note_evaluation(bulk, change).await?;
    if change.before.is_some() {
        passages::log(bulk, change, now).await?;
    }
    let touched = change.entered.iter().chain(change.left.iter()).chain(change.gone.iter());
    let mut touched = blocks_of(touched);
    touched.sort_unstable();
    touched.dedup();
    let (Some(first), Some(last)) = (touched.first(), touched.last()) else { return Ok(()) };
    let rows = if last.0 - first.0 < 2 * touched.len() as i64 {
        // Most are meant: in one stretch with those between them.
        Wanted::Between(change.segment.row(*first), change.segment.row(*last) + 1)
    } else {
        Wanted::These(touched.iter().map(|block| change.segment.row(*block)).collect())
    };
    let old = bulk.read_kept(KeptTable::Members, rows).await?;
    let mut old: BTreeMap<i64, KeptRow> = old.into_iter().map(|row| (row.id, row)).collect();
    let mut entered = change.entered.iter().peekable();
    let (mut left, mut gone) = (change.left.iter().peekable(), change.gone.iter().peekable());
    let (mut written, mut emptied) = (Vec::with_capacity(touched.len()), Vec::new());
    for block in touched {
        let id = change.segment.row(block);
        let old = old.remove(&id);
        let mut members = old.as_ref().map_or(Ok(Vec::new()), unpacked)?;
        for former in [of_block(&mut left, block), of_block(&mut gone, block)] {
            members.retain(|member| former.binary_search(&member.contact).is_err());
        }
        add(&mut members, &of_block(&mut entered, block), now);
        if members.is_empty() {
            emptied.push(id);
        } else {
            let number = members.len() as i64;
            let payload = pack_members(block, members);
            if old.is_none_or(|old| old.payload != payload) {
                written.push(KeptRow { id, number, payload });
            }
        }
    }
    bulk.write_kept(KeptTable::Members, written, emptied).await
}

/// Notes how a segment was evaluated, unless somebody else did so since. Takes the row lock behind which other writers of
/// this segment wait.
async fn note_evaluation(bulk: &mut Bulk, change: &SegmentChange) -> Result<()> {
    const NOTE: &str = "UPDATE segments SET evaluated_at = $2, fingerprint = $3, contacts_mark = $4, events_mark = $5 WHERE id = $1";
    let cells = |evaluated: &Evaluated| -> [Cell; 4] {
        let Evaluated { at, fingerprint, mark } = evaluated;
        [at.micros().into(), fingerprint.as_str().into(), mark.contacts.into(), mark.events.into()]
    };
    let mut noted = vec![change.segment.0.into()];
    noted.extend(cells(&change.evaluated));
    let as_before = match &change.before {
        None => " AND evaluated_at IS NULL",
        Some(before) => {
            noted.extend(cells(before));
            " AND evaluated_at = $6 AND fingerprint = $7 AND contacts_mark = $8 AND events_mark = $9"
        }
    };
    match bulk.execute_with(&format!("{NOTE}{as_before}"), noted).await? {
        0 => Err(StoreError::EvaluatedMeanwhile),
        _ => Ok(()),
    }
}

/// The next contacts, as long as they are of this block.
fn of_block(rest: &mut Peekable<impl Iterator<Item = ContactId>>, block: KeptBlock) -> Vec<ContactId> {
    std::iter::from_fn(|| rest.next_if(|contact| KeptBlock::of(*contact) == block)).collect()
}

/// Adds those who entered. Somebody who entered although present stays since when they came.
fn add(members: &mut Vec<Member>, entered: &[ContactId], now: Timestamp) {
    let present = members.len();
    for contact in entered {
        let is_present = members[..present].binary_search_by_key(contact, |member| member.contact).is_ok();
        if !is_present {
            members.push(Member { contact: *contact, entered_at: now });
        }
    }
    if present > 0 {
        members.sort_unstable_by_key(|member| member.contact);
    }
}

/// Takes contacts that were erased out of all segments, out of what is known of their coming and going, and
/// out of what is to be looked at again.
pub(in crate::store) async fn forget(store: &Store, contacts: &[ContactId]) -> Result<()> {
    let mut bulk = Bulk::begin(store, "take an erased contact out of segments").await?;
    let segments = bulk.numbers("SELECT id FROM segments ORDER BY id", &[]).await?;
    let segments: Vec<_> = segments.into_iter().map(SegmentId).collect();
    for contact in contacts {
        let block = KeptBlock::of(*contact);
        let numbers = segments.iter().map(|segment| segment.row(block)).collect();
        let (mut written, mut emptied) = (Vec::new(), Vec::new());
        for row in bulk.read_kept(KeptTable::Members, Wanted::These(numbers)).await? {
            let mut members = unpacked(&row)?;
            let before = members.len();
            members.retain(|member| member.contact != *contact);
            if members.is_empty() {
                emptied.push(row.id);
            } else if members.len() < before {
                let number = members.len() as i64;
                written.push(KeptRow { number, payload: pack_members(block, members), ..row });
            }
        }
        bulk.write_kept(KeptTable::Members, written, emptied).await?;
        bulk.execute("DELETE FROM membership_changes WHERE contact = $1", &[contact.0]).await?;
        reviews::forget(&mut bulk, *contact, &segments).await?;
    }
    bulk.commit().await
}
