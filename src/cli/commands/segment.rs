//! `campaignd segment`: who is in.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::segment::{RankValue, RankView, Ranks, SegmentSize, SegmentView, sizes, view};
use crate::app::{Failure, Installation, instant};
use crate::cli::arguments::Segment;
use crate::cli::exit::Exit;
use crate::cli::shown::{self, printable};
use crate::cli::terminal::Terminal;
use crate::domain::contact::Contact;
use crate::domain::time::{Timestamp, Zone};

use super::installation;

pub(super) async fn run(folder: &Path, call: &Segment, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation(folder).await?;
    let zone = installation.project.settings.time_zone;
    let now = installation.clock.now();
    let at = call.at.as_deref().map(|text| instant::parse(text, zone)).transpose()?.unwrap_or(now);
    if at < now && call.at.is_some() {
        terminal.message("note: events are as of that instant, attributes and consents as of today");
    }
    // The daemon's ranks are those of its last ranking, and of another instant there are none.
    let ranks = if call.at.is_some() { Ranks::Anew } else { Ranks::Standing };
    show(&installation, call, (ranks, at), zone, terminal).await?;
    installation.close().await?;
    Ok(Exit::Fine)
}

async fn show(
    installation: &Installation,
    call: &Segment,
    (ranks, at): (Ranks, Timestamp),
    zone: Zone,
    terminal: Terminal,
) -> Result<(), Failure> {
    let Some(name) = &call.name else {
        let sizes = sizes(installation, ranks, at).await?;
        tell_of_ranks(&terminal, ranks, sizes.iter().any(|size| !size.ranks.is_empty()));
        if call.json {
            let segments: Vec<Value> = sizes.iter().map(size_json).collect();
            return terminal.json(&json!({ "version": 1, "at": at.to_string(), "segments": segments }));
        }
        let rows = sizes.iter().map(|size| {
            let share = shown::share(size.members, size.contacts);
            vec![
                size.name.clone(),
                size.members.to_string(),
                share,
                size.description.clone().unwrap_or_default(),
            ]
        });
        return terminal.result(&shown::table(&["segment", "#contacts", "#share", "meaning"], rows));
    };
    let view = view(installation, name, call.sample, ranks, at).await?;
    tell_of_ranks(&terminal, ranks, !view.size.ranks.is_empty());
    if call.json {
        return terminal.json(&view_json(&view));
    }
    terminal.result(&text(&view, zone))
}

fn tell_of_ranks(terminal: &Terminal, ranks: Ranks, matters: bool) {
    if matters && ranks == Ranks::Anew {
        terminal
            .message("note: contacts are ranked anew for that instant; the daemon goes by its last ranking");
    }
}

fn text(view: &SegmentView, zone: Zone) -> String {
    let size = &view.size;
    let mut text = format!(
        "{}: {} of {} contacts ({}) at {}\n",
        size.name,
        size.members,
        size.contacts,
        shown::share(size.members, size.contacts),
        shown::time(view.at, zone),
    );
    if let Some(description) = &size.description {
        text += &shown::lines([printable(description)]);
    }
    if !size.ranks.is_empty() {
        text += "\n";
        let rows = size.ranks.iter().map(|rank| {
            vec![
                rank.place.clone(),
                rank_bounds(rank, zone),
                rank.contacts.to_string(),
                shown::time(rank.ranked_at, zone),
            ]
        });
        text += &shown::table(&["place", "values", "#ranked", "at"], rows);
    }
    if !view.sample.is_empty() {
        text += "\n";
        let rows = view.sample.iter().map(|contact| {
            let email = contact.email.clone().unwrap_or_default();
            vec![contact.external_id.clone().unwrap_or_default(), email, contact.attributes.clone()]
        });
        text += &shown::table(&["id", "e-mail", "attributes"], rows);
    }
    for (what, passages) in [("lately entered", &view.entered), ("lately left", &view.left)] {
        if !passages.is_empty() {
            text += "\n";
            let rows = passages.iter().map(|(at, contact)| vec![shown::time(*at, zone), called(contact)]);
            text += &shown::table(&[what, "contact"], rows);
        }
    }
    text
}

/// The values that a place in a ranking has.
fn rank_bounds(rank: &RankView, zone: Zone) -> String {
    let value = |value: &RankValue| match value {
        RankValue::Instant(at) => shown::time(*at, zone),
        RankValue::Number(number) => number.to_string(),
    };
    match rank.bounds.as_ref().map(|bounds| (&bounds.from, &bounds.to)) {
        None => "nobody".to_owned(),
        Some((None, None)) => "any".to_owned(),
        Some((Some(from), None)) => format!("{} or more", value(from)),
        Some((None, Some(to))) => format!("{} or less", value(to)),
        Some((Some(from), Some(to))) => format!("{} to {}", value(from), value(to)),
    }
}

fn called(contact: &Contact) -> String {
    contact.external_id.clone().or_else(|| contact.email.clone()).unwrap_or_default()
}

fn size_json(size: &SegmentSize) -> Value {
    json!({
        "name": size.name,
        "description": size.description,
        "contacts": size.contacts,
        "members": size.members,
        "share": shown::ratio(size.members, size.contacts),
        "ranks": size.ranks.iter().map(rank_json).collect::<Vec<_>>(),
    })
}

fn rank_json(rank: &RankView) -> Value {
    let value = |value: &RankValue| match value {
        RankValue::Instant(at) => json!(at.to_string()),
        RankValue::Number(number) => json!(number.to_f64()),
    };
    let bounds = rank.bounds.as_ref().map(
        |bounds| json!({ "from": bounds.from.as_ref().map(value), "to": bounds.to.as_ref().map(value) }),
    );
    json!({
        "place": rank.place,
        "ranked_at": rank.ranked_at.to_string(),
        "contacts": rank.contacts,
        "values": bounds,
    })
}

fn view_json(view: &SegmentView) -> Value {
    let contact = |contact: &Contact| {
        json!({
            "id": contact.external_id,
            "email": contact.email,
            "attributes": serde_json::from_str::<Value>(&contact.attributes).unwrap_or(Value::Null),
        })
    };
    let passage = |(at, contact): &(Timestamp, Contact)| json!({ "at": at.to_string(), "id": contact.external_id, "email": contact.email });
    json!({
        "version": 1,
        "at": view.at.to_string(),
        "segment": size_json(&view.size),
        "sample": view.sample.iter().map(contact).collect::<Vec<_>>(),
        "entered": view.entered.iter().map(passage).collect::<Vec<_>>(),
        "left": view.left.iter().map(passage).collect::<Vec<_>>(),
    })
}
