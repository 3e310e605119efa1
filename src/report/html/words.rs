//! The words of the page: for somebody who has never seen a ledger.

use std::fmt::{self, Write as _};

use crate::domain::calendar;
use crate::domain::time::{Timestamp, Zone};
use crate::report::plain;
use crate::report::rate::Rate;

/// A text as it stands in HTML, between tags and in quoted attributes.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in plain::printable(self.0).chars() {
            match character {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                other => write!(formatter, "{other}")?,
            }
        }
        Ok(())
    }
}

/// Why contacts of an audience were not mailed: goes on after their number.
pub(super) fn reason(word: &str) -> String {
    let known = match word {
        "not_consented" => "have not agreed to such mail",
        "suppressed_bounce" => "have an address that bounced before",
        "suppressed_complaint" => "complained about an earlier mail",
        "suppressed_unsubscribe" => "unsubscribed",
        "suppressed_import" => "are on the list of those who are not to be mailed",
        "no_address" => "have no e-mail address",
        "frequency_cap" => "had enough mail lately",
        "already_sent" => "had this mail before",
        "waiting_in_earlier_run" => "wait for an earlier run of this campaign",
        "no_version_matches" => "fit none of its versions",
        "outside_the_dates" => "were reached outside the campaign’s dates",
        "left_the_audience" => "had left the audience when it was their turn",
        "template_failed" => "could not be mailed, because their mail could not be made",
        "run_cancelled" => "were left when the run was cancelled",
        "rejected" => "were refused by the mail server",
        "gave_up" => "were given up after many tries",
        other => return plain::words(other),
    };
    known.to_owned()
}

/// `38.2 %`; a dash of nothing.
pub(super) fn percent(rate: Rate) -> String {
    if rate.whole == 0 { "–".to_owned() } else { plain::share(rate.part, rate.whole) }
}

/// `35.6 to 40.8 %`; empty of nothing.
pub(super) fn interval(rate: Rate) -> String {
    let text = |interval: crate::report::rate::Interval| {
        format!("{:.1} to {:.1} %", interval.low * 100.0, interval.high * 100.0)
    };
    rate.interval().map(text).unwrap_or_default()
}

/// `Tue 2 March 2027, 10:00`.
pub(super) fn time(at: Timestamp, zone: Zone) -> String {
    calendar::local(at, zone).format("%a %-d %B %Y, %H:%M").to_string()
}

/// `2 March 2027`.
pub(super) fn date(at: Timestamp, zone: Zone) -> String {
    calendar::local(at, zone).format("%-d %B %Y").to_string()
}

/// A colour, what it means, and how many.
pub(super) fn legend(entries: impl IntoIterator<Item = (&'static str, String, Option<u64>)>) -> String {
    let mut text = "<ul class=\"legend\">".to_owned();
    for (class, meaning, count) in entries {
        let count = count.map(|count| format!("<b>{}</b> ", plain::number(count))).unwrap_or_default();
        let _ = write!(text, "<li><i class=\"{class}\"></i>{count}{}</li>", Escaped(&meaning));
    }
    text.push_str("</ul>");
    text
}

/// A number in front of a noun, for the page.
pub(super) use crate::report::plain::{counted, number};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::{RefusalReason, SkipReason};

    #[test]
    fn texts_of_users_are_no_markup() {
        let text = Escaped("<script>alert('&\"')</script>\u{202e}\u{1b}").to_string();
        assert_eq!(text, "&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;\u{fffd}\u{fffd}");
    }

    #[test]
    fn every_reason_has_words() {
        let words = SkipReason::ALL.iter().map(|reason| reason.word());
        for word in words.chain(RefusalReason::ALL.iter().map(|reason| reason.word())) {
            assert_ne!(reason(word), plain::words(word), "{word}");
        }
    }
}
