//! Finds and reads the declaration files of a project.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SourceFile;
use crate::diagnostic::{Place, Problem};

/// The folder of declarations in a project.
pub(super) const FOLDER: &str = "campaigns";
/// No folder is looked into deeper: symbolic links can make endless paths.
const MAX_DEPTH: usize = 32;
/// One byte more than a file may have: enough for the reader to see that it is too large.
const MAX_BYTES: u64 = (8 << 20) + 1;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The files, sorted by name.
    pub(super) files: Vec<SourceFile>,
    /// What could not be read.
    pub(super) problems: Vec<Problem>,
    /// Whether there is a folder of declarations at all.
    pub(super) folder: bool,
}

/// Reads every `.yaml` and `.yml` file below `campaigns/`, but those whose name begins with a dot
/// (editors leave such). Links are followed; a folder or file that is reached twice counts once.
pub(super) fn find(project: &Path) -> Found {
    let mut found = Found::default();
    let root = project.join(FOLDER);
    if !root.is_dir() {
        return found;
    }
    found.folder = true;
    let mut seen = BTreeSet::new();
    let mut paths = Vec::new();
    collect(&root, FOLDER, 0, &mut seen, &mut paths, &mut found.problems);
    paths.sort();
    for (name, path) in paths {
        let name: Arc<str> = name.into();
        match read(&path) {
            Ok(bytes) => found.files.push(SourceFile { name, bytes }),
            Err(error) => found.problems.push(unreadable(&name, &error)),
        }
    }
    found
}

fn collect(
    folder: &Path,
    shown: &str,
    depth: usize,
    seen: &mut BTreeSet<PathBuf>,
    paths: &mut Vec<(String, PathBuf)>,
    problems: &mut Vec<Problem>,
) {
    let listed = folder
        .canonicalize()
        .and_then(|real| if seen.insert(real) { entries(folder) } else { Ok(Vec::new()) });
    let entries = match listed {
        Ok(entries) => entries,
        Err(error) => return problems.push(unreadable(&shown.into(), &error)),
    };
    for path in entries {
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else { continue };
        if name.starts_with('.') {
            continue;
        }
        let shown = format!("{shown}/{name}");
        let is_yaml = path.extension().is_some_and(|extension| {
            extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml")
        });
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => {
                if is_yaml {
                    problems.push(unreadable(&shown.into(), &error));
                }
                continue;
            }
        };
        if metadata.is_dir() && depth < MAX_DEPTH {
            collect(&path, &shown, depth + 1, seen, paths, problems);
        } else if metadata.is_file() && is_yaml && path.canonicalize().is_ok_and(|real| seen.insert(real)) {
            paths.push((shown, path));
        }
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    Ok(entries)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(name: &Arc<str>, error: &io::Error) -> Problem {
    Problem::error("unreadable-file", format!("could not read `{name}`: {error}"), Place::file(name.clone()))
}
