//! Packed facts and attributes of contacts.

use rusqlite::{Connection, Row, params};

use super::SqliteBulk;
use crate::domain::attributes::AttributesPacker;
use crate::domain::consent::{Consent, ConsentState};
use crate::domain::contact::ContactId;
use crate::domain::facts::{Facts, FactsPacker, repack};
use crate::domain::membership::{CONTACTS_PER_MEMBER_BLOCK, MemberBlock};
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::facts::StaleBlock;

impl SqliteBulk {
    pub(in crate::store::bulk) async fn pack_facts(&mut self, blocks: Vec<StaleBlock>) -> Result<()> {
        self.run(move |connection| {
            let mut write = connection.prepare_cached(
                "INSERT OR REPLACE INTO contact_fact_blocks (block, payload, attributes) VALUES (?1, ?2, ?3)",
            )?;
            for StaleBlock { block, changed } in blocks {
                let payload = match changed {
                    Some(changed) => replace_some(connection, block, &changed)?,
                    None => read_all(connection, block)?,
                };
                write.execute(params![block.0, payload, attributes(connection, block)?])?;
            }
            Ok(())
        })
        .await
    }
}

fn read_all(connection: &Connection, block: MemberBlock) -> rusqlite::Result<Vec<u8>> {
    let mut read = connection.prepare_cached(
        "SELECT id, marketing, marketing_since, tracking, tracking_since, created_at, time_zone
         FROM contacts WHERE id >= ?1 AND id < ?2 ORDER BY id",
    )?;
    let first = block.first().0;
    let mut packer = FactsPacker::new(block);
    let mut rows = read.query([first, first + CONTACTS_PER_MEMBER_BLOCK])?;
    while let Some(row) = rows.next()? {
        let zone = row.get_ref(6)?.as_str_or_null()?;
        packer.push(&Facts { time_zone: zone, ..facts(row)? });
    }
    Ok(packer.finish())
}

fn attributes(connection: &Connection, block: MemberBlock) -> rusqlite::Result<Vec<u8>> {
    let text = "SELECT attributes FROM contacts WHERE id >= ?1 AND id < ?2 ORDER BY id";
    let mut read = connection.prepare_cached(text)?;
    let first = block.first().0;
    let mut packer = AttributesPacker::default();
    let mut rows = read.query([first, first + CONTACTS_PER_MEMBER_BLOCK])?;
    while let Some(row) = rows.next()? {
        packer.push(row.get_ref(0)?.as_str_or_null()?.unwrap_or("{}"));
    }
    Ok(packer.finish())
}

fn replace_some(connection: &Connection, block: MemberBlock, changed: &[i64]) -> rusqlite::Result<Vec<u8>> {
    let mut find = connection.prepare_cached(
        "SELECT id, marketing, marketing_since, tracking, tracking_since, created_at, time_zone
         FROM contacts WHERE id = ?1",
    )?;
    let mut found = Vec::with_capacity(changed.len());
    for contact in changed {
        let read = |row: &Row<'_>| Ok((facts(row)?, row.get::<_, Option<String>>(6)?));
        found.push(match find.query_row([contact], read) {
            Err(rusqlite::Error::QueryReturnedNoRows) => (ContactId(*contact), None),
            row => (ContactId(*contact), Some(row?)),
        });
    }
    let new: Vec<_> = found
        .iter()
        .map(|(contact, found)| {
            (*contact, found.as_ref().map(|(facts, zone)| Facts { time_zone: zone.as_deref(), ..*facts }))
        })
        .collect();
    let text = "SELECT payload FROM contact_fact_blocks WHERE block = ?1";
    let old: Vec<u8> = connection.prepare_cached(text)?.query_row([block.0], |row| row.get(0))?;
    // A damaged block is made anew.
    repack(block, &old, &new).or_else(|_| read_all(connection, block))
}

/// All but the zone.
fn facts(row: &Row<'_>) -> rusqlite::Result<Facts<'static>> {
    let time = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp::from_micros));
    let state = |column| row.get(column).map(ConsentState::from_code);
    Ok(Facts {
        id: ContactId(row.get(0)?),
        marketing: Consent { state: state(1)?, since: time(2)? },
        tracking: Consent { state: state(3)?, since: time(4)? },
        created_at: Timestamp::from_micros(row.get(5)?),
        time_zone: None,
    })
}
