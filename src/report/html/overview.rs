//! All campaigns on one page.

use std::fmt::Write as _;

use super::words::{self, Escaped, counted};
use super::{Extent, HtmlStyle, charts, svg};
use crate::domain::delivery::DeliveryState;
use crate::report::outcome::{CampaignReport, Report};
use crate::report::rate::Rate;

pub(super) fn push(text: &mut String, report: &Report, style: &HtmlStyle) {
    let all = report.outcome();
    charts::tiles(text, all.deliveries.of(DeliveryState::Accepted), &all.engagement);
    let mut chart = String::new();
    charts::over_time(&mut chart, &all.engagement);
    if !chart.is_empty() {
        let _ = writeln!(
            text,
            "<section class=\"card\"><h2>Opens and clicks</h2><p class=\"about quiet\">All campaigns together.</p>{chart}</section>"
        );
    }
    campaigns(text, report, style);
    for history in &report.levels {
        charts::level_history(text, history, style.time_zone);
    }
}

/// The campaigns side by side, on one scale.
fn campaigns(text: &mut String, report: &Report, style: &HtmlStyle) {
    let rates = |rate: fn(&CampaignReport) -> Rate| svg::scale(report.campaigns.iter().map(rate));
    let open_scale = rates(|campaign| campaign.outcome.engagement.open_rate());
    let click_scale = rates(|campaign| campaign.outcome.engagement.click_rate());
    let gone_scale = rates(|campaign| campaign.outcome.engagement.unsubscribe_rate());
    text.push_str(
        "<section class=\"card\"><h2>The campaigns</h2><p class=\"about quiet\">Each bar is the rate; the line over it is \
         where the true rate probably lies. Bars of a column have the same scale.</p>\n<div class=\"rows campaigns\">\n",
    );
    for campaign in &report.campaigns {
        let engagement = &campaign.outcome.engagement;
        let mails = campaign.outcome.deliveries.of(DeliveryState::Accepted);
        let name = Escaped(campaign.name.as_str());
        let address = match style.extent {
            Extent::Overview => format!("campaigns/{name}"),
            _ => format!("#{name}"),
        };
        let runs = counted(campaign.runs.len() as u64, "run", "runs");
        let about = campaign
            .description
            .as_deref()
            .map(|about| format!("<br>{}", Escaped(about)))
            .unwrap_or_default();
        let _ = write!(
            text,
            "<div class=\"row\"><div class=\"what\"><a href=\"{address}\"><strong>{name}</strong></a>\
             <span class=\"small quiet\">{about}<br>{}, {runs}</span></div>",
            counted(mails, "mail", "mails"),
        );
        let tracked = engagement.mails.individual > 0;
        for (label, class, rate, scale, known) in [
            ("opened", "human", engagement.open_rate(), open_scale, tracked),
            ("clicked", "click", engagement.click_rate(), click_scale, tracked),
            ("unsubscribed", "bad", engagement.unsubscribe_rate(), gone_scale, engagement.mails.all() > 0),
        ] {
            let cell = if known {
                format!(
                    "{}<div class=\"value\"><b>{}</b> {label} <span class=\"quiet\">({})</span></div>",
                    svg::gauge(rate, class, scale),
                    words::percent(rate),
                    words::interval(rate)
                )
            } else {
                format!("<div class=\"value quiet\">{}</div>", unknown(label, campaign))
            };
            let _ = write!(text, "<div>{cell}</div>");
        }
        text.push_str("</div>\n");
    }
    text.push_str("</div></section>\n");
}

/// Why there is no rate.
fn unknown(label: &str, campaign: &CampaignReport) -> String {
    let engagement = &campaign.outcome.engagement;
    if engagement.mails.all() == 0 {
        return if label == "opened" { "no mail yet".to_owned() } else { String::new() };
    }
    if engagement.mails.aggregate == 0 {
        return format!("{label}: not tracked");
    }
    let hits =
        if label == "opened" { engagement.counted.opens.human } else { engagement.counted.clicks.human };
    let noun = if label == "opened" { ("open", "opens") } else { ("click", "clicks") };
    format!("{}, only counted", counted(hits, noun.0, noun.1))
}
