//! Tera's errors as problems with a place in the user's own file.

use tera::{Error, ErrorKind, ReportError};

use super::limits;
use super::source::Source;
use crate::diagnostic::{Place, Problem, did_you_mean};

/// The code of what is wrong between templates: a block, component or include that is not there.
pub(super) const REFERENCE: &str = "template-reference";

/// An error that Tera reported when it compiled templates, as problems. `source_of` knows the
/// templates by their name.
pub(super) fn compile_problems<'s>(
    error: &Error,
    source_of: &dyn Fn(&str) -> Option<&'s Source>,
) -> Vec<(String, Problem)> {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let place = source_of(report.filename()).map(|source| place_of(source, report));
            place
                .map(|place| {
                    let message = format!("the template cannot be read: {}", lowercase(report.message()));
                    (report.filename().to_owned(), Problem::error("template-syntax", message, place))
                })
                .into_iter()
                .collect()
        }
        ErrorKind::CircularExtend { tpl, inheritance_chain } => {
            cycle_problem(tpl, inheritance_chain, "extends", source_of)
        }
        ErrorKind::CircularInclude { tpl, include_chain } => {
            cycle_problem(tpl, include_chain, "includes", source_of)
        }
        _ => error.to_string().split("\n\n").filter_map(|report| reported(report, source_of)).collect(),
    }
}

/// The place of a report, in the file as the user wrote it.
pub(super) fn place_of(source: &Source, report: &ReportError) -> Place {
    let range = &report.span().range;
    let start = limits::original(&source.outline.insertions, range.start);
    let end = limits::original(&source.outline.insertions, range.end).max(start);
    source.place(start..end)
}

/// A message of Tera in the house's style.
pub(super) fn lowercase(message: &str) -> String {
    // "… is not defined. Available fields: …" names what people should not have to read.
    let message = message.split(". Available").next().unwrap_or(message).trim_end_matches('.');
    let mut characters = message.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

fn cycle_problem<'s>(
    name: &str,
    chain: &[String],
    verb: &str,
    source_of: &dyn Fn(&str) -> Option<&'s Source>,
) -> Vec<(String, Problem)> {
    let Some(source) = source_of(name) else { return Vec::new() };
    let place = source
        .outline
        .references()
        .find(|reference| chain.contains(&reference.text))
        .map_or_else(|| Place::file(source.file.clone()), |reference| source.place(reference.inner()));
    let message = format!("the template {verb} itself: {}", chain.join(" → "));
    vec![(name.to_owned(), Problem::error("template-cycle", message, place))]
}

/// One report of several that Tera joined to one text:
/// ```text
/// error: Unknown filter `datte`
///  --> welcome/body.html:3:12
/// ```
fn reported<'s>(report: &str, source_of: &dyn Fn(&str) -> Option<&'s Source>) -> Option<(String, Problem)> {
    let mut lines = report.lines();
    let message = lines.next()?.strip_prefix("error: ")?;
    let (rest, column) = lines.next()?.trim_start().strip_prefix("--> ")?.rsplit_once(':')?;
    let (name, line) = rest.rsplit_once(':')?;
    let (line, column) = (line.parse::<usize>().ok()?, column.parse::<usize>().ok()?);
    let source = source_of(name)?;
    let inserted = limits::insert(&source.text, &source.outline.insertions);
    let start_of_line: usize =
        inserted.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let in_line =
        inserted[start_of_line..].chars().take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>();
    let start = limits::original(&source.outline.insertions, start_of_line + in_line);
    let quoted = message.split('`').nth(1).unwrap_or("");
    let place = source.place(start..start + quoted.len().max(1));
    let (code, hint) = match message.split('`').next().unwrap_or("").trim_end() {
        "Unknown filter" => ("unknown-filter", did_you_mean(quoted, super::filters::NAMES)),
        "Unknown test" => ("unknown-test", None),
        "Unknown function" => ("unknown-function", None),
        _ => (REFERENCE, None),
    };
    Some((name.to_owned(), Problem::error(code, lowercase(message), place).maybe_hint(hint)))
}
