//! `campaignd import`: what files become, on both databases.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use campaignd::declare::{self, SourceFile};
use campaignd::domain::catalogue::Catalogue;
use campaignd::domain::time::Timestamp;
use campaignd::ingest::{ConsentFlag, ImportOptions, Summary, import_file};
use campaignd::store::Store;
use tempfile::TempDir;

mod contacts;
mod declared_later;
mod events;
mod rejects;

/// 2026-12-01T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_796_126_400);

/// What is declared in these tests.
pub(crate) const DECLARATIONS: &str = "\
attributes:
  first_name: text
  country: text
  birth_date: date
  income: number
  interests: list
events:
  purchase:
    from: Order Completed
    properties:
      order: text
      product: text
      amount: { type: number, from: total }
";

/// A catalogue of declarations.
pub(crate) fn catalogue(declarations: &str) -> Catalogue {
    let file = SourceFile { name: Arc::from("test.yaml"), bytes: declarations.as_bytes().to_vec() };
    let loaded = declare::read(&[file], chrono_tz::UTC);
    loaded.catalogue.unwrap_or_else(|| panic!("the declarations are valid: {:?}", loaded.problems))
}

/// The options of a call without options.
pub(crate) fn options() -> ImportOptions {
    ImportOptions::new(chrono_tz::UTC, NOW)
}

/// The option `--consent marketing=yes`.
pub(crate) fn marketing_yes() -> ImportOptions {
    ImportOptions { consents: vec![ConsentFlag::parse("marketing=yes").expect("a consent")], ..options() }
}

/// A folder for files to import.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("the file is written");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).expect("the file is there")
    }
}

/// Imports a file, which succeeds.
pub(crate) async fn import(store: &Store, file: &Path, options: &ImportOptions) -> Summary {
    import_file(store, &catalogue(DECLARATIONS), file, options, &mut |_| {})
        .await
        .expect("the file is imported")
}

/// Imports a text, which succeeds.
pub(crate) async fn import_text(store: &Store, name: &str, text: &str, options: &ImportOptions) -> Summary {
    let folder = Folder::new();
    import(store, &folder.write(name, text), options).await
}

/// `3 rows: 1 created 1 updated 0 unchanged`, and for events `2 added 1 known`; then what was rejected.
pub(crate) fn told(summary: &Summary) -> String {
    let mut told = format!(
        "{} rows: contacts {} created {} updated {} unchanged; events {} added {} known",
        summary.rows,
        summary.contacts_created,
        summary.contacts_updated,
        summary.contacts_unchanged,
        summary.events_added,
        summary.events_known
    );
    for (kind, count) in &summary.rejected {
        let _ = write!(told, "\n{count} rejected: {kind}");
    }
    told
}
