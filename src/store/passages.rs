//! The log of passages: who entered a segment or an audience and who left, and why.

use std::collections::BTreeMap;

use sea_orm::QueryResult;

use super::bulk::{Bulk, Cell};
use super::dialect::given_numbers;
use super::error::failed;
use super::memberships::{SegmentChange, SegmentId};
use super::statement::{numbers_json, query, query_value, values};
use super::{ROWS, Result, Store};
use crate::domain::contact::ContactId;
use crate::domain::membership::EntryCause;
use crate::domain::roster::Roster;
use crate::domain::time::Timestamp;

/// Somebody who entered or left, as it is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// Who.
    pub contact: ContactId,
    /// At which evaluation.
    pub at: Timestamp,
    /// Entered, or left.
    pub entered: bool,
}

/// Somebody who entered or left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    /// Who.
    pub contact: ContactId,
    /// When.
    pub at: Timestamp,
    /// Why, where that is known.
    pub cause: Option<EntryCause>,
}

/// Logs who entered and who left by an evaluation.
pub(super) async fn log(bulk: &mut Bulk, change: &SegmentChange, now: Timestamp) -> Result<()> {
    let SegmentId(segment) = change.segment;
    for (entered, contacts) in [(true, &change.entered), (false, &change.left)] {
        for (cause, contacts) in by_cause(change, contacts) {
            log_some(bulk, segment, (entered, cause), &contacts, now).await?;
        }
    }
    Ok(())
}

fn by_cause(change: &SegmentChange, contacts: &Roster) -> BTreeMap<EntryCause, Vec<i64>> {
    let other = |contact: &ContactId| {
        let place = change.other_causes.binary_search_by_key(contact, |(contact, _)| *contact);
        place.ok().map(|place| change.other_causes[place].1)
    };
    let mut by_cause: BTreeMap<EntryCause, Vec<i64>> = BTreeMap::new();
    for contact in contacts.iter() {
        by_cause.entry(other(&contact).unwrap_or(change.cause)).or_default().push(contact.0);
    }
    by_cause
}

async fn log_some(
    bulk: &mut Bulk,
    segment: i64,
    (entered, cause): (bool, EntryCause),
    contacts: &[i64],
    now: Timestamp,
) -> Result<()> {
    let given = given_numbers(bulk.backend(), 5, "contact");
    let insert = format!(
        "INSERT INTO membership_changes (segment, entered, at, contact, cause)
         SELECT $1, $2, $3, contact, $4 FROM {given} AS given WHERE true
         ON CONFLICT (segment, entered, at, contact) DO NOTHING"
    );
    for some in contacts.chunks(ROWS) {
        let given: Vec<Cell> = vec![
            segment.into(),
            i64::from(entered).into(),
            now.micros().into(),
            cause.word().into(),
            numbers_json(some.iter().copied()).into(),
        ];
        bulk.execute_with(&insert, given).await?;
    }
    Ok(())
}

/// Who entered last, latest first.
pub async fn lately_entered(store: &Store, segment: SegmentId, limit: u32) -> Result<Vec<Passage>> {
    lately(store, segment, true, limit, Timestamp::from_micros(i64::MAX)).await
}

/// Who left last, latest first.
pub async fn lately_left(store: &Store, segment: SegmentId, limit: u32) -> Result<Vec<Passage>> {
    lately(store, segment, false, limit, Timestamp::from_micros(i64::MAX)).await
}

/// Who entered, or left, last up to an instant; latest first.
pub async fn lately(
    store: &Store,
    segment: SegmentId,
    entered: bool,
    limit: u32,
    until: Timestamp,
) -> Result<Vec<Passage>> {
    let operation = "read who entered and left";
    let text = "SELECT contact, at, cause FROM membership_changes
        WHERE segment = $1 AND entered = $2 AND at <= $3 ORDER BY at DESC, contact LIMIT $4";
    let given = values![segment.0, i64::from(entered), until.micros(), i64::from(limit)];
    let read = |row: &QueryResult| -> Result<_, sea_orm::DbErr> {
        let at = Timestamp::from_micros(row.try_get_by_index(1)?);
        let word: Option<String> = row.try_get_by_index(2)?;
        let cause = EntryCause::ALL.into_iter().find(|cause| Some(cause.word()) == word.as_deref());
        Ok(Passage { contact: ContactId(row.try_get_by_index(0)?), at, cause })
    };
    let rows = query(&store.database, operation, text, given).await?;
    rows.iter().map(|row| read(row).map_err(failed(operation))).collect()
}

/// How many entered, or left, later than the one instant and not later than the other.
pub async fn count_passages(
    store: &Store,
    segment: SegmentId,
    entered: bool,
    (after, until): (Timestamp, Timestamp),
) -> Result<u64> {
    let text = "SELECT COUNT(*) FROM membership_changes
        WHERE segment = $1 AND entered = $2 AND at > $3 AND at <= $4";
    let given = values![segment.0, i64::from(entered), after.micros(), until.micros()];
    let count = query_value::<i64>(&store.database, "count who entered and left", text, given).await?;
    Ok(count.max(0) as u64)
}
