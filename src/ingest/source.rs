//! Opens what is to be imported: a file or standard input, gzip or plain, with or without a byte
//! order mark; and counts the bytes that were read, for the progress bar.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::ImportError;

/// The header of a table must be within the first 64 KiB; they are looked at before reading begins.
const HEAD: u64 = 64 * 1024;
/// How much is read from the disk at a time.
const BUFFER: usize = 256 * 1024;
/// The first bytes of a gzip file (RFC 1952, section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// How far reading is; shared with the side that shows it.
#[derive(Debug, Clone)]
pub(super) struct Position {
    done: Arc<AtomicU64>,
    /// Bytes in all, if they can be known.
    pub(super) total: Option<u64>,
}

impl Position {
    /// Bytes that were read.
    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

/// An open file.
pub(super) struct Source {
    /// What messages call it.
    pub(super) name: String,
    /// The first bytes, behind any mark; `reader` yields them again.
    pub(super) head: Vec<u8>,
    /// The text, unpacked.
    pub(super) reader: Box<dyn BufRead + Send>,
    /// How far it is.
    pub(super) position: Position,
}

impl Source {
    /// Opens a file; `-` is standard input.
    pub(super) fn open(path: &Path) -> Result<Self, ImportError> {
        if path == Path::new("-") {
            return Self::from_reader("standard input".to_owned(), io::stdin(), None);
        }
        let failed = |source| ImportError::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let total = metadata.is_file().then_some(metadata.len());
        Self::from_reader(path.display().to_string(), file, total)
    }

    fn from_reader(
        name: String,
        reader: impl Read + Send + 'static,
        total: Option<u64>,
    ) -> Result<Self, ImportError> {
        let done = Arc::new(AtomicU64::new(0));
        let position = Position { done: Arc::clone(&done), total };
        let failed = |source| ImportError::Read { file: name.clone(), line: 0, source };
        let (packed_head, packed) = look_ahead(Counting { reader, done }, 2).map_err(failed)?;
        let unpacked: Box<dyn Read + Send> =
            if packed_head == GZIP { Box::new(flate2::bufread::MultiGzDecoder::new(packed)) } else { packed };
        let (mut head, mut reader) = look_ahead(unpacked, HEAD).map_err(failed)?;
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
            let problem = "is UTF-16 text; save it as UTF-8 (in Excel: `CSV UTF-8`)".to_owned();
            return Err(ImportError::Unfit { file: name, problem });
        }
        if head.starts_with(UTF8_MARK) {
            head.drain(..UTF8_MARK.len());
            reader.consume(UTF8_MARK.len());
        }
        Ok(Self { name, head, reader, position })
    }
}

/// The first bytes of a reader, and a reader that still yields them (within its first buffer).
fn look_ahead(
    mut reader: impl Read + Send + 'static,
    length: u64,
) -> io::Result<(Vec<u8>, Box<dyn BufRead + Send>)> {
    let mut head = Vec::new();
    reader.by_ref().take(length).read_to_end(&mut head)?;
    let all = Cursor::new(head.clone()).chain(BufReader::with_capacity(BUFFER, reader));
    Ok((head, Box::new(all)))
}

struct Counting<R> {
    reader: R,
    done: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.done.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
