//! One campaign: who got it, who did not and why, what came of it.

use std::fmt::Write as _;

use super::svg::{self, Piece};
use super::words::{self, Escaped, counted, number};
use super::{HtmlStyle, charts};
use crate::domain::delivery::DeliveryState;
use crate::report::counts::Counts;
use crate::report::engagement::{Activity, Engagement};
use crate::report::outcome::{CampaignReport, NO_VERSION, Outcome};
use crate::report::rate::Rate;

/// So many links are shown; JSON and CSV have all.
const SHOWN_LINKS: usize = 12;
/// So many runs are shown, the latest; JSON and CSV have all.
const SHOWN_RUNS: usize = 40;

/// Where the campaign's name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// At the head of the page.
    OnThePage,
    /// Over its own part of the page.
    Own,
}

pub(super) fn push(text: &mut String, campaign: &CampaignReport, style: &HtmlStyle, head: Head) {
    let name = Escaped(campaign.name.as_str());
    let _ = write!(text, "<section class=\"card\" id=\"{name}\">");
    if head == Head::Own {
        let _ = write!(text, "<h2>{name}</h2>");
    }
    let about =
        campaign.description.as_deref().map(|about| format!("{} · ", Escaped(about))).unwrap_or_default();
    let _ = writeln!(text, "<p class=\"about quiet\">{about}{}</p>", period(campaign, style));
    let outcome = &campaign.outcome;
    audience(text, &outcome.deliveries, campaign.runs.len() > 1);
    let engagement = &outcome.engagement;
    if engagement.mails.all() > 0 {
        charts::tiles(text, outcome.deliveries.of(DeliveryState::Accepted), engagement);
        who(text, engagement);
        only_counted(text, engagement);
        versions(text, campaign);
        links(text, engagement);
        charts::over_time(text, engagement);
    } else if outcome.deliveries.audience() > 0 {
        text.push_str(
            "<p class=\"nothing\">No mail of it has been sent yet, so nothing can have come back.</p>\n",
        );
    }
    for shift in &campaign.levels {
        charts::level_shift(text, shift);
    }
    runs(text, campaign, style);
    text.push_str("</section>\n");
}

/// When it ran.
fn period(campaign: &CampaignReport, style: &HtmlStyle) -> String {
    let due = |index: Option<&crate::report::outcome::RunReport>| index.map(|report| report.run.due_at);
    match (due(campaign.runs.first()), due(campaign.runs.last())) {
        (Some(first), Some(last)) if campaign.runs.len() > 1 => format!(
            "{} from {} to {}",
            counted(campaign.runs.len() as u64, "run", "runs"),
            words::date(first, style.time_zone),
            words::date(last, style.time_zone)
        ),
        (Some(only), _) => format!("one run, {}", words::time(only, style.time_zone)),
        _ => String::new(),
    }
}

/// What became of the audience, as one bar and in words.
fn audience(text: &mut String, counts: &Counts, several_runs: bool) {
    if counts.audience() == 0 {
        text.push_str("<p class=\"nothing\">Nobody was in its audience.</p>\n");
        return;
    }
    let accepted = counts.of(DeliveryState::Accepted);
    let open = counts.of(DeliveryState::Planned) + counts.in_hand() + counts.of(DeliveryState::Deferred);
    let states = [
        ("human", accepted, "mailed"),
        ("unknown", open, "still waiting"),
        ("bad", counts.of(DeliveryState::Refused), "refused by the mail server"),
        (
            "machine",
            counts.of(DeliveryState::Uncertain),
            "uncertain: nobody can know whether the mail arrived",
        ),
        ("none", counts.of(DeliveryState::Skipped), "not mailed"),
    ];
    let pieces: Vec<Piece> = states
        .iter()
        .map(|(class, count, meaning)| Piece {
            class,
            count: *count,
            title: format!(
                "{} {meaning}, {}",
                number(*count),
                words::percent(Rate::new(*count, counts.audience()))
            ),
        })
        .collect();
    let note =
        if several_runs { " A person who is in the audience of several runs counts in each." } else { "" };
    let _ = write!(
        text,
        "<div class=\"part\"><h3>Who got it</h3><p>Of <strong>{}</strong> in the audience, <strong>{}</strong> {} \
         mailed.{note}</p>{}",
        number(counts.audience()),
        number(accepted),
        if accepted == 1 { "was" } else { "were" },
        svg::stack(&pieces)
    );
    let shown = states.iter().filter(|(_, count, _)| *count > 0);
    text.push_str(&words::legend(
        shown.map(|(class, count, meaning)| (*class, (*meaning).to_owned(), Some(*count))),
    ));
    reasons(text, counts);
    text.push_str("</div>\n");
}

/// Why some were not mailed, the most frequent reason first.
fn reasons(text: &mut String, counts: &Counts) {
    let mut reasons: Vec<(&str, u64)> = counts.skipped_by_count();
    reasons.extend(counts.refused.iter().map(|(reason, count)| (reason.as_str(), *count)));
    if reasons.is_empty() {
        return;
    }
    text.push_str("<div class=\"rows\" style=\"margin-top:14px\">");
    let most = reasons.iter().map(|(_, count)| *count).max().unwrap_or(0);
    for (reason, count) in reasons {
        let _ = write!(
            text,
            "<div class=\"row\"><div class=\"what\"><b>{}</b> {}</div>{}</div>",
            number(count),
            Escaped(&words::reason(reason)),
            svg::bar(count, most, "none")
        );
    }
    text.push_str("</div>\n");
}

/// People, machines and what cannot be told.
fn who(text: &mut String, engagement: &Engagement) {
    if engagement.mails.individual == 0 {
        return;
    }
    text.push_str("<div class=\"part\"><h3>Who opened and clicked</h3>");
    if engagement.opened.hits.all() + engagement.clicked.hits.all() == 0 {
        text.push_str("<p class=\"nothing\">Nothing came back yet. Most people open a mail within two days.</p></div>\n");
        return;
    }
    for (label, activity, person) in
        [("Opened", &engagement.opened, "human"), ("Clicked", &engagement.clicked, "click")]
    {
        agents(text, label, activity, person);
    }
    if engagement.mails.none > 0 {
        let _ = write!(
            text,
            "<p class=\"small quiet\" style=\"margin-top:12px\">{} not tracked, because who got {} has not agreed to it.</p>",
            counted(engagement.mails.none, "mail is", "mails are"),
            if engagement.mails.none == 1 { "it" } else { "them" }
        );
    }
    text.push_str("</div>\n");
}

fn agents(text: &mut String, label: &str, activity: &Activity, person: &'static str) {
    let by = activity.deliveries;
    let parts = [
        (person, "by people", by.human),
        ("unknown", "unknown", by.unknown),
        ("machine", "by machines only", by.machine),
    ];
    let pieces: Vec<Piece> = parts
        .iter()
        .map(|(class, meaning, count)| Piece {
            class,
            count: *count,
            title: format!("{} {meaning}", number(*count)),
        })
        .collect();
    let _ = write!(
        text,
        "<p class=\"small quiet\" style=\"margin:14px 0 6px\">{label}: {}, {} in all</p>{}",
        counted(by.all(), "mail", "mails"),
        counted(activity.hits.all(), "request", "requests"),
        svg::stack(&pieces)
    );
    text.push_str(&words::legend(
        parts.map(|(class, meaning, count)| (class, meaning.to_owned(), Some(count))),
    ));
}

/// Mails of which nobody knows who opened them.
fn only_counted(text: &mut String, engagement: &Engagement) {
    if engagement.mails.aggregate > 0 {
        let (opens, clicks) = (engagement.counted.opens, engagement.counted.clicks);
        let _ = writeln!(
            text,
            "<div class=\"part\"><h3>Only counted</h3><p>Of {} we count how often they are opened and clicked, but not by \
             whom: <strong>{}</strong> and <strong>{}</strong> by people, {} and {} by machines or unknown. One person may \
             be in there several times, so there is no rate.</p></div>",
            counted(engagement.mails.aggregate, "mail", "mails"),
            counted(opens.human, "open", "opens"),
            counted(clicks.human, "click", "clicks"),
            number(opens.all() - opens.human),
            number(clicks.all() - clicks.human),
        );
    }
    if engagement.mails.individual + engagement.mails.aggregate == 0 {
        text.push_str(
            "<div class=\"part\"><h3>Opens and clicks</h3><p class=\"nothing\">Nothing of these mails is tracked: neither \
             opens nor clicks are known.</p></div>\n",
        );
    }
}

/// Versions side by side.
fn versions(text: &mut String, campaign: &CampaignReport) {
    let versions = campaign.versions();
    let tracked: Vec<(&str, &Outcome)> = versions
        .iter()
        .filter(|(label, outcome)| **label != NO_VERSION && outcome.engagement.mails.individual > 0)
        .map(|(label, outcome)| (*label, outcome))
        .collect();
    if tracked.len() < 2 {
        return;
    }
    let scales = [
        svg::scale(tracked.iter().map(|(_, outcome)| outcome.engagement.open_rate())),
        svg::scale(tracked.iter().map(|(_, outcome)| outcome.engagement.click_rate())),
        svg::scale(tracked.iter().map(|(_, outcome)| outcome.engagement.unsubscribe_rate())),
    ];
    text.push_str(
        "<div class=\"part\"><h3>Its versions</h3><p class=\"small quiet\">They went to different people, so a difference \
         is not the text’s alone.</p><div class=\"rows campaigns\">",
    );
    for (label, outcome) in tracked {
        let engagement = &outcome.engagement;
        let _ = write!(
            text,
            "<div class=\"row\"><div class=\"what\"><strong>{}</strong><br><span class=\"small quiet\">{}, {} tracked</span></div>",
            Escaped(label),
            counted(engagement.mails.all(), "mail", "mails"),
            number(engagement.mails.individual)
        );
        let rates = [
            ("opened", "human", engagement.open_rate()),
            ("clicked", "click", engagement.click_rate()),
            ("unsubscribed", "bad", engagement.unsubscribe_rate()),
        ];
        for ((label, class, rate), scale) in rates.into_iter().zip(scales) {
            let _ = write!(
                text,
                "<div>{}<div class=\"value\"><b>{}</b> {label} <span class=\"quiet\">({})</span></div></div>",
                svg::gauge(rate, class, scale),
                words::percent(rate),
                words::interval(rate)
            );
        }
        text.push_str("</div>");
    }
    text.push_str("</div></div>\n");
}

/// Where people went.
fn links(text: &mut String, engagement: &Engagement) {
    let links = engagement.links_by_clicks();
    if links.is_empty() {
        return;
    }
    let tracked = engagement.mails.individual > 0;
    let count = |activity: &Activity| if tracked { activity.deliveries.human } else { activity.hits.human };
    let most = links.iter().map(|(_, activity)| count(activity)).max().unwrap_or(0);
    text.push_str("<div class=\"part\"><h3>Where people went</h3><div class=\"rows\">");
    for (link, activity) in links.iter().take(SHOWN_LINKS) {
        let said = if tracked {
            let share = words::percent(Rate::new(count(activity), engagement.mails.individual));
            let machines = match activity.deliveries.machine {
                0 => String::new(),
                machines => format!("; machines only: {}", number(machines)),
            };
            format!(
                "<b>{}</b> of tracked mails, {share}<span class=\"quiet\">{machines}</span>",
                number(count(activity))
            )
        } else {
            format!("<b>{}</b>", counted(count(activity), "click", "clicks"))
        };
        let _ = write!(
            text,
            "<div class=\"row\"><div class=\"what small\">{}</div><div>{}<div class=\"value\">{said}</div></div></div>",
            address(link),
            svg::bar(count(activity), most, "click")
        );
    }
    text.push_str("</div>");
    if links.len() > SHOWN_LINKS {
        let more = (links.len() - SHOWN_LINKS) as u64;
        let _ =
            write!(text, "<p class=\"small quiet\">And {}.</p>", counted(more, "more link", "more links"));
    }
    text.push_str("</div>\n");
}

/// An address, to be followed where it is one of the web.
fn address(link: &str) -> String {
    let shown = link.strip_prefix("https://").unwrap_or(link);
    if link.starts_with("https://") || link.starts_with("http://") {
        format!("<a href=\"{}\" rel=\"noreferrer noopener\">{}</a>", Escaped(link), Escaped(shown))
    } else {
        Escaped(shown).to_string()
    }
}

/// Every run, folded away.
fn runs(text: &mut String, campaign: &CampaignReport, style: &HtmlStyle) {
    if campaign.runs.len() < 2 {
        return;
    }
    let hidden = campaign.runs.len().saturating_sub(SHOWN_RUNS);
    text.push_str("<details><summary>");
    let _ = write!(text, "{}", if hidden > 0 { "The latest runs" } else { "Every run" });
    text.push_str(
        "</summary><div class=\"scroll\"><table><thead><tr><th class=\"text\">due</th><th class=\"text\">state</th>\
         <th>audience</th><th>mails</th><th>opened</th><th>clicked</th><th>unsubscribed</th></tr></thead><tbody>",
    );
    for report in campaign.runs[hidden..].iter().rev() {
        let engagement = &report.outcome.engagement;
        let _ = write!(
            text,
            "<tr><td class=\"text\">{}</td><td class=\"text\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            words::time(report.run.due_at, style.time_zone),
            report.run.state.word(),
            number(report.outcome.deliveries.audience()),
            number(report.outcome.deliveries.of(DeliveryState::Accepted)),
            words::percent(engagement.open_rate()),
            words::percent(engagement.click_rate()),
            number(engagement.unsubscribed)
        );
    }
    text.push_str("</tbody></table></div></details>\n");
}
