//! Contacts, their consents, and who became whom.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};

use super::super::Identity;
use super::SqliteBulk;
use crate::domain::consent::{Consent, ConsentState};
use crate::domain::contact::{ConsentUpdate, Contact, ContactId};
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::identity::fold;

/// The columns of a contact, in the order of [`read_contact`].
const CONTACT_COLUMNS: &str = "id, key, external_id, email, time_zone, language, created_at, \
     marketing, marketing_since, tracking, tracking_since, attributes";

impl SqliteBulk {
    pub(in crate::store::bulk) async fn contacts(
        &mut self,
        ids: Vec<String>,
        emails: Vec<String>,
    ) -> Result<Vec<Contact>> {
        self.run(move |connection| look_up(connection, CONTACT_COLUMNS, &ids, &emails, read_contact)).await
    }

    pub(in crate::store::bulk) async fn identities(
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

    pub(in crate::store::bulk) async fn free_emails(&mut self, contacts: Vec<i64>) -> Result<()> {
        self.run(move |connection| {
            let mut free =
                connection.prepare_cached("UPDATE contacts SET email_folded = NULL WHERE id = ?1")?;
            contacts.iter().try_for_each(|contact| free.execute([contact]).map(drop))
        })
        .await
    }

    pub(in crate::store::bulk) async fn insert_contacts(
        &mut self,
        rows: Vec<Contact>,
        change: i64,
        now: i64,
    ) -> Result<()> {
        let text = "INSERT INTO contacts (id, key, external_id, email, email_folded, time_zone, language, created_at,
                marketing, marketing_since, tracking, tracking_since, attributes, change, updated_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
        self.write_contacts(text, rows, change, now).await
    }

    pub(in crate::store::bulk) async fn update_contacts(
        &mut self,
        rows: Vec<Contact>,
        change: i64,
        now: i64,
    ) -> Result<()> {
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

    pub(in crate::store::bulk) async fn add_consents(
        &mut self,
        rows: Vec<(ContactId, ConsentUpdate)>,
    ) -> Result<()> {
        self.run(move |connection| {
            let mut add = connection.prepare_cached(
                "INSERT INTO consent_changes (contact, purpose, at, state, source, words)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
            )?;
            for (contact, consent) in &rows {
                let (purpose, state) = (consent.purpose.word(), consent.state.code());
                let (at, source, words) = (consent.at.micros(), &consent.source, &consent.words);
                add.execute(params![contact.0, purpose, at, state, source, words])?;
            }
            Ok(())
        })
        .await
    }

    pub(in crate::store::bulk) async fn successors(
        &mut self,
        contacts: Vec<i64>,
    ) -> Result<HashMap<i64, i64>> {
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
