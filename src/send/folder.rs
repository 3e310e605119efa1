//! Mails into a folder: one `.eml` file a message, which every mail program opens.
//!
//! A file appears whole or not at all, and its name is made of what does not change between tries
//! of one delivery (the message's `Date` and `Message-ID`), so that handing a message over again
//! writes the same file again.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use sha2::{Digest, Sha256};

use crate::domain::delivery::{Fault, Reply, TryOutcome};
use crate::domain::email::Email;
use crate::domain::time::Timestamp;

use super::HandoverStopped;
use super::smtp::reply;

/// A folder that mails are written to.
#[derive(Debug, Clone)]
pub struct FolderTransport {
    path: PathBuf,
}

impl FolderTransport {
    /// A folder, which is created with the first mail.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file that a message is, or would be, written to.
    pub fn file_of(&self, email: &Email) -> PathBuf {
        self.path.join(file_name(email))
    }

    pub(super) async fn deliver<F, Fut>(&self, email: &Email, before_dot: F, now: Timestamp) -> TryOutcome
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<(), HandoverStopped>>,
    {
        let file = self.file_of(email);
        let draft = self.path.join(format!(".{}.part", file_name(email)));
        if let Err(error) = write_draft(self.path.clone(), draft.clone(), email.bytes.clone()).await {
            let text = format!("writing {} failed: {error}", draft.display());
            return TryOutcome::Deferred(reply::failure(text, Fault::Server, now));
        }
        if let Err(stopped) = before_dot().await {
            // A draft that stays behind is overwritten by the next try; nobody reads it as a mail.
            tokio::fs::remove_file(&draft).await.ok();
            return TryOutcome::Deferred(reply::failure(stopped.to_string(), Fault::Mail, now));
        }
        match tokio::fs::rename(&draft, &file).await {
            Ok(()) => TryOutcome::Accepted(Reply {
                code: None,
                enhanced: None,
                text: "written to the folder".to_owned(),
                fault: Fault::Mail,
                at: now,
            }),
            // Unlike a mail server, a folder leaves no doubt: without the rename there is no mail.
            Err(error) => {
                let text = format!("renaming {} to its final name failed: {error}", draft.display());
                TryOutcome::Deferred(reply::failure(text, Fault::Server, now))
            }
        }
    }
}

async fn write_draft(folder: PathBuf, draft: PathBuf, bytes: Vec<u8>) -> io::Result<()> {
    let written = tokio::task::spawn_blocking(move || match std::fs::write(&draft, &bytes) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(&folder)?;
            std::fs::write(&draft, &bytes)
        }
        result => result,
    });
    written.await.map_err(io::Error::other)?
}

/// Longest part of a file name that is taken from the Message-ID; file systems stop at 255 bytes.
const LONGEST_ID: usize = 150;

/// `20261123T073949Z-<message id>.eml`: sorts by the message's date.
fn file_name(email: &Email) -> String {
    let date = message_date(&email.bytes)
        .map_or_else(|| "undated".to_owned(), |date| date.format("%Y%m%dT%H%M%SZ").to_string());
    let id = email.message_id.trim_start_matches('<').trim_end_matches('>');
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    let mut name: String = id.chars().map(|c| if harmless(c) { c } else { '_' }).take(LONGEST_ID).collect();
    if name != id {
        // Two ids must not meet in one file name.
        for byte in Sha256::digest(id.as_bytes()).iter().take(8) {
            // Writing to a string cannot fail.
            write!(name, "{byte:02x}").ok();
        }
    }
    format!("{date}-{name}.eml")
}

fn message_date(message: &[u8]) -> Option<DateTime<chrono::Utc>> {
    message
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .take_while(|line| !line.is_empty())
        .find(|line| line.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"date:")))
        .and_then(|line| std::str::from_utf8(&line[5..]).ok())
        .and_then(|value| DateTime::parse_from_rfc2822(value.trim()).ok())
        .map(|date| date.to_utc())
}
