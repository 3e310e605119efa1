//! Transactions that write in bulk: imports, and what is appended to histories. The steps are the same
//! on both databases; how many rows travel at once is not. `SQLite` runs prepared statements row by row
//! on a thread of its own; `PostgreSQL` is given columns as arrays.

mod cells;
mod packing;
mod postgres;
mod sqlite;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::connection::Load;
use super::facts::StaleBlock;
use super::kept::{KeptRow, KeptTable, Wanted};
use super::{Backend, Engine, Result, Store};
use crate::domain::contact::{ConsentUpdate, Contact, ContactId};
use crate::domain::event::EventNameId;
use crate::domain::history::{BlockId, ChunkKey};
use crate::edge;

pub(super) use cells::Cell;
pub(super) use packing::{StoredChunk, pack, regroup, unpack};
use postgres::PostgresBulk;
use sqlite::SqliteBulk;

/// Numbers that are drawn from the table `counters`. Drawing one locks it until the end of the
/// transaction, so that those who draw the same write one after the other, and greater numbers
/// appear later. Draw in the order of this list: else two transactions can wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counter {
    /// Numbers of batches that changed contacts.
    ContactChange,
    /// Numbers of contacts.
    Contact,
    /// Numbers of events.
    Event,
    /// The last event that is in the packed histories.
    EventPacked,
    /// How many contacts became others.
    ContactMerge,
    /// How many contacts were erased.
    ContactForgotten,
    /// How many rows were taken out of the log.
    EventRemoved,
    /// The last change of contacts that is in the packed facts.
    ContactPacked,
}

impl Counter {
    const fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::ContactChange => "contact_change",
            Self::ContactMerge => "contact_merge",
            Self::ContactForgotten => "contact_forgotten",
            Self::EventRemoved => "event_removed",
            Self::ContactPacked => "contact_packed",
            Self::Event => "event",
            Self::EventPacked => "event_packed",
        }
    }
}

/// A row of the log.
#[derive(Debug, Clone)]
pub(super) struct LogRow {
    pub(super) id: i64,
    pub(super) contact: i64,
    pub(super) name: i64,
    pub(super) at: i64,
    pub(super) message_id: Option<String>,
    pub(super) properties: String,
}

/// A chunk as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChunkRow {
    pub(super) key: ChunkKey,
    /// When the latest of its events happened.
    pub(super) latest: i64,
    pub(super) heads: Vec<u8>,
    pub(super) properties: Vec<u8>,
}

/// Who is behind an id or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) id: ContactId,
    pub(super) external_id: Option<String>,
    pub(super) email_folded: Option<String>,
}

/// A transaction that writes in bulk. Dropped without [`commit`](Self::commit), it changes nothing.
pub(super) enum Bulk {
    Sqlite(SqliteBulk),
    Postgres(PostgresBulk),
}

/// Calls a method of whichever transaction it is.
macro_rules! forward {
    ($bulk:expr, $method:ident ( $($argument:expr),* )) => {
        match $bulk {
            Bulk::Sqlite(bulk) => bulk.$method($($argument),*).await,
            Bulk::Postgres(bulk) => bulk.$method($($argument),*).await,
        }
    };
}

impl Bulk {
    /// Begins.
    pub(super) async fn begin(store: &Store, operation: &'static str) -> Result<Self> {
        Self::begin_with(store, Load::Little, operation).await
    }

    /// See [`begin`](Self::begin), for who knows how much it will be.
    pub(super) async fn begin_with(store: &Store, load: Load, operation: &'static str) -> Result<Self> {
        Ok(match &store.engine {
            Engine::Sqlite(file) => Self::Sqlite(SqliteBulk::begin(file, load, operation).await?),
            Engine::Postgres(pool, _) => Self::Postgres(PostgresBulk::begin(pool, operation).await?),
        })
    }

    /// Makes it all true.
    pub(super) async fn commit(self) -> Result<()> {
        let operation = match &self {
            Self::Sqlite(bulk) => bulk.operation,
            Self::Postgres(bulk) => bulk.operation,
        };
        edge::before_commit(operation);
        forward!(self, commit())?;
        edge::behind_commit(operation);
        Ok(())
    }

    /// Draws `count` numbers; gives the first.
    pub(super) async fn draw(&mut self, counter: Counter, count: usize) -> Result<i64> {
        let last: i64 = forward!(self, draw(counter.name(), count as i64))?;
        Ok(last - count as i64 + 1)
    }

    /// The number that was drawn last; waits for those who draw.
    pub(super) async fn last(&mut self, counter: Counter) -> Result<i64> {
        forward!(self, draw(counter.name(), 0))
    }

    /// Contacts with one of these ids or folded addresses, each once.
    pub(super) async fn contacts(&mut self, ids: Vec<String>, emails: Vec<String>) -> Result<Vec<Contact>> {
        let mut found = forward!(self, contacts(ids, emails))?;
        found.sort_unstable_by_key(|contact| contact.id);
        found.dedup_by_key(|contact| contact.id);
        Ok(found)
    }

    /// Who is behind these ids and folded addresses; some may come twice.
    pub(super) async fn identities(
        &mut self,
        ids: Vec<String>,
        emails: Vec<String>,
    ) -> Result<Vec<Identity>> {
        forward!(self, identities(ids, emails))
    }

    /// Frees the addresses of contacts that get others.
    pub(super) async fn free_emails(&mut self, contacts: Vec<i64>) -> Result<()> {
        forward!(self, free_emails(contacts))
    }

    /// Adds contacts.
    pub(super) async fn insert_contacts(&mut self, rows: Vec<Contact>, change: i64, now: i64) -> Result<()> {
        forward!(self, insert_contacts(rows, change, now))
    }

    /// Rewrites contacts.
    pub(super) async fn update_contacts(&mut self, rows: Vec<Contact>, change: i64, now: i64) -> Result<()> {
        forward!(self, update_contacts(rows, change, now))
    }

    /// Adds consents to the history.
    pub(super) async fn add_consents(&mut self, rows: Vec<(ContactId, ConsentUpdate)>) -> Result<()> {
        forward!(self, add_consents(rows))
    }

    /// Runs a statement with numbers for its values.
    pub(super) async fn execute(&mut self, text: &'static str, values: &[i64]) -> Result<u64> {
        forward!(self, execute(text, values.to_vec()))
    }

    /// Runs a statement with texts for its values (rows travel as JSON, see `dialect::given_rows`).
    pub(super) async fn change(&mut self, text: &str, values: Vec<String>) -> Result<u64> {
        forward!(self, change(text, values))
    }

    /// The rows of a query with texts for its values and texts in its columns.
    pub(super) async fn ask(&mut self, text: &str, values: Vec<String>) -> Result<Vec<Vec<Option<String>>>> {
        forward!(self, ask(text, values))
    }

    /// Which of the two it is.
    pub(super) const fn backend(&self) -> Backend {
        match self {
            Self::Sqlite(_) => Backend::Sqlite,
            Self::Postgres(_) => Backend::Postgres,
        }
    }

    /// The rows of a query with one column of numbers.
    pub(super) async fn numbers(&mut self, text: &'static str, values: &[i64]) -> Result<Vec<i64>> {
        forward!(self, numbers(text, values.to_vec()))
    }

    /// Packs the facts of the contacts of these blocks.
    pub(super) async fn pack_facts(&mut self, blocks: Vec<StaleBlock>) -> Result<()> {
        forward!(self, pack_facts(blocks))
    }

    /// The numbers of names on the wire, drawn for those that have none.
    pub(super) async fn event_names(&mut self, names: Vec<String>) -> Result<HashMap<String, EventNameId>> {
        forward!(self, event_names(names))
    }

    /// Which of these message ids (with their hashes) are in the log, by their place in the list.
    pub(super) async fn seen(&mut self, messages: Vec<(i64, String)>) -> Result<Vec<bool>> {
        forward!(self, seen(messages))
    }

    /// Appends to the log. `hashes`: (hash of a message id, event), sorted.
    pub(super) async fn append_log(
        &mut self,
        rows: Vec<LogRow>,
        hashes: Vec<(i64, i64)>,
        source: String,
        received_at: i64,
    ) -> Result<()> {
        forward!(self, append_log(rows, hashes, source, received_at))
    }

    /// Appends to packed histories.
    pub(super) async fn append_chunks(&mut self, rows: Vec<LogRow>) -> Result<()> {
        forward!(self, append_chunks(rows))
    }

    /// Which of these contacts became others, and whom.
    pub(super) async fn successors(&mut self, contacts: Vec<i64>) -> Result<HashMap<i64, i64>> {
        forward!(self, successors(contacts))
    }

    /// Notes that deliveries have their `email_sent` event.
    pub(super) async fn mark_recorded(&mut self, deliveries: Vec<i64>, now: i64) -> Result<HashSet<i64>> {
        forward!(self, mark_recorded(deliveries, now))
    }

    /// Rows of packed members or reviews, in the order of their numbers.
    pub(super) async fn read_kept(&mut self, table: KeptTable, wanted: Wanted) -> Result<Vec<KeptRow>> {
        forward!(self, read_kept(table, wanted))
    }

    /// Writes rows of packed members or reviews, and removes those that are empty now.
    pub(super) async fn write_kept(
        &mut self,
        table: KeptTable,
        rows: Vec<KeptRow>,
        emptied: Vec<i64>,
    ) -> Result<()> {
        forward!(self, write_kept(table, rows, emptied))
    }

    /// Events in a range of numbers, of contacts in a range of numbers, in order; of contacts that became
    /// others, as events of these.
    pub(super) async fn read_log(&mut self, events: Range<i64>, contacts: Range<i64>) -> Result<Vec<LogRow>> {
        let merged = self.last(Counter::ContactMerge).await? > 0;
        let text = if merged { READ_LOG_OF_MERGED } else { READ_LOG };
        forward!(self, read_log(text, [events.start, events.end, contacts.start, contacts.end]))
    }

    /// All chunks of some blocks, in the order of their keys.
    pub(super) async fn read_blocks(&mut self, blocks: Vec<i64>) -> Result<Vec<ChunkRow>> {
        let ranges = self.stretches(&blocks).await?;
        forward!(self, read_chunks(ranges))
    }

    /// Puts these chunks into the place of all chunks of some blocks.
    pub(super) async fn replace_blocks(&mut self, blocks: Vec<i64>, chunks: Vec<ChunkRow>) -> Result<()> {
        let ranges = self.stretches(&blocks).await?;
        forward!(self, replace_chunks(ranges, chunks))
    }

    /// All chunks of names and blocks, each pair once.
    pub(super) async fn read_stretches(&mut self, places: &[(i64, i64)]) -> Result<Vec<ChunkRow>> {
        let ranges = places.iter().map(|(name, block)| stretch(*name, *block)).collect();
        forward!(self, read_chunks(ranges))
    }

    /// Puts these chunks into the place of all chunks of names and blocks.
    pub(super) async fn replace_stretches(
        &mut self,
        places: &[(i64, i64)],
        chunks: Vec<ChunkRow>,
    ) -> Result<()> {
        let ranges = places.iter().map(|(name, block)| stretch(*name, *block)).collect();
        forward!(self, replace_chunks(ranges, chunks))
    }

    /// Where the chunks of these blocks lie: a range of numbers for each name and block.
    async fn stretches(&mut self, blocks: &[i64]) -> Result<Vec<Range<i64>>> {
        let names = self.numbers("SELECT id FROM event_names ORDER BY id", &[]).await?;
        let places = names.into_iter().flat_map(|name| blocks.iter().map(move |block| (name, *block)));
        Ok(places.map(|(name, block)| stretch(name, block)).collect())
    }
}

/// See [`Bulk::read_log`].
const READ_LOG: &str = "SELECT id, contact, name, at, properties FROM events
    WHERE id >= $1 AND id < $2 AND contact >= $3 AND contact < $4 ORDER BY id";

/// See [`Bulk::read_log`].
const READ_LOG_OF_MERGED: &str = "SELECT e.id, COALESCE(m.contact, e.contact), e.name, e.at, e.properties
    FROM events e LEFT JOIN contact_merges m ON m.former = e.contact
    WHERE e.id >= $1 AND e.id < $2
      AND COALESCE(m.contact, e.contact) >= $3 AND COALESCE(m.contact, e.contact) < $4
    ORDER BY e.id";

/// Where the chunks of a name and a block lie.
const fn stretch(name: i64, block: i64) -> Range<i64> {
    let name = EventNameId(name as u32);
    ChunkKey::first(name, BlockId(block))..ChunkKey::first(name, BlockId(block + 1))
}

/// The place of a contact in the packed histories.
pub(super) const fn place(contact: i64) -> (i64, u8) {
    let (block, slot) = BlockId::of(ContactId(contact));
    (block.0, slot)
}
