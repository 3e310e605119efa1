//! Bulk writing on `SQLite`: a connection of its own, and prepared statements, row by row. Calls of
//! [`run`](SqliteBulk::run) leave the asynchronous threads alone.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params, params_from_iter};

use super::{ChunkRow, Identity, LogRow, StoredChunk, pack, regroup};
use crate::domain::consent::{Consent, ConsentState};
use crate::domain::contact::{ConsentUpdate, Contact, ContactId};
use crate::domain::event::EventNameId;
use crate::domain::history::DamagedChunk;
use crate::domain::time::Timestamp;
use crate::store::connection::{SqliteFile, WriteTurn};
use crate::store::error::failed;
use crate::store::identity::fold;
use crate::store::{Result, StoreError};

/// See the module.
pub(in crate::store) struct SqliteBulk {
    /// Taken while a call runs; when that call is abandoned, the transaction is rolled back with it.
    connection: Option<Connection>,
    turn: WriteTurn,
    operation: &'static str,
}

/// The columns of a contact, in the order of [`read_contact`].
pub(in crate::store) const CONTACT_COLUMNS: &str = "id, key, external_id, email, time_zone, language, created_at, \
     marketing, marketing_since, tracking, tracking_since, attributes";

impl SqliteBulk {
    pub(super) async fn begin(file: &SqliteFile, operation: &'static str) -> Result<Self> {
        let mut turn = file.write_turn().await;
        let connection = match turn.take() {
            Some(connection) => connection,
            None => file.open_writer()?,
        };
        let mut bulk = Self { connection: Some(connection), turn, operation };
        bulk.run(|connection| connection.execute_batch("BEGIN IMMEDIATE")).await?;
        Ok(bulk)
    }

    pub(super) async fn commit(mut self) -> Result<()> {
        self.run(|connection| connection.execute_batch("COMMIT")).await?;
        *self.turn = self.connection.take();
        Ok(())
    }

    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run_whole(move |connection| work(connection).map_err(Stop::Sqlite)).await
    }

    async fn run_whole<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T> {
        // Without a connection an earlier call failed to give it back.
        let connection =
            self.connection.take().ok_or_else(|| failed(self.operation)(sqlx::Error::WorkerCrashed))?;
        let task = tokio::task::spawn_blocking(move || {
            let result = work(&connection);
            (connection, result)
        });
        let (connection, result) = task.await.map_err(failed(self.operation))?;
        self.connection = Some(connection);
        result.map_err(|stop| match stop {
            Stop::Sqlite(error) => failed(self.operation)(error),
            Stop::Damaged(damaged) => StoreError::Damaged(damaged),
        })
    }

    pub(super) async fn draw(&mut self, counter: &'static str, count: i64) -> Result<i64> {
        let text = "UPDATE counters SET value = value + ?2 WHERE name = ?1 RETURNING value";
        self.run(move |connection| {
            connection.prepare_cached(text)?.query_row(params![counter, count], |row| row.get(0))
        })
        .await
    }

    pub(super) async fn contacts(&mut self, ids: Vec<String>, emails: Vec<String>) -> Result<Vec<Contact>> {
        self.run(move |connection| look_up(connection, CONTACT_COLUMNS, &ids, &emails, read_contact)).await
    }

    pub(super) async fn identities(
        &mut self,
        ids: Vec<String>,
        emails: Vec<String>,
    ) -> Result<Vec<Identity>> {
        let read = |row: &Row<'_>| {
            Ok(Identity { id: ContactId(row.get(0)?), external_id: row.get(1)?, email_folded: row.get(2)? })
        };
        self.run(move |connection| look_up(connection, "id, external_id, email_folded", &ids, &emails, read))
            .await
    }

    pub(super) async fn free_emails(&mut self, contacts: Vec<i64>) -> Result<()> {
        self.run(move |connection| {
            let mut free =
                connection.prepare_cached("UPDATE contacts SET email_folded = NULL WHERE id = ?1")?;
            contacts.iter().try_for_each(|contact| free.execute([contact]).map(drop))
        })
        .await
    }

    pub(super) async fn insert_contacts(&mut self, rows: Vec<Contact>, change: i64, now: i64) -> Result<()> {
        let text = "INSERT INTO contacts (id, key, external_id, email, email_folded, time_zone, language, created_at,
                marketing, marketing_since, tracking, tracking_since, attributes, change, updated_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
        self.write_contacts(text, rows, change, now).await
    }

    pub(super) async fn update_contacts(&mut self, rows: Vec<Contact>, change: i64, now: i64) -> Result<()> {
        let text =
            "UPDATE contacts SET key = ?2, external_id = ?3, email = ?4, email_folded = ?5, time_zone = ?6,
                language = ?7, created_at = ?8, marketing = ?9, marketing_since = ?10, tracking = ?11,
                tracking_since = ?12, attributes = ?13, change = ?14, updated_at = ?15
            WHERE id = ?1";
        self.write_contacts(text, rows, change, now).await
    }

    async fn write_contacts(
        &mut self,
        text: &'static str,
        rows: Vec<Contact>,
        change: i64,
        now: i64,
    ) -> Result<()> {
        self.run(move |connection| {
            let mut write = connection.prepare_cached(text)?;
            for row in &rows {
                write.execute(params![
                    row.id.0,
                    row.key,
                    row.external_id,
                    row.email,
                    row.email.as_deref().map(fold),
                    row.time_zone,
                    row.language,
                    row.created_at.micros(),
                    row.marketing.state.code(),
                    row.marketing.since.map(Timestamp::micros),
                    row.tracking.state.code(),
                    row.tracking.since.map(Timestamp::micros),
                    row.attributes,
                    change,
                    now,
                ])?;
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn add_consents(&mut self, rows: Vec<(ContactId, ConsentUpdate)>) -> Result<()> {
        self.run(move |connection| {
            let mut add = connection.prepare_cached(
                "INSERT INTO consent_changes (contact, purpose, at, state, source) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO NOTHING",
            )?;
            for (contact, consent) in &rows {
                let (purpose, state) = (consent.purpose.word(), consent.state.code());
                add.execute(params![contact.0, purpose, consent.at.micros(), state, consent.source])?;
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn execute(&mut self, text: &'static str, values: Vec<i64>) -> Result<u64> {
        // `?1` is the first value; `$1` would be a name, numbered by where it stands.
        let text = text.replace('$', "?");
        self.run(move |connection| {
            let changed = connection.prepare_cached(&text)?.execute(params_from_iter(values))?;
            Ok(changed as u64)
        })
        .await
    }

    pub(super) async fn event_names(&mut self, names: Vec<String>) -> Result<HashMap<String, EventNameId>> {
        self.run(move |connection| {
            let mut insert = connection.prepare_cached(
                "INSERT INTO event_names (id, name) SELECT COALESCE(MAX(id), 0) + 1, ?1 FROM event_names",
            )?;
            let mut find = connection.prepare_cached("SELECT id FROM event_names WHERE name = ?1")?;
            let mut find = |name: &str| find.query_row([name], |row| row.get::<_, i64>(0));
            let mut numbers = HashMap::with_capacity(names.len());
            for name in names {
                let number = match find(&name) {
                    Err(rusqlite::Error::QueryReturnedNoRows) => {
                        insert.execute([&name])?;
                        find(&name)?
                    }
                    found => found?,
                };
                numbers.insert(name, EventNameId(number as u32));
            }
            Ok(numbers)
        })
        .await
    }

    pub(super) async fn seen(&mut self, messages: Vec<(i64, String)>) -> Result<Vec<bool>> {
        self.run(move |connection| {
            let mut find = connection.prepare_cached(
                "SELECT 1 FROM event_messages m CROSS JOIN events e ON e.id = m.event
                 WHERE m.hash = ?1 AND e.message_id = ?2 LIMIT 1",
            )?;
            let mut order: Vec<usize> = (0..messages.len()).collect();
            order.sort_unstable_by_key(|index| messages[*index].0);
            let mut seen = vec![false; messages.len()];
            for index in order {
                let (hash, message) = &messages[index];
                seen[index] = find.exists(params![hash, message])?;
            }
            Ok(seen)
        })
        .await
    }

    pub(super) async fn append_log(
        &mut self,
        rows: Vec<LogRow>,
        hashes: Vec<(i64, i64)>,
        source: String,
        received_at: i64,
    ) -> Result<Vec<LogRow>> {
        self.run(move |connection| {
            let mut append = connection.prepare_cached(
                "INSERT INTO events (id, contact, name, at, received_at, message_id, source, properties)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            for row in &rows {
                append.execute(params![
                    row.id,
                    row.contact,
                    row.name,
                    row.at,
                    received_at,
                    row.message_id,
                    source,
                    row.properties
                ])?;
            }
            let mut note =
                connection.prepare_cached("INSERT INTO event_messages (hash, event) VALUES (?1, ?2)")?;
            for (hash, event) in hashes {
                note.execute([hash, event])?;
            }
            drop((append, note));
            Ok(rows)
        })
        .await
    }

    pub(super) async fn append_chunks(&mut self, mut rows: Vec<LogRow>) -> Result<()> {
        self.run_whole(move |connection| {
            let groups = regroup(&mut rows);
            let mut last = connection.prepare_cached(
                "SELECT sequence, heads, properties FROM history_chunks
                 WHERE block = ?1 AND name = ?2 ORDER BY sequence DESC LIMIT 1",
            )?;
            let mut write = connection.prepare_cached(WRITE_CHUNK)?;
            for group in groups {
                let stored = last.query_row([group.block, group.name], |row| {
                    Ok(StoredChunk { sequence: row.get(0)?, heads: row.get(1)?, properties: row.get(2)? })
                });
                let stored = match stored {
                    Err(rusqlite::Error::QueryReturnedNoRows) => None,
                    stored => Some(stored?),
                };
                for chunk in pack(group.block, group.name, stored.as_ref(), &rows[group.start..group.end])? {
                    write_chunk(&mut write, &chunk)?;
                }
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn successors(&mut self, contacts: Vec<i64>) -> Result<HashMap<i64, i64>> {
        self.run(move |connection| {
            let mut find =
                connection.prepare_cached("SELECT contact FROM contact_merges WHERE former = ?1")?;
            let mut successors = HashMap::new();
            for contact in contacts {
                match find.query_row([contact], |row| row.get(0)) {
                    Err(rusqlite::Error::QueryReturnedNoRows) => {}
                    successor => drop(successors.insert(contact, successor?)),
                }
            }
            Ok(successors)
        })
        .await
    }

    pub(super) async fn mark_recorded(&mut self, deliveries: Vec<i64>, now: i64) -> Result<()> {
        self.run(move |connection| {
            let mut mark =
                connection.prepare_cached("UPDATE deliveries SET recorded_at = ?2 WHERE id = ?1")?;
            deliveries.into_iter().try_for_each(|delivery| mark.execute([delivery, now]).map(drop))
        })
        .await
    }

    pub(super) async fn read_blocks(&mut self, blocks: Vec<i64>) -> Result<Vec<ChunkRow>> {
        self.run(move |connection| {
            let mut read = connection.prepare_cached(
                "SELECT block, name, sequence, heads, properties FROM history_chunks
                 WHERE block = ?1 ORDER BY block, name, sequence",
            )?;
            let mut chunks = Vec::new();
            for block in blocks {
                let rows = read.query_map([block], |row| {
                    Ok(ChunkRow {
                        block: row.get(0)?,
                        name: row.get(1)?,
                        sequence: row.get(2)?,
                        heads: row.get(3)?,
                        properties: row.get(4)?,
                    })
                })?;
                for row in rows {
                    chunks.push(row?);
                }
            }
            Ok(chunks)
        })
        .await
    }

    pub(super) async fn replace_blocks(&mut self, blocks: Vec<i64>, chunks: Vec<ChunkRow>) -> Result<()> {
        self.run(move |connection| {
            let mut remove = connection.prepare_cached("DELETE FROM history_chunks WHERE block = ?1")?;
            for block in blocks {
                remove.execute([block])?;
            }
            let mut write = connection.prepare_cached(WRITE_CHUNK)?;
            chunks.iter().try_for_each(|chunk| write_chunk(&mut write, chunk))
        })
        .await
    }
}

/// Why work on the connection stopped.
enum Stop {
    Sqlite(rusqlite::Error),
    Damaged(DamagedChunk),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<DamagedChunk> for Stop {
    fn from(damaged: DamagedChunk) -> Self {
        Self::Damaged(damaged)
    }
}

const WRITE_CHUNK: &str = "INSERT OR REPLACE INTO history_chunks (block, name, sequence, heads, properties)
    VALUES (?1, ?2, ?3, ?4, ?5)";

fn write_chunk(statement: &mut rusqlite::Statement<'_>, chunk: &ChunkRow) -> rusqlite::Result<()> {
    let values = params![chunk.block, chunk.name, chunk.sequence, chunk.heads, chunk.properties];
    statement.execute(values).map(drop)
}

fn look_up<T>(
    connection: &Connection,
    columns: &str,
    ids: &[String],
    emails: &[String],
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut found = Vec::new();
    for (column, texts) in [("external_id", ids), ("email_folded", emails)] {
        let text = format!("SELECT {columns} FROM contacts WHERE {column} = ?1");
        let mut find = connection.prepare_cached(&text)?;
        for text in texts {
            match find.query_row([text], read) {
                Err(rusqlite::Error::QueryReturnedNoRows) => {}
                row => found.push(row?),
            }
        }
    }
    Ok(found)
}

/// Reads [`CONTACT_COLUMNS`].
fn read_contact(row: &Row<'_>) -> rusqlite::Result<Contact> {
    let consent = |state: usize| -> rusqlite::Result<Consent> {
        let since: Option<i64> = row.get(state + 1)?;
        Ok(Consent {
            state: ConsentState::from_code(row.get(state)?),
            since: since.map(Timestamp::from_micros),
        })
    };
    Ok(Contact {
        id: ContactId(row.get(0)?),
        key: row.get(1)?,
        external_id: row.get(2)?,
        email: row.get(3)?,
        time_zone: row.get(4)?,
        language: row.get(5)?,
        created_at: Timestamp::from_micros(row.get(6)?),
        marketing: consent(7)?,
        tracking: consent(9)?,
        attributes: row.get(11)?,
    })
}
