//! The report for people: one block a campaign, shares, the latest runs, the versions.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::counts::Counts;
use super::deliveries::{CampaignReport, Report, RunReport};
use super::plain;
use crate::domain::delivery::DeliveryState;
use crate::domain::time::Zone;

/// So many runs of a campaign are shown; JSON and CSV have all.
const SHOWN_RUNS: usize = 20;
/// The widest bar, in characters.
const BAR: u64 = 30;
const HEADS: [&str; 7] = ["audience", "accepted", "waiting", "deferred", "refused", "uncertain", "skipped"];

/// How a text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    /// It goes to a terminal: bars are drawn.
    pub terminal: bool,
    /// The zone in which times are shown.
    pub time_zone: Zone,
}

impl Report {
    /// The report for people.
    pub fn to_text(&self, style: TextStyle) -> String {
        if self.campaigns.is_empty() {
            return "No runs yet.\n".to_owned();
        }
        let mut text = String::new();
        for (index, campaign) in self.campaigns.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            block(&mut text, campaign, style);
        }
        if self.campaigns.iter().any(|campaign| campaign.counts.of(DeliveryState::Uncertain) > 0) {
            text.push_str(
                "\nuncertain: the connection or the process ended before the server's answer was noted; \
                 nobody can know\nwhether the mail arrived, so it is not sent again.\n",
            );
        }
        text
    }
}

fn block(text: &mut String, campaign: &CampaignReport, style: TextStyle) {
    let runs = plain::counted(campaign.runs.len() as u64, "run", "runs");
    let deliveries = plain::counted(campaign.counts.audience(), "delivery", "deliveries");
    let _ = writeln!(text, "{}: {runs}, {deliveries}", plain::printable(campaign.name.as_str()));
    if campaign.counts.audience() > 0 {
        push_indented(text, &shares(&campaign.counts, style));
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
    push_indented(text, &runs_table(&campaign.runs[hidden..], style));
    let versions = campaign.versions();
    if versions.keys().filter(|label| !label.is_empty()).count() > 1 {
        text.push('\n');
        let mut table = plain_table(&["version"], &[]);
        for (label, counts) in versions {
            let label = if label.is_empty() { "(none)".to_owned() } else { plain::printable(label) };
            add_row(&mut table, vec![left(label)], counts_of_row(&counts), None);
        }
        push_indented(text, &table);
    }
}

/// What became of all deliveries, with shares.
fn shares(counts: &Counts, style: TextStyle) -> Table {
    let whole = counts.audience();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let mut row = |label: String, count: u64| {
        let mut cells = vec![left(label), right(plain::number(count)), right(plain::share(count, whole))];
        if style.terminal {
            cells.push(left(bar(count, whole)));
        }
        table.add_row(cells);
    };
    row("accepted".to_owned(), counts.of(DeliveryState::Accepted));
    for (label, count) in [("waiting", counts.of(DeliveryState::Planned)), ("being sent", counts.in_hand())] {
        if count > 0 {
            row(label.to_owned(), count);
        }
    }
    row("deferred".to_owned(), counts.of(DeliveryState::Deferred));
    row("refused".to_owned(), counts.of(DeliveryState::Refused));
    for (reason, count) in &counts.refused {
        row(format!("  {}", plain::words(reason)), *count);
    }
    row("uncertain".to_owned(), counts.of(DeliveryState::Uncertain));
    row("skipped".to_owned(), counts.of(DeliveryState::Skipped));
    let mut reasons: Vec<_> = counts.skipped.iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), *reason));
    for (reason, count) in reasons {
        row(format!("  {}", plain::words(reason)), *count);
    }
    pad(&mut table);
    table
}

fn runs_table(runs: &[RunReport], style: TextStyle) -> Table {
    let due = format!("due ({})", style.time_zone);
    let has_notes = runs.iter().any(|report| report.run.note.is_some());
    let mut table = plain_table(&["run", &due, "state"], if has_notes { &["note"] } else { &[] });
    for report in runs {
        let run = &report.run;
        let note = run.note.as_deref().map(plain::printable).unwrap_or_default();
        let first = vec![
            right(run.id.0.to_string()),
            left(plain::time(run.due_at, style.time_zone)),
            left(run.state.word().to_owned()),
        ];
        add_row(&mut table, first, counts_of_row(&report.counts), has_notes.then_some(note));
    }
    table
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

fn plain_table(before: &[&str], after: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let texts = before.iter().map(|head| left((*head).to_owned()));
    let numbers = HEADS.iter().map(|head| right((*head).to_owned()));
    table.set_header(texts.chain(numbers).chain(after.iter().map(|head| left((*head).to_owned()))));
    pad(&mut table);
    table
}

fn add_row(table: &mut Table, before: Vec<Cell>, counts: [u64; HEADS.len()], note: Option<String>) {
    let numbers = counts.into_iter().map(|count| right(plain::number(count)));
    table.add_row(before.into_iter().chain(numbers).chain(note.map(left)));
}

fn pad(table: &mut Table) {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
}

fn left(text: String) -> Cell {
    Cell::new(text)
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// A bar in eighths of a character.
fn bar(part: u64, whole: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = if whole == 0 { 0 } else { u128::from(part) * u128::from(BAR) * 8 / u128::from(whole) };
    let least = u128::from(part > 0);
    let eighths = eighths.max(least);
    "█".repeat((eighths / 8) as usize) + EIGHTHS[(eighths % 8) as usize]
}

fn push_indented(text: &mut String, table: &Table) {
    for line in table.lines() {
        text.push_str("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
}
