//! The spool: requests of pixels and links wait here for the database.
//!
//! A hit is appended to a file before its answer is sent, so that one that was answered survives the death
//! of the process. Each process writes a file of its own, which it holds locked; [`Spool::take`] closes it
//! and gives it away together with those that dead processes left. What is in the database is noted there
//! by file and place, so a file that is read twice adds nothing.
//!
//! Bytes are handed to the system, not forced to the disk: a kill loses nothing, a power failure may
//! lose the last seconds.
//!
//! | file | what |
//! |---|---|
//! | `record` | a hit as bytes |
//! | `file` | a file that is not written any more, to be read |
//! | `group` | hits that arrive together, written together |

mod file;
mod group;
mod record;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::domain::engagement::Hit;

use group::{Gathering, Group};

pub use file::{Batch, SpoolFile, Spooled};

/// How names of files end.
const EXTENSION: &str = "hits";
/// A file that has grown to this is closed; others of its kind stay small.
const FULL: u64 = 16 << 20;
/// So many names are tried for a new file; each is random.
const TRIES: usize = 8;

/// Where hits wait. Clones share it.
#[derive(Debug, Clone)]
pub struct Spool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    chance: [u8; 32],
    gathering: Gathering,
    writer: Mutex<Writer>,
    /// How many hits were written.
    written: AtomicU64,
}

#[derive(Debug, Default)]
struct Writer {
    active: Option<Active>,
    /// How many files were begun.
    begun: u64,
    /// How many hits were lost since the last that was written.
    lost: u64,
}

/// The file that is written now; locked.
#[derive(Debug)]
struct Active {
    file: File,
    path: PathBuf,
    /// Up to here it holds whole records.
    length: u64,
}

/// Why a hit could not be written, or a spool not be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The folder cannot be used.
    #[error("cannot use the spool folder {}; `spool` in campaignd.yaml names another", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A hit is lost.
    #[error("cannot append to the spool in {}: this request is not recorded", folder.display())]
    Append {
        /// The folder.
        folder: PathBuf,
        /// What the system said: no space left, usually.
        source: io::Error,
    },
    /// A file cannot be read now; it stays where it is.
    #[error("cannot read the spool file {}; it stays there and is tried again", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Spool {
    /// Opens a spool in a folder, which is made if it is not there. `chance` is 32 random bytes: the
    /// numbers of files are made from it.
    pub fn open(folder: &Path, chance: [u8; 32]) -> Result<Self, SpoolError> {
        let failed = |source| SpoolError::Folder { folder: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        // A folder that cannot be written is noticed now, not at the first hit.
        let probe = folder.join(format!("{:016x}.probe", file_number(&chance, u64::MAX)));
        File::create(&probe).and_then(|_| fs::remove_file(&probe)).map_err(failed)?;
        let shared = Shared {
            folder: folder.to_owned(),
            chance,
            gathering: Gathering::default(),
            writer: Mutex::default(),
            written: AtomicU64::new(0),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Writes a hit. When this returns well, the hit survives the end of the process.
    pub async fn append(&self, hit: &Hit<impl AsRef<str>>) -> Result<(), SpoolError> {
        let appended = self.shared.gathering.append(hit, |group| self.write(group));
        appended.await.map_err(|source| self.lost(source))
    }

    fn write(&self, group: &Group) -> io::Result<()> {
        let mut writer = self.writer();
        if let Err(source) = self.append_to(&mut writer, &group.records) {
            let is_first = writer.lost == 0;
            writer.lost += group.hits;
            drop(writer);
            let kind = source.kind();
            // Once, not for every request: a full disk must not be filled by its own log.
            if is_first {
                let error = self.lost(source);
                let cause = &error as &dyn std::error::Error;
                tracing::error!(error = cause, "opens and clicks are lost until the spool can be written");
            }
            return Err(kind.into());
        }
        let lost = std::mem::take(&mut writer.lost);
        drop(writer);
        self.shared.written.fetch_add(group.hits, Ordering::Relaxed);
        if lost > 0 {
            tracing::error!(hits.lost = lost, "the spool can be written again; hits were lost meanwhile");
        }
        Ok(())
    }

    fn lost(&self, source: io::Error) -> SpoolError {
        SpoolError::Append { folder: self.shared.folder.clone(), source }
    }

    /// How many hits this process has written.
    pub fn written(&self) -> u64 {
        self.shared.written.load(Ordering::Relaxed)
    }

    fn append_to(&self, writer: &mut Writer, records: &[u8]) -> io::Result<()> {
        if writer.active.as_ref().is_some_and(|active| active.length >= FULL) {
            writer.active = None;
        }
        let active = match &mut writer.active {
            Some(active) => active,
            none => none.insert(self.begin(&mut writer.begun)?),
        };
        let written = active.file.write(records);
        if let Ok(written) = written
            && written == records.len()
        {
            active.length += written as u64;
            return Ok(());
        }
        // Nothing may stand behind a torn record; of a group none is answered. Where it cannot be cut, another file is begun.
        if active.file.set_len(active.length).is_err() {
            writer.active = None;
        }
        Err(written.err().unwrap_or_else(|| io::ErrorKind::StorageFull.into()))
    }

    /// A new file with its head, locked.
    fn begin(&self, begun: &mut u64) -> io::Result<Active> {
        let mut failure = io::Error::from(io::ErrorKind::AlreadyExists);
        for _ in 0..TRIES {
            let number = file_number(&self.shared.chance, *begun);
            *begun += 1;
            let path = self.shared.folder.join(format!("{number:016x}.{EXTENSION}"));
            let mut options = OpenOptions::new();
            // It tells what people read: nobody else's business.
            options.create_new(true).append(true).mode(0o600);
            let mut file = match options.open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                // Somebody removed the folder.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::create_dir_all(&self.shared.folder)?;
                    failure = error;
                    continue;
                }
                Err(error) => return Err(error),
            };
            // Somebody who looks for files that were left may have locked the empty one, or removed it by now.
            if file.try_lock().is_err() || !is_at(&file, &path) {
                continue;
            }
            let header = record::header(number);
            if let Err(error) = file.write_all(&header) {
                let _ = fs::remove_file(&path);
                return Err(error);
            }
            return Ok(Active { file, path, length: header.len() as u64 });
        }
        Err(failure)
    }

    /// Closes the file that is written, and gives all files that nobody writes: locked, so that no other
    /// process drains them meanwhile. Those that are dropped are given again by the next call.
    pub fn take(&self) -> Result<Vec<SpoolFile>, SpoolError> {
        // Closed, it is unlocked, and found among the others. One without a record stays open.
        let mut writer = self.writer();
        let active = writer.active.take_if(|active| active.length > record::FIRST).map(|active| active.path);
        drop(writer);
        let failed = |source| SpoolError::Folder { folder: self.shared.folder.clone(), source };
        let entries = match fs::read_dir(&self.shared.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION))
            .collect();
        paths.sort_unstable();
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            // Removed meanwhile by whoever drained it.
            let Ok(file) = OpenOptions::new().read(true).write(true).open(&path) else { continue };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            let is_left = active.as_ref() != Some(&path);
            match SpoolFile::open(file, path, is_left) {
                Ok(found) => files.extend(found),
                Err(error) => {
                    let cause = &error as &dyn std::error::Error;
                    tracing::error!(error = cause, "a file of the spool is left where it is");
                }
            }
        }
        Ok(files)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A panic elsewhere leaves it usable: lengths are noted after the write.
        self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a path still leads to this file.
fn is_at(file: &File, path: &Path) -> bool {
    let number = |found: io::Result<fs::Metadata>| found.ok().map(|found| (found.dev(), found.ino()));
    let ours = number(file.metadata());
    ours.is_some() && ours == number(fs::symlink_metadata(path))
}

/// The first 63 bits of the SHA-256 of chance and a counter.
fn file_number(chance: &[u8; 32], begun: u64) -> i64 {
    let mut hash = Sha256::new();
    hash.update(chance);
    hash.update(begun.to_le_bytes());
    let digest = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_le_bytes(first) & i64::MAX
}

#[cfg(test)]
mod tests;
