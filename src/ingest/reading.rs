//! The side that reads: bytes to batches of rows, on a thread of its own.
//!
//! How rows are found in a table and in JSON lines stands in [`super::from_table`] and
//! [`super::from_lines`].

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc::Sender;

use super::batch::{Batch, Begin, Message};
use super::contact_row::ContactDefaults;
use super::error::ImportError;
use super::event_row::{Events, MOST_NAMES, Properties};
use super::lines::Lines;
use super::options::{Content, ImportOptions, Mapping, RejectPattern};
use super::reason::Reason;
use super::recognise::{self, Format, Sample};
use super::source::Source;
use super::table::Table;
use super::vocabulary::{Fact, Vocabulary};

/// The store writes events the faster the more of them it gets: each batch rewrites the last chunk
/// of each of its contacts once.
const EVENTS_PER_BATCH: usize = 50_000;
const CONTACTS_PER_BATCH: usize = 10_000;
/// A batch of large rows ends earlier.
const BYTES_PER_BATCH: usize = 16 * 1024 * 1024;
/// So much is kept of a row that is too long to be one.
pub(super) const KEPT_OF_TOO_LONG: usize = 1_000;

/// A file that is being read.
pub(super) struct Reading {
    file: String,
    pub(super) content: Content,
    pub(super) vocabulary: Arc<Vocabulary>,
    pub(super) reject_where: Vec<RejectPattern>,
    pub(super) defaults: ContactDefaults,
    pub(super) events: Events,
    pub(super) properties: Properties,
    pub(super) batch: Batch,
    sender: Sender<Message>,
}

/// Why reading ends early.
pub(super) enum Stop {
    Failed(ImportError),
    /// The storing side went away; it says itself why.
    NobodyListens,
}

impl From<ImportError> for Stop {
    fn from(error: ImportError) -> Self {
        Self::Failed(error)
    }
}

/// Reads a file and sends its rows.
pub(super) fn read(
    path: &Path,
    options: &ImportOptions,
    vocabulary: Vocabulary,
    sender: Sender<Message>,
) -> Result<(), ImportError> {
    match Reading::begin(path, options, vocabulary, sender) {
        Ok(()) | Err(Stop::NobodyListens) => Ok(()),
        Err(Stop::Failed(error)) => Err(error),
    }
}

impl Reading {
    fn begin(
        path: &Path,
        options: &ImportOptions,
        mut vocabulary: Vocabulary,
        sender: Sender<Message>,
    ) -> Result<(), Stop> {
        let source = Source::open(path)?;
        let unfit = |problem| ImportError::Unfit { file: source.name.clone(), problem };
        let format = recognise::format(path, &source.head, options.delimiter).map_err(unfit)?;
        if source.head.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let sample = Sample::of(&source, format);
        let content = sample.content(&vocabulary, options).map_err(unfit)?;
        if content == Content::Events && sample.event_is_called_name(&vocabulary) {
            vocabulary.map(Mapping { ours: Fact::Event.word().to_owned(), theirs: "name".to_owned() });
        }
        let vocabulary = Arc::new(vocabulary);
        let consents = options.consents.iter().map(|flag| (flag.purpose, flag.state)).collect();
        let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let source_of_consent =
            options.source.clone().unwrap_or_else(|| format!("import of {}", file_name.unwrap_or_default()));
        let mut reading = Self {
            file: source.name.clone(),
            content,
            reject_where: options.reject_where.clone(),
            defaults: ContactDefaults {
                time_zone: options.time_zone,
                now: options.now,
                consents,
                source: source_of_consent,
            },
            events: Events::new(Arc::clone(&vocabulary), options.time_zone, options.now),
            vocabulary,
            properties: Properties::default(),
            batch: Batch::default(),
            sender,
        };
        match format {
            Format::Csv(delimiter) => {
                let position = source.position.clone();
                let mut table = Table::new(source.reader, delimiter);
                let header = reading.header(&mut table)?;
                reading.send(Message::Begin(Begin {
                    content,
                    format,
                    header: header.own_names(),
                    position,
                }))?;
                reading.table(&mut table, &header)
            }
            Format::JsonLines => {
                reading.vocabulary.check_mappings(content, None).map_err(|problem| reading.unfit(problem))?;
                let begin = Begin { content, format, header: Vec::new(), position: source.position };
                reading.send(Message::Begin(begin))?;
                reading.lines(&mut Lines::new(source.reader))
            }
        }
    }

    pub(super) fn unfit(&self, problem: String) -> ImportError {
        ImportError::Unfit { file: self.file.clone(), problem }
    }

    pub(super) fn unreadable(&self, line: u64, source: io::Error) -> ImportError {
        ImportError::Read { file: self.file.clone(), line, source }
    }

    fn send(&self, message: Message) -> Result<(), Stop> {
        self.sender.blocking_send(message).map_err(|_| Stop::NobodyListens)
    }

    /// Notes what became of a row whose original is in the batch.
    pub(super) fn note(&mut self, line: u64, result: Result<(), Reason>) -> Result<(), Stop> {
        self.batch.originals.end_row();
        self.batch.rows.push((line, result.err()));
        if self.events.has_too_many_names() {
            return Err(Stop::Failed(self.unfit(format!(
                "the column for `event` holds more than {MOST_NAMES} different names; is it the right one? \
                 `--map event=COLUMN` names another, `--event NAME` says it for all rows"
            ))));
        }
        let full = match self.content {
            Content::Contacts => CONTACTS_PER_BATCH,
            Content::Events => EVENTS_PER_BATCH,
        };
        if self.batch.rows.len() >= full || self.batch.originals.size() >= BYTES_PER_BATCH {
            self.flush()?;
        }
        Ok(())
    }

    pub(super) fn flush(&mut self) -> Result<(), Stop> {
        if self.batch.rows.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        self.send(Message::Batch(batch))
    }
}
