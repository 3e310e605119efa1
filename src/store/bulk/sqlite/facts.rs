//! Packed facts of contacts.

use rusqlite::params;

use super::SqliteBulk;
use crate::domain::consent::{Consent, ConsentState};
use crate::domain::contact::ContactId;
use crate::domain::facts::{Facts, FactsPacker};
use crate::domain::membership::{CONTACTS_PER_MEMBER_BLOCK, MemberBlock};
use crate::domain::time::Timestamp;
use crate::store::Result;

impl SqliteBulk {
    pub(in crate::store::bulk) async fn pack_facts(&mut self, blocks: Vec<MemberBlock>) -> Result<()> {
        self.run(move |connection| {
            let mut read = connection.prepare_cached(
                "SELECT id, marketing, marketing_since, tracking, tracking_since, created_at, time_zone
                 FROM contacts WHERE id >= ?1 AND id < ?2 ORDER BY id",
            )?;
            let mut write = connection.prepare_cached(
                "INSERT OR REPLACE INTO contact_fact_blocks (block, payload) VALUES (?1, ?2)",
            )?;
            for block in blocks {
                let first = block.first().0;
                let mut packer = FactsPacker::new(block);
                let mut rows = read.query([first, first + CONTACTS_PER_MEMBER_BLOCK])?;
                while let Some(row) = rows.next()? {
                    packer.push(&facts(row)?);
                }
                write.execute(params![block.0, packer.finish()])?;
            }
            Ok(())
        })
        .await
    }
}

fn facts<'a>(row: &'a rusqlite::Row<'_>) -> rusqlite::Result<Facts<'a>> {
    let time = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp::from_micros));
    let state = |column| row.get(column).map(ConsentState::from_code);
    Ok(Facts {
        id: ContactId(row.get(0)?),
        marketing: Consent { state: state(1)?, since: time(2)? },
        tracking: Consent { state: state(3)?, since: time(4)? },
        created_at: Timestamp::from_micros(row.get(5)?),
        time_zone: row.get_ref(6)?.as_str_or_null()?,
    })
}
