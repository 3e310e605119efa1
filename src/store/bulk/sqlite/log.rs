//! The event log and the chunks that are made from it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use rusqlite::params;

use super::super::{ChunkRow, LogRow, StoredChunk, pack, regroup, stretch};
use super::SqliteBulk;
use crate::domain::event::EventNameId;
use crate::domain::history::ChunkKey;
use crate::store::Result;

impl SqliteBulk {
    pub(in crate::store::bulk) async fn event_names(
        &mut self,
        names: Vec<String>,
    ) -> Result<HashMap<String, EventNameId>> {
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

    pub(in crate::store::bulk) async fn seen(&mut self, messages: Vec<(i64, String)>) -> Result<Vec<bool>> {
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

    pub(in crate::store::bulk) async fn append_log(
        &mut self,
        rows: Vec<LogRow>,
        hashes: Vec<(i64, i64)>,
        source: String,
        received_at: i64,
    ) -> Result<()> {
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
            Ok(())
        })
        .await
    }

    pub(in crate::store::bulk) async fn append_chunks(&mut self, mut rows: Vec<LogRow>) -> Result<()> {
        self.run_whole(move |connection| {
            let groups = regroup(&mut rows);
            let mut last = connection.prepare_cached(
                "SELECT id, heads, properties FROM history_chunks WHERE id >= ?1 AND id < ?2
                 ORDER BY id DESC LIMIT 1",
            )?;
            let mut write = connection.prepare_cached(WRITE_CHUNK)?;
            for group in groups {
                let Range { start, end } = stretch(group.name, group.block);
                let stored = last.query_row([start, end], |row| {
                    let ChunkKey { sequence, .. } = ChunkKey::of(row.get(0)?);
                    Ok(StoredChunk { sequence, heads: row.get(1)?, properties: row.get(2)? })
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

    pub(in crate::store::bulk) async fn mark_recorded(
        &mut self,
        deliveries: Vec<i64>,
        now: i64,
    ) -> Result<HashSet<i64>> {
        self.run(move |connection| {
            let mut mark = connection.prepare_cached(
                "UPDATE deliveries SET recorded_at = ?2 WHERE id = ?1 AND recorded_at IS NULL",
            )?;
            let mut marked = HashSet::with_capacity(deliveries.len());
            for delivery in deliveries {
                if mark.execute([delivery, now])? > 0 {
                    marked.insert(delivery);
                }
            }
            Ok(marked)
        })
        .await
    }

    pub(in crate::store::bulk) async fn read_chunks(
        &mut self,
        ranges: Vec<Range<i64>>,
    ) -> Result<Vec<ChunkRow>> {
        self.run(move |connection| {
            let mut read = connection.prepare_cached(
                "SELECT id, latest, heads, properties FROM history_chunks WHERE id >= ?1 AND id < ?2 ORDER BY id",
            )?;
            let mut chunks = Vec::new();
            for range in ranges {
                let rows = read.query_map([range.start, range.end], |row| {
                    Ok(ChunkRow {
                        key: ChunkKey::of(row.get(0)?),
                        latest: row.get(1)?,
                        heads: row.get(2)?,
                        properties: row.get(3)?,
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

    pub(in crate::store::bulk) async fn replace_chunks(
        &mut self,
        ranges: Vec<Range<i64>>,
        chunks: Vec<ChunkRow>,
    ) -> Result<()> {
        self.run(move |connection| {
            let mut remove =
                connection.prepare_cached("DELETE FROM history_chunks WHERE id >= ?1 AND id < ?2")?;
            for range in ranges {
                remove.execute([range.start, range.end])?;
            }
            let mut write = connection.prepare_cached(WRITE_CHUNK)?;
            chunks.iter().try_for_each(|chunk| write_chunk(&mut write, chunk))
        })
        .await
    }

    pub(in crate::store::bulk) async fn read_log(
        &mut self,
        text: &'static str,
        values: [i64; 4],
    ) -> Result<Vec<LogRow>> {
        let text = text.replace('$', "?");
        self.run(move |connection| {
            let mut read = connection.prepare_cached(&text)?;
            let rows = read.query_map(values, |row| {
                Ok(LogRow {
                    id: row.get(0)?,
                    contact: row.get(1)?,
                    name: row.get(2)?,
                    at: row.get(3)?,
                    message_id: None,
                    properties: row.get(4)?,
                })
            })?;
            rows.collect()
        })
        .await
    }
}

const WRITE_CHUNK: &str = "INSERT OR REPLACE INTO history_chunks (id, latest, heads, properties)
    VALUES (?1, ?2, ?3, ?4)";

fn write_chunk(statement: &mut rusqlite::Statement<'_>, chunk: &ChunkRow) -> rusqlite::Result<()> {
    statement.execute(params![chunk.key.number(), chunk.latest, chunk.heads, chunk.properties]).map(drop)
}
