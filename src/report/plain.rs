//! Numbers, times and texts as they are shown to people.

use crate::domain::calendar;
use crate::domain::time::{Timestamp, Zone};

/// A number with thousands apart: `12,034`.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// A share in percent; what is not all and not nothing never looks so.
pub(super) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    if part > 0 && percent < 0.1 {
        return "<0.1 %".to_owned();
    }
    if part < whole && percent > 99.9 {
        return ">99.9 %".to_owned();
    }
    format!("{percent:.1} %")
}

/// A time in a zone, to the minute: `Mon 2026-12-14 09:00`.
pub(super) fn time(at: Timestamp, zone: Zone) -> String {
    calendar::local(at, zone).format("%a %Y-%m-%d %H:%M").to_string()
}

/// Words of the database for people: `not_consented` → `not consented`.
pub(super) fn words(word: &str) -> String {
    printable(word).replace('_', " ")
}

/// A text of users or servers on one line, without what could change what a terminal shows: control
/// characters, and those that turn the direction of writing (CVE-2021-42574).
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {
                '\u{fffd}'
            }
            other if other.is_control() => '\u{fffd}',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_shares_are_readable() {
        for (value, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(value), expected);
        }
        for (part, whole, expected) in [
            (0, 0, ""),
            (0, 9, "0.0 %"),
            (1, 3, "33.3 %"),
            (3, 3, "100.0 %"),
            (1, 100_000, "<0.1 %"),
            (99_999, 100_000, ">99.9 %"),
        ] {
            assert_eq!(share(part, whole), expected);
        }
    }

    #[test]
    fn texts_cannot_move_the_cursor() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc\u{202e}d\u{9b}31m"), "a\u{fffd}[2Jb  c\u{fffd}d\u{fffd}31m");
    }
}
