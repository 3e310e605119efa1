//! The report for people at a terminal: all campaigns at a glance, then one block a campaign.

use std::fmt::Write as _;

use super::outcome::{CampaignReport, Report};
use super::plain;
use crate::domain::delivery::DeliveryState;
use crate::domain::time::Zone;

mod deliveries;
mod engagement;
mod levels;
mod table;

/// The width of texts that do not go to a terminal.
const PLAIN_WIDTH: usize = 100;

/// How a text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    /// Bars have colours.
    pub colour: bool,
    /// How many characters a line may have. Tables that are wider stay whole; bars go first.
    pub width: usize,
    /// The zone in which times are shown.
    pub time_zone: Zone,
}

impl TextStyle {
    /// For files and pipes: no colour, 100 characters.
    pub const fn plain(time_zone: Zone) -> Self {
        Self { colour: false, width: PLAIN_WIDTH, time_zone }
    }
}

impl Report {
    /// The report for people.
    pub fn to_text(&self, style: TextStyle) -> String {
        if self.campaigns.is_empty() {
            return "No runs yet.\n".to_owned();
        }
        let mut text = String::new();
        if self.campaigns.len() > 1 {
            engagement::overview(&mut text, self);
            text.push('\n');
        }
        for (index, campaign) in self.campaigns.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            block(&mut text, campaign, style);
        }
        for history in &self.levels {
            text.push('\n');
            levels::history(&mut text, history, style);
        }
        notes(&mut text, self);
        text
    }
}

fn block(text: &mut String, campaign: &CampaignReport, style: TextStyle) {
    let runs = plain::counted(campaign.runs.len() as u64, "run", "runs");
    let audience = campaign.outcome.deliveries.audience();
    let deliveries = plain::counted(audience, "delivery", "deliveries");
    let _ = writeln!(text, "{}: {runs}, {deliveries}", plain::printable(campaign.name.as_str()));
    deliveries::push(text, campaign, style);
    if audience > 0 {
        engagement::push(text, campaign, style);
    }
    for shift in &campaign.levels {
        text.push('\n');
        levels::shift(text, shift, style);
    }
}

/// What has to be known to read the report, where there is something of it.
fn notes(text: &mut String, report: &Report) {
    let outcome = report.outcome();
    if outcome.deliveries.of(DeliveryState::Uncertain) > 0 {
        text.push_str(
            "\nuncertain: the connection or the process ended before the server's answer was noted; \
             nobody can know\nwhether the mail arrived. `campaignd uncertain` lists them.\n",
        );
    }
    if outcome.engagement.mails.individual > 0 {
        text.push_str(
            "\nRates are of accepted mails that are tracked one by one; in brackets where the truth lies in 95 of 100\n\
             such reports (Wilson 1927). people: a person looked, also through a proxy that hides them. unknown: it\n\
             cannot be told. machines: scanners of links, images that were fetched before anybody looked.\n",
        );
    }
}
