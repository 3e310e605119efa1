//! Hands a rendered e-mail to somebody who delivers it, and says how that ended: accepted, deferred,
//! refused, or uncertain. Knows no database and no template.
//!
//! | file | what it does |
//! |---|---|
//! | [`smtp`] | a mail server, over kept connections |
//! | [`folder`] | one `.eml` file a message, for trying things out |
//! | [`memory`] | a list, for tests and previews |
//! | [`lease`] | until when messages may go out |
//!
//! A [`Transport`] is opened as often as it has [`connections`](Transport::connections); each
//! [`Lane`] hands over one message at a time. The order of a handover is fixed, because the send
//! ledger rests on it: everything that may still be taken back, then `before_dot`, then the
//! message. Whatever fails before `before_dot` has returned left nothing behind at the server.

pub mod folder;
pub mod lease;
pub mod memory;
pub mod smtp;

use std::path::PathBuf;

use crate::domain::delivery::TryOutcome;
use crate::domain::email::Email;
use crate::domain::time::Timestamp;

pub use folder::FolderTransport;
pub use lease::Lease;
pub use memory::MemoryTransport;
pub use smtp::{InvalidSmtp, SmtpCredentials, SmtpOptions, SmtpTimeouts, SmtpTls, SmtpTransport};

/// Where mails go. Clones share connections' settings, the folder, or the list.
#[derive(Debug, Clone)]
pub enum Transport {
    /// To a mail server.
    Smtp(SmtpTransport),
    /// Into a folder: nobody is mailed.
    Folder(FolderTransport),
    /// Into a list in memory: nobody is mailed.
    Memory(MemoryTransport),
}

/// The ledger could not note that the message is about to go out, so it must not go out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the handover was stopped: {reason}")]
pub struct HandoverStopped {
    /// Why.
    pub reason: String,
}

/// More than one, so that the ledger can group its commits.
const FOLDER_LANES: usize = 4;

impl Transport {
    /// A transport to a mail server; nothing is connected yet.
    pub fn smtp(options: SmtpOptions) -> Result<Self, InvalidSmtp> {
        SmtpTransport::new(options).map(Self::Smtp)
    }

    /// A transport into a folder, which is created with the first mail.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self::Folder(FolderTransport::new(path))
    }

    /// A transport into a list, and the list.
    pub fn memory() -> (Self, MemoryTransport) {
        let list = MemoryTransport::default();
        (Self::Memory(list.clone()), list)
    }

    /// How many lanes may be open at once.
    pub fn connections(&self) -> usize {
        match self {
            Self::Smtp(smtp) => smtp.connections(),
            Self::Folder(_) => FOLDER_LANES,
            // One, so that the list is in the order of handing over.
            Self::Memory(_) => 1,
        }
    }

    /// Whether mails reach people. Where they do not, `run` says so at every start.
    pub fn mails_people(&self) -> bool {
        matches!(self, Self::Smtp(_))
    }

    /// A lane of its own. It connects when it is first used.
    pub fn open(&self) -> Lane {
        self.open_under(&Lease::default())
    }

    /// A lane that lets messages out as long as the lease holds.
    pub fn open_under(&self, lease: &Lease) -> Lane {
        match self {
            Self::Smtp(smtp) => Lane::Smtp(Box::new(smtp.open(lease.clone()))),
            Self::Folder(folder) => Lane::Folder(folder.clone()),
            Self::Memory(list) => Lane::Memory(list.clone()),
        }
    }
}

/// One connection's worth of a [`Transport`]: hands over one message after the other.
#[derive(Debug)]
pub enum Lane {
    /// A connection to a mail server.
    Smtp(Box<smtp::SmtpLane>),
    /// A folder.
    Folder(FolderTransport),
    /// A list.
    Memory(MemoryTransport),
}

impl Lane {
    /// Hands over one message. `before_dot` is awaited after the server agreed to take the
    /// message and before the first byte of it; when it fails, nothing was sent and the outcome
    /// is [`TryOutcome::Deferred`]. `now` is what the reply is dated with.
    ///
    /// The future may be dropped at any time: the connection is then not used again.
    pub async fn deliver<F, Fut>(&mut self, email: &Email, before_dot: F, now: Timestamp) -> TryOutcome
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<(), HandoverStopped>>,
    {
        match self {
            Self::Smtp(lane) => lane.deliver(email, before_dot, now).await,
            Self::Folder(folder) => folder.deliver(email, before_dot, now).await,
            Self::Memory(list) => list.deliver(email, before_dot, now).await,
        }
    }

    /// Gives a connection back that nobody needed for a while.
    pub async fn close_if_idle(&mut self) {
        if let Self::Smtp(lane) = self {
            lane.close_if_idle().await;
        }
    }

    /// Closes the lane with good manners (`QUIT`).
    pub async fn close(self) {
        if let Self::Smtp(lane) = self {
            lane.close().await;
        }
    }
}
