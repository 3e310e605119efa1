//! Deliveries of a campaign: states and reasons, the latest runs, the versions.

use std::fmt::Write as _;

use comfy_table::{Cell, Table};

use super::TextStyle;
use super::table::{self, Tone, left, right};
use crate::domain::delivery::DeliveryState;
use crate::report::counts::Counts;
use crate::report::outcome::{CampaignReport, RunReport};
use crate::report::plain;
use crate::report::rate::Rate;

/// So many runs of a campaign are shown; JSON and CSV have all.
const SHOWN_RUNS: usize = 20;
const HEADS: [&str; 7] =
    ["#audience", "#accepted", "#waiting", "#deferred", "#refused", "#uncertain", "#skipped"];

pub(super) fn push(text: &mut String, campaign: &CampaignReport, style: TextStyle) {
    let counts = &campaign.outcome.deliveries;
    if counts.audience() > 0 {
        shares(text, counts, style);
        text.push('\n');
    }
    let hidden = campaign.runs.len().saturating_sub(SHOWN_RUNS);
    if hidden > 0 {
        let _ = writeln!(
            text,
            "  {} not shown; --json and --csv have all",
            plain::counted(hidden as u64, "earlier run is", "earlier runs are")
        );
    }
    table::push(text, runs_table(&campaign.runs[hidden..], style));
    let versions = campaign.versions();
    if versions.keys().filter(|label| !label.is_empty()).count() > 1 {
        text.push('\n');
        let mut rows = headed(&["version"], &[]);
        for (label, outcome) in versions.iter().filter(|(_, outcome)| outcome.deliveries.audience() > 0) {
            let label = if label.is_empty() { "(none)".to_owned() } else { plain::printable(label) };
            add_row(&mut rows, vec![left(label)], counts_of_row(&outcome.deliveries), None);
        }
        table::push(text, rows);
    }
}

/// What became of all deliveries, with shares.
fn shares(text: &mut String, counts: &Counts, style: TextStyle) {
    let whole = counts.audience();
    let mut rows = table::new();
    let mut bars = Vec::new();
    let mut row = |label: String, count: u64, tone: Tone| {
        rows.add_row([left(label), right(plain::number(count)), right(plain::share(count, whole))]);
        bars.push(Some((Rate::new(count, whole), tone)));
    };
    row("accepted".to_owned(), counts.of(DeliveryState::Accepted), Tone::Good);
    for (label, count) in [("waiting", counts.of(DeliveryState::Planned)), ("being sent", counts.in_hand())] {
        if count > 0 {
            row(label.to_owned(), count, Tone::Neutral);
        }
    }
    row("deferred".to_owned(), counts.of(DeliveryState::Deferred), Tone::Neutral);
    row("refused".to_owned(), counts.of(DeliveryState::Refused), Tone::Bad);
    for (reason, count) in &counts.refused {
        row(format!("  {}", plain::words(reason)), *count, Tone::Bad);
    }
    row("uncertain".to_owned(), counts.of(DeliveryState::Uncertain), Tone::Bad);
    row("skipped".to_owned(), counts.of(DeliveryState::Skipped), Tone::Neutral);
    for (reason, count) in counts.skipped_by_count() {
        row(format!("  {}", plain::words(reason)), count, Tone::Neutral);
    }
    table::push_with_bars(text, rows, &bars, style);
}

fn runs_table(runs: &[RunReport], style: TextStyle) -> Table {
    let due = format!("due ({})", style.time_zone);
    let has_notes = runs.iter().any(|report| report.run.note.is_some());
    let mut rows = headed(&["#run", &due, "state"], if has_notes { &["note"] } else { &[] });
    for report in runs {
        let run = &report.run;
        let note = run.note.as_deref().map(plain::printable).unwrap_or_default();
        let first = vec![
            right(run.id.0.to_string()),
            left(plain::time(run.due_at, style.time_zone)),
            left(run.state.word().to_owned()),
        ];
        add_row(&mut rows, first, counts_of_row(&report.outcome.deliveries), has_notes.then_some(note));
    }
    rows
}

fn counts_of_row(counts: &Counts) -> [u64; HEADS.len()] {
    [
        counts.audience(),
        counts.of(DeliveryState::Accepted),
        counts.of(DeliveryState::Planned) + counts.in_hand(),
        counts.of(DeliveryState::Deferred),
        counts.of(DeliveryState::Refused),
        counts.of(DeliveryState::Uncertain),
        counts.of(DeliveryState::Skipped),
    ]
}

fn headed(before: &[&str], after: &[&str]) -> Table {
    table::headed(&[before, &HEADS, after].concat())
}

fn add_row(rows: &mut Table, before: Vec<Cell>, counts: [u64; HEADS.len()], note: Option<String>) {
    let numbers = counts.into_iter().map(|count| right(plain::number(count)));
    rows.add_row(before.into_iter().chain(numbers).chain(note.map(left)));
}
