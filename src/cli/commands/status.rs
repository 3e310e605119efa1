//! `campaignd status`: what is due, what is under way, what waits and for what.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::app::Failure;
use crate::app::status::{RunFigures, RunningDaemon, Silent, Status as Standing, Upcoming, Waiting, status};
use crate::cli::arguments::Status;
use crate::cli::exit::Exit;
use crate::cli::shown;
use crate::cli::terminal::Terminal;
use crate::domain::delivery::{DeliveryState, WaitReason};
use crate::domain::time::Zone;

use super::{counted, installation_at_once};

pub(super) async fn run(folder: &Path, call: &Status, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation_at_once(folder, terminal).await?;
    let standing = status(&installation).await?;
    let zone = installation.project.settings.time_zone;
    installation.close().await?;
    if call.json {
        terminal.json(&as_json(&standing))?;
    } else {
        terminal.result(&text(&standing, zone))?;
    }
    Ok(Exit::Fine)
}

fn daemon(daemon: Option<&RunningDaemon>, zone: Zone) -> String {
    let Some(daemon) = daemon else { return "not running".to_owned() };
    let running = format!("running since {}", shown::time(daemon.since, zone));
    let Some(Silent { since, cause }) = &daemon.silent else { return running };
    let cause = cause.as_deref().unwrap_or(
        "the database can be written from here, so the daemon stands still or has no room of its own (its log says which)",
    );
    format!(
        "{running}, but it has written nothing since {}, and hands nothing over: {cause}",
        shown::time(*since, zone)
    )
}

fn text(standing: &Standing, zone: Zone) -> String {
    let daemon = daemon(standing.daemon.as_ref(), zone);
    let totals = &standing.totals;
    let mut text = format!(
        "daemon     {daemon}\ndatabase   {}: {}, {}, {}\ntransport  {}\n",
        standing.database,
        counted(totals.contacts, "contact", "contacts"),
        counted(totals.events, "event", "events"),
        counted(totals.deliveries, "delivery", "deliveries"),
        standing.transport,
    );
    if !standing.upcoming.is_empty() {
        text += "\n";
        text += &shown::table(
            &["campaign", "next", "schedule"],
            standing.upcoming.iter().map(|upcoming| {
                let next = upcoming.next.map(|next| shown::time(next, upcoming.time_zone));
                let next = match &upcoming.paused {
                    Some(pause) => format!("paused since {}", shown::time(pause.since, zone)),
                    None => next.unwrap_or_else(|| "-".to_owned()),
                };
                let schedule = upcoming.schedule.as_deref().unwrap_or("by hand");
                let each = if upcoming.in_zone_of_contact { ", in each contact's zone" } else { "" };
                vec![upcoming.campaign.to_string(), next, format!("{schedule}{each}")]
            }),
        );
    }
    for (what, runs) in [("open run", &standing.open), ("over", &standing.over)] {
        if !runs.is_empty() {
            text += "\n";
            text += &shown::table(
                &[what, "campaign", "due", "state", "deliveries", "note"],
                runs.iter().map(|figures| run_row(figures, zone)),
            );
        }
    }
    if !standing.waiting.is_empty() {
        text += "\n";
        text += &shown::table(
            &["waiting in run", "for", "#mails", "next try", "last answer"],
            standing.waiting.iter().map(|waiting| {
                vec![
                    waiting.run.0.to_string(),
                    waiting.wait.map_or("their turn", WaitReason::word).to_owned(),
                    waiting.count.to_string(),
                    shown::time(waiting.next_try, zone),
                    waiting.last_reply.clone().unwrap_or_default(),
                ]
            }),
        );
    }
    for upcoming in &standing.upcoming {
        if let Some(reason) = upcoming.paused.as_ref().and_then(|pause| pause.reason.as_deref()) {
            let name = &upcoming.campaign;
            let lines = [
                format!("\n{name} was paused by itself: {}.\n", shown::printable(reason)),
                format!("`campaignd resume {name}` lets it go on.\n"),
            ];
            text.extend(lines);
        }
    }
    if totals.uncertain > 0 {
        let what = counted(totals.uncertain, "mail is", "mails are");
        text += "\n";
        text += &what;
        text += " uncertain: `campaignd uncertain` lists what nobody knows the end of.\n";
    }
    if standing.open.iter().any(|figures| figures.run.state.word() == "held") {
        text += "\nA held run waits for `campaignd approve RUN` or `campaignd cancel RUN`.\n";
    }
    if standing.refused_calls > 0 {
        let calls = counted(standing.refused_calls, "call", "calls");
        text += "\n";
        text += &calls;
        text +=
            " of the ingest API refused, in whole or in part, within 7 days: see `campaignd key rejects`.\n";
    }
    text
}

fn run_row(figures: &RunFigures, zone: Zone) -> Vec<String> {
    let states: Vec<String> =
        by_state(figures).into_iter().map(|(state, count)| format!("{count} {state}")).collect();
    let run = &figures.run;
    vec![
        run.id.0.to_string(),
        match run.zone {
            Some(of) => format!("{} ({})", run.campaign, of.zone.name()),
            None => run.campaign.to_string(),
        },
        shown::time(run.due_at, zone),
        run.state.word().to_owned(),
        if states.is_empty() { "-".to_owned() } else { states.join(", ") },
        run.note.clone().unwrap_or_default(),
    ]
}

/// Counts in the order of the states; states without rows are left out.
pub(super) fn by_state(figures: &RunFigures) -> Vec<(&'static str, u64)> {
    let mut counts: BTreeMap<DeliveryState, u64> = BTreeMap::new();
    for alike in &figures.deliveries {
        *counts.entry(alike.state).or_default() += alike.count;
    }
    counts.into_iter().map(|(state, count)| (state.word(), count)).collect()
}

fn as_json(standing: &Standing) -> Value {
    let run = |figures: &RunFigures| {
        let run = &figures.run;
        json!({
            "run": run.id.0,
            "campaign": run.campaign.as_str(),
            "due_at": run.due_at.to_string(),
            "zone": run.zone.map(|of| of.zone.name()),
            "state": run.state.word(),
            "trigger": run.trigger.word(),
            "note": run.note,
            "deliveries": by_state(figures).into_iter().collect::<BTreeMap<_, _>>(),
        })
    };
    let upcoming = |upcoming: &Upcoming| {
        json!({
            "campaign": upcoming.campaign.as_str(),
            "schedule": upcoming.schedule,
            "time_zone": upcoming.time_zone.name(),
            "in_zone_of_contact": upcoming.in_zone_of_contact,
            "next": upcoming.next.map(|next| next.to_string()),
            "paused_since": upcoming.paused.as_ref().map(|pause| pause.since.to_string()),
            "paused_because": upcoming.paused.as_ref().and_then(|pause| pause.reason.clone()),
        })
    };
    let waiting = |waiting: &Waiting| {
        json!({
            "run": waiting.run.0,
            "for": waiting.wait.map(WaitReason::word),
            "count": waiting.count,
            "next_try": waiting.next_try.to_string(),
            "last_reply": waiting.last_reply,
        })
    };
    let totals = &standing.totals;
    let silent = standing.daemon.as_ref().and_then(|daemon| daemon.silent.as_ref());
    json!({
        "version": 1,
        "at": standing.at.to_string(),
        "daemon": {
            "running_since": standing.daemon.as_ref().map(|daemon| daemon.since.to_string()),
            "silent_since": silent.map(|silent| silent.since.to_string()),
            "cannot_write": silent.and_then(|silent| silent.cause.as_deref()),
        },
        "database": standing.database,
        "transport": { "shown": standing.transport.to_string(), "mails_people": standing.transport.mails_people() },
        "totals": {
            "contacts": totals.contacts,
            "events": totals.events,
            "runs": totals.runs,
            "deliveries": totals.deliveries,
            "uncertain": totals.uncertain,
            "suppressions": totals.suppressions,
        },
        "upcoming": standing.upcoming.iter().map(upcoming).collect::<Vec<_>>(),
        "open": standing.open.iter().map(run).collect::<Vec<_>>(),
        "over": standing.over.iter().map(run).collect::<Vec<_>>(),
        "waiting": standing.waiting.iter().map(waiting).collect::<Vec<_>>(),
        "refused_calls_in_7_days": standing.refused_calls,
    })
}
