//! A campaign explained for people: the audience, the gates, the ledger.

use crate::app::explain::{Explained, LedgerRow, OfCampaign};
use crate::cli::shown::{self, printable};
use crate::domain::campaign::{Repeat, Tracking};
use crate::domain::caps::Cap;
use crate::domain::consent::Consent;
use crate::domain::time::{Timestamp, Zone};
use crate::engine::prospect::{Entry, Fate, Gate, GateKind, Next, Prospect};

use super::{called, tree};

pub(super) fn text(explained: &Explained, of: &OfCampaign, zone: Zone, colour: bool) -> String {
    let mut text = shown::lines([headline(explained, of, zone)]);
    if let Some(description) = &of.description {
        text += &shown::lines([printable(description)]);
    }
    text += "\n";
    text += &shown::lines([format!("audience, {}", shown::time(explained.at, zone))]);
    text += &tree::shown(&of.audience, zone, colour);
    text += &tree::ways(&of.audience, zone, explained.is_past);
    if let Some(prospect) = &of.prospect {
        text += &gates(of, prospect, zone, colour);
    }
    text += &ledger(of, zone);
    text
}

fn headline(explained: &Explained, of: &OfCampaign, zone: Zone) -> String {
    let who = printable(&called(&explained.contact));
    let Some(prospect) = &of.prospect else {
        let is = if of.audience.holds() { "was in" } else { "was not in" };
        return format!("{who} {is} the audience of {}, {}", of.name, shown::time(explained.at, zone));
    };
    format!("{who}, {}: {}", of.name, fate(prospect, zone))
}

/// `would be mailed at 2026-11-30 09:00 Europe/Paris`.
pub(super) fn fate(prospect: &Prospect, zone: Zone) -> String {
    let by_hand = if prospect.next == Next::ByHand { ", if it is sent by hand now" } else { "" };
    let on_entry = matches!(prospect.next, Next::OnEntry(_));
    let includes_current = matches!(prospect.next, Next::OnEntry(Entry { includes_current: true, .. }));
    match prospect.fate {
        Fate::Mailed { .. } if on_entry && !includes_current => {
            "would be mailed when the next evaluation sees the entry, unless an import of old facts brought it about"
                .to_owned()
        }
        Fate::Mailed { .. } if on_entry => {
            "would be mailed when the next evaluation sees the entry".to_owned()
        }
        Fate::Mailed { at } => format!("would be mailed at {}{by_hand}", shown::time(at, zone)),
        Fate::Waits { until, wait } => {
            let wait = wait.word().replace('_', " ");
            format!("would be mailed at {}, after {wait}{by_hand}", shown::time(until, zone))
        }
        Fate::Skipped(reason) => {
            format!("would not be mailed: {}{by_hand}", reason.word().replace('_', " "))
        }
        Fate::NotInAudience if on_entry => "would be mailed when it enters the audience".to_owned(),
        Fate::NotInAudience => format!("would not be mailed: not in the audience{by_hand}"),
        Fate::InAlready => "would not be mailed: in the audience already, only who enters is".to_owned(),
        Fate::InAtFirst => {
            "would not be mailed: the first evaluation of the audience sees nobody enter".to_owned()
        }
        Fate::Paused => "would not be mailed: the campaign is paused".to_owned(),
        Fate::Over => "would not be mailed: the campaign has no due time any more".to_owned(),
    }
}

fn gates(of: &OfCampaign, prospect: &Prospect, zone: Zone, colour: bool) -> String {
    let run = match prospect.next {
        Next::Due(at) => format!("the run due at {}", shown::time(at, prospect.zone)),
        Next::ByHand => "a run by hand, now".to_owned(),
        Next::OnEntry(_) => "a run for an entry now".to_owned(),
        Next::Over => "a run now, though none is due any more".to_owned(),
    };
    let mut text = format!("\ngates of {run}\n");
    let mut row = |is_open: Option<bool>, name: &str, said: &str| {
        let answer = is_open.map_or_else(|| "     ".to_owned(), |is_open| tree::answer(is_open, colour));
        text += &shown::lines([format!("{answer}{name:<14}{}", printable(said))]);
    };
    let in_audience = if prospect.in_audience { "in it then" } else { "not in it then" };
    row(
        Some(prospect.in_audience),
        "audience",
        &format!("{in_audience}, {}", tree::provided(&of.audience, false)),
    );
    if let Some(since) = prospect.paused_since {
        row(Some(false), "paused", &format!("since {}", shown::time(since, zone)));
    }
    for gate in &prospect.gates {
        let (name, said) = told(of, prospect, gate, zone);
        row(Some(gate.is_open), name, &said);
    }
    if let Fate::Waits { until, wait } = prospect.fate {
        row(None, &wait.word().replace('_', " "), &format!("until {}", shown::time(until, zone)));
    }
    let tracking = match prospect.tracking {
        Tracking::None => "none: no pixel, links as they are",
        Tracking::Aggregate => "aggregate: how many, not who",
        Tracking::Individual => "individual: opens and clicks of this contact",
    };
    row(None, "tracking", tracking);
    text
}

fn told(of: &OfCampaign, prospect: &Prospect, gate: &Gate, zone: Zone) -> (&'static str, String) {
    let none = || "none".to_owned();
    match &gate.kind {
        GateKind::Version => {
            let version = prospect.version.and_then(|place| of.versions.get(place));
            let said = version.map_or_else(
                || "meets the condition of no version".to_owned(),
                |version| format!("{} (template {}), for {}", version.label, version.template, version.words),
            );
            ("version", said)
        }
        GateKind::Dates { starts, ends } => {
            let bound = |word: &str, at: &Option<Timestamp>| {
                at.map(|at| format!("{word} {}", shown::time(at, prospect.zone)))
            };
            let bounds: Vec<_> =
                [bound("from", starts), bound("before", ends)].into_iter().flatten().collect();
            ("dates", if bounds.is_empty() { "no bounds".to_owned() } else { bounds.join(", ") })
        }
        GateKind::Address(address) => ("address", address.clone().unwrap_or_else(none)),
        GateKind::Suppression(cause) => {
            ("suppression", cause.map_or_else(none, |cause| cause.word().to_owned()))
        }
        GateKind::Consent { consent, is_needed, unknown_is_yes } => {
            ("consent", consent_said(*consent, *is_needed, *unknown_is_yes, zone))
        }
        GateKind::Repeat { repeat, mailed_due, stayed } => {
            let rule = match repeat {
                Repeat::Once => "once".to_owned(),
                Repeat::EveryRun => "every run".to_owned(),
                Repeat::AtMostEvery(span) => format!("at most every {span}"),
                Repeat::EveryEntry { .. } => "every entry".to_owned(),
            };
            let mailed = match mailed_due {
                None => "not mailed yet".to_owned(),
                Some(due) => format!("mailed by the run due at {}", shown::time(*due, prospect.zone)),
            };
            let stayed = match (repeat, mailed_due) {
                (Repeat::EveryEntry { .. }, Some(_)) if *stayed => ", in the audience ever since",
                (Repeat::EveryEntry { .. }, Some(_)) => ", left the audience since",
                _ => "",
            };
            ("repeat", format!("{rule}; {mailed}{stayed}"))
        }
        GateKind::EarlierRun => {
            let said = if gate.is_open { "nothing waits" } else { "a mail of an earlier run waits" };
            ("earlier run", said.to_owned())
        }
        GateKind::Caps { caps, mailed } => ("caps", caps_said(caps, mailed, zone)),
    }
}

fn consent_said(consent: Consent, is_needed: bool, unknown_is_yes: bool, zone: Zone) -> String {
    let since = consent.since.map(|since| format!(" since {}", shown::time(since, zone)));
    let said = format!("marketing {}{}", consent.state.word(), since.unwrap_or_default());
    if !is_needed {
        return format!("{said}; transactional mail needs none");
    }
    if unknown_is_yes { format!("{said}; unknown counts as yes") } else { said }
}

fn caps_said(caps: &[Cap], mailed: &[Timestamp], zone: Zone) -> String {
    if caps.is_empty() {
        return "none".to_owned();
    }
    let rules: Vec<_> = caps.iter().map(|cap| format!("at most {} per {}", cap.at_most, cap.per)).collect();
    let mailed: Vec<_> = mailed.iter().map(|due| shown::time(*due, zone)).collect();
    let mailed = if mailed.is_empty() { "none that counts".to_owned() } else { mailed.join(", ") };
    format!("{}; mailed: {mailed}", rules.join(", "))
}

fn ledger(of: &OfCampaign, zone: Zone) -> String {
    let mut text = String::new();
    if let Some(run) = &of.without {
        let due = shown::time(run.due_at, zone);
        text += "\n";
        text += &shown::lines([format!("not in the audience of the latest run, {}, due at {due}", run.id.0)]);
    }
    if of.rows.is_empty() {
        return text;
    }
    text += "\n";
    let rows = of.rows.iter().map(|row| {
        vec![
            row.run.to_string(),
            shown::time(Timestamp::from_micros(row.due_at), zone),
            row.made_by.clone(),
            row.version.clone().unwrap_or_default(),
            row.state.clone(),
            row.settled_at.map(|at| shown::time(Timestamp::from_micros(at), zone)).unwrap_or_default(),
            why(row, zone),
        ]
    });
    text += &shown::table(&["#run", "due", "made by", "version", "state", "when", "why"], rows);
    text
}

/// What stands on a row of the ledger.
fn why(row: &LedgerRow, zone: Zone) -> String {
    let mut said: Vec<String> = Vec::new();
    match row.state.as_str() {
        "skipped" => {}
        "planned" | "deferred" => {
            said.push(format!("not before {}", shown::time(Timestamp::from_micros(row.not_before), zone)));
        }
        _ => said.push("was in the audience, every gate open".to_owned()),
    }
    said.extend(row.reason.iter().chain(&row.wait).map(|word| word.replace('_', " ")));
    if row.attempts > 1 {
        said.push(format!("{} tries", row.attempts));
    }
    said.extend(row.tracking.iter().map(|mode| format!("tracking {mode}")));
    said.extend(row.reply_text.clone());
    said.extend(row.note.clone());
    said.join("; ")
}
