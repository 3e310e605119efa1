//! Problems for people.
//!
//! ```text
//! error[unknown-attribute]: there is no attribute `contry`
//!   --> campaigns/vip.yaml:4:20
//!    |
//!  4 |     - attribute: { contry: FR }
//!    |                    ^^^^^^
//!    = hint: did you mean `country`?
//! ```
//!
//! What users wrote is shown but never obeyed: control characters appear as `\u{1b}`, tabs as
//! spaces, and of a long line only the neighbourhood of the place.

use std::fmt::Write as _;

use owo_colors::Style;
use unicode_width::UnicodeWidthChar;

use super::{Place, Problem, Severity, Sources};

/// Columns of the terminal that a source line may take.
const WIDEST: usize = 100;
/// Columns that are kept before the place where a long line is cut.
const LEAD: usize = 30;
/// Columns of a tab: it is shown as this many spaces, wherever it stands.
const TAB: usize = 4;

/// All problems as text, in the given order, each with its source line underlined; `colour` adds
/// ANSI colours. Ends in a line break unless there is nothing.
pub fn render(problems: &[Problem], sources: &Sources, colour: bool) -> String {
    let paint = Paint { colour };
    problems.iter().map(|problem| one(problem, sources, paint)).collect::<Vec<_>>().join("\n")
}

/// `3 errors, 1 warning`; `None` when there is nothing.
pub fn summary(problems: &[Problem]) -> Option<String> {
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    let counted = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    match (counted(errors, "error"), counted(problems.len() - errors, "warning")) {
        (Some(errors), Some(warnings)) => Some(format!("{errors}, {warnings}")),
        (errors, warnings) => errors.or(warnings),
    }
}

fn one(problem: &Problem, sources: &Sources, paint: Paint) -> String {
    let style = match problem.severity {
        Severity::Error => Style::new().red().bold(),
        Severity::Warning => Style::new().yellow().bold(),
    };
    let head = format!("{}[{}]", problem.severity.word(), problem.code);
    let mut text = format!(
        "{}{}\n",
        paint.with(style, &head),
        paint.with(Style::new().bold(), &format!(": {}", shown(&problem.message)))
    );
    let widest = problem.related.iter().map(|related| related.place.line);
    let widest = widest.chain(problem.place.iter().map(|place| place.line)).max().unwrap_or(0);
    let gutter = widest.to_string().len() + 1;
    if let Some(place) = &problem.place {
        excerpt(&mut text, place, None, sources, gutter, paint, style);
    }
    for related in &problem.related {
        excerpt(
            &mut text,
            &related.place,
            Some(&related.label),
            sources,
            gutter,
            paint,
            Style::new().blue().bold(),
        );
    }
    if let Some(hint) = &problem.hint {
        let label = paint.with(Style::new().cyan().bold(), "hint");
        let _ = writeln!(text, "{:gutter$} {} {label}: {}", "", paint.frame("="), shown(hint));
    }
    text
}

fn excerpt(
    text: &mut String,
    place: &Place,
    label: Option<&str>,
    sources: &Sources,
    gutter: usize,
    paint: Paint,
    style: Style,
) {
    let arrow = paint.frame(if label.is_some() { ":::" } else { "-->" });
    let label = label.map(|label| format!(" {}", shown(label))).unwrap_or_default();
    let pad = gutter.saturating_sub(1);
    let file = shown(&place.file);
    let _ = writeln!(text, "{:pad$} {arrow} {file}:{}:{}{label}", "", place.line, place.column);
    let Some(line) = sources.line(&place.file, place.line).filter(|line| !line.trim().is_empty()) else {
        return;
    };
    let (line, offset, width) = cut(line, place);
    let bar = paint.frame("|");
    let number = paint.frame(&format!("{:>gutter$}", place.line));
    let carets = paint.with(style, &"^".repeat(width));
    let _ = writeln!(
        text,
        "{:gutter$} {bar}\n{number} {bar} {line}\n{:gutter$} {bar} {:offset$}{carets}",
        "", "", ""
    );
}

/// The part of a line that is shown, and where in it the place begins and how wide it is.
fn cut(line: &str, place: &Place) -> (String, usize, usize) {
    // A line may be megabytes long: only what can be seen of it is looked at closely.
    let column = place.column as usize - 1;
    let skipped = column.saturating_sub(WIDEST);
    let mut rest = line.chars().skip(skipped);
    let cells: Vec<String> = rest.by_ref().take(3 * WIDEST).map(cell).collect();
    let more_behind = rest.next().is_some();
    let first = column - skipped;
    let widths: Vec<usize> = cells.iter().map(|cell| width(cell)).collect();
    let first = first.min(cells.len());
    let behind = (first + place.length as usize).min(cells.len());
    let mut start = 0;
    if skipped > 0 || more_behind || widths.iter().sum::<usize>() > WIDEST {
        let mut lead = widths[..first].iter().sum::<usize>();
        while lead > LEAD && start < first {
            lead -= widths[start];
            start += 1;
        }
    }
    let mut end = start;
    let mut total = 0;
    while end < cells.len() && total + widths[end] <= WIDEST {
        total += widths[end];
        end += 1;
    }
    let before = if skipped + start > 0 { "…" } else { "" };
    let after = if end < cells.len() || more_behind { "…" } else { "" };
    let shown = format!("{before}{}{after}", cells[start..end].concat());
    let offset = width(before) + widths[start..first].iter().sum::<usize>();
    let under = widths[first..behind.clamp(first, end.max(first))].iter().sum::<usize>();
    (shown.trim_end().to_owned(), offset, under.max(1))
}

/// A character as it is shown.
fn cell(char: char) -> String {
    match char {
        '\t' => " ".repeat(TAB),
        _ if is_harmless(char) => char.to_string(),
        _ => char.escape_unicode().to_string(),
    }
}

/// A text of the user's inside a message, as it is shown.
fn shown(text: &str) -> String {
    text.chars().map(|char| if char == '\n' { " ".to_owned() } else { cell(char) }).collect()
}

/// No control character, and none of those that turn the direction of writing or are not seen.
fn is_harmless(char: char) -> bool {
    !char.is_control()
        && !matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn width(cell: &str) -> usize {
    cell.chars().map(|char| char.width().unwrap_or(0)).sum()
}

/// Colours, when they are wanted.
#[derive(Clone, Copy)]
struct Paint {
    colour: bool,
}

impl Paint {
    fn with(self, style: Style, text: &str) -> String {
        if self.colour { style.style(text).to_string() } else { text.to_owned() }
    }

    fn frame(self, text: &str) -> String {
        self.with(Style::new().blue(), text)
    }
}
