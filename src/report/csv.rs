//! The report for spreadsheets: one row a count, and in `figure` what is counted. Other columns are empty
//! where they say nothing of it.
//!
//! | figure | counts | by |
//! |---|---|---|
//! | `delivery` | deliveries | state, reason |
//! | `tracked` `counted` `untracked` | accepted mails: one by one, hits only, not at all | |
//! | `opened` `clicked` | deliveries and all hits | by whom |
//! | `link` | deliveries and all hits | link, by whom |
//! | `unsubscribed` | deliveries | |
//! | `opened_on` `clicked_on` `unsubscribed_on` | deliveries, on the day of the first | day, by whom |
//! | `counted_opens` `counted_clicks` | hits of mails whose hits are only counted | by whom |
//! | `level` | contacts | score, level, moment (before, after) |
//!
//! A cell that a spreadsheet would take for a formula is led by an apostrophe (OWASP, "CSV
//! Injection"); numbers are written as they are.

use super::engagement::{Activity, ByAgent, Engagement};
use super::outcome::{CampaignReport, Outcome, Report, RunReport, instant};
use crate::domain::delivery::DeliveryState;
use crate::domain::engagement::Agent;

/// The first nine are of version 1 and keep their places.
const HEADER: &str = "campaign,run,due_at,run_state,trigger,version,state,reason,deliveries,\
    figure,by,link,day,hits,score,level,moment,contacts";

/// The cells of a row, but for those that every row of a run's version shares.
#[derive(Debug, Clone, Default)]
struct Row<'a> {
    state: &'a str,
    reason: &'a str,
    deliveries: Option<u64>,
    figure: &'a str,
    by: &'a str,
    link: &'a str,
    day: String,
    hits: Option<u64>,
    score: &'a str,
    level: &'a str,
    moment: &'a str,
    contacts: Option<u64>,
}

impl Report {
    /// The report as CSV (RFC 4180), with a header. A run without deliveries has one row, with 0.
    pub fn to_csv(&self) -> String {
        let mut text = format!("{HEADER}\r\n");
        for campaign in &self.campaigns {
            for run in &campaign.runs {
                for (version, outcome) in &run.versions {
                    let shared = shared_cells(campaign, Some(run), version);
                    deliveries(outcome, &mut |row| push(&mut text, &shared, &row));
                    engagement(&outcome.engagement, &mut |row| push(&mut text, &shared, &row));
                }
                if run.versions.is_empty() {
                    let none = Row { deliveries: Some(0), figure: "delivery", ..Row::default() };
                    push(&mut text, &shared_cells(campaign, Some(run), ""), &none);
                }
            }
            levels(campaign, &mut |row| push(&mut text, &shared_cells(campaign, None, ""), &row));
        }
        text
    }
}

fn shared_cells(campaign: &CampaignReport, run: Option<&RunReport>, version: &str) -> [String; 6] {
    let of_run = |cell: &dyn Fn(&RunReport) -> String| run.map(cell).unwrap_or_default();
    [
        campaign.name.as_str().to_owned(),
        of_run(&|report| report.run.id.0.to_string()),
        of_run(&|report| instant(report.run.due_at)),
        of_run(&|report| report.run.state.word().to_owned()),
        of_run(&|report| report.run.trigger.word().to_owned()),
        version.to_owned(),
    ]
}

fn deliveries<'a>(outcome: &'a Outcome, push: &mut dyn FnMut(Row<'a>)) {
    let counts = &outcome.deliveries;
    for state in DeliveryState::ALL {
        let row = |reason, count| Row {
            state: state.word(),
            reason,
            deliveries: Some(count),
            figure: "delivery",
            ..Row::default()
        };
        let reasons = match state {
            DeliveryState::Skipped => &counts.skipped,
            DeliveryState::Refused => &counts.refused,
            _ => {
                if counts.of(*state) > 0 {
                    push(row("", counts.of(*state)));
                }
                continue;
            }
        };
        for (reason, count) in reasons {
            push(row(reason, *count));
        }
    }
}

fn engagement<'a>(engagement: &'a Engagement, push: &mut dyn FnMut(Row<'a>)) {
    let mails = engagement.mails;
    let counts = [
        ("tracked", mails.individual),
        ("counted", mails.aggregate),
        ("untracked", mails.none),
        ("unsubscribed", engagement.unsubscribed),
    ];
    for (figure, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        push(Row { figure, deliveries: Some(count), ..Row::default() });
    }
    for (figure, activity) in [("opened", &engagement.opened), ("clicked", &engagement.clicked)] {
        activities(figure, "", activity, push);
    }
    for (link, activity) in &engagement.links {
        activities("link", link, activity, push);
    }
    for (day, figures) in &engagement.days {
        for (figure, by_agent) in [("opened_on", &figures.opened), ("clicked_on", &figures.clicked)] {
            for_each_agent(by_agent, &mut |by, count| {
                push(Row { figure, by, day: day.to_string(), deliveries: Some(count), ..Row::default() });
            });
        }
        if figures.unsubscribed > 0 {
            let deliveries = Some(figures.unsubscribed);
            push(Row { figure: "unsubscribed_on", day: day.to_string(), deliveries, ..Row::default() });
        }
    }
    let counted = &engagement.counted;
    for (figure, hits) in [("counted_opens", &counted.opens), ("counted_clicks", &counted.clicks)] {
        for_each_agent(hits, &mut |by, count| push(Row { figure, by, hits: Some(count), ..Row::default() }));
    }
}

fn activities<'a>(figure: &'a str, link: &'a str, activity: &Activity, push: &mut dyn FnMut(Row<'a>)) {
    for agent in Agent::ALL {
        let (deliveries, hits) = (activity.deliveries.of(agent), activity.hits.of(agent));
        if deliveries + hits > 0 {
            let by = agent.word();
            push(Row { figure, by, link, deliveries: Some(deliveries), hits: Some(hits), ..Row::default() });
        }
    }
}

fn for_each_agent(by_agent: &ByAgent, push: &mut dyn FnMut(&'static str, u64)) {
    for agent in Agent::ALL {
        if by_agent.of(agent) > 0 {
            push(agent.word(), by_agent.of(agent));
        }
    }
}

fn levels<'a>(campaign: &'a CampaignReport, push: &mut dyn FnMut(Row<'a>)) {
    for shift in &campaign.levels {
        for level in &shift.levels {
            for (moment, contacts) in [("before", level.before), ("after", level.after)] {
                push(Row {
                    figure: "level",
                    score: &shift.score,
                    level: &level.level,
                    moment,
                    contacts: Some(contacts),
                    ..Row::default()
                });
            }
        }
    }
}

fn push(text: &mut String, shared: &[String; 6], row: &Row<'_>) {
    let number = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
    let (deliveries, hits, contacts) = (number(row.deliveries), number(row.hits), number(row.contacts));
    let own = [
        row.state,
        row.reason,
        &deliveries,
        row.figure,
        row.by,
        row.link,
        &row.day,
        &hits,
        row.score,
        row.level,
        row.moment,
        &contacts,
    ];
    let cells: Vec<String> = shared.iter().map(String::as_str).chain(own).map(cell).collect();
    text.push_str(&cells.join(","));
    text.push_str("\r\n");
}

/// A row of texts that others have: no formula among them, quoted where they must be (RFC 4180).
pub fn row(cells: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|text| cell(text.as_ref())).collect();
    cells.join(",") + "\r\n"
}

/// A cell as it is written: no formula, and quoted where it must be.
fn cell(text: &str) -> String {
    let text = guarded(text);
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
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
