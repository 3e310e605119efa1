//! Parts of pages that overview and campaigns share: tiles, days, levels.

use std::fmt::Write as _;

use super::svg::{self, Piece};
use super::words::{self, Escaped, counted, number};
use crate::domain::time::Zone;
use crate::report::days::{self, Step};
use crate::report::engagement::{Day, Engagement};
use crate::report::levels::{DAYS_AFTER, LevelHistory, LevelMoment, LevelShift};
use crate::report::rate::Rate;

/// More days than this are shown as weeks: narrower columns cannot be told apart on a phone.
const MOST_COLUMNS: usize = 62;
/// In pixels.
const WIDEST_COLUMN: usize = 96;

/// The rates that matter, large.
pub(super) fn tiles(text: &mut String, mails: u64, engagement: &Engagement) {
    text.push_str("<div class=\"tiles\">\n");
    let of = match engagement.mails.all() {
        all if all == engagement.mails.individual => "all of them tracked".to_owned(),
        _ => format!("{} of them tracked", number(engagement.mails.individual)),
    };
    tile(text, "Mails", &number(mails), "", if engagement.mails.all() > 0 { &of } else { "" });
    if engagement.mails.individual > 0 {
        let (opened, clicked) = (engagement.open_rate(), engagement.click_rate());
        rate_tile(text, "Opened by people", opened, "human", "tracked mails");
        rate_tile(text, "Clicked by people", clicked, "click", "tracked mails");
    }
    if engagement.mails.all() > 0 {
        rate_tile(text, "Unsubscribed", engagement.unsubscribe_rate(), "bad", "mails");
    }
    text.push_str("</div>\n");
}

fn rate_tile(text: &mut String, label: &str, rate: Rate, class: &str, whole: &str) {
    let gauge = svg::gauge(rate, class, svg::scale([rate]));
    let note = format!(
        "{} of {} {whole}; the true rate is probably {}",
        number(rate.part),
        number(rate.whole),
        words::interval(rate)
    );
    tile(text, label, &words::percent(rate), &gauge, &note);
}

fn tile(text: &mut String, label: &str, figure: &str, chart: &str, note: &str) {
    let _ = writeln!(
        text,
        "<div class=\"tile\"><div class=\"label\">{label}</div><div class=\"figure\">{figure}</div>{chart}<p>{}</p></div>",
        Escaped(note)
    );
}

/// Opens and clicks over time. Empty where there were none.
pub(super) fn over_time(text: &mut String, engagement: &Engagement) {
    let (step, rows) = days::steps(&engagement.days, MOST_COLUMNS);
    let opened = |day: &Day| day.opened.human + day.counted.opens.human;
    let clicked = |day: &Day| day.clicked.human + day.counted.clicks.human;
    let most = rows.iter().map(|(_, day)| opened(day).max(clicked(day))).max().unwrap_or(0);
    if most == 0 {
        return;
    }
    let (unit, format) = match step {
        Step::Day => ("day", "%a %-d %B %Y"),
        Step::Week => ("week", "week of %-d %B %Y"),
        Step::Month => ("month", "%B %Y"),
    };
    let columns: Vec<(u64, u64, String)> = rows
        .iter()
        .map(|(start, day)| {
            let (opened, clicked) = (opened(day), clicked(day));
            let when = start.format(format);
            let unsubscribed = match day.unsubscribed {
                0 => String::new(),
                count => format!(", {} unsubscribed", number(count)),
            };
            (
                opened,
                clicked,
                format!("{when}: {} opened, {} clicked{unsubscribed}", number(opened), number(clicked)),
            )
        })
        .collect();
    let _ = write!(text, "<div class=\"part\"><h3>By {unit}</h3><p class=\"top\">{}</p>", number(most));
    // A few columns would be as wide as posters.
    let _ = write!(text, "<div class=\"chart\" style=\"max-width:{}px\">", columns.len() * WIDEST_COLUMN);
    text.push_str(&svg::columns(&columns, ["human", "click"]));
    text.push_str("<div class=\"axis\">");
    let (first, last): (usize, usize) = (0, rows.len() - 1);
    let mut marked = vec![first, first.midpoint(last), last];
    marked.dedup();
    for index in marked {
        let _ = write!(
            text,
            "<span>{}</span>",
            rows[index].0.format(if step == Step::Month { "%b %Y" } else { "%-d %b" })
        );
    }
    text.push_str("</div></div>");
    text.push_str(&words::legend([
        ("human", "opened for the first time, by people".to_owned(), None),
        ("click", "clicked for the first time, by people".to_owned(), None),
    ]));
    text.push_str("</div>\n");
}

/// A campaign's recipients over the levels of a score.
pub(super) fn level_shift(text: &mut String, shift: &LevelShift) {
    if shift.contacts == 0 {
        return;
    }
    let _ = write!(
        text,
        "<div class=\"part\"><h3>Score “{}”: before and {DAYS_AFTER} days after</h3>\
         <p class=\"small quiet\">{}{}, each once: on which level they were when they were first mailed, and {DAYS_AFTER} \
         days later. {} rose a level or more, {} lost one or more. The mean went from {:.1} to {:.1}.</p>\
         <div class=\"before-after\">",
        Escaped(&shift.score),
        counted(shift.contacts, "recipient", "recipients"),
        sampled(shift.contacts, shift.recipients),
        number(shift.rose),
        number(shift.fell),
        shift.mean_before,
        shift.mean_after,
    );
    let count = shift.levels.len();
    for (label, of) in [("before", 0), ("after", 1)] {
        let pieces: Vec<Piece> = shift
            .levels
            .iter()
            .enumerate()
            .map(|(index, level)| {
                let contacts = if of == 0 { level.before } else { level.after };
                Piece {
                    class: svg::level_class(index, count),
                    count: contacts,
                    title: format!(
                        "{label}: {} {}, {}",
                        number(contacts),
                        level_name(&level.level),
                        words::percent(Rate::new(contacts, shift.contacts))
                    ),
                }
            })
            .collect();
        let _ = write!(text, "<span class=\"small quiet\">{label}</span>{}", svg::stack(&pieces));
    }
    text.push_str("</div>");
    text.push_str(&words::legend(shift.levels.iter().enumerate().map(|(index, level)| {
        let shares =
            [level.before, level.after].map(|contacts| words::percent(Rate::new(contacts, shift.contacts)));
        let meaning = format!("{}: {} before, {} after", level_name(&level.level), shares[0], shares[1]);
        (svg::level_class(index, count), meaning, None)
    })));
    text.push_str("</div>\n");
}

/// Everybody over the levels of a score, as time goes by.
pub(super) fn level_history(text: &mut String, history: &LevelHistory, zone: Zone) {
    let count = history.levels.len();
    let columns: Vec<Vec<Piece>> = history
        .moments
        .iter()
        .map(|moment| {
            let pieces = history.levels.iter().zip(&moment.contacts).enumerate();
            let pieces = pieces.map(|(index, (level, contacts))| Piece {
                class: svg::level_class(index, count),
                count: *contacts,
                title: format!(
                    "{}: {} {}",
                    words::date(moment.at, zone),
                    number(*contacts),
                    level_name(level)
                ),
            });
            // The highest level is at the bottom: it is what is watched.
            pieces.rev().collect()
        })
        .collect();
    let _ = write!(
        text,
        "<section class=\"card\"><h2>Score “{}”</h2><p class=\"about quiet\">{}{}: on which level they were, as time \
         went by. A score rises with what people do and fades when they do nothing.</p>",
        Escaped(&history.score),
        counted(history.contacts, "contact", "contacts"),
        sampled(history.contacts, history.of),
    );
    let changes = |of: fn(&LevelMoment) -> u64| history.moments.iter().map(of).sum();
    let _ = write!(
        text,
        "<p class=\"small quiet\">From one column to the next, contacts rose a level or more {} and fell {}.</p>",
        counted(changes(|moment| moment.rose), "time", "times"),
        counted(changes(|moment| moment.fell), "time", "times"),
    );
    text.push_str(&svg::stacked_columns(&columns));
    text.push_str("<div class=\"axis under\">");
    for moment in &history.moments {
        let _ =
            write!(text, "<span>{}</span>", crate::domain::calendar::local(moment.at, zone).format("%-d %b"));
    }
    text.push_str("</div>");
    let last = history.moments.last();
    text.push_str(&words::legend(history.levels.iter().enumerate().rev().map(|(index, level)| {
        let now = last.and_then(|moment| moment.contacts.get(index)).copied().unwrap_or(0);
        let meaning =
            format!("{}, {} at the end", level_name(level), words::percent(Rate::new(now, history.contacts)));
        (svg::level_class(index, count), meaning, Some(now))
    })));
    text.push_str("</section>\n");
}

fn level_name(level: &str) -> &str {
    if level.is_empty() { "below the lowest level" } else { level }
}

fn sampled(looked_at: u64, all: u64) -> String {
    if looked_at < all { format!(" (drawn out of {})", number(all)) } else { String::new() }
}
