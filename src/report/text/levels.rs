//! Levels of a score: recipients before and after, everybody as time goes by.

use std::fmt::Write as _;

use super::TextStyle;
use super::table::{self, Tone, left, right};
use crate::report::levels::{DAYS_AFTER, LevelHistory, LevelShift};
use crate::report::plain;
use crate::report::rate::Rate;

/// A campaign's recipients, when they were mailed and some days later.
pub(super) fn shift(text: &mut String, shift: &LevelShift, style: TextStyle) {
    let after = format!("{DAYS_AFTER} days later");
    let mut rows =
        table::headed(&[&plain::printable(&shift.score), "#when mailed", "", &format!("#{after}"), ""]);
    let mut bars = vec![None];
    for level in shift.levels.iter().rev() {
        let name = if level.level.is_empty() { "(below)".to_owned() } else { plain::printable(&level.level) };
        rows.add_row([
            left(name),
            right(plain::number(level.before)),
            right(plain::share(level.before, shift.contacts)),
            right(plain::number(level.after)),
            right(plain::share(level.after, shift.contacts)),
        ]);
        bars.push(Some((Rate::new(level.after, shift.contacts), Tone::Neutral)));
    }
    rows.add_row([
        left("mean".to_owned()),
        right(format!("{:.1}", shift.mean_before)),
        left(String::new()),
        right(format!("{:.1}", shift.mean_after)),
        left(String::new()),
    ]);
    table::push_with_bars(text, rows, &bars, style);
    let _ = writeln!(
        text,
        "  Of {}{} {} rose a level or more, and {} lost one or more.",
        plain::counted(shift.contacts, "recipient", "recipients"),
        sampled(shift.contacts, shift.recipients),
        plain::number(shift.rose),
        plain::number(shift.fell),
    );
}

/// Everybody, as time goes by.
pub(super) fn history(text: &mut String, history: &LevelHistory, style: TextStyle) {
    let contacts = plain::counted(history.contacts, "contact", "contacts");
    let score = plain::printable(&history.score);
    let _ = writeln!(text, "Score {score} of {contacts}{}", sampled(history.contacts, history.of));
    let names: Vec<String> =
        history.levels.iter().map(|level| format!("#{}", plain::printable(level))).collect();
    let heads: Vec<&str> = std::iter::once("on")
        .chain(names.iter().map(String::as_str))
        .chain(["#rose", "#fell", "#mean"])
        .collect();
    let mut rows = table::headed(&heads);
    let mut bars = vec![None];
    let highest = history.moments.iter().map(|moment| moment.mean).fold(0.0_f64, f64::max);
    for moment in &history.moments {
        let counts = moment.contacts.iter().map(|count| right(plain::number(*count)));
        rows.add_row(
            std::iter::once(left(plain::time(moment.at, style.time_zone)))
                .chain(counts)
                .chain([moment.rose, moment.fell].map(|count| right(plain::number(count))))
                .chain([right(format!("{:.1}", moment.mean))]),
        );
        // Means may be negative; a bar begins at 0.
        let hundredths = |mean: f64| (mean.max(0.0) * 100.0) as u64;
        bars.push(Some((Rate::new(hundredths(moment.mean), hundredths(highest)), Tone::Neutral)));
    }
    table::push_with_bars(text, rows, &bars, style);
}

fn sampled(looked_at: u64, all: u64) -> String {
    if looked_at < all { format!(" (a sample of {})", plain::number(all)) } else { String::new() }
}
