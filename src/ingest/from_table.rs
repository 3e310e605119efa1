//! A table to contacts and events.

use super::contact_row::ContactRow;
use super::error::ImportError;
use super::event_row::EventFacts;
use super::options::{Content, RejectPattern};
use super::reading::{KEPT_OF_TOO_LONG, Reading, Stop};
use super::reason::Reason;
use super::rejects;
use super::table::{LONGEST_RECORD, Next, Table};
use super::values::Given;
use super::vocabulary::{Fact, Meaning};

/// The header of a table.
pub(super) struct Header {
    columns: Vec<Column>,
    /// How many of the columns are the file's own; behind them may be those of a rejects file.
    own: usize,
}

impl Header {
    /// The names as they stand in the file, without those of a rejects file.
    pub(super) fn own_names(&self) -> Vec<Vec<u8>> {
        self.columns[..self.own].iter().map(|column| column.name.clone().into_bytes()).collect()
    }
}

/// A column of a table.
struct Column {
    name: String,
    meaning: Meaning,
    rejected: Vec<RejectPattern>,
}

impl Reading {
    /// Reads the header: what each column means.
    pub(super) fn header(&self, table: &mut Table) -> Result<Header, ImportError> {
        match table.advance().map_err(|error| self.unreadable(0, error))? {
            Next::Record => {}
            Next::End => return Ok(Header { columns: Vec::new(), own: 0 }),
            Next::TooLong | Next::Unclosed => {
                return Err(self.unfit("has a quote in its header that is not closed".to_owned()));
            }
        }
        let mut names = Vec::with_capacity(table.len());
        for index in 0..table.len() {
            let name = std::str::from_utf8(table.cell(index)).map_err(|_| {
                self.unfit(
                    "has a header that is not UTF-8; save the file as UTF-8 (in Excel: `CSV UTF-8`)"
                        .to_owned(),
                )
            })?;
            names.push(name.trim().to_owned());
        }
        let of_rejects = names.len() > 2 && names[names.len() - 2..] == rejects::COLUMNS;
        let own = names.len() - if of_rejects { rejects::COLUMNS.len() } else { 0 };
        self.vocabulary.check_mappings(self.content, Some(&names)).map_err(|problem| self.unfit(problem))?;
        if let Some(pattern) = self.reject_where.iter().find(|pattern| !names.contains(&pattern.column)) {
            let columns = names.join(", ");
            let column = &pattern.column;
            return Err(self.unfit(format!(
                "`--reject-where {column}=…`: there is no column `{column}`; the columns are {columns}"
            )));
        }
        let mut columns: Vec<Column> = Vec::with_capacity(names.len());
        for (index, name) in names.into_iter().enumerate() {
            let meaning = if index >= own || name.is_empty() {
                Meaning::Nothing
            } else {
                self.vocabulary.meaning(&name, self.content)
            };
            if let Some(other) = columns.iter().find(|column| clash(&column.meaning, &meaning)) {
                return Err(self.unfit(say_clash(&other.name, &name, &meaning)));
            }
            let rejected =
                self.reject_where.iter().filter(|pattern| pattern.column == name).cloned().collect();
            columns.push(Column { name, meaning, rejected });
        }
        self.require(&columns).map_err(|problem| self.unfit(problem))?;
        Ok(Header { columns, own })
    }

    /// What every row would be rejected for is said once.
    fn require(&self, columns: &[Column]) -> Result<(), String> {
        let has = |fact| columns.iter().any(|column| column.meaning == Meaning::Fact(fact));
        let content = self.content.word();
        let missing = if !has(Fact::Id) && !has(Fact::Email) {
            "has no column `id` or `email` that names the contact: say `--map id=COLUMN` or `--map email=COLUMN`"
        } else if self.content == Content::Contacts {
            return Ok(());
        } else if !has(Fact::At) {
            "has no column `at` for the time: say `--map at=COLUMN`"
        } else if !has(Fact::Event) && self.vocabulary.only_event.is_none() {
            "has no column `event`: say `--map event=COLUMN`, or `--event NAME` for all rows"
        } else {
            return Ok(());
        };
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        Err(format!("{missing}; the columns are {} (read as {content})", names.join(", ")))
    }

    /// Reads all records.
    pub(super) fn table(&mut self, table: &mut Table, header: &Header) -> Result<(), Stop> {
        let columns = &header.columns;
        loop {
            let next = table.advance().map_err(|error| self.unreadable(table.line(), error))?;
            let result = match next {
                Next::End => return self.flush(),
                // Spreadsheets write empty rows as delimiters only.
                Next::Record if (0..table.len()).all(|cell| table.cell(cell).is_empty()) => continue,
                Next::Record if table.len() != columns.len() => Err(ragged(table.len(), columns.len())),
                Next::Record => self.record(table, columns),
                Next::TooLong => Err(Reason::of(format!(
                    "the row is longer than {LONGEST_RECORD} bytes; is a quote not closed?"
                ))),
                Next::Unclosed => {
                    Err(Reason::of("the row has a quote that is not closed; it takes in all that follows"))
                }
            };
            if next == Next::Record {
                let own = (0..header.own.min(table.len())).chain(columns.len()..table.len());
                own.for_each(|cell| self.batch.originals.push_cell(table.cell(cell)));
            } else {
                for cell in 0..table.len().min(header.own) {
                    let text = table.cell(cell);
                    self.batch.originals.push_cell(&text[..text.len().min(KEPT_OF_TOO_LONG)]);
                }
            }
            self.note(table.line(), result)?;
        }
    }

    fn record(&mut self, table: &Table, columns: &[Column]) -> Result<(), Reason> {
        for (index, column) in columns.iter().enumerate() {
            if column.name.is_empty() && !table.cell(index).is_empty() {
                return Err(Reason::of(format!(
                    "column {} has a value but no name in the header",
                    index + 1
                )));
            }
            for pattern in &column.rejected {
                let cell = text_of(table.cell(index), &column.name)?;
                if pattern.matches(cell) {
                    let kind = format!("`{}` is rejected by --reject-where {}", column.name, pattern.pattern);
                    return Err(Reason::with(kind, cell));
                }
            }
        }
        match self.content {
            Content::Contacts => {
                let mut row = ContactRow::default();
                for (index, column) in columns.iter().enumerate() {
                    let given = Given::Cell(text_of(table.cell(index), &column.name)?);
                    match &column.meaning {
                        Meaning::Fact(fact) => row.fact(*fact, given, &column.name, &self.defaults)?,
                        Meaning::Attribute(field) => {
                            row.attribute(field, given, &column.name, &self.defaults)?;
                        }
                        Meaning::Property(_) | Meaning::Nothing => {}
                    }
                }
                self.batch.contacts.push(row.finish(&self.defaults)?);
            }
            Content::Events => {
                let mut facts = EventFacts::default();
                for (index, column) in columns.iter().enumerate() {
                    if let Meaning::Fact(fact) = column.meaning {
                        let given = Given::Cell(text_of(table.cell(index), &column.name)?);
                        facts.take(fact, given, &column.name, self.defaults.time_zone)?;
                    }
                }
                self.events.name(&mut facts)?;
                self.properties.clear();
                for (index, column) in columns.iter().enumerate() {
                    if let Meaning::Property(name) = &column.meaning {
                        let given = Given::Cell(text_of(table.cell(index), &column.name)?);
                        self.events.property(&facts, &mut self.properties, name, given, &column.name)?;
                    }
                }
                self.batch.events.push(self.events.finish(facts, &mut self.properties)?);
            }
        }
        Ok(())
    }
}

/// Whether two columns cannot both be read. Properties differ by event and are compared by row.
fn clash(one: &Meaning, other: &Meaning) -> bool {
    match (one, other) {
        (Meaning::Attribute(one), Meaning::Attribute(other)) => one.wire_name == other.wire_name,
        (Meaning::Nothing, Meaning::Nothing) => false,
        _ => one == other,
    }
}

fn say_clash(one: &str, other: &str, meaning: &Meaning) -> String {
    let what = match meaning {
        Meaning::Fact(fact) => fact.word(),
        Meaning::Attribute(field) => field.wire_name.as_str(),
        Meaning::Property(name) => name.as_str(),
        Meaning::Nothing => "",
    };
    if one == other {
        return format!("has two columns `{one}`");
    }
    let hint = if matches!(meaning, Meaning::Fact(_)) {
        format!("say which: `--map {what}={one}` or `--map {what}={other}`")
    } else {
        "rename or remove one".to_owned()
    };
    format!("its columns `{one}` and `{other}` are both read as {what}; {hint}")
}

fn ragged(cells: usize, columns: usize) -> Reason {
    let are = if cells == 1 { "cell" } else { "cells" };
    Reason::of(format!("the row has {cells} {are} where the header has {columns}"))
}

fn text_of<'a>(cell: &'a [u8], column: &str) -> Result<&'a str, Reason> {
    std::str::from_utf8(cell).map_err(|_| {
        Reason::with(
            format!("`{column}` is not UTF-8 (save the file as UTF-8)"),
            &String::from_utf8_lossy(cell),
        )
    })
}
