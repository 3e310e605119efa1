//! Whether a project's files changed: their names, sizes and times are compared every few seconds.
//! That works on every file system, shared folders and mounted volumes too.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What can be seen of the files without reading them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stamps {
    files: BTreeMap<PathBuf, (Option<SystemTime>, u64)>,
}

/// Folders deeper than this are not looked into: links may lead in circles.
const DEEPEST: usize = 16;

impl Stamps {
    /// Looks at the settings, declarations and templates of a project folder, and at these `keys`. What cannot
    /// be looked at counts as not there.
    pub fn of(project: &Path, keys: &[PathBuf]) -> Self {
        let mut stamps = Self::default();
        stamps.note(&project.join("campaignd.yaml"), 0);
        stamps.note(&project.join("campaigns"), 0);
        stamps.note(&project.join("templates"), 0);
        for key in keys {
            stamps.note(key, 0);
        }
        stamps
    }

    fn note(&mut self, path: &Path, depth: usize) {
        let Ok(seen) = fs::metadata(path) else { return };
        if !seen.is_dir() {
            self.files.insert(path.to_path_buf(), (seen.modified().ok(), seen.len()));
        } else if depth < DEEPEST {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                self.note(&entry.path(), depth + 1);
            }
        }
    }

    /// Whether the settings changed since `earlier`: they are read at the start only.
    pub fn settings_differ(&self, earlier: &Self) -> bool {
        let settings = |stamps: &Self| {
            stamps.files.iter().find(|(path, _)| path.ends_with("campaignd.yaml")).map(|(_, stamp)| *stamp)
        };
        settings(self) != settings(earlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        let keys = [folder.path().join("secrets/dkim.pem")];
        let empty = Stamps::of(folder.path(), &keys);
        write("campaignd.yaml", "a");
        write("campaigns/deep/down/x.yaml", "a");
        write("elsewhere/x.yaml", "a");
        let first = Stamps::of(folder.path(), &keys);
        assert!(first != empty && first.settings_differ(&empty));
        assert_eq!(first, Stamps::of(folder.path(), &keys));
        write("elsewhere/x.yaml", "ab");
        assert_eq!(first, Stamps::of(folder.path(), &keys));
        write("campaigns/deep/down/x.yaml", "ab");
        let second = Stamps::of(folder.path(), &keys);
        assert!(second != first && !second.settings_differ(&first));
        fs::remove_file(folder.path().join("campaigns/deep/down/x.yaml")).expect("the file is removed");
        let third = Stamps::of(folder.path(), &keys);
        assert_ne!(second, third);
        write("secrets/dkim.pem", "a");
        assert_ne!(third, Stamps::of(folder.path(), &keys));
    }
}
