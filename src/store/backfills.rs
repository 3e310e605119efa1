//! Which data came by import: facts of another time, which nobody is mailed for. Noted as ranges of
//! the numbers that batches of contacts and events have, in the transaction that writes them.

use std::collections::HashSet;

use super::bulk::Bulk;
use super::contacts::ChangeMark;
use super::statement::{query_column, query_value, values};
use super::{Result, Store};
use crate::domain::contact::ContactId;

/// What a range is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Batches of contacts (`contacts.change`).
    Contacts,
    /// Events.
    Events,
}

/// Notes that the numbers `first` to `last` came by import; batches that follow each other are one range.
pub(super) async fn note(bulk: &mut Bulk, kind: Kind, first: i64, last: i64) -> Result<()> {
    if last < first {
        return Ok(());
    }
    let (prolong, add) = match kind {
        Kind::Contacts => (
            "UPDATE backfills SET last = $2 WHERE kind = 'contacts' AND last = $1 - 1",
            "INSERT INTO backfills (kind, first, last) VALUES ('contacts', $1, $2)",
        ),
        Kind::Events => (
            "UPDATE backfills SET last = $2 WHERE kind = 'events' AND last = $1 - 1",
            "INSERT INTO backfills (kind, first, last) VALUES ('events', $1, $2)",
        ),
    };
    if bulk.execute(prolong, &[first, last]).await? == 0 {
        bulk.execute(add, &[first, last]).await?;
    }
    Ok(())
}

/// Contacts that an import touched after `from` and not after `to`.
pub async fn touched(store: &Store, from: ChangeMark, to: ChangeMark) -> Result<HashSet<ContactId>> {
    let operation = "see what came by import";
    let any = "SELECT COUNT(*) FROM backfills
        WHERE kind = 'contacts' AND last > $1 OR kind = 'events' AND last > $2";
    let given = values![from.contacts, from.events];
    if query_value::<i64>(&store.database, operation, any, given).await? == 0 {
        return Ok(HashSet::new());
    }
    let texts = [
        (
            "SELECT c.id FROM backfills b JOIN contacts c ON c.change >= b.first AND c.change <= b.last
             WHERE b.kind = 'contacts' AND b.last > $1 AND c.change > $1 AND c.change <= $2",
            from.contacts,
            to.contacts,
        ),
        (
            "SELECT DISTINCT COALESCE(m.contact, e.contact)
             FROM backfills b JOIN events e ON e.id >= b.first AND e.id <= b.last
             LEFT JOIN contact_merges m ON m.former = e.contact
             WHERE b.kind = 'events' AND b.last > $1 AND e.id > $1 AND e.id <= $2",
            from.events,
            to.events,
        ),
    ];
    let mut touched = HashSet::new();
    for (text, from, to) in texts {
        let found: Vec<i64> = query_column(&store.database, operation, text, values![from, to]).await?;
        touched.extend(found.into_iter().map(ContactId));
    }
    Ok(touched)
}
