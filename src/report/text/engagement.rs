//! What came back from mails: rates, who it was, links, versions, days.

use std::fmt::Write as _;

use super::TextStyle;
use super::table::{self, Tone, left, rate_cells, right};
use crate::domain::delivery::DeliveryState;
use crate::report::days::{self, Step};
use crate::report::engagement::{Activity, Engagement};
use crate::report::outcome::{CampaignReport, NO_VERSION, Report};
use crate::report::plain;
use crate::report::rate::Rate;

/// So many links of a campaign are shown; JSON and CSV have all.
const SHOWN_LINKS: usize = 10;
/// More days than this are shown as weeks.
const SHOWN_DAYS: usize = 14;
/// The room that an address of a link gets.
const LINK: usize = 44;

/// All campaigns, one line each.
pub(super) fn overview(text: &mut String, report: &Report) {
    let all = report.outcome();
    let accepted = all.deliveries.of(DeliveryState::Accepted);
    let runs = report.campaigns.iter().map(|campaign| campaign.runs.len() as u64).sum();
    let _ = writeln!(
        text,
        "{}: {}, {} accepted",
        plain::counted(report.campaigns.len() as u64, "campaign", "campaigns"),
        plain::counted(runs, "run", "runs"),
        plain::counted(accepted, "mail", "mails"),
    );
    let mut rows = table::headed(&["campaign", "#mails", "#opened", "", "#clicked", "", "#unsubscribed", ""]);
    for campaign in &report.campaigns {
        let engagement = &campaign.outcome.engagement;
        let mut cells = vec![
            left(plain::printable(campaign.name.as_str())),
            right(plain::number(campaign.outcome.deliveries.of(DeliveryState::Accepted))),
        ];
        for rate in [engagement.open_rate(), engagement.click_rate(), engagement.unsubscribe_rate()] {
            cells.extend(rate_cells(rate));
        }
        rows.add_row(cells);
    }
    table::push(text, rows);
}

/// What came back from a campaign's mails.
pub(super) fn push(text: &mut String, campaign: &CampaignReport, style: TextStyle) {
    let engagement = &campaign.outcome.engagement;
    if engagement.mails.all() == 0 {
        return;
    }
    text.push('\n');
    if engagement.mails.individual > 0 {
        rates(text, engagement, style);
        text.push('\n');
        by_agent(text, engagement);
    } else {
        let mut rows = table::new();
        add_rate(&mut rows, &mut Vec::new(), "unsubscribed", engagement.unsubscribe_rate(), Tone::Bad);
        table::push(text, rows);
    }
    counted(text, engagement);
    untracked(text, engagement);
    links(text, engagement, style);
    versions(text, campaign);
    by_day(text, engagement, style);
}

fn rates(text: &mut String, engagement: &Engagement, style: TextStyle) {
    let (mut rows, mut bars) = (table::new(), Vec::new());
    for (label, rate, tone) in [
        ("opened by people", engagement.open_rate(), Tone::Good),
        ("clicked by people", engagement.click_rate(), Tone::Good),
        ("unsubscribed", engagement.unsubscribe_rate(), Tone::Bad),
    ] {
        add_rate(&mut rows, &mut bars, label, rate, tone);
    }
    table::push_with_bars(text, rows, &bars, style);
}

fn add_rate(
    rows: &mut comfy_table::Table,
    bars: &mut Vec<Option<(Rate, Tone)>>,
    label: &str,
    rate: Rate,
    tone: Tone,
) {
    let [share, interval] = rate_cells(rate);
    let of = format!("of {}", plain::counted(rate.whole, "mail", "mails"));
    rows.add_row([left(label.to_owned()), right(plain::number(rate.part)), left(of), share, interval]);
    bars.push(Some((rate, tone)));
}

fn by_agent(text: &mut String, engagement: &Engagement) {
    let mut rows = table::headed(&["", "#people", "#unknown", "#machines", "#all hits"]);
    for (label, activity) in [("opened", &engagement.opened), ("clicked", &engagement.clicked)] {
        rows.add_row(std::iter::once(left(label.to_owned())).chain(agent_cells(activity)));
    }
    table::push(text, rows);
}

/// Deliveries by reading, and all hits.
fn agent_cells(activity: &Activity) -> impl Iterator<Item = comfy_table::Cell> {
    let deliveries = activity.deliveries;
    [deliveries.human, deliveries.unknown, deliveries.machine, activity.hits.all()]
        .map(|count| right(plain::number(count)))
        .into_iter()
}

/// Mails of which nobody knows who opened them.
fn counted(text: &mut String, engagement: &Engagement) {
    let mails = engagement.mails.aggregate;
    if mails == 0 {
        return;
    }
    let counted = &engagement.counted;
    let _ = writeln!(
        text,
        "\n  Of {} hits are only counted: {} and {} by people, {} and {} in all.\n  \
         Nobody knows whose they are, so there is no rate.",
        plain::counted(mails, "mail", "mails"),
        plain::counted(counted.opens.human, "open", "opens"),
        plain::counted(counted.clicks.human, "click", "clicks"),
        plain::number(counted.opens.all()),
        plain::number(counted.clicks.all()),
    );
}

fn untracked(text: &mut String, engagement: &Engagement) {
    let mails = engagement.mails;
    if mails.none == 0 {
        return;
    }
    if mails.individual + mails.aggregate == 0 {
        text.push_str("\n  Nothing of these mails is tracked: neither opens nor clicks are known.\n");
    } else {
        let _ = writeln!(
            text,
            "\n  {} not tracked: who got {} has not agreed to it.",
            plain::counted(mails.none, "mail is", "mails are"),
            if mails.none == 1 { "it" } else { "them" },
        );
    }
}

fn links(text: &mut String, engagement: &Engagement, style: TextStyle) {
    let links = engagement.links_by_clicks();
    if links.is_empty() {
        return;
    }
    text.push('\n');
    if engagement.mails.individual == 0 {
        let mut rows = table::headed(&["link", "#hits of people", "#all hits"]);
        for (link, activity) in links.iter().take(SHOWN_LINKS) {
            let hits = [activity.hits.human, activity.hits.all()].map(|count| right(plain::number(count)));
            rows.add_row(std::iter::once(left(table::shortened(link, LINK))).chain(hits));
        }
        table::push(text, rows);
        return;
    }
    let mut rows = table::headed(&["link", "#people", "#unknown", "#machines", "#all hits", "#share"]);
    let mut bars = vec![None];
    for (link, activity) in links.iter().take(SHOWN_LINKS) {
        let rate = Rate::new(activity.deliveries.human, engagement.mails.individual);
        let share = right(plain::share(rate.part, rate.whole));
        let link = left(table::shortened(link, LINK));
        rows.add_row(std::iter::once(link).chain(agent_cells(activity)).chain([share]));
        bars.push(Some((rate, Tone::Good)));
    }
    table::push_with_bars(text, rows, &bars, style);
    if links.len() > SHOWN_LINKS {
        let more = (links.len() - SHOWN_LINKS) as u64;
        let _ = writeln!(
            text,
            "  {}; --json and --csv have all",
            plain::counted(more, "more link", "more links")
        );
    }
}

/// Versions side by side; whether they differ shows in their intervals.
fn versions(text: &mut String, campaign: &CampaignReport) {
    let versions = campaign.versions();
    let tracked: Vec<_> = versions
        .iter()
        .filter(|(label, outcome)| **label != NO_VERSION && outcome.engagement.mails.individual > 0)
        .collect();
    if tracked.len() < 2 {
        return;
    }
    text.push('\n');
    let mut rows =
        table::headed(&["version", "#tracked", "#opened", "", "#clicked", "", "#unsubscribed", ""]);
    for (label, outcome) in tracked {
        let engagement = &outcome.engagement;
        let mut cells =
            vec![left(plain::printable(label)), right(plain::number(engagement.mails.individual))];
        for rate in [engagement.open_rate(), engagement.click_rate(), engagement.unsubscribe_rate()] {
            cells.extend(rate_cells(rate));
        }
        rows.add_row(cells);
    }
    table::push(text, rows);
}

fn by_day(text: &mut String, engagement: &Engagement, style: TextStyle) {
    if engagement.days.is_empty() {
        return;
    }
    text.push('\n');
    let (step, rows_of) = days::steps(&engagement.days, SHOWN_DAYS);
    let head = match step {
        Step::Day => "day",
        Step::Week => "week of",
        Step::Month => "month of",
    };
    let mut rows = table::headed(&[head, "#opened", "#clicked", "#unsubscribed"]);
    let mut bars = vec![None];
    let opens = |day: &crate::report::engagement::Day| day.opened.human + day.counted.opens.human;
    let most = rows_of.iter().map(|(_, day)| opens(day)).max().unwrap_or(0);
    for (start, day) in &rows_of {
        let clicks = day.clicked.human + day.counted.clicks.human;
        let cells = [opens(day), clicks, day.unsubscribed].map(|count| right(plain::number(count)));
        rows.add_row(std::iter::once(left(start.format("%a %Y-%m-%d").to_string())).chain(cells));
        bars.push(Some((Rate::new(opens(day), most), Tone::Good)));
    }
    table::push_with_bars(text, rows, &bars, style);
}
