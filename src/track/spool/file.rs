//! A file that nobody writes any more.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use super::SpoolError;
use super::record::{self, FIRST, Next};
use crate::domain::engagement::Hit;

/// What is read at once: some thousand hits.
const PIECE: usize = 1 << 20;

/// A file of hits, locked.
#[derive(Debug)]
pub struct SpoolFile {
    file: File,
    path: PathBuf,
    number: i64,
    length: u64,
    is_left: bool,
}

/// A hit with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spooled {
    /// Where in the file it begins.
    pub place: i64,
    /// The hit.
    pub hit: Hit,
}

/// Hits that stand together in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The hits, in their order.
    pub hits: Vec<Spooled>,
    /// The place behind them.
    pub until: u64,
    /// Whether nothing readable follows.
    pub is_last: bool,
    /// Bytes that cannot be read; not those of a torn last record.
    pub damaged: u64,
}

impl SpoolFile {
    /// Reads the head. `None`: nothing was ever in it, and it is removed.
    pub(super) fn open(file: File, path: PathBuf, is_left: bool) -> Result<Option<Self>, SpoolError> {
        let failed = |source| SpoolError::Read { path: path.clone(), source };
        let length = file.metadata().map_err(failed)?.len();
        if length <= FIRST {
            fs::remove_file(&path).map_err(failed)?;
            return Ok(None);
        }
        let mut header = [0; FIRST as usize];
        file.read_exact_at(&mut header, 0).map_err(failed)?;
        let Some(number) = record::file_number(&header) else {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidData, "it is no spool file")));
        };
        Ok(Some(Self { file, path, number, length, is_left }))
    }

    /// Its number; no two files ever have the same.
    pub const fn number(&self) -> i64 {
        self.number
    }

    /// Whether a process that is gone wrote it.
    pub const fn is_left(&self) -> bool {
        self.is_left
    }

    /// Reads up to `most` hits from a place on; 0 is the beginning.
    pub fn read(&self, from: u64, most: usize) -> Result<Batch, SpoolError> {
        let mut batch = Batch { hits: Vec::new(), until: from.max(FIRST), is_last: false, damaged: 0 };
        let mut piece = vec![0; PIECE];
        while batch.hits.len() < most && !batch.is_last {
            let read = self.read_piece(&mut piece, batch.until)?;
            let reaches_end = batch.until + read as u64 >= self.length;
            let mut rest = &piece[..read];
            while batch.hits.len() < most {
                let used = match record::next(rest) {
                    Next::Hit(hit, used) => {
                        batch.hits.push(Spooled { place: batch.until as i64, hit: *hit });
                        used
                    }
                    Next::Damaged(used) => {
                        batch.damaged += used as u64;
                        used
                    }
                    Next::Incomplete if !reaches_end => break,
                    Next::Incomplete => {
                        if !rest.is_empty() {
                            let (path, bytes) = (self.path.display(), rest.len());
                            tracing::warn!(%path, bytes, "the last hit of a spool file is torn: it was not answered");
                        }
                        batch.is_last = true;
                        break;
                    }
                    Next::Unreadable => {
                        batch.damaged += self.length - batch.until;
                        batch.is_last = true;
                        break;
                    }
                };
                batch.until += used as u64;
                rest = &rest[used..];
            }
        }
        Ok(batch)
    }

    fn read_piece(&self, piece: &mut [u8], from: u64) -> Result<usize, SpoolError> {
        let mut read = 0;
        while read < piece.len() {
            match self.file.read_at(&mut piece[read..], from + read as u64) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(SpoolError::Read { path: self.path.clone(), source }),
            }
        }
        Ok(read)
    }

    /// Removes it: all its hits are in the database. One with damage is kept under another name.
    pub fn finish(self, damaged: u64) -> Result<(), SpoolError> {
        let failed = |source| SpoolError::Read { path: self.path.clone(), source };
        if damaged == 0 {
            // Another process drained it, and was quicker.
            let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
            return fs::remove_file(&self.path)
                .or_else(|error| if is_gone(&error) { Ok(()) } else { Err(failed(error)) });
        }
        let kept = self.path.with_extension("damaged");
        let path = kept.display();
        tracing::error!(%path, bytes = damaged, "a spool file is damaged: what could be read was taken, the file is kept");
        fs::rename(&self.path, &kept).map_err(failed)
    }
}
