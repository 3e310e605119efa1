//! Tables without lines, and bars of blocks.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use owo_colors::OwoColorize as _;

use super::TextStyle;
use crate::report::plain;
use crate::report::rate::Rate;

/// Bars are at least this wide: narrower ones say nothing.
const NARROWEST_BAR: usize = 8;
/// Bars are at most this wide: wider ones are hard to compare.
const WIDEST_BAR: usize = 40;
/// How far tables are indented.
const INDENT: &str = "  ";

/// What a bar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// What was wished for: accepted mails, people who opened.
    Good,
    /// What was not.
    Bad,
    /// Neither.
    Neutral,
}

/// A table without lines.
pub(super) fn new() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// A table with a head; columns whose head begins with `#` hold numbers.
pub(super) fn headed(heads: &[&str]) -> Table {
    let mut table = new();
    table.set_header(heads.iter().map(|head| match head.strip_prefix('#') {
        Some(head) => right(head.to_owned()),
        None => left((*head).to_owned()),
    }));
    table
}

pub(super) fn left(text: String) -> Cell {
    Cell::new(text)
}

pub(super) fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// A share with its interval: `30.2 %` and `(27.8 to 32.7 %)`; empty of nothing.
pub(super) fn rate_cells(rate: Rate) -> [Cell; 2] {
    let interval = rate
        .interval()
        .map(|interval| format!("({:.1} to {:.1} %)", interval.low * 100.0, interval.high * 100.0));
    [right(plain::share(rate.part, rate.whole)), left(interval.unwrap_or_default())]
}

/// Ends a table's columns in two blanks.
pub(super) fn pad(table: &mut Table) {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
}

/// Writes a table, indented.
pub(super) fn push(text: &mut String, mut table: Table) {
    pad(&mut table);
    for line in table.lines() {
        text.push_str(INDENT);
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// Writes a table with a bar at the end of each line, as wide as the style leaves room for. `bars` has one
/// for each line; `None`: no bar there, as beside the head.
pub(super) fn push_with_bars(
    text: &mut String,
    mut table: Table,
    bars: &[Option<(Rate, Tone)>],
    style: TextStyle,
) {
    pad(&mut table);
    let lines: Vec<String> = table.lines().collect();
    let widest = lines.iter().map(|line| unicode_width::UnicodeWidthStr::width(line.as_str())).max();
    let used = INDENT.len() + widest.unwrap_or(0);
    let room = style.width.saturating_sub(used + 1).min(WIDEST_BAR);
    for (index, line) in lines.iter().enumerate() {
        let mut whole = format!("{INDENT}{line}");
        if let Some(Some((rate, tone))) = bars.get(index)
            && room >= NARROWEST_BAR
        {
            let bar = bar(*rate, room);
            match (style.colour, tone) {
                (false, _) => whole.push_str(&bar),
                (true, Tone::Good) => whole.push_str(&bar.green().to_string()),
                (true, Tone::Bad) => whole.push_str(&bar.red().to_string()),
                (true, Tone::Neutral) => whole.push_str(&bar.bright_black().to_string()),
            }
        }
        text.push_str(whole.trim_end());
        text.push('\n');
    }
}

/// A bar in eighths of a character; what is not nothing is seen.
pub(super) fn bar(rate: Rate, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let all = width as u128 * 8;
    let eighths = if rate.whole == 0 {
        0
    } else {
        u128::from(rate.part.min(rate.whole)) * all / u128::from(rate.whole)
    };
    let eighths = eighths.max(u128::from(rate.part > 0));
    "█".repeat((eighths / 8) as usize) + EIGHTHS[(eighths % 8) as usize]
}

/// A text that is at most so wide, cut in the middle: addresses differ at both ends.
pub(super) fn shortened(text: &str, width: usize) -> String {
    let text = plain::printable(text);
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= width {
        return text;
    }
    let ends = width.saturating_sub(1);
    let (head, tail) = (ends - ends / 3, ends / 3);
    letters[..head].iter().chain(['…'].iter()).chain(&letters[letters.len() - tail..]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_share_and_never_invisible() {
        for (part, whole, expected) in
            [(0, 10, ""), (1, 1_000_000, "▏"), (1, 2, "██"), (9, 32, "█▏"), (4, 4, "████"), (5, 0, "▏")]
        {
            assert_eq!(bar(Rate::new(part, whole), 4), expected, "{part} of {whole}");
        }
    }

    #[test]
    fn long_addresses_are_cut_in_the_middle() {
        assert_eq!(shortened("https://shop.example/", 30), "https://shop.example/");
        assert_eq!(shortened("https://shop.example/a/very/long/path/that/ends", 20), "https://shop.…t/ends");
        assert_eq!(shortened("https://shop.example/a/very/long/path/that/ends", 20).chars().count(), 20);
    }
}
