//! The report for spreadsheets: one row for each run, version, state and reason.
//!
//! A cell that a spreadsheet would take for a formula is led by an apostrophe (OWASP, "CSV
//! Injection"); numbers are written as they are.

use super::deliveries::{Report, instant};
use crate::domain::delivery::DeliveryState;

const HEADER: [&str; 9] =
    ["campaign", "run", "due_at", "run_state", "trigger", "version", "state", "reason", "deliveries"];

impl Report {
    /// The report as CSV (RFC 4180), with a header. A run without deliveries has one row, with 0.
    pub fn to_csv(&self) -> String {
        let mut text = String::new();
        line(&mut text, &HEADER.map(str::to_owned));
        for report in self.campaigns.iter().flat_map(|campaign| &campaign.runs) {
            let run = &report.run;
            let mut row = |version: &str, state: &str, reason: &str, count: u64| {
                line(
                    &mut text,
                    &[
                        guarded(run.campaign.as_str()),
                        run.id.0.to_string(),
                        instant(run.due_at),
                        run.state.word().to_owned(),
                        run.trigger.word().to_owned(),
                        guarded(version),
                        state.to_owned(),
                        guarded(reason),
                        count.to_string(),
                    ],
                );
            };
            for (version, counts) in &report.versions {
                for state in DeliveryState::ALL {
                    let reasons = match state {
                        DeliveryState::Skipped => &counts.skipped,
                        DeliveryState::Refused => &counts.refused,
                        _ => {
                            if counts.of(*state) > 0 {
                                row(version, state.word(), "", counts.of(*state));
                            }
                            continue;
                        }
                    };
                    for (reason, count) in reasons {
                        row(version, state.word(), reason, *count);
                    }
                }
            }
            if report.versions.is_empty() {
                row("", "", "", 0);
            }
        }
        text
    }
}

fn line(text: &mut String, cells: &[String; HEADER.len()]) {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        if cell.contains(['"', ',', '\n', '\r']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(cell);
        }
    }
    text.push_str("\r\n");
}

/// A text that no spreadsheet takes for a formula.
pub(super) fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("default", "default"),
            ("", ""),
        ] {
            assert_eq!(guarded(text), expected);
        }
    }
}
