//! One file from its first byte to the summary.

use std::path::Path;

use super::error::ImportError;
use super::options::ImportOptions;
use super::summary::{Progress, Summary};
use crate::domain::catalogue::Catalogue;
use crate::store::Store;

/// Imports a file; `-` is standard input. Good rows go in, bad rows into the rejects file. `progress`
/// is told after each batch. What an error left undone, importing the file again makes good.
pub async fn import_file(
    _store: &Store,
    _catalogue: &Catalogue,
    _path: &Path,
    _options: &ImportOptions,
    _progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Summary, ImportError> {
    todo!()
}
