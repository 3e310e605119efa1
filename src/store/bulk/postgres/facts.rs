//! Packed facts of contacts.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::PostgresBulk;
use crate::domain::consent::{Consent, ConsentState};
use crate::domain::contact::ContactId;
use crate::domain::facts::{Facts, FactsPacker};
use crate::domain::membership::{CONTACTS_PER_MEMBER_BLOCK, MemberBlock};
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::error::failed;

impl PostgresBulk {
    pub(in crate::store::bulk) async fn pack_facts(&mut self, blocks: Vec<MemberBlock>) -> Result<()> {
        let read = "SELECT id, marketing, marketing_since, tracking, tracking_since, created_at, time_zone
            FROM contacts WHERE id >= $1 AND id < $2 ORDER BY id";
        let write = "INSERT INTO contact_fact_blocks (block, payload) VALUES ($1, $2)
            ON CONFLICT (block) DO UPDATE SET payload = excluded.payload";
        for block in blocks {
            let first = block.first().0;
            let rows = sqlx::query(read).bind(first).bind(first + CONTACTS_PER_MEMBER_BLOCK);
            let rows = rows.fetch_all(&mut *self.transaction).await.map_err(failed(self.operation))?;
            let mut packer = FactsPacker::new(block);
            for row in &rows {
                packer.push(&facts(row).map_err(failed(self.operation))?);
            }
            let write = sqlx::query(write).bind(block.0).bind(packer.finish());
            write.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        }
        Ok(())
    }
}

fn facts(row: &PgRow) -> sqlx::Result<Facts<'_>> {
    let time = |column: usize| -> sqlx::Result<_> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
    };
    let state = |column: usize| -> sqlx::Result<_> {
        Ok(ConsentState::from_code(row.try_get::<i64, _>(column)? as i16))
    };
    Ok(Facts {
        id: ContactId(row.try_get(0)?),
        marketing: Consent { state: state(1)?, since: time(2)? },
        tracking: Consent { state: state(3)?, since: time(4)? },
        created_at: Timestamp::from_micros(row.try_get(5)?),
        time_zone: row.try_get(6)?,
    })
}
