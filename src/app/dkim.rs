//! The keys that sign mails: a new one, and their records in DNS.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::dkim::{Key, Signer};
use crate::settings;
pub use crate::settings::DkimKey;

use super::Failure;
use super::project::environment;

/// The keys that `campaignd.yaml` names. Declarations and templates do not matter.
pub fn keys(project: &Path) -> Result<Vec<DkimKey>, Failure> {
    let loaded = settings::load(project, &environment());
    let (problems, sources) = (loaded.problems, loaded.sources);
    loaded.settings.map(|settings| settings.dkim).ok_or(Failure::Files { problems, sources })
}

/// Makes an Ed25519 key in a file that only its owner may read, and that was not there.
pub fn make(project: &Path, file: &Path, domain: &str, selector: &str) -> Result<DkimKey, Failure> {
    let text = Key::ed25519_pem(&rand::random());
    let key = Key::from_pem(&text).map_err(|error| Failure::outside("could not make a key", error))?;
    let signer = Signer::new(domain, selector, key).map_err(|error| Failure::call(error.to_string()))?;
    let path = project.join(file);
    if fs::symlink_metadata(&path).is_ok() {
        let message = format!("{} exists already", path.display());
        return Err(Failure::call_with_hint(message, "a key is never overwritten: name another file"));
    }
    match write(&path, &text) {
        Ok(()) => Ok(DkimKey { signer, file: path }),
        Err(error) => Err(Failure::outside(format!("could not write {}", path.display()), error)),
    }
}

fn write(path: &PathBuf, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // Between the look above and now somebody else may have written it: that stays.
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
