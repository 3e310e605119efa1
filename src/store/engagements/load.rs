//! Mails with their hits and what was read of them, within the transaction that reads them.

use std::collections::HashMap;

use super::{Engagement, HITS_AT_ONCE, KeptHit, Known, MailHits, TrackedMail};
use crate::domain::campaign::Tracking;
use crate::domain::consent::ConsentState;
use crate::domain::contact::ContactId;
use crate::domain::delivery::{DeliveryId, DeliveryState, RunId};
use crate::domain::engagement::{Agent, EngagementKind, Hit, HitSubject, Reading, RequestFacts, Rule};
use crate::domain::time::Timestamp;
use crate::store::bulk::{Bulk, Cell};
use crate::store::dialect::{given_numbers, join_in_this_order};
use crate::store::error::unknown_word;
use crate::store::merges::ADDRESSEE;
use crate::store::statement::numbers_json;
use crate::store::{ROWS, Result};

/// One row of a query.
struct Row(Vec<Cell>);

impl Row {
    fn optional(&self, column: usize) -> Option<i64> {
        self.0.get(column).and_then(Cell::number)
    }

    fn number(&self, column: usize) -> i64 {
        self.optional(column).unwrap_or_default()
    }

    fn text(&self, column: usize) -> Option<&str> {
        self.0.get(column).and_then(Cell::text)
    }

    fn owned(&self, column: usize) -> Option<String> {
        self.text(column).map(str::to_owned)
    }
}

/// These deliveries, in order; those that do not exist are left out.
pub(super) async fn tracked(bulk: &mut Bulk, deliveries: &[DeliveryId]) -> Result<Vec<TrackedMail>> {
    let (given, join) = (given_numbers(bulk.backend(), 1, "id"), join_in_this_order(bulk.backend()));
    let text = format!(
        "SELECT d.id, d.run, r.campaign, c.id, d.version, d.state, d.settled_at,
            COALESCE(d.transmitting_at, d.first_claimed_at), d.tracking, CAST(c.tracking AS BIGINT)
         FROM {given} AS g {join} deliveries d ON d.id = g.id {join} runs r ON r.id = d.run
         LEFT JOIN contacts c ON c.id = {ADDRESSEE} ORDER BY d.id"
    );
    let mut mails = Vec::with_capacity(deliveries.len());
    for part in deliveries.chunks(ROWS) {
        let numbers = numbers_json(part.iter().map(|delivery| delivery.0));
        let rows = bulk.rows_with(&text, vec![Cell::from(numbers)]).await?;
        mails.extend(rows.into_iter().map(|row| mail(&Row(row))));
    }
    Ok(mails)
}

/// These mails with their first [`HITS_AT_ONCE`] hits, and with what was read of them.
pub(super) async fn with_hits(bulk: &mut Bulk, mails: Vec<TrackedMail>) -> Result<Vec<MailHits>> {
    let (given, join) = (given_numbers(bulk.backend(), 1, "id"), join_in_this_order(bulk.backend()));
    let numbers = numbers_json(mails.iter().map(|mail| mail.delivery.0));
    let mut ask = async |text: String| -> Result<Vec<Row>> {
        let rows = bulk.rows_with(&text, vec![Cell::from(numbers.as_str())]).await?;
        Ok(rows.into_iter().map(Row).collect())
    };
    let mut mails: Vec<MailHits> =
        mails.into_iter().map(|mail| MailHits { mail, hits: Vec::new(), known: Vec::new() }).collect();
    let place: HashMap<DeliveryId, usize> =
        mails.iter().enumerate().map(|(place, mail)| (mail.mail.delivery, place)).collect();
    let rows = ask(format!(
        "SELECT delivery, file, place, kind, link, at, head, user_agent, network, accept, accept_language,
            accept_encoding, fetch_mode, purpose, agent, rule
         FROM (
            SELECT h.*, ROW_NUMBER() OVER (PARTITION BY h.delivery ORDER BY h.at, h.file, h.place) AS nth
            FROM {given} AS g {join} hits h ON h.delivery = g.id
         ) AS numbered WHERE nth <= {HITS_AT_ONCE} ORDER BY delivery, nth"
    ));
    for row in rows.await? {
        if let Some(place) = place.get(&DeliveryId(row.number(0))) {
            mails[*place].hits.push(hit(&row)?);
        }
    }
    let rows = ask(format!(
        "SELECT e.delivery, e.kind, e.link, e.at, e.agent, e.rule, e.event
         FROM {given} AS g {join} engagements e ON e.delivery = g.id"
    ));
    for row in rows.await? {
        if let Some(place) = place.get(&DeliveryId(row.number(0))) {
            let table = "engagements";
            let (kind, link, at) = (kind(table, &row, 1)?, row.number(2), row.number(3));
            let reading = reading(table, row.text(4).unwrap_or_default(), row.text(5).unwrap_or_default())?;
            let engagement = Engagement { kind, link, at: Timestamp::from_micros(at), reading };
            mails[*place].known.push(Known { engagement, event: row.optional(6) });
        }
    }
    Ok(mails)
}

fn mail(row: &Row) -> TrackedMail {
    let state = row.text(5).and_then(DeliveryState::from_word);
    // An uncertain mail was handed over after it was noted that it would be.
    let accepted_at = match state {
        Some(DeliveryState::Accepted) => row.optional(6),
        Some(DeliveryState::Uncertain) => row.optional(7),
        _ => None,
    };
    TrackedMail {
        delivery: DeliveryId(row.number(0)),
        run: RunId(row.number(1)),
        campaign: row.owned(2).unwrap_or_default(),
        contact: row.optional(3).map(ContactId),
        version: row.owned(4),
        is_in_transit: matches!(state, Some(DeliveryState::Claimed | DeliveryState::Transmitting)),
        accepted_at: accepted_at.map(Timestamp::from_micros),
        tracking: row.text(8).and_then(Tracking::from_word),
        consent: ConsentState::from_code(row.number(9) as i16),
    }
}

fn hit(row: &Row) -> Result<KeptHit> {
    let reading = match (row.text(14), row.text(15)) {
        (Some(agent), Some(rule)) => Some(reading("hits", agent, rule)?),
        _ => None,
    };
    Ok(KeptHit {
        key: (row.number(1), row.number(2)),
        hit: Hit {
            kind: kind("hits", row, 3)?,
            subject: HitSubject::Delivery(DeliveryId(row.number(0))),
            link: row.number(4),
            at: Timestamp::from_micros(row.number(5)),
            request: RequestFacts {
                head: row.number(6) != 0,
                user_agent: row.owned(7),
                network: row.owned(8),
                accept: row.owned(9),
                accept_language: row.owned(10),
                accept_encoding: row.number(11) != 0,
                fetch: row.owned(12),
                purpose: row.owned(13),
            },
        },
        reading,
    })
}

fn kind(table: &'static str, row: &Row, column: usize) -> Result<EngagementKind> {
    let word = row.text(column).unwrap_or_default();
    EngagementKind::from_word(word).ok_or_else(|| unknown_word(table, "kind", word))
}

fn reading(table: &'static str, agent: &str, rule: &str) -> Result<Reading> {
    Ok(Reading {
        agent: Agent::from_word(agent).ok_or_else(|| unknown_word(table, "agent", agent))?,
        rule: Rule::from_word(rule).ok_or_else(|| unknown_word(table, "rule", rule))?,
    })
}
