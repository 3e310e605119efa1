//! YAML files to a valid catalogue, or every problem in them.

use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Problem, Sources};
use crate::domain::catalogue::Catalogue;
use crate::domain::time::Zone;

mod places;

pub use places::Places;

/// What was read from a project's declarations.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// All declarations; `None` when there is an error among the problems.
    pub catalogue: Option<Catalogue>,
    /// Errors and warnings, sorted by file, line and column.
    pub problems: Vec<Problem>,
    /// Where each declaration and its keys stand.
    pub places: Places,
    /// The texts of the files, for [`crate::diagnostic::text::render`].
    pub sources: Sources,
    /// The files that were read, relative to the project folder, sorted.
    pub files: Vec<Arc<str>>,
    /// What is worth a word but neither wrong nor dubious: `campaigns/new.yaml is empty`.
    pub notes: Vec<String>,
}

/// A file to read declarations from.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its name, relative to the project folder.
    pub name: Arc<str>,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Reads all declarations of a project: every `.yaml` and `.yml` file below `campaigns/`, in
/// sorted order. `time_zone` is the installation's.
pub fn load(_project: &Path, _time_zone: Zone) -> Loaded {
    todo!()
}

/// Reads declarations from files that are at hand. `time_zone` is the installation's.
pub fn read(_files: &[SourceFile], _time_zone: Zone) -> Loaded {
    todo!()
}
