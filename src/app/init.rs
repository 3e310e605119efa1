//! A new project folder that runs as it is.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::time::Timestamp;

use super::Failure;

/// What a new project holds: paths and texts.
const FILES: [(&str, &str); 7] = [
    ("campaignd.yaml", include_str!("starter/campaignd.yaml")),
    ("campaigns/thank_you.yaml", include_str!("starter/campaigns/thank_you.yaml")),
    ("templates/thank_you/subject.txt", include_str!("starter/templates/thank_you/subject.txt")),
    ("templates/thank_you/body.html", include_str!("starter/templates/thank_you/body.html")),
    ("contacts.csv", include_str!("starter/contacts.csv")),
    ("orders.csv", include_str!("starter/orders.csv")),
    (".gitignore", include_str!("starter/gitignore")),
];

/// Writes a new project into `folder`, which is made if it is not there; gives the files it wrote.
/// If one of them exists, nothing is written.
pub fn init(folder: &Path, now: Timestamp) -> Result<Vec<PathBuf>, Failure> {
    let is_file = |path: &&Path| fs::metadata(path).is_ok_and(|found| !found.is_dir());
    if let Some(file) = folder.ancestors().find(is_file) {
        let message = format!("{} is a file", file.display());
        return Err(Failure::call_with_hint(message, "name a folder; nothing was written"));
    }
    let there: Vec<&str> = FILES
        .iter()
        .map(|(path, _)| *path)
        .filter(|path| fs::symlink_metadata(folder.join(path)).is_ok())
        .collect();
    if let Some(first) = there.first() {
        let message = match there.len() {
            1 => format!("{} exists already", folder.join(first).display()),
            count => format!("{} and {} more files exist already", folder.join(first).display(), count - 1),
        };
        return Err(Failure::call_with_hint(message, "name a new folder; nothing was written"));
    }
    FILES.iter().map(|(path, text)| write(folder.join(path), &dated(text, now))).collect()
}

fn write(path: PathBuf, text: &str) -> Result<PathBuf, Failure> {
    let written = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // Between the look above and now somebody else may have written it: that stays.
        fs::OpenOptions::new().write(true).create_new(true).open(&path)?.write_all(text.as_bytes())
    };
    match written() {
        Ok(()) => Ok(path),
        Err(error) => Err(Failure::outside(format!("could not write {}", path.display()), error)),
    }
}

/// `{12 days ago}` as a time, so that a sample is never too old for its segments.
fn dated(text: &str, now: Timestamp) -> String {
    let mut dated = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, days, after)) = next_date(rest) {
        let at = now.minus(Duration::from_hours(24 * days)).to_utc();
        dated.push_str(before);
        dated.push_str(&at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        rest = after;
    }
    dated + rest
}

fn next_date(text: &str) -> Option<(&str, u64, &str)> {
    let (head, after) = text.split_once(" days ago}")?;
    let (before, days) = head.rsplit_once('{')?;
    Some((before, days.parse().ok()?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_dated_and_nothing_is_overwritten() {
        let now = Timestamp::from_seconds(1_800_000_000);
        assert_eq!(
            dated("a,{1 days ago},{x}\n{20 days ago}", now),
            "a,2027-01-14T08:00:00Z,{x}\n2026-12-26T08:00:00Z"
        );

        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("shop");
        let files = init(&folder, now).expect("a new project");
        assert_eq!(files.len(), FILES.len());
        fs::write(folder.join("orders.csv"), "mine").expect("a file is changed");
        fs::remove_file(folder.join("campaignd.yaml")).expect("a file is removed");
        assert!(matches!(init(&folder, now), Err(Failure::Call { .. })));
        assert!(!folder.join("campaignd.yaml").exists());
        assert_eq!(fs::read_to_string(folder.join("orders.csv")).expect("the file"), "mine");
        assert!(
            matches!(init(&folder.join("orders.csv"), now), Err(Failure::Call { .. })),
            "a file is no folder"
        );
    }
}
