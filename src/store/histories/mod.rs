//! The one door to histories: each contact with its packed events, in order of numbers.
//!
//! A pass is a merge of ordered streams, contacts by number and the chunks of each name by block, and
//! reads only what its [`Needs`] name; what is not packed yet is read from the log (`recent`). How the rows come differs by database: see `sqlite` and `postgres`.

mod postgres;
mod rebuild;
mod recent;
mod shown;
mod sqlite;
mod verify;

use std::ops::Range;

use super::statement::query;
use super::{Engine, Result, Store, StoreError, facts, tail};
use crate::domain::consent::{Consent, ConsentState};
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::history::{ContactPart, History, Needs};
use crate::domain::membership::CONTACTS_PER_MEMBER_BLOCK;
use crate::domain::time::Timestamp;
pub use rebuild::rebuild;
pub use shown::{Reading, Shown};
pub use verify::verify;

/// Somebody who looks at contacts, one after the other.
pub trait ContactVisitor: Send + 'static {
    /// Why it stops.
    type Error: std::error::Error + Send + 'static;

    /// Looks at one contact.
    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Self::Error>;
}

/// A visit that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum VisitError<E: std::error::Error + 'static> {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The visitor stopped.
    #[error(transparent)]
    Visitor(E),
}

/// What failing reads of a pass are called.
const OPERATION: &str = "read contacts and their histories";

/// Packs what is stored and not packed yet, so that the next reader need not.
pub async fn pack(store: &Store) -> Result<()> {
    tail::pack(store).await?;
    facts::pack(store).await
}

/// Shows all contacts: visitor i gets the i-th contiguous range of numbers, in order, all at the same
/// time, each range on a connection (and on `SQLite` a thread) of its own. Gives the visitors back.
pub async fn visit_all<V: ContactVisitor>(
    store: &Store,
    needs: &Needs,
    visitors: Vec<V>,
) -> Result<Vec<V>, VisitError<V::Error>> {
    tail::pack_if_long(store).await?;
    if needs.contact != ContactPart::Whole {
        facts::pack(store).await?;
    }
    visit_as_stored(store, needs, visitors).await
}

/// As [`visit_all`], but only reads: what is not packed yet is left so.
pub async fn visit_as_stored<V: ContactVisitor>(
    store: &Store,
    needs: &Needs,
    visitors: Vec<V>,
) -> Result<Vec<V>, VisitError<V::Error>> {
    let ranges = ranges(store, visitors.len()).await?;
    let mut passes = Vec::with_capacity(visitors.len());
    for (visitor, range) in visitors.into_iter().zip(ranges) {
        let needs = needs.clone();
        passes.push(match &store.engine {
            Engine::Sqlite(file) => {
                let file = file.clone();
                tokio::task::spawn_blocking(move || sqlite::pass(&file, range, &needs, visitor))
            }
            Engine::Postgres(pool, _) => {
                let pool = pool.clone();
                tokio::spawn(async move { postgres::pass(&pool, range, &needs, visitor).await })
            }
        });
    }
    let mut back = Vec::with_capacity(passes.len());
    for pass in passes {
        back.push(pass.await.map_err(|error| super::failed(OPERATION)(error))??);
    }
    Ok(back)
}

/// Shows some contacts, in the order of their numbers; unknown ones are left out.
pub async fn visit_some<V: ContactVisitor>(
    store: &Store,
    contacts: &[ContactId],
    needs: &Needs,
    visitor: V,
) -> Result<V, VisitError<V::Error>> {
    let mut visitors = visit_side_by_side(store, Shown::wholly(contacts), needs, vec![visitor]).await?;
    // As many come back as were sent.
    Ok(visitors.swap_remove(0))
}

/// As [`visit_some`], with several visitors at the same time: each is shown a contiguous part, and they come back
/// in the order of their parts.
pub async fn visit_side_by_side<V: ContactVisitor>(
    store: &Store,
    mut shown: Shown,
    needs: &Needs,
    visitors: Vec<V>,
) -> Result<Vec<V>, VisitError<V::Error>> {
    tail::pack_if_long(store).await?;
    let mut visits = Vec::with_capacity(visitors.len());
    let mut parts = visitors.len();
    for visitor in visitors {
        let part = shown.take_first(parts);
        parts -= 1;
        let needs = needs.clone();
        visits.push(match &store.engine {
            Engine::Sqlite(file) => {
                let file = file.clone();
                tokio::task::spawn_blocking(move || sqlite::visit_some(&file, &part, &needs, visitor))
            }
            Engine::Postgres(pool, _) => {
                let pool = pool.clone();
                tokio::spawn(async move { postgres::visit_some(&pool, &part, &needs, visitor).await })
            }
        });
    }
    let mut back = Vec::with_capacity(visits.len());
    for visit in visits {
        back.push(visit.await.map_err(|error| super::failed(OPERATION)(error))??);
    }
    Ok(back)
}

/// All numbers of contacts in as many contiguous ranges, cut where blocks of members are.
async fn ranges(store: &Store, parts: usize) -> Result<Vec<Range<i64>>> {
    // One by one: only a single MIN or MAX is answered by the ends of the index.
    let text =
        "SELECT COALESCE((SELECT MIN(id) FROM contacts), 0), COALESCE((SELECT MAX(id) FROM contacts), -1)";
    let rows = query(&store.database, OPERATION, text, vec![]).await?;
    let mut bounds = (0, -1);
    if let Some(row) = rows.first() {
        let read = |index| row.try_get_by_index::<i64>(index).map_err(super::failed(OPERATION));
        bounds = (read(0)?, read(1)?);
    }
    let parts = parts as i64;
    let first = bounds.0.div_euclid(CONTACTS_PER_MEMBER_BLOCK);
    let blocks = bounds.1.div_euclid(CONTACTS_PER_MEMBER_BLOCK) + 1 - first;
    let cut = |part: i64| (first + blocks * part / parts) * CONTACTS_PER_MEMBER_BLOCK;
    Ok((0..parts).map(|part| cut(part)..cut(part + 1)).collect())
}

/// The columns of a contact that a reader needs, for both databases; facts come first.
const fn contact_columns(part: &ContactPart) -> &'static str {
    match part {
        ContactPart::Facts => {
            "id, marketing, marketing_since, tracking, tracking_since, created_at, time_zone"
        }
        ContactPart::Attributes(_) | ContactPart::Whole => {
            "id, marketing, marketing_since, tracking, tracking_since, created_at, time_zone, key,
                external_id, email, language, attributes"
        }
    }
}

/// A consent from its two columns.
fn consent(state: i64, since: Option<i64>) -> Consent {
    let state = i16::try_from(state).map_or(ConsentState::Unknown, ConsentState::from_code);
    Consent { state, since: since.map(Timestamp::from_micros) }
}
