//! `campaignd segment`: who is in.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::segment::{
    Members, Overlap, Passages, RankEdge, RankValue, RankView, Ranks, SegmentSize, SegmentView, Values,
    all_sizes, view,
};
use crate::app::{Failure, Installation, instant};
use crate::cli::arguments::Segment;
use crate::cli::exit::Exit;
use crate::cli::shown::{self, printable};
use crate::cli::terminal::Terminal;
use crate::domain::contact::Contact;
use crate::domain::membership::EntryCause;
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::Value as Found;
use crate::domain::written;
use crate::report::csv::row as csv_row;

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
        let sizes = all_sizes(installation, ranks, at).await?;
        tell_of_ranks(&terminal, ranks, sizes.iter().flat_map(|size| &size.ranks));
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
    if call.csv {
        return members(installation, name, (ranks, at), zone, terminal).await;
    }
    let view = view(installation, name, call.sample, ranks, at).await?;
    tell_of_ranks(&terminal, ranks, view.size.ranks.iter());
    if call.json {
        return terminal.json(&view_json(&view));
    }
    terminal.result(&text(&view, zone))
}

/// All members for a spreadsheet, some at a time.
async fn members(
    installation: &Installation,
    name: &str,
    (ranks, at): (Ranks, Timestamp),
    zone: Zone,
    terminal: Terminal,
) -> Result<(), Failure> {
    let mut members = Members::of(installation, name, ranks, at).await?;
    let mut some = members.take_some().await?;
    let head = ["id", "email"].into_iter().map(str::to_owned).chain(some.names.iter().cloned());
    terminal.result(&csv_row(head))?;
    while !some.contacts.is_empty() {
        let rows = some.contacts.iter().map(|(contact, values)| csv_row(cells(contact, values, zone)));
        terminal.result(&rows.collect::<String>())?;
        some = members.take_some().await?;
    }
    Ok(())
}

/// Id, address, and the values that the condition asks for.
fn cells(contact: &Contact, values: &[Option<Found>], zone: Zone) -> Vec<String> {
    let value = |value: &Option<Found>| match value {
        None => String::new(),
        Some(Found::Text(text)) => text.clone(),
        Some(Found::List(items)) => items.join(" "),
        Some(Found::Datetime(at)) => shown::time(*at, zone),
        Some(other) => written::value(other),
    };
    let known = |text: &Option<String>| text.clone().unwrap_or_default();
    let who = [known(&contact.external_id), known(&contact.email)];
    who.into_iter().chain(values.iter().map(value)).collect()
}

fn tell_of_ranks<'v>(terminal: &Terminal, ranks: Ranks, shown: impl Iterator<Item = &'v RankView>) {
    let shown: Vec<_> = shown.collect();
    match ranks {
        Ranks::Anew if !shown.is_empty() => terminal
            .message("note: contacts are ranked anew for that instant; the daemon goes by its last ranking"),
        Ranks::Standing if shown.iter().any(|rank| rank.is_overdue) => terminal.message(
            "note: contacts should have been ranked anew (`refresh_ranks`): a daemon does it, and `send`",
        ),
        _ => {}
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
    text += &lately("entered", view.entered.as_ref(), zone);
    text += &lately("left", view.left.as_ref(), zone);
    text += &sample(&view.sample, zone);
    text += &overlaps(&view.overlaps, size);
    text
}

/// Who came, or went.
fn lately(what: &str, passages: Option<&Passages>, zone: Zone) -> String {
    let Some(Passages { counts: [day, week, month], latest }) = passages else { return String::new() };
    let mut text = format!("\n{what}: {day} within 24 hours, {week} within 7 days, {month} within 30 days\n");
    if !latest.is_empty() {
        let rows = latest.iter().map(|(at, contact, cause)| {
            let cause = cause.map(|cause| cause.word().to_owned()).unwrap_or_default();
            vec![shown::time(*at, zone), called(contact), cause]
        });
        text += &shown::table(&["when", "contact", "because of"], rows);
    }
    text
}

/// Some members with the values that matter.
fn sample(sample: &Values, zone: Zone) -> String {
    if sample.contacts.is_empty() {
        return String::new();
    }
    let mut head = vec!["id", "e-mail"];
    head.extend(sample.names.iter().map(String::as_str));
    let rows = sample.contacts.iter().map(|(contact, values)| cells(contact, values, zone));
    format!("\n{}", shown::table(&head, rows))
}

/// How much is shared with other segments.
fn overlaps(overlaps: &[Overlap], size: &SegmentSize) -> String {
    let shared: Vec<&Overlap> = overlaps.iter().filter(|overlap| overlap.both > 0).collect();
    if shared.is_empty() {
        return String::new();
    }
    let head = ["also in", "#contacts", "#of these", "#of those"];
    let rows = shared.iter().map(|overlap| {
        let (own_share, other_share) =
            (shown::share(overlap.both, size.members), shown::share(overlap.both, overlap.members));
        vec![overlap.name.to_string(), overlap.both.to_string(), own_share, other_share]
    });
    format!("\n{}", shown::table(&head, rows))
}

/// The values that a place in a ranking has.
fn rank_bounds(rank: &RankView, zone: Zone) -> String {
    let value = |edge: RankEdge| match edge.value {
        RankValue::Instant(at) => shown::time(at, zone),
        RankValue::Number(number) => number.to_string(),
    };
    let Some(bounds) = &rank.bounds else { return "nobody".to_owned() };
    let edge = |edge: RankEdge, beyond: &str, or: &str| {
        if edge.is_in { format!("{} {or}", value(edge)) } else { format!("{beyond} {}", value(edge)) }
    };
    let from = bounds.from.map(|from| edge(from, "over", "or more"));
    let to = bounds.to.map(|to| edge(to, "under", "or less"));
    match (from, to) {
        (None, None) => "any".to_owned(),
        (from, to) => from.into_iter().chain(to).collect::<Vec<_>>().join(", "),
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
    let value = |edge: RankEdge| match edge.value {
        RankValue::Instant(at) => json!(at.to_string()),
        RankValue::Number(number) => json!(number.to_f64()),
    };
    let bounds = rank.bounds.as_ref().map(|bounds| {
        let from = bounds.from.map(|edge| (if edge.is_in { "at_least" } else { "more_than" }, value(edge)));
        let to = bounds.to.map(|edge| (if edge.is_in { "at_most" } else { "less_than" }, value(edge)));
        from.into_iter()
            .chain(to)
            .map(|(key, value)| (key.to_owned(), value))
            .collect::<serde_json::Map<_, _>>()
    });
    json!({
        "place": rank.place,
        "ranked_at": rank.ranked_at.to_string(),
        "contacts": rank.contacts,
        "values": bounds,
    })
}

fn view_json(view: &SegmentView) -> Value {
    let who = |contact: &Contact| json!({ "id": contact.external_id, "email": contact.email });
    let contact = |(contact, values): &(Contact, Vec<Option<Found>>)| {
        let names = view.sample.names.iter().cloned();
        let values = values.iter().map(|value| value.as_ref().map_or(Value::Null, shown::value_json));
        let mut one = who(contact);
        one["attributes"] = serde_json::from_str(&contact.attributes).unwrap_or(Value::Null);
        one["values"] = names.zip(values).collect::<serde_json::Map<_, _>>().into();
        one
    };
    let passage = |(at, contact, cause): &(Timestamp, Contact, Option<EntryCause>)| {
        let mut one = who(contact);
        one["at"] = at.to_string().into();
        one["cause"] = cause.map(EntryCause::word).into();
        one
    };
    let latest = |passages: &Option<Passages>| -> Vec<Value> {
        passages.iter().flat_map(|passages| &passages.latest).map(passage).collect()
    };
    let counts = |passages: &Option<Passages>| {
        passages.as_ref().map(
            |Passages { counts: [day, week, month], .. }| json!({ "day": day, "week": week, "month": month }),
        )
    };
    let overlap = |overlap: &Overlap| {
        json!({
            "name": overlap.name.as_str(),
            "members": overlap.members,
            "both": overlap.both,
            "share_of_this": shown::ratio(overlap.both, view.size.members),
            "share_of_other": shown::ratio(overlap.both, overlap.members),
        })
    };
    json!({
        "version": 1,
        "at": view.at.to_string(),
        "segment": size_json(&view.size),
        "sample": view.sample.contacts.iter().map(contact).collect::<Vec<_>>(),
        "entered_counts": counts(&view.entered),
        "left_counts": counts(&view.left),
        "entered": latest(&view.entered),
        "left": latest(&view.left),
        "overlaps": view.overlaps.iter().map(overlap).collect::<Vec<_>>(),
    })
}
