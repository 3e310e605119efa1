//! Bulk writing on `PostgreSQL`: columns travel as arrays, thousands of rows a statement.

use std::collections::HashMap;

use sqlx::postgres::{PgPool, PgRow};
use sqlx::{Postgres, Row as _, Transaction};

use super::{ChunkRow, Identity, LogRow, StoredChunk, pack, regroup};
use crate::domain::consent::{Consent, ConsentState};
use crate::domain::contact::{ConsentUpdate, Contact, ContactId};
use crate::domain::event::EventNameId;
use crate::domain::time::Timestamp;
use crate::store::error::failed;
use crate::store::identity::fold;
use crate::store::{ROWS, Result};

/// See the module.
pub(in crate::store) struct PostgresBulk {
    transaction: Transaction<'static, Postgres>,
    operation: &'static str,
}

/// One array per field of some rows.
macro_rules! columns {
    ($query:expr, $rows:expr, $($field:expr),* $(,)?) => {
        $query$(.bind($rows.iter().map($field).collect::<Vec<_>>()))*
    };
}

const CONTACT_FIELDS: &str =
    "unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[])
    AS given (id, key, external_id, email, email_folded, time_zone, language, created_at,
        marketing, marketing_since, tracking, tracking_since, attributes)";

impl PostgresBulk {
    pub(super) async fn begin(pool: &PgPool, operation: &'static str) -> Result<Self> {
        Ok(Self { transaction: pool.begin().await.map_err(failed(operation))?, operation })
    }

    pub(super) async fn commit(self) -> Result<()> {
        self.transaction.commit().await.map_err(failed(self.operation))
    }

    pub(super) async fn draw(&mut self, counter: &'static str, count: i64) -> Result<i64> {
        let text = "UPDATE counters SET value = value + $2 WHERE name = $1 RETURNING value";
        let query = sqlx::query_scalar(text).bind(counter).bind(count);
        query.fetch_one(&mut *self.transaction).await.map_err(failed(self.operation))
    }

    pub(super) async fn contacts(&mut self, ids: Vec<String>, emails: Vec<String>) -> Result<Vec<Contact>> {
        let texts = (
            "SELECT * FROM contacts WHERE external_id = ANY($1)",
            "SELECT * FROM contacts WHERE email_folded = ANY($1)",
        );
        self.look_up(texts, &ids, &emails, read_contact).await
    }

    pub(super) async fn identities(
        &mut self,
        ids: Vec<String>,
        emails: Vec<String>,
    ) -> Result<Vec<Identity>> {
        let texts = (
            "SELECT id, external_id, email_folded FROM contacts WHERE external_id = ANY($1)",
            "SELECT id, external_id, email_folded FROM contacts WHERE email_folded = ANY($1)",
        );
        let read = |row: &PgRow| {
            Ok(Identity {
                id: ContactId(row.try_get("id")?),
                external_id: row.try_get("external_id")?,
                email_folded: row.try_get("email_folded")?,
            })
        };
        self.look_up(texts, &ids, &emails, read).await
    }

    async fn look_up<T>(
        &mut self,
        (by_id, by_email): (&'static str, &'static str),
        ids: &[String],
        emails: &[String],
        read: fn(&PgRow) -> sqlx::Result<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        for (text, texts) in [(by_id, ids), (by_email, emails)] {
            for part in texts.chunks(ROWS) {
                let rows = sqlx::query(text).bind(part).fetch_all(&mut *self.transaction).await;
                for row in rows.map_err(failed(self.operation))? {
                    found.push(read(&row).map_err(failed(self.operation))?);
                }
            }
        }
        Ok(found)
    }

    pub(super) async fn free_emails(&mut self, contacts: Vec<i64>) -> Result<()> {
        let text = "UPDATE contacts SET email_folded = NULL WHERE id = ANY($1)";
        let query = sqlx::query(text).bind(contacts);
        query.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        Ok(())
    }

    pub(super) async fn insert_contacts(&mut self, rows: Vec<Contact>, change: i64, now: i64) -> Result<()> {
        let text = format!(
            "INSERT INTO contacts (id, key, external_id, email, email_folded, time_zone, language, created_at,
                marketing, marketing_since, tracking, tracking_since, attributes, change, updated_at)
             SELECT given.*, $14, $15 FROM {CONTACT_FIELDS}"
        );
        self.write_contacts(text, &rows, change, now).await
    }

    pub(super) async fn update_contacts(&mut self, rows: Vec<Contact>, change: i64, now: i64) -> Result<()> {
        let text = format!(
            "UPDATE contacts SET key = given.key, external_id = given.external_id, email = given.email,
                email_folded = given.email_folded, time_zone = given.time_zone, language = given.language,
                created_at = given.created_at, marketing = given.marketing,
                marketing_since = given.marketing_since, tracking = given.tracking,
                tracking_since = given.tracking_since, attributes = given.attributes,
                change = $14, updated_at = $15
             FROM {CONTACT_FIELDS} WHERE contacts.id = given.id"
        );
        self.write_contacts(text, &rows, change, now).await
    }

    async fn write_contacts(&mut self, text: String, rows: &[Contact], change: i64, now: i64) -> Result<()> {
        for part in rows.chunks(ROWS) {
            let query = columns!(
                sqlx::query(sqlx::AssertSqlSafe(text.clone())),
                part,
                |row| row.id.0,
                |row| row.key.as_str(),
                |row| row.external_id.as_deref(),
                |row| row.email.as_deref(),
                |row| row.email.as_deref().map(fold),
                |row| row.time_zone.as_deref(),
                |row| row.language.as_deref(),
                |row| row.created_at.micros(),
                |row| i64::from(row.marketing.state.code()),
                |row| row.marketing.since.map(Timestamp::micros),
                |row| i64::from(row.tracking.state.code()),
                |row| row.tracking.since.map(Timestamp::micros),
                |row| row.attributes.as_str(),
            );
            let query = query.bind(change).bind(now);
            query.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        }
        Ok(())
    }

    pub(super) async fn add_consents(&mut self, rows: Vec<(ContactId, ConsentUpdate)>) -> Result<()> {
        let text = "INSERT INTO consent_changes (contact, purpose, at, state, source)
            SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])
            ON CONFLICT DO NOTHING";
        for part in rows.chunks(ROWS) {
            let query = columns!(
                sqlx::query(text),
                part,
                |(contact, _)| contact.0,
                |(_, consent)| consent.purpose.word(),
                |(_, consent)| consent.at.micros(),
                |(_, consent)| i64::from(consent.state.code()),
                |(_, consent)| consent.source.as_str(),
            );
            query.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        }
        Ok(())
    }

    pub(super) async fn execute(&mut self, text: &'static str, values: Vec<i64>) -> Result<u64> {
        let mut query = sqlx::query(text);
        for value in values {
            query = query.bind(value);
        }
        let result = query.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        Ok(result.rows_affected())
    }

    pub(super) async fn event_names(&mut self, names: Vec<String>) -> Result<HashMap<String, EventNameId>> {
        let find = "SELECT id, name FROM event_names WHERE name = ANY($1)";
        let insert = "INSERT INTO event_names (id, name)
            SELECT (SELECT COALESCE(MAX(id), 0) FROM event_names) + row_number() OVER (), given.name
            FROM unnest($1::text[]) AS given (name)
            WHERE NOT EXISTS (SELECT 1 FROM event_names known WHERE known.name = given.name)";
        let mut numbers = HashMap::with_capacity(names.len());
        for attempt in 0..2 {
            let rows = sqlx::query(find).bind(&names).fetch_all(&mut *self.transaction).await;
            for row in rows.map_err(failed(self.operation))? {
                let number: i64 = row.try_get(0).map_err(failed(self.operation))?;
                let name = row.try_get(1).map_err(failed(self.operation))?;
                numbers.insert(name, EventNameId(number as u32));
            }
            if attempt == 1 || names.iter().all(|name| numbers.contains_key(name)) {
                break;
            }
            let inserted = sqlx::query(insert).bind(&names).execute(&mut *self.transaction).await;
            inserted.map_err(failed(self.operation))?;
        }
        Ok(numbers)
    }

    pub(super) async fn seen(&mut self, messages: Vec<(i64, String)>) -> Result<Vec<bool>> {
        let text = "SELECT given.place FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS given (hash, message, place)
            WHERE EXISTS (SELECT 1 FROM event_messages m JOIN events e ON e.id = m.event
                WHERE m.hash = given.hash AND e.message_id = given.message)";
        let mut seen = vec![false; messages.len()];
        for (number, part) in messages.chunks(ROWS).enumerate() {
            let places: Vec<i64> = (0..part.len()).map(|place| (number * ROWS + place) as i64).collect();
            let query =
                columns!(sqlx::query_scalar(text), part, |(hash, _)| *hash, |(_, message)| message.as_str());
            let found: Vec<i64> =
                query.bind(places).fetch_all(&mut *self.transaction).await.map_err(failed(self.operation))?;
            for place in found {
                seen[place as usize] = true;
            }
        }
        Ok(seen)
    }

    pub(super) async fn append_log(
        &mut self,
        rows: Vec<LogRow>,
        hashes: Vec<(i64, i64)>,
        source: String,
        received_at: i64,
    ) -> Result<Vec<LogRow>> {
        let append = "INSERT INTO events (id, contact, name, at, message_id, properties, source, received_at)
            SELECT given.*, $7, $8
            FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[]) AS given";
        for part in rows.chunks(ROWS) {
            let query = columns!(
                sqlx::query(append),
                part,
                |row| row.id,
                |row| row.contact,
                |row| row.name,
                |row| row.at,
                |row| row.message_id.as_deref(),
                |row| row.properties.as_str(),
            );
            let query = query.bind(&source).bind(received_at);
            query.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        }
        let note =
            "INSERT INTO event_messages (hash, event) SELECT * FROM unnest($1::bigint[], $2::bigint[])";
        for part in hashes.chunks(ROWS) {
            let query = columns!(sqlx::query(note), part, |(hash, _)| *hash, |(_, event)| *event);
            query.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        }
        Ok(rows)
    }

    pub(super) async fn append_chunks(&mut self, mut rows: Vec<LogRow>) -> Result<()> {
        let groups = regroup(&mut rows);
        let text = "SELECT last.sequence, last.heads, last.properties
            FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS given (block, name, place)
            LEFT JOIN LATERAL (
                SELECT sequence, heads, properties FROM history_chunks h
                WHERE h.block = given.block AND h.name = given.name ORDER BY sequence DESC LIMIT 1
            ) AS last ON TRUE
            ORDER BY given.place";
        for part in groups.chunks(ROWS) {
            let query = columns!(sqlx::query(text), part, |group| group.block, |group| group.name);
            let stored = query.fetch_all(&mut *self.transaction).await.map_err(failed(self.operation))?;
            let mut chunks = Vec::with_capacity(part.len());
            for (group, row) in part.iter().zip(&stored) {
                let last = read_last(row).map_err(failed(self.operation))?;
                chunks.extend(pack(group.block, group.name, last.as_ref(), &rows[group.start..group.end])?);
            }
            self.write_chunks(&chunks).await?;
        }
        Ok(())
    }

    async fn write_chunks(&mut self, chunks: &[ChunkRow]) -> Result<()> {
        let text = "INSERT INTO history_chunks (block, name, sequence, heads, properties)
            SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[])
            ON CONFLICT (block, name, sequence)
            DO UPDATE SET heads = excluded.heads, properties = excluded.properties";
        for part in chunks.chunks(ROWS) {
            let query = columns!(
                sqlx::query(text),
                part,
                |chunk| chunk.block,
                |chunk| chunk.name,
                |chunk| chunk.sequence,
                |chunk| chunk.heads.as_slice(),
                |chunk| chunk.properties.as_slice(),
            );
            query.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        }
        Ok(())
    }

    pub(super) async fn successors(&mut self, contacts: Vec<i64>) -> Result<HashMap<i64, i64>> {
        let text = "SELECT former, contact FROM contact_merges WHERE former = ANY($1)";
        let pairs: Vec<(i64, i64)> = sqlx::query_as(text)
            .bind(contacts)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed(self.operation))?;
        Ok(pairs.into_iter().collect())
    }

    pub(super) async fn mark_recorded(&mut self, deliveries: Vec<i64>, now: i64) -> Result<()> {
        let query = sqlx::query("UPDATE deliveries SET recorded_at = $2 WHERE id = ANY($1)");
        let query = query.bind(deliveries).bind(now);
        query.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        Ok(())
    }

    pub(super) async fn read_blocks(&mut self, blocks: Vec<i64>) -> Result<Vec<ChunkRow>> {
        let text = "SELECT block, name, sequence, heads, properties FROM history_chunks
            WHERE block = ANY($1) ORDER BY block, name, sequence";
        let rows = sqlx::query(text).bind(blocks).fetch_all(&mut *self.transaction).await;
        let read = |row: &PgRow| {
            Ok(ChunkRow {
                block: row.try_get(0)?,
                name: row.try_get(1)?,
                sequence: row.try_get(2)?,
                heads: row.try_get(3)?,
                properties: row.try_get(4)?,
            })
        };
        let rows = rows.map_err(failed(self.operation))?;
        rows.iter().map(read).collect::<sqlx::Result<_>>().map_err(failed(self.operation))
    }

    pub(super) async fn replace_blocks(&mut self, blocks: Vec<i64>, chunks: Vec<ChunkRow>) -> Result<()> {
        let remove = sqlx::query("DELETE FROM history_chunks WHERE block = ANY($1)").bind(blocks);
        remove.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        self.write_chunks(&chunks).await
    }
}

fn read_last(row: &PgRow) -> sqlx::Result<Option<StoredChunk>> {
    let sequence: Option<i64> = row.try_get(0)?;
    let Some(sequence) = sequence else { return Ok(None) };
    Ok(Some(StoredChunk { sequence, heads: row.try_get(1)?, properties: row.try_get(2)? }))
}

fn read_contact(row: &PgRow) -> sqlx::Result<Contact> {
    let consent = |state: i64, since: Option<i64>| Consent {
        state: ConsentState::from_code(state as i16),
        since: since.map(Timestamp::from_micros),
    };
    Ok(Contact {
        id: ContactId(row.try_get("id")?),
        key: row.try_get("key")?,
        external_id: row.try_get("external_id")?,
        email: row.try_get("email")?,
        time_zone: row.try_get("time_zone")?,
        language: row.try_get("language")?,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        marketing: consent(row.try_get("marketing")?, row.try_get("marketing_since")?),
        tracking: consent(row.try_get("tracking")?, row.try_get("tracking_since")?),
        attributes: row.try_get("attributes")?,
    })
}
