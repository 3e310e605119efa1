//! The event log and the chunks that are made from it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use futures_util::TryStreamExt as _;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::super::{ChunkRow, LogRow, StoredChunk, pack, regroup, stretch};
use super::PostgresBulk;
use crate::domain::event::EventNameId;
use crate::domain::history::ChunkKey;
use crate::store::error::failed;
use crate::store::{ROWS, Result};

impl PostgresBulk {
    pub(in crate::store::bulk) async fn event_names(
        &mut self,
        names: Vec<String>,
    ) -> Result<HashMap<String, EventNameId>> {
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

    pub(in crate::store::bulk) async fn seen(&mut self, messages: Vec<(i64, String)>) -> Result<Vec<bool>> {
        let text = "SELECT given.place FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS given (hash, message, place)
            WHERE EXISTS (SELECT 1 FROM event_messages m JOIN events e ON e.id = m.event
                WHERE m.hash = given.hash AND e.message_id = given.message)";
        let mut seen = vec![false; messages.len()];
        for (number, part) in messages.chunks(ROWS).enumerate() {
            let places: Vec<i64> = (0..part.len()).map(|place| (number * ROWS + place) as i64).collect();
            let query =
                columns!(sqlx::query_scalar(text), part, |(hash, _)| *hash, |(_, message)| message.as_str());
            // Planned each time: a plan from when the log was empty would read all of it for every row.
            let found = query.bind(places).persistent(false).fetch_all(&mut *self.transaction).await;
            let found: Vec<i64> = found.map_err(failed(self.operation))?;
            for place in found {
                seen[place as usize] = true;
            }
        }
        Ok(seen)
    }

    pub(in crate::store::bulk) async fn append_log(
        &mut self,
        rows: Vec<LogRow>,
        hashes: Vec<(i64, i64)>,
        source: String,
        received_at: i64,
    ) -> Result<()> {
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
        Ok(())
    }

    pub(in crate::store::bulk) async fn append_chunks(&mut self, mut rows: Vec<LogRow>) -> Result<()> {
        let groups = regroup(&mut rows);
        let text = "SELECT last.id, last.heads, last.properties
            FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS given (first, next, place)
            LEFT JOIN LATERAL (
                SELECT id, heads, properties FROM history_chunks h
                WHERE h.id >= given.first AND h.id < given.next ORDER BY id DESC LIMIT 1
            ) AS last ON TRUE
            ORDER BY given.place";
        for part in groups.chunks(ROWS) {
            let query =
                columns!(sqlx::query(text), part, |group| stretch(group.name, group.block).start, |group| {
                    stretch(group.name, group.block).end
                },);
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
        let text = "INSERT INTO history_chunks (id, latest, heads, properties)
            SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[])
            ON CONFLICT (id) DO UPDATE
            SET latest = excluded.latest, heads = excluded.heads, properties = excluded.properties";
        for part in chunks.chunks(ROWS) {
            let query = columns!(
                sqlx::query(text),
                part,
                |chunk| chunk.key.number(),
                |chunk| chunk.latest,
                |chunk| chunk.heads.as_slice(),
                |chunk| chunk.properties.as_slice(),
            );
            query.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        }
        Ok(())
    }

    pub(in crate::store::bulk) async fn mark_recorded(
        &mut self,
        deliveries: Vec<i64>,
        now: i64,
    ) -> Result<HashSet<i64>> {
        let text =
            "UPDATE deliveries SET recorded_at = $2 WHERE id = ANY($1) AND recorded_at IS NULL RETURNING id";
        let query = sqlx::query_scalar(text).bind(deliveries).bind(now);
        let marked: Vec<i64> =
            query.fetch_all(&mut *self.transaction).await.map_err(failed(self.operation))?;
        Ok(marked.into_iter().collect())
    }

    pub(in crate::store::bulk) async fn read_chunks(
        &mut self,
        ranges: Vec<Range<i64>>,
    ) -> Result<Vec<ChunkRow>> {
        let text = "SELECT h.id, h.latest, h.heads, h.properties
            FROM unnest($1::bigint[], $2::bigint[]) AS given (first, next)
            CROSS JOIN LATERAL (SELECT * FROM history_chunks WHERE id >= given.first AND id < given.next) AS h
            ORDER BY h.id";
        let query = columns!(sqlx::query(text), ranges, |range| range.start, |range| range.end);
        let rows = query.fetch_all(&mut *self.transaction).await.map_err(failed(self.operation))?;
        let read = |row: &PgRow| {
            Ok(ChunkRow {
                key: ChunkKey::of(row.try_get(0)?),
                latest: row.try_get(1)?,
                heads: row.try_get(2)?,
                properties: row.try_get(3)?,
            })
        };
        rows.iter().map(read).collect::<sqlx::Result<_>>().map_err(failed(self.operation))
    }

    pub(in crate::store::bulk) async fn replace_chunks(
        &mut self,
        ranges: Vec<Range<i64>>,
        chunks: Vec<ChunkRow>,
    ) -> Result<()> {
        let text =
            "DELETE FROM history_chunks h USING unnest($1::bigint[], $2::bigint[]) AS given (first, next)
            WHERE h.id >= given.first AND h.id < given.next";
        let remove = columns!(sqlx::query(text), ranges, |range| range.start, |range| range.end);
        remove.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        self.write_chunks(&chunks).await
    }

    pub(in crate::store::bulk) async fn read_log(
        &mut self,
        text: &'static str,
        [from, to, from_contact, to_contact]: [i64; 4],
    ) -> Result<Vec<LogRow>> {
        let mut stream = sqlx::query(text)
            .bind(from)
            .bind(to)
            .bind(from_contact)
            .bind(to_contact)
            .fetch(&mut *self.transaction);
        let read = |row: &PgRow| -> sqlx::Result<LogRow> {
            Ok(LogRow {
                id: row.try_get(0)?,
                contact: row.try_get(1)?,
                name: row.try_get(2)?,
                at: row.try_get(3)?,
                message_id: None,
                properties: row.try_get(4)?,
            })
        };
        let mut rows = Vec::new();
        while let Some(row) = stream.try_next().await.map_err(failed(self.operation))? {
            rows.push(read(&row).map_err(failed(self.operation))?);
        }
        Ok(rows)
    }
}

fn read_last(row: &PgRow) -> sqlx::Result<Option<StoredChunk>> {
    let number: Option<i64> = row.try_get(0)?;
    let Some(ChunkKey { sequence, .. }) = number.map(ChunkKey::of) else { return Ok(None) };
    Ok(Some(StoredChunk { sequence, heads: row.try_get(1)?, properties: row.try_get(2)? }))
}
