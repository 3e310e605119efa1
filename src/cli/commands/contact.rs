//! `campaignd contact`: one contact's whole story.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::Failure;
use crate::app::contact::{EngagementRow, MailRow, PastEvent, Story, find, story};
use crate::cli::arguments::Contact;
use crate::cli::exit::Exit;
use crate::cli::shown::{self, printable};
use crate::cli::terminal::Terminal;
use crate::domain::consent::Consent;
use crate::domain::time::{Timestamp, Zone};

use super::suppress::as_json as suppression_as_json;
use super::{counted, installation};

pub(super) async fn run(folder: &Path, call: &Contact, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation(folder).await?;
    let zone = installation.project.settings.time_zone;
    let contact = find(&installation, &call.contact).await?;
    let mut story = story(&installation, contact).await?;
    installation.close().await?;
    let events = story.events.len();
    if !call.export {
        story.events.truncate(call.events as usize);
    }
    if call.export || call.json {
        terminal.json(&as_json(&story, events, call.export))?;
    } else {
        terminal.result(&text(&story, events, zone))?;
    }
    Ok(Exit::Fine)
}

fn text(story: &Story, events: usize, zone: Zone) -> String {
    let contact = &story.contact;
    let since = |at: Option<Timestamp>| at.map(|at| format!(" since {}", shown::time(at, zone)));
    let consent =
        |consent: Consent| format!("{}{}", consent.state.word(), since(consent.since).unwrap_or_default());
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let facts = [
        ("id", known(&contact.external_id)),
        ("e-mail", known(&contact.email)),
        ("time zone", known(&contact.time_zone)),
        ("language", known(&contact.language)),
        ("created", shown::time(contact.created_at, zone)),
        ("marketing", consent(contact.marketing)),
        ("tracking", consent(contact.tracking)),
    ];
    let mut text = shown::lines(facts.iter().map(|(name, fact)| format!("{name:<11}{}", printable(fact))));
    let attributes: serde_json::Map<String, Value> =
        serde_json::from_str(&contact.attributes).unwrap_or_default();
    let mut section = |head: &[&str], rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            text += "\n";
            text += &shown::table(head, rows);
        }
    };
    section(
        &["attribute", "value"],
        attributes.iter().map(|(name, value)| vec![name.clone(), plain(value)]).collect(),
    );
    section(
        &["trait", "value"],
        story
            .traits
            .iter()
            .map(|(name, value)| vec![name.to_string(), plain(&shown::value_json(value))])
            .collect(),
    );
    section(
        &["score", "#value", "level"],
        story
            .scores
            .iter()
            .map(|(name, value, level)| {
                vec![name.to_string(), format!("{:.2}", value.value), level.clone().unwrap_or_default()]
            })
            .collect(),
    );
    section(
        &["consent", "answer", "when", "how"],
        story
            .consents
            .iter()
            .map(|change| {
                let (purpose, state) = (change.purpose.word().to_owned(), change.state.word().to_owned());
                vec![purpose, state, shown::time(change.at, zone), change.source.clone()]
            })
            .collect(),
    );
    section(
        &["held back by", "cause", "scope", "since", "source"],
        story
            .suppressions
            .iter()
            .map(|row| {
                let (cause, scope) = (row.cause.word().to_owned(), row.scope.word().to_owned());
                vec![row.target.to_string(), cause, scope, shown::time(row.at, zone), row.source.clone()]
            })
            .collect(),
    );
    section(
        &["segment", "since", "until, if nothing happens"],
        story
            .segments
            .iter()
            .map(|stay| {
                let until = stay.until.map(|at| shown::time(at, zone)).unwrap_or_default();
                vec![stay.segment.to_string(), shown::time(stay.since, zone), until]
            })
            .collect(),
    );
    section(
        &["mail of", "due", "version", "state", "reason", "opened", "clicked"],
        story.mails.iter().map(|mail| mail_row(story, mail, zone)).collect(),
    );
    section(
        &["event", "when", "properties"],
        story
            .events
            .iter()
            .map(|event| vec![event.name.clone(), shown::time(event.at, zone), event.properties.clone()])
            .collect(),
    );
    let more = events - story.events.len();
    if more > 0 {
        let more = counted(more as u64, "earlier event", "earlier events");
        text += &shown::lines([format!("… and {more}; --events N shows more")]);
    }
    text
}

fn mail_row(story: &Story, mail: &MailRow, zone: Zone) -> Vec<String> {
    let of_mail = |kind: &str| {
        let found = story.engagements.iter().filter(|row| row.delivery == mail.delivery && row.kind == kind);
        let agents: Vec<&str> = found.map(|row| row.agent.as_str()).collect();
        match agents.as_slice() {
            [] => String::new(),
            ["human"] => "yes".to_owned(),
            [one] => format!("by {one}"),
            all => format!("{} links", all.len()),
        }
    };
    vec![
        mail.campaign.clone(),
        shown::time(Timestamp::from_micros(mail.due_at), zone),
        mail.version.clone().unwrap_or_default(),
        mail.state.clone(),
        mail.reason.clone().unwrap_or_default().replace('_', " "),
        of_mail("opened"),
        of_mail("clicked"),
    ]
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// All of it; `whole` adds the evidence, for somebody who asks what is held on them.
fn as_json(story: &Story, events: usize, whole: bool) -> Value {
    let contact = &story.contact;
    let at = |micros: i64| Timestamp::from_micros(micros).to_string();
    let raw = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!({}));
    let consent = |consent: Consent| json!({ "state": consent.state.word(), "since": consent.since.map(|at| at.to_string()) });
    let mail = |mail: &MailRow| {
        json!({
            "delivery": mail.delivery, "run": mail.run, "campaign": mail.campaign, "due_at": at(mail.due_at),
            "version": mail.version, "address": mail.address, "state": mail.state, "reason": mail.reason,
            "tracking": mail.tracking, "settled_at": mail.settled_at.map(at), "answer": mail.reply_text,
        })
    };
    let engagement = |row: &EngagementRow| {
        json!({
            "delivery": row.delivery, "kind": row.kind, "link": row.url, "by": row.agent, "rule": row.rule,
            "at": at(row.at),
        })
    };
    let event = |event: &PastEvent| json!({ "event": event.name, "at": event.at.to_string(), "properties": raw(&event.properties) });
    let mut all = json!({
        "version": 1,
        "at": story.at.to_string(),
        "contact": {
            "id": contact.external_id,
            "email": contact.email,
            "time_zone": contact.time_zone,
            "language": contact.language,
            "created_at": contact.created_at.to_string(),
            "consent": { "marketing": consent(contact.marketing), "tracking": consent(contact.tracking) },
            "attributes": raw(&contact.attributes),
        },
        "traits": story.traits.iter().map(|(name, value)| (name.to_string(), shown::value_json(value)))
            .collect::<serde_json::Map<_, _>>(),
        "scores": story.scores.iter()
            .map(|(name, score, level)| (name.to_string(), json!({ "value": score.value, "level": level })))
            .collect::<serde_json::Map<_, _>>(),
        "consents": story.consents.iter().map(|change| json!({
            "purpose": change.purpose.word(), "answer": change.state.word(), "at": change.at.to_string(),
            "source": change.source, "words": change.words,
        })).collect::<Vec<_>>(),
        "suppressions": story.suppressions.iter().map(suppression_as_json).collect::<Vec<_>>(),
        "segments": story.segments.iter().map(|stay| json!({
            "name": stay.segment.as_str(), "since": stay.since.to_string(),
            "until": stay.until.map(|at| at.to_string()),
        })).collect::<Vec<_>>(),
        "mails": story.mails.iter().map(mail).collect::<Vec<_>>(),
        "engagements": story.engagements.iter().map(engagement).collect::<Vec<_>>(),
        "events": story.events.iter().map(event).collect::<Vec<_>>(),
        "events_in_all": events,
    });
    if whole {
        all["anonymous_ids"] = json!(story.anonymous_ids);
        all["requests"] = story
            .hits
            .iter()
            .map(|hit| {
                json!({
                    "delivery": hit.delivery, "kind": hit.kind, "at": at(hit.at), "user_agent": hit.user_agent,
                    "network": hit.network, "accept_language": hit.accept_language, "by": hit.agent,
                })
            })
            .collect();
    }
    all
}
