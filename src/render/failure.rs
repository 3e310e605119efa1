//! Why a mail could not be rendered: where in the user's file, and what was missing there.

use tera::{Error, ErrorKind};

use super::limits::OUTPUT_LIMIT;
use super::outline::Path;
use super::templates::Inner;
use super::{RenderError, limits, places};
use crate::diagnostic::Place;

/// An error of Tera while it rendered the template `name`.
pub(super) fn of(templates: &Inner, name: &str, error: &Error) -> RenderError {
    match error.kind() {
        ErrorKind::RenderingError(report) => {
            let Some(source) = templates.sources.get(report.filename()) else {
                return at_file(templates, name, places::lowercase(report.message()));
            };
            let byte = limits::original(&source.outline.insertions, report.span().range.start);
            let place = places::place_of(source, report);
            let message = report.message();
            let Some(path) = source.outline.read_at(byte) else {
                return RenderError::TemplateFailed { place, message: places::lowercase(message) };
            };
            let place = source.place(path.at());
            let message = if message.contains("undefined") || message.contains("not defined") {
                undefined(path, &source.text)
            } else {
                places::lowercase(message)
            };
            RenderError::TemplateFailed { place, message }
        }
        ErrorKind::Io(_) => {
            at_file(templates, name, format!("this part of the mail is larger than {OUTPUT_LIMIT} bytes"))
        }
        _ => at_file(templates, name, places::lowercase(&error.to_string())),
    }
}

/// A subject of which nothing is left.
pub(super) fn empty_subject(templates: &Inner, name: &str) -> RenderError {
    at_file(templates, name, "the subject is empty for this contact".to_owned())
}

fn at_file(templates: &Inner, name: &str, message: String) -> RenderError {
    let place = match templates.sources.get(name) {
        Some(source) => Place::file(source.file.clone()),
        None => Place::file(name),
    };
    RenderError::TemplateFailed { place, message }
}

fn undefined(path: &Path, source: &str) -> String {
    let written = source.get(path.at()).unwrap_or(&path.root.text);
    match path.root.text.as_str() {
        "contact" | "traits" => format!(
            "`{written}` has no value for this contact; `{{{{ {written} or \"…\" }}}}` would say what to write instead"
        ),
        _ => format!("`{written}` is not defined"),
    }
}
