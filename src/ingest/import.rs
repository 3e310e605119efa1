//! One file from its first byte to the summary: one side reads, the other stores.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use super::batch::{Batch, Begin, Message};
use super::error::ImportError;
use super::options::{Content, ImportOptions};
use super::reading;
use super::reason::Reason;
use super::rejects::{self, Rejects};
use super::source::Position;
use super::summary::{Progress, Summary};
use super::vocabulary::Vocabulary;
use crate::domain::catalogue::Catalogue;
use crate::domain::time::Timestamp;
use crate::store::contacts::{self, Arrival, ContactOutcome, ContactRejection};
use crate::store::events::{Appender, EventOutcome};
use crate::store::{Store, StoreError};

/// One batch is on its way while another is read and a third is stored.
const BATCHES_ON_THE_WAY: usize = 1;

/// After a file of this many rows the database is put in order, so that the next reader does not wait
/// for it.
const LARGE: u64 = 10_000;

/// Imports a file; `-` is standard input. Good rows go in, bad rows into the rejects file. `progress`
/// is told after each batch. What an error left undone, importing the file again makes good.
pub async fn import_file(
    store: &Store,
    catalogue: &Catalogue,
    path: &Path,
    options: &ImportOptions,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Summary, ImportError> {
    let (sender, mut receiver) = mpsc::channel(BATCHES_ON_THE_WAY);
    let vocabulary = Vocabulary::new(catalogue, options);
    let (path_to_read, options_to_read) = (path.to_owned(), options.clone());
    let reader = tokio::task::spawn_blocking(move || {
        reading::read(&path_to_read, &options_to_read, vocabulary, sender)
    });
    let mut storing = None;
    while let Some(message) = receiver.recv().await {
        match (message, &mut storing) {
            (Message::Begin(begin), _) => storing = Some(Storing::begin(store, path, options, begin)?),
            (Message::Batch(batch), Some(storing)) => {
                storing.store(batch).await?;
                progress(storing.progress());
            }
            (Message::Batch(_), None) => {}
        }
    }
    match reader.await {
        Ok(result) => result?,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is being shut down; what is stored is stored.
            Err(_) => return Err(ImportError::Interrupted { file: path.display().to_string() }),
        },
    }
    match storing {
        Some(storing) => {
            let (file, summary) = (storing.file.clone(), storing.finish());
            if summary.rows >= LARGE {
                store.tidy().await.map_err(|source| ImportError::Store { file, source })?;
            }
            Ok(summary)
        }
        None => Ok(Summary::empty()),
    }
}

/// The side that stores.
struct Storing<'a> {
    store: &'a Store,
    file: String,
    source: String,
    now: Timestamp,
    arrival: Arrival,
    appender: Appender,
    rejects: Rejects,
    position: Position,
    summary: Summary,
}

impl<'a> Storing<'a> {
    fn begin(
        store: &'a Store,
        path: &Path,
        options: &ImportOptions,
        begin: Begin,
    ) -> Result<Self, ImportError> {
        let file = path.display().to_string();
        let rejects = options.rejects.clone().unwrap_or_else(|| rejects::default_path(path, begin.format));
        if is_same_file(path, &rejects) {
            let problem =
                "the rejected rows would overwrite the file itself; say `--rejects FILE`".to_owned();
            return Err(ImportError::Unfit { file, problem });
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(Self {
            store,
            source: options
                .source
                .clone()
                .unwrap_or_else(|| format!("import of {}", name.unwrap_or_default())),
            file,
            now: options.now,
            arrival: options.arrival,
            appender: Appender::new(store).arriving_as(options.arrival),
            rejects: Rejects::new(rejects, begin.format, begin.header),
            position: begin.position,
            summary: Summary { content: Some(begin.content), ..Summary::empty() },
        })
    }

    async fn store(&mut self, batch: Batch) -> Result<(), ImportError> {
        let rejections = match self.summary.content {
            Some(Content::Events) => self.store_events(&batch).await,
            _ => self.store_contacts(&batch).await,
        };
        let rejections =
            rejections.map_err(|source| ImportError::Store { file: self.file.clone(), source })?;
        let mut rejections = rejections.into_iter();
        self.summary.rows += batch.rows.len() as u64;
        for (index, (line, reason)) in batch.rows.iter().enumerate() {
            let by_store = if reason.is_none() { rejections.next().flatten() } else { None };
            if let Some(reason) = reason.as_ref().or(by_store.as_ref()) {
                *self.summary.rejected.entry(reason.kind.clone().into_owned()).or_insert(0) += 1;
                self.rejects
                    .add(*line, &reason.to_string(), batch.originals.row(index))
                    .map_err(|source| self.cannot_reject(source))?;
            }
        }
        self.rejects.flush().map_err(|source| self.cannot_reject(source))
    }

    /// For each contact why the store rejected it, if it did.
    async fn store_contacts(&mut self, batch: &Batch) -> Result<Vec<Option<Reason>>, StoreError> {
        let outcomes = contacts::apply_as(self.store, &batch.contacts, self.arrival, self.now).await?;
        let mut rejections = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            rejections.push(match outcome {
                ContactOutcome::Created(_) => {
                    self.summary.contacts_created += 1;
                    None
                }
                ContactOutcome::Updated(_) => {
                    self.summary.contacts_updated += 1;
                    None
                }
                ContactOutcome::Unchanged(_) => {
                    self.summary.contacts_unchanged += 1;
                    None
                }
                ContactOutcome::Rejected(rejection) => Some(reason_of(&rejection)),
            });
        }
        Ok(rejections)
    }

    async fn store_events(&mut self, batch: &Batch) -> Result<Vec<Option<Reason>>, StoreError> {
        let outcomes = self.appender.append(&batch.events, &self.source, self.now).await?;
        self.summary.contacts_created = self.appender.contacts_created();
        let mut rejections = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            rejections.push(match outcome {
                EventOutcome::Appended => {
                    self.summary.events_added += 1;
                    None
                }
                EventOutcome::SeenBefore => {
                    self.summary.events_known += 1;
                    None
                }
                EventOutcome::Rejected(rejection) => Some(reason_of(&rejection)),
            });
        }
        Ok(rejections)
    }

    fn cannot_reject(&self, source: std::io::Error) -> ImportError {
        ImportError::Rejects { path: self.rejects.path().to_owned(), source }
    }

    fn progress(&self) -> Progress {
        Progress {
            bytes_done: self.position.done(),
            bytes_total: self.position.total,
            rows: self.summary.rows,
        }
    }

    fn finish(self) -> Summary {
        let mut summary = self.summary;
        if summary.rejected_rows() > 0 {
            summary.rejects = Some(PathBuf::from(self.rejects.path()));
        }
        summary
    }
}

fn reason_of(rejection: &ContactRejection) -> Reason {
    match rejection {
        ContactRejection::AddressTaken { email, owner } => Reason::with(
            "address taken: it belongs to a contact with another id",
            &format!("{email} of {owner}"),
        ),
        ContactRejection::NoIdentity => {
            Reason::of("the row names no contact: it has neither `id` nor `email`")
        }
        ContactRejection::Nul { field } => Reason::of(format!("`{field}` holds the character U+0000")),
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
