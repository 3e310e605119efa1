//! Contacts, their consents, and who became whom.

use std::collections::HashMap;

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::super::Identity;
use super::PostgresBulk;
use crate::domain::consent::{Consent, ConsentState};
use crate::domain::contact::{ConsentUpdate, Contact, ContactId};
use crate::domain::time::Timestamp;
use crate::store::error::failed;
use crate::store::identity::fold;
use crate::store::{ROWS, Result};

const CONTACT_FIELDS: &str =
    "unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[])
    AS given (id, key, external_id, email, email_folded, time_zone, language, created_at,
        marketing, marketing_since, tracking, tracking_since, attributes)";

impl PostgresBulk {
    pub(in crate::store::bulk) async fn contacts(
        &mut self,
        ids: Vec<String>,
        emails: Vec<String>,
    ) -> Result<Vec<Contact>> {
        let texts = (
            "SELECT * FROM contacts WHERE external_id = ANY($1)",
            "SELECT * FROM contacts WHERE email_folded = ANY($1)",
        );
        self.look_up(texts, &ids, &emails, read_contact).await
    }

    pub(in crate::store::bulk) async fn identities(
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

    pub(in crate::store::bulk) async fn free_emails(&mut self, contacts: Vec<i64>) -> Result<()> {
        let text = "UPDATE contacts SET email_folded = NULL WHERE id = ANY($1)";
        let query = sqlx::query(text).bind(contacts);
        query.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        Ok(())
    }

    pub(in crate::store::bulk) async fn insert_contacts(
        &mut self,
        rows: Vec<Contact>,
        change: i64,
        now: i64,
    ) -> Result<()> {
        let text = format!(
            "INSERT INTO contacts (id, key, external_id, email, email_folded, time_zone, language, created_at,
                marketing, marketing_since, tracking, tracking_since, attributes, change, updated_at)
             SELECT given.*, $14, $15 FROM {CONTACT_FIELDS}"
        );
        self.write_contacts(text, &rows, change, now).await
    }

    pub(in crate::store::bulk) async fn update_contacts(
        &mut self,
        rows: Vec<Contact>,
        change: i64,
        now: i64,
    ) -> Result<()> {
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

    pub(in crate::store::bulk) async fn add_consents(
        &mut self,
        rows: Vec<(ContactId, ConsentUpdate)>,
    ) -> Result<()> {
        let text = "INSERT INTO consent_changes (contact, purpose, at, state, source, words)
            SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[])
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
                |(_, consent)| consent.words.as_deref(),
            );
            query.execute(&mut *self.transaction).await.map_err(failed(self.operation))?;
        }
        Ok(())
    }

    pub(in crate::store::bulk) async fn successors(
        &mut self,
        contacts: Vec<i64>,
    ) -> Result<HashMap<i64, i64>> {
        let text = "SELECT former, contact FROM contact_merges WHERE former = ANY($1)";
        let pairs: Vec<(i64, i64)> = sqlx::query_as(text)
            .bind(contacts)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed(self.operation))?;
        Ok(pairs.into_iter().collect())
    }
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
