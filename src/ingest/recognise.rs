//! What a file is: CSV or JSON lines, contacts or events, by its first bytes and names.

use std::path::Path;

use serde_json::Value;

use super::options::{Content, Delimiter, ImportOptions};
use super::source::Source;
use super::table::{Next, Table, sniff_delimiter};
use super::vocabulary::{Fact, Vocabulary};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A table with this delimiter.
    Csv(Delimiter),
    /// One JSON object a line.
    JsonLines,
}

impl Format {
    /// What such files end in.
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::JsonLines => "jsonl",
        }
    }
}

/// The format by the name, else by the first byte.
pub(super) fn format(path: &Path, head: &[u8], delimiter: Option<Delimiter>) -> Result<Format, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    let ends_in = |endings: [&str; 3]| {
        endings.iter().any(|ending| name.rsplit_once('.').is_some_and(|(_, last)| last == *ending))
    };
    let is_json = ends_in(["jsonl", "ndjson", "json"])
        || (delimiter.is_none() && !ends_in(["csv", "tsv", "tab"]) && first == Some(&b'{'));
    if !is_json {
        return Ok(Format::Csv(delimiter.unwrap_or_else(|| sniff_delimiter(head))));
    }
    if first == Some(&b'[') {
        return Err("is one JSON array; an import reads one object a line: `jq -c '.[]' FILE`".to_owned());
    }
    Ok(Format::JsonLines)
}

/// The names of the first row of a file, each with its value where that is a text.
pub(super) struct Sample(Vec<(String, Option<String>)>);

impl Sample {
    /// Looks at the first bytes of a file.
    pub(super) fn of(source: &Source, format: Format) -> Self {
        match format {
            Format::Csv(delimiter) => Self::of_table(&source.head, delimiter),
            Format::JsonLines => Self::of_lines(&source.head),
        }
    }

    fn of_table(head: &[u8], delimiter: Delimiter) -> Self {
        let mut table = Table::new(Box::new(std::io::Cursor::new(head.to_vec())), delimiter);
        if !matches!(table.advance(), Ok(Next::Record)) {
            return Self(Vec::new());
        }
        let text = |table: &Table, index| String::from_utf8_lossy(table.cell(index)).trim().to_owned();
        let names: Vec<String> = (0..table.len()).map(|index| text(&table, index)).collect();
        let has_row = matches!(table.advance(), Ok(Next::Record));
        let value = |index| has_row.then(|| text(&table, index));
        Self(names.into_iter().enumerate().map(|(index, name)| (name, value(index))).collect())
    }

    fn of_lines(head: &[u8]) -> Self {
        let mut lines = head.split(|byte| *byte == b'\n');
        let first = lines.find(|line| !line.iter().all(u8::is_ascii_whitespace)).unwrap_or_default();
        let Ok(Value::Object(object)) = serde_json::from_slice(first) else { return Self(Vec::new()) };
        let text = |value: Value| value.as_str().map(str::to_owned);
        Self(object.into_iter().map(|(name, value)| (name, text(value))).collect())
    }

    fn has(&self, vocabulary: &Vocabulary, fact: Fact) -> Option<&str> {
        let meaning = super::vocabulary::Meaning::Fact(fact);
        let named = |(name, _): &&(String, _)| vocabulary.meaning(name, Content::Events) == meaning;
        self.0.iter().find(named).map(|(name, _)| name.as_str())
    }

    /// What the rows are, and the column that names the event.
    pub(super) fn content(
        &self,
        vocabulary: &Vocabulary,
        options: &ImportOptions,
    ) -> Result<Content, String> {
        match (options.content, &options.event) {
            (Some(Content::Contacts), Some(_)) => {
                return Err("--contacts and --event exclude each other".to_owned());
            }
            (_, Some(_)) => return Ok(Content::Events),
            (Some(content), None) => return Ok(content),
            (None, None) => {}
        }
        let event = self.has(vocabulary, Fact::Event);
        let at = self.has(vocabulary, Fact::At);
        match (event, at) {
            (Some(_), Some(_)) => Ok(Content::Events),
            (Some(event), None) if !vocabulary.is_attribute(event) => Err(format!(
                "has a column `{event}` but none for the time: name that `at`, or say `--map at=COLUMN`; \
                 if the rows are contacts, say `--contacts`"
            )),
            (None, Some(at)) if !vocabulary.is_attribute(at) => {
                let name = self.0.iter().find(|(name, _)| name == "name");
                match name.and_then(|(_, value)| value.as_deref()) {
                    Some(value) if vocabulary.event(value).is_some() => Ok(Content::Events),
                    _ => Err(format!(
                        "has a time (`{at}`) but no column `event`: say `--event NAME` if all rows are the \
                         same event, `--map event=COLUMN` if a column names it, or `--contacts`"
                    )),
                }
            }
            _ => Ok(Content::Contacts),
        }
    }

    /// Whether `name` is the column that names the event: only where `event` is not.
    pub(super) fn event_is_called_name(&self, vocabulary: &Vocabulary) -> bool {
        vocabulary.only_event.is_none()
            && self.has(vocabulary, Fact::Event).is_none()
            && self.0.iter().any(|(name, _)| name == "name")
    }
}
