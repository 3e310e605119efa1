//! What the user asked of an import. Each option is read by `parse`, so that the command line and
//! tests say the same.

use std::path::PathBuf;

use crate::domain::consent::{ConsentState, Purpose};
use crate::domain::time::{Timestamp, Zone};
use crate::store::contacts::Arrival;

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// One contact a row.
    Contacts,
    /// One event a row.
    Events,
}

impl Content {
    /// The word for it: `contacts`, `events`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Events => "events",
        }
    }
}

/// How a file is to be read. [`ImportOptions::new`] is what the command does without options.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportOptions {
    /// `--contacts`, `--events`; `None`: recognised from the columns.
    pub content: Option<Content>,
    /// `--event purchase`: every row is this event (its declared name or its name on the wire).
    pub event: Option<String>,
    /// `--map ours=theirs`.
    pub mappings: Vec<Mapping>,
    /// `--reject-where COLUMN=PATTERN`: rows that are rejected although they could be read.
    pub reject_where: Vec<RejectPattern>,
    /// `--consent marketing=yes`: for rows that say nothing of it themselves.
    pub consents: Vec<ConsentFlag>,
    /// `--source TEXT`: how these consents were given; by default the name of the file.
    pub source: Option<String>,
    /// `--rejects FILE`: where bad rows go; by default `NAME.rejects.csv` beside the file.
    pub rejects: Option<PathBuf>,
    /// `--delimiter`; `None`: recognised from the header.
    pub delimiter: Option<Delimiter>,
    /// `--live`: the rows are news; else they are facts of another time.
    pub arrival: Arrival,
    /// The zone of times that have none: `--time-zone`, else the installation's.
    pub time_zone: Zone,
    /// What time it is: events more than a day later are rejected; consents count from here.
    pub now: Timestamp,
}

impl ImportOptions {
    /// No option given.
    pub const fn new(time_zone: Zone, now: Timestamp) -> Self {
        Self {
            content: None,
            event: None,
            mappings: Vec::new(),
            reject_where: Vec::new(),
            consents: Vec::new(),
            source: None,
            rejects: None,
            delimiter: None,
            arrival: Arrival::BackFill,
            time_zone,
            now,
        }
    }
}

/// A text that is no option.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}")]
pub struct InvalidOption {
    text: String,
    what: &'static str,
}

fn invalid(text: &str, what: &'static str) -> InvalidOption {
    InvalidOption { text: text.chars().take(80).collect(), what }
}

/// `ours=theirs`: the file's column `theirs` holds what is called `ours` here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// `id`, `email`, `at` …, or a declared name.
    pub ours: String,
    /// The file's name for it, exactly.
    pub theirs: String,
}

impl Mapping {
    /// Reads `ours=theirs`.
    pub fn parse(text: &str) -> Result<Self, InvalidOption> {
        match text.split_once('=') {
            Some((ours, theirs)) if !ours.trim().is_empty() && !theirs.trim().is_empty() => {
                Ok(Self { ours: ours.trim().to_owned(), theirs: theirs.trim().to_owned() })
            }
            _ => Err(invalid(text, "a mapping; write OURS=THEIRS, as in `email=E-Mail Address`")),
        }
    }
}

/// `COLUMN=PATTERN`: rows whose cell matches are rejected. `*` stands for any characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectPattern {
    /// The file's name of the column.
    pub column: String,
    /// The pattern for the whole cell.
    pub pattern: String,
}

impl RejectPattern {
    /// Reads `COLUMN=PATTERN`.
    pub fn parse(text: &str) -> Result<Self, InvalidOption> {
        match text.split_once('=') {
            Some((column, pattern)) if !column.trim().is_empty() => {
                Ok(Self { column: column.trim().to_owned(), pattern: pattern.to_owned() })
            }
            _ => Err(invalid(text, "a column and a pattern; write COLUMN=PATTERN, as in `Invoice=C*`")),
        }
    }

    /// Whether a cell is one of those.
    pub fn matches(&self, cell: &str) -> bool {
        let Some((first, rest)) = self.pattern.split_once('*') else { return cell == self.pattern };
        let Some(mut cell) = cell.strip_prefix(first) else { return false };
        let (middle, last) =
            rest.rsplit_once('*').map_or((None, rest), |(middle, last)| (Some(middle), last));
        for part in middle.into_iter().flat_map(|middle| middle.split('*')) {
            let Some(position) = cell.find(part) else { return false };
            cell = &cell[position + part.len()..];
        }
        cell.ends_with(last)
    }
}

/// `PURPOSE=ANSWER`: what the contacts of a file agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsentFlag {
    /// For what.
    pub purpose: Purpose,
    /// The answer.
    pub state: ConsentState,
}

impl ConsentFlag {
    /// Reads `marketing=yes`, `tracking=no`.
    pub fn parse(text: &str) -> Result<Self, InvalidOption> {
        let what = "a consent; write `marketing` or `tracking`, `=`, and `yes`, `no` or `unknown`";
        let (purpose, state) = text.split_once('=').ok_or_else(|| invalid(text, what))?;
        let purpose = [Purpose::Marketing, Purpose::Tracking]
            .into_iter()
            .find(|known| known.word() == purpose.trim())
            .ok_or_else(|| invalid(text, what))?;
        let state = ConsentState::parse(state)
            .filter(|_| !state.trim().is_empty())
            .ok_or_else(|| invalid(text, what))?;
        Ok(Self { purpose, state })
    }
}

/// What stands between two cells of a CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// The tabulator.
    Tab,
}

impl Delimiter {
    /// All of them, the likeliest first.
    pub const ALL: [Self; 3] = [Self::Comma, Self::Semicolon, Self::Tab];

    /// Reads the character or its name.
    pub fn parse(text: &str) -> Result<Self, InvalidOption> {
        match text {
            "," | "comma" => Ok(Self::Comma),
            ";" | "semicolon" => Ok(Self::Semicolon),
            "\t" | "\\t" | "tab" => Ok(Self::Tab),
            _ => Err(invalid(text, "a delimiter; write `comma`, `semicolon` or `tab`")),
        }
    }

    /// The character.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_cells() {
        for (pattern, cell, expected) in [
            ("C*", "C536379", true),
            ("C*", "536379C", false),
            ("*C", "536379C", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("ab*ba", "aba", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("POST", "POST", true),
            ("POST", "POSTAGE", false),
            ("*é*", "café crème", true),
        ] {
            let pattern = RejectPattern::parse(&format!("column={pattern}")).expect("a pattern");
            assert_eq!(pattern.matches(cell), expected, "{} on {cell}", pattern.pattern);
        }
    }

    #[test]
    fn what_is_no_option_says_what_to_write() {
        let said = [
            Mapping::parse("email").map(|_| ()),
            ConsentFlag::parse("marketing=maybe").map(|_| ()),
            ConsentFlag::parse("sms=yes").map(|_| ()),
            Delimiter::parse("|").map(|_| ()),
            RejectPattern::parse("=x").map(|_| ()),
        ]
        .map(|result| result.map_or_else(|error| error.to_string(), |()| "fine".to_owned()))
        .join("\n");
        insta::assert_snapshot!(said, @r"
        `email` is not a mapping; write OURS=THEIRS, as in `email=E-Mail Address`
        `marketing=maybe` is not a consent; write `marketing` or `tracking`, `=`, and `yes`, `no` or `unknown`
        `sms=yes` is not a consent; write `marketing` or `tracking`, `=`, and `yes`, `no` or `unknown`
        `|` is not a delimiter; write `comma`, `semicolon` or `tab`
        `=x` is not a column and a pattern; write COLUMN=PATTERN, as in `Invoice=C*`
        ");
    }
}
