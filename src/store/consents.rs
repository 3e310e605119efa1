//! What people answer for themselves by what stands in their mails, and what they answered before. An answer
//! is one transaction: the contact, its history, the suppression and the event.

use std::collections::HashMap;

use sea_orm::FromQueryResult;
use serde_json::json;

use super::bulk::{Bulk, Cell, Counter};
use super::error::failed;
use super::log::{self, Arriving};
use super::merges::ADDRESSEE;
use super::statement::{query, query_as, values};
use super::suppressions::{self, Suppression};
use super::{Result, Store, uncertain};
use crate::domain::consent::{Consent, ConsentState, OwnAnswer, Purpose};
use crate::domain::contact::ContactId;
use crate::domain::delivery::{DeliveryId, Evidence, RunId, SuppressionCause};
use crate::domain::suppression::SuppressionTarget;
use crate::domain::time::Timestamp;

/// Whom a mail went to, and what they agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// Of which run the mail was.
    pub run: RunId,
    /// Of which campaign.
    pub campaign: String,
    /// The address, in lower case; `None`: the person was erased.
    pub address: Option<String>,
    /// The contact, as far as there still is one.
    pub contact: Option<AskedContact>,
    /// Whether the address is suppressed by something that its owner cannot take back: a bounce, a complaint,
    /// a list of the sender's.
    pub held_back: bool,
}

/// What pages need to know of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedContact {
    /// Who.
    pub id: ContactId,
    /// A language tag, if one is known.
    pub language: Option<String>,
    /// Consent to marketing.
    pub marketing: Consent,
    /// Consent to tracking.
    pub tracking: Consent,
}

/// What somebody answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// To what.
    pub purpose: Purpose,
    /// The answer.
    pub state: ConsentState,
    /// The words of the question.
    pub words: Option<String>,
}

/// An answer of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentChange {
    /// To what.
    pub purpose: Purpose,
    /// The answer.
    pub state: ConsentState,
    /// When.
    pub at: Timestamp,
    /// How.
    pub source: String,
    /// The words that were agreed to, where they are known.
    pub words: Option<String>,
}

#[derive(Debug, FromQueryResult)]
struct AddresseeRow {
    run: i64,
    campaign: String,
    address: Option<String>,
    contact: Option<i64>,
    language: Option<String>,
    marketing: Option<i64>,
    marketing_since: Option<i64>,
    tracking: Option<i64>,
    tracking_since: Option<i64>,
}

/// Whom the mail of a delivery went to; `None`: there is no such delivery.
pub async fn addressee(store: &Store, delivery: DeliveryId) -> Result<Option<Addressee>> {
    let text = format!(
        "SELECT d.run, r.campaign, d.address, c.id AS contact, c.language, c.marketing, c.marketing_since,
            c.tracking, c.tracking_since
         FROM deliveries d JOIN runs r ON r.id = d.run LEFT JOIN contacts c ON c.id = {ADDRESSEE} WHERE d.id = $1"
    );
    let operation = "look up whom a mail went to";
    let rows: Vec<AddresseeRow> = query_as(&store.database, operation, &text, values![delivery.0]).await?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let mut held_back = false;
    if let Some(address) = row.address.as_deref() {
        let found = suppressions::among(store, &[address]).await?;
        held_back = found.values().flatten().any(|suppression| !is_own(suppression));
    }
    let consent = |state: Option<i64>, since: Option<i64>| Consent {
        state: state.map_or(ConsentState::Unknown, |code| ConsentState::from_code(code as i16)),
        since: since.map(Timestamp::from_micros),
    };
    let contact = row.contact.map(|id| AskedContact {
        id: ContactId(id),
        language: row.language,
        marketing: consent(row.marketing, row.marketing_since),
        tracking: consent(row.tracking, row.tracking_since),
    });
    let (run, campaign) = (RunId(row.run), row.campaign);
    Ok(Some(Addressee { run, campaign, address: row.address, contact, held_back }))
}

/// Whether who it names made it themselves and may take it back.
fn is_own(suppression: &Suppression) -> bool {
    suppression.cause == SuppressionCause::Unsubscribe && OwnAnswer::is_source(&suppression.source)
}

/// Somebody wants no more marketing mail, by the mail of this delivery: their address is suppressed, their
/// consent is no, and `email_unsubscribed` is in the log, once a mail. It holds when this returns; again
/// changes nothing. False: there is no such delivery.
pub async fn unsubscribe(
    store: &Store,
    delivery: DeliveryId,
    how: OwnAnswer,
    words: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let words = words.map(str::to_owned);
    let no = Answer { purpose: Purpose::Marketing, state: ConsentState::No, words };
    let mut writing = Writing::begin(store, "unsubscribe an address").await?;
    let Some(mail) = writing.mail(delivery).await? else { return Ok(false) };
    writing.note(&mail, &no, how, now).await?;
    writing.leave(&mail, how, now).await?;
    writing.bulk.commit().await?;
    Ok(true)
}

/// Somebody answered on their page of preferences. An answer that is known changes nothing; no to marketing
/// is an unsubscription, and yes takes the suppression back that they had made themselves. False: there is
/// no such delivery.
pub async fn answer(store: &Store, delivery: DeliveryId, answers: &[Answer], now: Timestamp) -> Result<bool> {
    let how = OwnAnswer::PreferencesPage;
    let mut writing = Writing::begin(store, "save what somebody prefers").await?;
    let Some(mail) = writing.mail(delivery).await? else { return Ok(false) };
    for answer in answers {
        let is_news = writing.note(&mail, answer, how, now).await?;
        match (answer.purpose, answer.state) {
            (Purpose::Marketing, ConsentState::No) if is_news => writing.leave(&mail, how, now).await?,
            (Purpose::Marketing, ConsentState::Yes) => writing.come_back(&mail).await?,
            _ => {}
        }
    }
    writing.bulk.commit().await?;
    Ok(true)
}

/// What a contact answered, oldest first.
pub async fn history(store: &Store, contact: ContactId) -> Result<Vec<ConsentChange>> {
    let operation = "read a contact's consents";
    let text = "SELECT purpose, state, at, source, words FROM consent_changes WHERE contact = $1
        ORDER BY at, purpose, state";
    let rows = query(&store.database, operation, text, values![contact.0]).await?;
    let read = |row: &sea_orm::QueryResult| -> Result<ConsentChange, sea_orm::DbErr> {
        let purpose: String = row.try_get_by_index(0)?;
        Ok(ConsentChange {
            purpose: if purpose == Purpose::Tracking.word() { Purpose::Tracking } else { Purpose::Marketing },
            state: ConsentState::from_code(row.try_get_by_index::<i64>(1)? as i16),
            at: Timestamp::from_micros(row.try_get_by_index(2)?),
            source: row.try_get_by_index(3)?,
            words: row.try_get_by_index(4)?,
        })
    };
    rows.iter().map(|row| read(row).map_err(failed(operation))).collect()
}

/// A mail whose addressee answers.
struct Mail {
    delivery: i64,
    run: i64,
    campaign: String,
    version: Option<String>,
    address: Option<String>,
    /// The contact's number, present address and states.
    contact: Option<(i64, Option<String>, [i64; 2])>,
}

struct Writing {
    bulk: Bulk,
    change: i64,
}

impl Writing {
    async fn begin(store: &Store, operation: &'static str) -> Result<Self> {
        let mut bulk = Bulk::begin(store, operation).await?;
        // Drawn first: on PostgreSQL it puts those who write contacts in a row.
        let change = bulk.draw(Counter::ContactChange, 1).await?;
        Ok(Self { bulk, change })
    }

    async fn mail(&mut self, delivery: DeliveryId) -> Result<Option<Mail>> {
        let text = format!(
            "SELECT d.run, r.campaign, d.version, d.address, c.id, c.email, c.marketing, c.tracking
             FROM deliveries d JOIN runs r ON r.id = d.run LEFT JOIN contacts c ON c.id = {ADDRESSEE}
             WHERE d.id = $1"
        );
        let rows = self.bulk.rows_with(&text, vec![delivery.0.into()]).await?;
        let Some([run, campaign, version, address, contact, email, marketing, tracking]) =
            rows.first().and_then(|row| row.first_chunk())
        else {
            return Ok(None);
        };
        let states = [marketing, tracking].map(|state| state.number().unwrap_or_default());
        let text = |cell: &Cell| cell.text().map(str::to_owned);
        Ok(Some(Mail {
            delivery: delivery.0,
            run: run.number().unwrap_or_default(),
            campaign: text(campaign).unwrap_or_default(),
            version: text(version),
            address: text(address),
            contact: contact.number().map(|id| (id, text(email), states)),
        }))
    }

    /// Keeps an answer; says whether it is another than before.
    async fn note(&mut self, mail: &Mail, answer: &Answer, how: OwnAnswer, now: Timestamp) -> Result<bool> {
        let Some((contact, _, states)) = mail.contact else { return Ok(false) };
        let code = i64::from(answer.state.code());
        let (known, update) = match answer.purpose {
            Purpose::Marketing => (
                states[0],
                "UPDATE contacts SET marketing = $2, marketing_since = $3, change = $4, updated_at = $3
                 WHERE id = $1 AND (marketing <> $2 OR marketing_since < $3)",
            ),
            Purpose::Tracking => (
                states[1],
                "UPDATE contacts SET tracking = $2, tracking_since = $3, change = $4, updated_at = $3
                 WHERE id = $1 AND (tracking <> $2 OR tracking_since < $3)",
            ),
        };
        // A refusal holds from the last time that it was given: an agreement before that may come late.
        let is_news = known != code;
        if !is_news && answer.state != ConsentState::No {
            return Ok(false);
        }
        let given = [contact, code, now.micros(), self.change];
        if self.bulk.execute(update, &given).await? == 0 {
            return Ok(false);
        }
        let insert = "INSERT INTO consent_changes (contact, purpose, at, state, source, words)
            VALUES ($1, $2, $3, $4, $5, NULLIF($6, '')) ON CONFLICT DO NOTHING";
        let words = answer.words.as_deref().unwrap_or_default();
        let (purpose, source) = (answer.purpose.word(), how.word());
        let given = vec![
            contact.into(),
            purpose.into(),
            now.micros().into(),
            code.into(),
            source.into(),
            words.into(),
        ];
        self.bulk.execute_with(insert, given).await?;
        Ok(is_news)
    }

    /// No more marketing mail for this address.
    async fn leave(&mut self, mail: &Mail, how: OwnAnswer, now: Timestamp) -> Result<()> {
        let cause = SuppressionCause::Unsubscribe;
        if let Some(address) = &mail.address {
            let insert = "INSERT INTO suppressions (address, cause, scope, at, source)
                VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
            let target = SuppressionTarget::address(address);
            let (scope, at) = (cause.scope().word(), now.micros());
            let given =
                vec![target.as_str().into(), cause.word().into(), scope.into(), at.into(), how.word().into()];
            self.bulk.execute_with(insert, given).await?;
        }
        let note = "INSERT INTO unsubscribes (delivery, run, at, source) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING";
        let given = vec![mail.delivery.into(), mail.run.into(), now.micros().into(), how.word().into()];
        self.bulk.execute_with(note, given).await?;
        let evidence = [(DeliveryId(mail.delivery), Evidence::Unsubscribed)];
        uncertain::confirm(&mut self.bulk, &evidence).await?;
        let Some((contact, ..)) = mail.contact else { return Ok(()) };
        let message_id = format!("email_unsubscribed:{}", mail.delivery);
        let properties = json!({
            "campaign": mail.campaign,
            "run": mail.run.to_string(),
            "delivery": mail.delivery.to_string(),
            "version": mail.version,
            "by": "human",
        })
        .to_string();
        let event = Arriving {
            contact,
            name: "email_unsubscribed",
            at: now.micros(),
            message_id: Some(&message_id),
            comes_once: false,
            properties: &properties,
        };
        log::write(&mut self.bulk, &mut HashMap::new(), vec![event], "campaignd", now).await?;
        Ok(())
    }

    /// Takes back the suppressions that somebody made themselves.
    async fn come_back(&mut self, mail: &Mail) -> Result<()> {
        let [page, one_click, preferences] = OwnAnswer::ALL.map(OwnAnswer::word);
        let present = mail.contact.as_ref().and_then(|(_, email, _)| email.as_deref());
        for address in [mail.address.as_deref(), present].into_iter().flatten() {
            let delete =
                "DELETE FROM suppressions WHERE address = $1 AND cause = $2 AND source IN ($3, $4, $5)";
            let target = SuppressionTarget::address(address);
            let cause = SuppressionCause::Unsubscribe.word();
            let sources = [page, one_click, preferences].map(Cell::from);
            let given = [Cell::from(target.as_str()), cause.into()].into_iter().chain(sources).collect();
            self.bulk.execute_with(delete, given).await?;
        }
        Ok(())
    }
}
