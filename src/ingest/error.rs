//! Why an import stopped. A row that cannot be read stops nothing; see [`super::rejects`].

use std::io;
use std::path::PathBuf;

use crate::store::StoreError;

/// Why a file was not, or not wholly, imported. What was stored before stays stored; importing the
/// file again goes on where it ended.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file could not be opened.
    #[error("cannot open `{}`", .path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file could not be read to its end.
    #[error("cannot read `{file}` behind line {line}")]
    Read {
        /// Which.
        file: String,
        /// The last line that was read.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// The file is nothing that can be imported, or the options do not fit it.
    #[error("{file}: {problem}")]
    Unfit {
        /// Which.
        file: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The rejects file could not be written.
    #[error("cannot write the rejected rows to `{}`", .path.display())]
    Rejects {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The program is being stopped.
    #[error("the import of `{file}` was interrupted; import it again, that goes on where it ended")]
    Interrupted {
        /// Which.
        file: String,
    },
    /// The database failed.
    #[error("cannot store the rows of `{file}`")]
    Store {
        /// Which.
        file: String,
        /// Why.
        source: StoreError,
    },
}

impl ImportError {
    /// Whether the file or the call is wrong (to be mended by the user), rather than something outside.
    pub const fn is_unfit(&self) -> bool {
        matches!(self, Self::Unfit { .. } | Self::Open { .. })
    }
}
