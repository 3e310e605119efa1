//! Readings of hits, engagements, and the events that say so, in one transaction.

use std::collections::HashMap;

use serde_json::json;

use super::{Engagement, HITS_AT_ONCE, MailHits, Settled, TrackedMail};
use crate::domain::contact::ContactId;
use crate::domain::engagement::{Agent, EngagementKind, Rule};
use crate::domain::event::NewEvent;
use crate::domain::time::Timestamp;
use crate::store::bulk::{Bulk, Cell};
use crate::store::dialect::Column::{Number, Text};
use crate::store::dialect::{given_numbers, given_rows, join_in_this_order};
use crate::store::events::{self, Anew};
use crate::store::statement::numbers_json;
use crate::store::{ROWS, Result};

/// Writes what was read of mails; the readings of those hits that `is_old` names by their keys: the others were
/// written with theirs.
pub(super) async fn settled(
    bulk: &mut Bulk,
    settled: &[Settled<'_>],
    is_old: impl Fn((i64, i64)) -> bool,
    edition: i64,
    now: Timestamp,
) -> Result<()> {
    let events = write_events(bulk, settled, now).await?;
    write_readings(bulk, settled, is_old).await?;
    write_engagements(bulk, settled, events, edition).await
}

/// The events of mails whose persons are known; gives the number of each engagement's.
async fn write_events(bulk: &mut Bulk, settled: &[Settled<'_>], now: Timestamp) -> Result<Vec<Option<i64>>> {
    let urls = urls(bulk, settled).await?;
    let mut written = Vec::new();
    for Settled { of: MailHits { mail, .. }, engagements, .. } in settled {
        let Some(contact) = mail.contact else { continue };
        written.extend(engagements.iter().map(|changed| Anew {
            event: event(mail, contact, &changed.engagement, &urls),
            before: changed.event_before,
        }));
    }
    let mut numbers = events::replace_within(bulk, &written, "campaignd", now).await?.into_iter();
    let engagements =
        settled.iter().flat_map(|settled| settled.engagements.iter().map(|_| settled.of.mail.contact));
    Ok(engagements.map(|contact| contact.and_then(|_| numbers.next().flatten())).collect())
}

async fn write_readings(
    bulk: &mut Bulk,
    settled: &[Settled<'_>],
    is_old: impl Fn((i64, i64)) -> bool,
) -> Result<()> {
    let columns = [("file", Number), ("place", Number), ("agent", Text), ("rule", Text)];
    let given = given_rows(bulk.backend(), 1, &columns);
    let text = format!(
        "UPDATE hits SET agent = g.agent, rule = g.rule FROM {given} AS g
         WHERE hits.file = g.file AND hits.place = g.place"
    );
    let rows: Vec<_> = settled
        .iter()
        .flat_map(|settled| &settled.hits)
        .filter(|(key, _)| is_old(*key))
        .map(|((file, place), reading)| json!([file, place, reading.agent.word(), reading.rule.word()]))
        .collect();
    for part in rows.chunks(ROWS) {
        bulk.execute_with(&text, vec![Cell::from(json!(part).to_string())]).await?;
    }
    let crowded: Vec<i64> = settled
        .iter()
        .filter(|settled| settled.of.hits.len() as i64 >= HITS_AT_ONCE)
        .map(|settled| settled.of.mail.delivery.0)
        .collect();
    if !crowded.is_empty() {
        let given = given_numbers(bulk.backend(), 1, "id");
        let text = format!(
            "UPDATE hits SET agent = $2, rule = $3
             WHERE agent IS NULL AND delivery IN (SELECT id FROM {given} AS g)"
        );
        let words = [Agent::Unknown.word(), Rule::Many.word()].map(Cell::from);
        let values = std::iter::once(Cell::from(numbers_json(crowded))).chain(words).collect();
        bulk.execute_with(&text, values).await?;
    }
    Ok(())
}

async fn write_engagements(
    bulk: &mut Bulk,
    settled: &[Settled<'_>],
    events: Vec<Option<i64>>,
    edition: i64,
) -> Result<()> {
    let columns = [
        ("delivery", Number),
        ("kind", Text),
        ("link", Number),
        ("agent", Text),
        ("rule", Text),
        ("at", Number),
        ("event", Number),
    ];
    let given = given_rows(bulk.backend(), 1, &columns);
    let text = format!(
        "INSERT INTO engagements (delivery, kind, link, agent, rule, at, event, rules)
         SELECT delivery, kind, link, agent, rule, at, event, $2 FROM {given} AS g WHERE TRUE
         ON CONFLICT (delivery, kind, link) DO UPDATE
         SET agent = excluded.agent, rule = excluded.rule, at = excluded.at, event = excluded.event,
             rules = excluded.rules"
    );
    let engagements = settled.iter().flat_map(|settled| {
        settled.engagements.iter().map(|changed| (settled.of.mail.delivery, &changed.engagement))
    });
    let rows = engagements.zip(events).map(|((delivery, Engagement { kind, link, at, reading }), event)| {
        let (agent, rule) = (reading.agent.word(), reading.rule.word());
        json!([delivery.0, kind.word(), link, agent, rule, at.micros(), event])
    });
    let rows: Vec<_> = rows.collect();
    for part in rows.chunks(ROWS) {
        bulk.execute_with(&text, vec![Cell::from(json!(part).to_string()), Cell::from(edition)]).await?;
    }
    Ok(())
}

/// The addresses of the links that were followed.
async fn urls(bulk: &mut Bulk, settled: &[Settled<'_>]) -> Result<HashMap<i64, String>> {
    let links =
        settled.iter().flat_map(|settled| &settled.engagements).map(|changed| changed.engagement.link);
    let mut links: Vec<i64> = links.filter(|link| *link != 0).collect();
    links.sort_unstable();
    links.dedup();
    let (given, join) = (given_numbers(bulk.backend(), 1, "number"), join_in_this_order(bulk.backend()));
    let text = format!("SELECT l.number, l.url FROM {given} AS g {join} links l ON l.number = g.number");
    let mut urls = HashMap::with_capacity(links.len());
    for part in links.chunks(ROWS) {
        let rows = bulk.rows_with(&text, vec![Cell::from(numbers_json(part.iter().copied()))]).await?;
        for row in rows {
            if let [number, url] = row.as_slice()
                && let (Some(number), Some(url)) = (number.number(), url.text())
            {
                urls.insert(number, url.to_owned());
            }
        }
    }
    Ok(urls)
}

/// The event of an engagement. Its message id is made from what it is about.
fn event(
    mail: &TrackedMail,
    contact: ContactId,
    engagement: &Engagement,
    urls: &HashMap<i64, String>,
) -> NewEvent {
    let delivery = mail.delivery.0;
    let name = engagement.kind.event();
    let mut properties = json!({
        "campaign": mail.campaign,
        "run": mail.run.0.to_string(),
        "delivery": delivery.to_string(),
        "version": mail.version,
        "by": engagement.reading.agent.word(),
    });
    let message_id = match engagement.kind {
        EngagementKind::Opened => format!("{name}:{delivery}"),
        EngagementKind::Clicked => {
            properties["link"] = json!(urls.get(&engagement.link));
            format!("{name}:{delivery}:{}", engagement.link)
        }
    };
    NewEvent {
        contact,
        name: name.to_owned(),
        at: engagement.at,
        message_id: Some(message_id),
        properties: properties.to_string(),
    }
}
