//! Packed facts and attributes of contacts.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::PostgresBulk;
use crate::domain::attributes::AttributesPacker;
use crate::domain::consent::{Consent, ConsentState};
use crate::domain::contact::ContactId;
use crate::domain::facts::{Facts, FactsPacker, repack};
use crate::domain::membership::{CONTACTS_PER_MEMBER_BLOCK, MemberBlock};
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::error::failed;
use crate::store::facts::StaleBlock;

impl PostgresBulk {
    pub(in crate::store::bulk) async fn pack_facts(&mut self, blocks: Vec<StaleBlock>) -> Result<()> {
        let write = "INSERT INTO contact_fact_blocks (block, payload, attributes) VALUES ($1, $2, $3)
            ON CONFLICT (block) DO UPDATE SET payload = excluded.payload, attributes = excluded.attributes";
        for StaleBlock { block, changed } in blocks {
            let payload = match changed {
                Some(changed) => self.replace_some(block, changed).await?,
                None => self.read_all(block).await?,
            };
            let attributes = self.attributes(block).await?;
            let write = sqlx::query(write).bind(block.0).bind(payload).bind(attributes);
            write.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        }
        Ok(())
    }

    async fn read_all(&mut self, block: MemberBlock) -> Result<Vec<u8>> {
        let text = "SELECT id, marketing, marketing_since, tracking, tracking_since, created_at, time_zone
            FROM contacts WHERE id >= $1 AND id < $2 ORDER BY id";
        let first = block.first().0;
        let rows = sqlx::query(text).bind(first).bind(first + CONTACTS_PER_MEMBER_BLOCK);
        let rows = rows.fetch_all(&mut *self.transaction).await.map_err(failed(self.operation))?;
        let mut packer = FactsPacker::new(block);
        for row in &rows {
            packer.push(&facts(row).map_err(failed(self.operation))?);
        }
        Ok(packer.finish())
    }

    async fn attributes(&mut self, block: MemberBlock) -> Result<Vec<u8>> {
        let text = "SELECT attributes FROM contacts WHERE id >= $1 AND id < $2 ORDER BY id";
        let first = block.first().0;
        let rows = sqlx::query(text).bind(first).bind(first + CONTACTS_PER_MEMBER_BLOCK);
        let mut packer = AttributesPacker::default();
        for row in rows.fetch_all(&mut *self.transaction).await.map_err(failed(self.operation))? {
            packer.push(row.try_get(0).map_err(failed(self.operation))?);
        }
        Ok(packer.finish())
    }

    async fn replace_some(&mut self, block: MemberBlock, changed: Vec<i64>) -> Result<Vec<u8>> {
        let found = "SELECT id, marketing, marketing_since, tracking, tracking_since, created_at, time_zone
            FROM contacts WHERE id = ANY($1) ORDER BY id";
        let rows = sqlx::query(found).bind(&changed).fetch_all(&mut *self.transaction).await;
        let rows = rows.map_err(failed(self.operation))?;
        let found: Vec<_> =
            rows.iter().map(facts).collect::<sqlx::Result<_>>().map_err(failed(self.operation))?;
        let mut found = found.into_iter().peekable();
        let new: Vec<_> = changed
            .into_iter()
            .map(|contact| (ContactId(contact), found.next_if(|facts| facts.id.0 == contact)))
            .collect();
        let old =
            sqlx::query_scalar("SELECT payload FROM contact_fact_blocks WHERE block = $1").bind(block.0);
        let old: Vec<u8> = old.fetch_one(&mut *self.transaction).await.map_err(failed(self.operation))?;
        match repack(block, &old, &new) {
            Ok(payload) => Ok(payload),
            // A damaged block is made anew.
            Err(_) => self.read_all(block).await,
        }
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
