//! Files into the database.

use std::path::{Path, PathBuf};

use crate::diagnostic;
use crate::domain::event::MAIL_EVENTS;
use crate::domain::name::EventName;
use crate::domain::time::Zone;
use crate::ingest::{
    self, ConsentFlag, Content, Delimiter, ImportOptions, InvalidOption, Mapping, Progress, RejectPattern,
    Summary,
};

use super::{Failure, Installation};
use crate::store::contacts::Arrival;

/// How files are to be read, as it was typed.
#[derive(Debug, Clone, Default)]
pub struct ImportCall {
    /// The rows are contacts, or events; else the columns tell.
    pub content: Option<Content>,
    /// Every row is this event.
    pub event: Option<String>,
    /// `ours=theirs`.
    pub map: Vec<String>,
    /// `COLUMN=PATTERN`.
    pub reject_where: Vec<String>,
    /// `marketing=yes`.
    pub consent: Vec<String>,
    /// How these consents were given.
    pub source: Option<String>,
    /// Where bad rows go.
    pub rejects: Option<PathBuf>,
    /// What stands between two cells.
    pub delimiter: Option<String>,
    /// The zone of times without one.
    pub time_zone: Option<String>,
    /// The rows are news, not facts of another time.
    pub live: bool,
}

impl ImportCall {
    fn options(&self, installation: &Installation) -> Result<ImportOptions, Failure> {
        let time_zone = match &self.time_zone {
            None => installation.project.settings.time_zone,
            Some(name) => name.parse::<Zone>().map_err(|_| {
                Failure::call_with_hint(
                    format!("`{name}` is no time zone"),
                    "write the name of an IANA zone, such as Europe/Paris",
                )
            })?,
        };
        Ok(ImportOptions {
            content: self.content,
            event: self.event.clone(),
            mappings: all(&self.map, Mapping::parse)?,
            reject_where: all(&self.reject_where, RejectPattern::parse)?,
            consents: all(&self.consent, ConsentFlag::parse)?,
            source: self.source.clone(),
            rejects: self.rejects.clone(),
            arrival: if self.live { Arrival::News } else { Arrival::BackFill },
            delimiter: self.delimiter.as_deref().map(Delimiter::parse).transpose().map_err(wrong)?,
            ..ImportOptions::new(time_zone, installation.clock.now())
        })
    }
}

/// Sees that all files can be opened, before the first is imported. `-` is standard input.
pub fn can_open(files: &[PathBuf]) -> Result<(), Failure> {
    for file in files.iter().filter(|file| file.as_os_str() != "-") {
        let opened = std::fs::metadata(file)
            .and_then(|found| if found.is_file() { std::fs::File::open(file).map(drop) } else { Ok(()) });
        opened.map_err(|error| Failure::call(format!("cannot open `{}`: {error}", file.display())))?;
    }
    Ok(())
}

/// What to know of an event that is given by name and not declared: it is kept, and nothing reads it.
pub fn undeclared(installation: &Installation, event: &str) -> Option<String> {
    let events = &installation.project.catalogue.events;
    let declared = MAIL_EVENTS.contains(&event)
        || events.iter().any(|(name, declared)| name.as_str() == event || declared.wire_name == event);
    if events.is_empty() || declared {
        return None;
    }
    let meant = diagnostic::did_you_mean(event, events.keys().map(EventName::as_str));
    let hint = meant.map(|meant| format!("; {meant}")).unwrap_or_default();
    Some(format!("the event `{event}` is not declared: it is kept, and found by nothing until it is{hint}"))
}

/// Imports one file. Good rows go in, bad rows into a file of their own; the same file again changes
/// nothing.
pub async fn import(
    installation: &Installation,
    file: &Path,
    call: &ImportCall,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Summary, Failure> {
    let options = call.options(installation)?;
    let catalogue = &installation.project.catalogue;
    ingest::import_file(&installation.store, catalogue, file, &options, progress).await.map_err(|error| {
        if error.is_unfit() {
            Failure::call(format!("{:#}", anyhow::Error::new(error)))
        } else {
            Failure::Outside(error.into())
        }
    })
}

fn all<T>(texts: &[String], parse: fn(&str) -> Result<T, InvalidOption>) -> Result<Vec<T>, Failure> {
    texts.iter().map(|text| parse(text).map_err(wrong)).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn wrong(option: InvalidOption) -> Failure {
    Failure::call(option.to_string())
}
