//! A problem in a user's file: code, place, message, hint; as text or JSON.
//!
//! | file | what |
//! |---|---|
//! | [`text`] | problems for people: file:line:column, the underlined source line, the hint |
//! | [`json`] | problems for programs: stable, with a version |
//! | [`sources`] | the texts of the files that were read, for the underlined lines |
//! | [`similar`] | the name that was probably meant |

use std::sync::Arc;

pub mod json;
pub mod similar;
pub mod sources;
pub mod text;

pub use similar::{did_you_mean, nearest};
pub use sources::{Lines, Sources};

/// Where something stands in a file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, as the user would name it (relative to the project folder).
    pub file: Arc<str>,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
    /// How many characters are meant, on this line; at least 1.
    pub length: u32,
}

impl Place {
    /// The beginning of a file: for what is wrong with the whole of it.
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), line: 1, column: 1, length: 1 }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Must be mended.
    Error,
    /// Legal, but probably not what was meant.
    Warning,
}

impl Severity {
    /// The word for it in messages and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Stable, for people and programs: `unknown-key`, `wrong-type`.
    pub code: &'static str,
    /// What failed on what: lowercase, no full stop.
    pub message: String,
    /// Where, if it has a place.
    pub place: Option<Place>,
    /// Other places that belong to it: the first of two declarations.
    pub related: Vec<Related>,
    /// What to do.
    pub hint: Option<String>,
}

/// Another place that a problem is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// What stands there: `first declared here`.
    pub label: String,
    /// Where.
    pub place: Place,
}

impl Problem {
    /// An error at a place.
    pub fn error(code: &'static str, message: impl Into<String>, place: Place) -> Self {
        Self::new(Severity::Error, code, message.into(), Some(place))
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, message: impl Into<String>, place: Place) -> Self {
        Self::new(Severity::Warning, code, message.into(), Some(place))
    }

    /// An error that has no place in a file: a variable of the environment, a missing file.
    pub fn placeless(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message.into(), None)
    }

    const fn new(severity: Severity, code: &'static str, message: String, place: Option<Place>) -> Self {
        Self { severity, code, message, place, related: Vec::new(), hint: None }
    }

    /// The same with another place that it is about.
    #[must_use]
    pub fn related(mut self, label: impl Into<String>, place: Place) -> Self {
        self.related.push(Related { label: label.into(), place });
        self
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a hint, where there is one.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// Whether it must be mended.
    pub const fn is_error(&self) -> bool {
        matches!(self.severity, Severity::Error)
    }
}

/// Puts problems into the order in which they are shown: by file, line and column (those without
/// a place first), and drops exact repetitions (an anchor that is used twice is wrong once).
pub fn sort(problems: &mut Vec<Problem>) {
    problems.sort_by(|a, b| {
        (&a.place, a.severity, a.code, &a.message).cmp(&(&b.place, b.severity, b.code, &b.message))
    });
    problems.dedup();
}
