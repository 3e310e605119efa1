//! `campaignd explain`: why a contact is in a segment, or is not; why a campaign mails it, or does not.

mod as_json;
mod campaign;
mod tree;

use std::path::Path;

use crate::app::explain::{Explained, OfSegment, Overview, Subject, explain};
use crate::app::{Failure, instant};
use crate::cli::arguments::Explain;
use crate::cli::exit::Exit;
use crate::cli::shown::{self, printable};
use crate::cli::terminal::Terminal;
use crate::domain::contact::Contact;
use crate::domain::time::Zone;
use crate::engine::prospect::Next;
use crate::evaluate::explain::Turn;

use super::installation;

pub(super) async fn run(folder: &Path, call: &Explain, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation(folder).await?;
    let zone = installation.project.settings.time_zone;
    let at = call.at.as_deref().map(|text| instant::parse(text, zone)).transpose()?;
    let explained = explain(&installation, &call.contact, call.name.as_deref(), at).await?;
    installation.close().await?;
    if explained.is_past {
        terminal.message("note: events are as of that instant, attributes and consents as of today");
    }
    if explained.goes_by_last_ranking() {
        terminal.message(
            "note: places in rankings are those of the last ranking; `campaignd segment --at` ranks anew for that instant",
        );
    }
    if call.json {
        terminal.json(&as_json::explained(&explained))?;
    } else {
        terminal.result(&text(&explained, zone, terminal.colour_out))?;
    }
    Ok(Exit::Fine)
}

/// `zone`: the installation's, for a contact without one.
fn text(explained: &Explained, zone: Zone, colour: bool) -> String {
    let zone = own_zone(&explained.contact).unwrap_or(zone);
    match &explained.of {
        Subject::Segment(of) => of_segment(explained, of, zone, colour),
        Subject::Campaign(of) => campaign::text(explained, of, zone, colour),
        Subject::Overview(overview) => of_all(explained, overview, zone),
    }
}

fn of_segment(explained: &Explained, of: &OfSegment, zone: Zone, colour: bool) -> String {
    let explanation = &of.explanation;
    let is = if explanation.holds() { "is in" } else { "is not in" };
    let mut text = format!(
        "{} {is} {}, {}\n",
        printable(&called(&explained.contact)),
        of.name,
        shown::time(explained.at, zone)
    );
    if let Some(description) = &of.description {
        text += &shown::lines([printable(description)]);
    }
    text += "\n";
    text += &tree::shown(explanation, zone, colour);
    text += "\n";
    if let Some(member) = of.member {
        text += &line("member since", &shown::time(member.entered_at, zone));
    }
    text += &tree::ways(explanation, zone, explained.is_past);
    text
}

fn of_all(explained: &Explained, overview: &Overview, zone: Zone) -> String {
    let mut text =
        format!("{}, {}\n\n", printable(&called(&explained.contact)), shown::time(explained.at, zone));
    let rows = overview.segments.iter().map(|standing| {
        let since = standing.since.map(|since| shown::time(since, zone)).unwrap_or_default();
        let holds = if standing.holds { "in" } else { "out" };
        vec![standing.name.to_string(), holds.to_owned(), since, until(standing.turns, zone)]
    });
    text += &shown::table(&["segment", "is", "since", "until, if nothing happens"], rows);
    if !overview.campaigns.is_empty() {
        text += "\n";
        let rows = overview.campaigns.iter().map(|upcoming| {
            let next = match upcoming.prospect.next {
                Next::Due(at) => shown::time(at, zone),
                Next::ByHand => "by hand".to_owned(),
                Next::OnEntry(_) => "on entry".to_owned(),
                Next::Over => "-".to_owned(),
            };
            vec![upcoming.name.to_string(), next, campaign::fate(&upcoming.prospect, zone)]
        });
        text += &shown::table(&["campaign", "next", "as things stand"], rows);
    }
    text
}

fn until(turns: Option<Turn>, zone: Zone) -> String {
    match turns {
        None => String::new(),
        Some(Turn { at, is_certain: true }) => shown::time(at, zone),
        Some(Turn { at, is_certain: false }) => format!("{} or later", shown::time(at, zone)),
    }
}

fn line(head: &str, rest: &str) -> String {
    shown::lines([format!("{head:<14}{}", printable(rest))])
}

/// How a contact is named to people.
fn called(contact: &Contact) -> String {
    match (&contact.external_id, &contact.email) {
        (Some(id), Some(email)) => format!("{id} ({email})"),
        (id, email) => id.as_ref().or(email.as_ref()).cloned().unwrap_or_else(|| "the contact".to_owned()),
    }
}

fn own_zone(contact: &Contact) -> Option<Zone> {
    contact.time_zone.as_deref()?.parse().ok()
}
