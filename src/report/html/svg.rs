//! Charts as inline SVG: shapes only, which stretch to any width; words and numbers stand beside them, so
//! that they are as large as any text. What a shape means is in its `title`: browsers show it, screen
//! readers read it.

use std::fmt::Write as _;

use super::words::Escaped;
use crate::report::rate::Rate;

/// A part of a stacked bar or column.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// The class that gives its colour.
    pub(super) class: &'static str,
    /// How much.
    pub(super) count: u64,
    /// What it is.
    pub(super) title: String,
}

/// A bar from 0 to the share, and a line over the interval. `scale` is the share at the right end.
pub(super) fn gauge(rate: Rate, class: &str, scale: f64) -> String {
    let (Some(share), Some(interval)) = (rate.share(), rate.interval()) else { return String::new() };
    let place = |share: f64| (share / scale * 100.0).min(100.0);
    let (low, high) = (place(interval.low), place(interval.high));
    format!(
        "<svg class=\"gauge\" viewBox=\"0 0 100 12\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"track\" width=\"100\" height=\"12\"/>\
         <rect class=\"{class}\" width=\"{:.2}\" height=\"12\"/>\
         <path class=\"reach\" d=\"M{low:.2} 6H{high:.2}M{low:.2} 2.5V9.5M{high:.2} 2.5V9.5\"/></svg>",
        place(share),
    )
}

/// A gauge's scale for rates that are compared: the highest end of an interval, rounded up to one that is
/// easy to read.
pub(super) fn scale(rates: impl IntoIterator<Item = Rate>) -> f64 {
    let highest =
        rates.into_iter().filter_map(Rate::interval).map(|interval| interval.high).fold(0.0, f64::max);
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8]
        .into_iter()
        .find(|step| highest <= *step)
        .unwrap_or(1.0)
}

/// A bar of the given length, without an interval.
pub(super) fn bar(part: u64, whole: u64, class: &str) -> String {
    let width = if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    format!(
        "<svg class=\"gauge\" viewBox=\"0 0 100 12\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"track\" width=\"100\" height=\"12\"/>\
         <rect class=\"{class}\" width=\"{width:.2}\" height=\"12\"/></svg>"
    )
}

/// Pieces side by side, together the whole width.
pub(super) fn stack(pieces: &[Piece]) -> String {
    let all: u64 = pieces.iter().map(|piece| piece.count).sum();
    let mut text =
        "<svg class=\"stack\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" role=\"img\">".to_owned();
    let mut left = 0.0;
    for piece in pieces.iter().filter(|piece| piece.count > 0) {
        let width = piece.count as f64 * 100.0 / all as f64;
        let _ = write!(
            text,
            "<rect class=\"{}\" x=\"{left:.3}\" width=\"{width:.3}\" height=\"10\"><title>{}</title></rect>",
            piece.class,
            Escaped(&piece.title)
        );
        left += width;
    }
    text.push_str("</svg>");
    text
}

/// Columns over time: in front of each wide one a narrow one. `columns` are the two heights and a title.
pub(super) fn columns(columns: &[(u64, u64, String)], classes: [&str; 2]) -> String {
    let most = columns.iter().map(|(wide, narrow, _)| *wide.max(narrow)).max().unwrap_or(0).max(1);
    let mut text = frame("columns", columns.len());
    for (index, (wide, narrow, title)) in columns.iter().enumerate() {
        let height = |count: u64| count as f64 * 100.0 / most as f64;
        let left = index as f64 * 10.0;
        let _ = write!(text, "<g><title>{}</title>", Escaped(title));
        // The whole column can be pointed at, also where nothing happened.
        let _ = write!(text, "<rect x=\"{left}\" width=\"10\" height=\"100\" fill=\"transparent\"/>");
        for (class, count, from, width) in [(classes[0], *wide, 1.0, 8.0), (classes[1], *narrow, 3.0, 4.0)] {
            if count > 0 {
                let _ = write!(
                    text,
                    "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.2}\" width=\"{width}\" height=\"{:.2}\"/>",
                    left + from,
                    100.0 - height(count),
                    height(count),
                );
            }
        }
        text.push_str("</g>");
    }
    text.push_str("</svg>");
    text
}

/// Columns of the same height, each in pieces from the bottom up.
pub(super) fn stacked_columns(columns: &[Vec<Piece>]) -> String {
    let mut text = frame("columns", columns.len());
    for (index, pieces) in columns.iter().enumerate() {
        let all: u64 = pieces.iter().map(|piece| piece.count).sum::<u64>().max(1);
        let mut top = 100.0;
        for piece in pieces.iter().filter(|piece| piece.count > 0) {
            let height = piece.count as f64 * 100.0 / all as f64;
            top -= height;
            let _ = write!(
                text,
                "<rect class=\"{}\" x=\"{:.1}\" y=\"{top:.2}\" width=\"8\" height=\"{height:.2}\"><title>{}</title></rect>",
                piece.class,
                index as f64 * 10.0 + 1.0,
                Escaped(&piece.title),
            );
        }
    }
    text.push_str("</svg>");
    text
}

/// Ten units a column, a hundred high, with lines at the top, the middle and the bottom.
fn frame(class: &str, columns: usize) -> String {
    let width = columns.max(1) * 10;
    format!(
        "<svg class=\"{class}\" viewBox=\"0 0 {width} 100\" preserveAspectRatio=\"none\" role=\"img\">\
         <path class=\"grid\" d=\"M0 0H{width}M0 50H{width}M0 100H{width}\"/>"
    )
}

/// The class of a level's colour: the lowest is pale, the highest is strong.
pub(super) const fn level_class(index: usize, levels: usize) -> &'static str {
    const CLASSES: [&str; 5] = ["l0", "l1", "l2", "l3", "l4"];
    let steps = if levels > 1 { levels - 1 } else { 1 };
    let step = index * (CLASSES.len() - 1) / steps;
    CLASSES[if step < CLASSES.len() { step } else { CLASSES.len() - 1 }]
}
