//! The project that ships, carried inside the program, and the folder that it is laid out in.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::app::Failure;

macro_rules! shipped {
    ($path:literal) => {
        ($path, include_str!(concat!("../../", $path)))
    };
}

/// Settings, declarations and templates that ship: paths from the project folder, and texts.
pub(super) const FILES: &[(&str, &str)] = &[
    shipped!("campaignd.yaml"),
    shipped!("campaigns/aria_launch.yaml"),
    shipped!("campaigns/birthday.yaml"),
    shipped!("campaigns/goodbye.yaml"),
    shipped!("campaigns/left_basket.yaml"),
    shipped!("campaigns/racket_selection.yaml"),
    shipped!("campaigns/reactivation.yaml"),
    shipped!("campaigns/reward.yaml"),
    shipped!("campaigns/segments.yaml"),
    shipped!("campaigns/shop.yaml"),
    shipped!("campaigns/vip_discount.yaml"),
    shipped!("templates/_button.html"),
    shipped!("templates/_category.fr.html"),
    shipped!("templates/_footer.fr.html"),
    shipped!("templates/_footer.fr.txt"),
    shipped!("templates/_footer.html"),
    shipped!("templates/_footer.txt"),
    shipped!("templates/_layout.fr.html"),
    shipped!("templates/_layout.html"),
    shipped!("templates/birthday/body.fr.html"),
    shipped!("templates/birthday/body.fr.txt"),
    shipped!("templates/birthday/body.html"),
    shipped!("templates/birthday/body.txt"),
    shipped!("templates/birthday/subject.fr.txt"),
    shipped!("templates/birthday/subject.txt"),
    shipped!("templates/come_back/body.fr.html"),
    shipped!("templates/come_back/body.fr.txt"),
    shipped!("templates/come_back/body.html"),
    shipped!("templates/come_back/body.txt"),
    shipped!("templates/come_back/subject.fr.txt"),
    shipped!("templates/come_back/subject.txt"),
    shipped!("templates/goodbye/body.fr.html"),
    shipped!("templates/goodbye/body.fr.txt"),
    shipped!("templates/goodbye/body.html"),
    shipped!("templates/goodbye/body.txt"),
    shipped!("templates/goodbye/subject.fr.txt"),
    shipped!("templates/goodbye/subject.txt"),
    shipped!("templates/launch_b2b/body.fr.html"),
    shipped!("templates/launch_b2b/body.fr.txt"),
    shipped!("templates/launch_b2b/body.html"),
    shipped!("templates/launch_b2b/body.txt"),
    shipped!("templates/launch_b2b/subject.fr.txt"),
    shipped!("templates/launch_b2b/subject.txt"),
    shipped!("templates/launch_b2c/body.fr.html"),
    shipped!("templates/launch_b2c/body.fr.txt"),
    shipped!("templates/launch_b2c/body.html"),
    shipped!("templates/launch_b2c/body.txt"),
    shipped!("templates/launch_b2c/subject.fr.txt"),
    shipped!("templates/launch_b2c/subject.txt"),
    shipped!("templates/left_basket/body.fr.html"),
    shipped!("templates/left_basket/body.fr.txt"),
    shipped!("templates/left_basket/body.html"),
    shipped!("templates/left_basket/body.txt"),
    shipped!("templates/left_basket/subject.fr.txt"),
    shipped!("templates/left_basket/subject.txt"),
    shipped!("templates/racket_selection/body.fr.html"),
    shipped!("templates/racket_selection/body.fr.txt"),
    shipped!("templates/racket_selection/body.html"),
    shipped!("templates/racket_selection/body.txt"),
    shipped!("templates/racket_selection/subject.fr.txt"),
    shipped!("templates/racket_selection/subject.txt"),
    shipped!("templates/reward/body.fr.html"),
    shipped!("templates/reward/body.fr.txt"),
    shipped!("templates/reward/body.html"),
    shipped!("templates/reward/body.txt"),
    shipped!("templates/reward/subject.fr.txt"),
    shipped!("templates/reward/subject.txt"),
    shipped!("templates/vip_discount/body.fr.html"),
    shipped!("templates/vip_discount/body.fr.txt"),
    shipped!("templates/vip_discount/body.html"),
    shipped!("templates/vip_discount/body.txt"),
    shipped!("templates/vip_discount/subject.fr.txt"),
    shipped!("templates/vip_discount/subject.txt"),
];

/// Says that a folder is the demo's. Without it nothing in a folder is touched.
const MARKER: &str = ".campaignd-demo";

/// What a demo leaves in its folder, and the next one removes.
const LEFT_BEHIND: [&str; 9] = [
    "campaignd.yaml",
    "campaigns",
    "templates",
    "outbox",
    "spool",
    "report.html",
    "campaignd.db",
    "campaignd.db-wal",
    "campaignd.db-shm",
];

/// A folder with a fresh project. It is the caller's alone as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    _lock: File,
}

/// Lays out the project that ships. A folder with anything in it must be that of an earlier demo.
pub(super) fn lay_out(path: &Path) -> Result<Folder, Failure> {
    let marker = path.join(MARKER);
    if !marker.exists() && fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::call_with_hint(
            format!("{} is not empty, and no earlier demo made it", path.display()),
            "name a folder that is empty or not there: `campaignd demo --dir DIR`; nothing was touched",
        ));
    }
    let failed = |error| Failure::outside(format!("could not lay out the demo in {}", path.display()), error);
    fs::create_dir_all(path).map_err(failed)?;
    let lock = File::create(&marker).map_err(failed)?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => Failure::call_with_hint(
            format!("another demo is running in {}", path.display()),
            "wait for it, or name another folder with --dir",
        ),
        TryLockError::Error(error) => failed(error),
    })?;
    for name in LEFT_BEHIND {
        remove(&path.join(name)).map_err(failed)?;
    }
    for (name, text) in FILES {
        let file = path.join(name);
        file.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&file, text))
            .map_err(failed)?;
    }
    Ok(Folder { path: path.to_path_buf(), _lock: lock })
}

/// Removes a file or folder, if it is there. A link is removed, not followed.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(seen) if seen.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Examples to copy, whose mails the demo's shop does not send.
    const EXAMPLES: [&str; 2] = ["campaigns/criteria", "templates/letter"];

    #[test]
    fn the_demo_carries_all_that_ships() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut there = BTreeSet::from(["campaignd.yaml".to_owned()]);
        let mut folders = vec![root.join("campaigns"), root.join("templates")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder that ships") {
                let path = entry.expect("an entry").path();
                let name = path.strip_prefix(root).expect("a path below the root");
                if EXAMPLES.iter().any(|example| name == Path::new(example)) {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else {
                    there.insert(name.to_str().expect("a name").to_owned());
                }
            }
        }
        let carried: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(carried, there, "src/demo/files.rs on the left, what is there on the right");
    }

    #[test]
    fn only_a_demos_own_folder_is_made_anew() {
        let parent = tempfile::tempdir().expect("a folder");
        let mine = parent.path().join("mine");
        fs::create_dir_all(mine.join("outbox")).expect("a folder");
        fs::write(mine.join("outbox/love-letter.eml"), "dear").expect("a file");
        assert!(matches!(lay_out(&mine), Err(Failure::Call { .. })));
        assert!(mine.join("outbox/love-letter.eml").exists() && !mine.join("campaignd.yaml").exists());

        let demo = parent.path().join("demo");
        let first = lay_out(&demo).expect("a new folder");
        fs::create_dir(demo.join("outbox")).expect("an outbox");
        fs::write(demo.join("outbox/1.eml"), "mail").expect("a mail");
        fs::write(demo.join("notes.txt"), "mine").expect("a file");
        assert!(matches!(lay_out(&demo), Err(Failure::Call { .. })), "two demos in one folder");
        drop(first);
        lay_out(&demo).expect("the same folder again");
        assert!(!demo.join("outbox").exists() && demo.join("notes.txt").exists());
    }
}
