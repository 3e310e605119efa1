//! Mails into a list, for tests and previews. It keeps every copy: a mail sent twice is there twice.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::delivery::{Fault, Reply, TryOutcome};
use crate::domain::email::Email;
use crate::domain::time::Timestamp;

use super::HandoverStopped;
use super::smtp::reply;

/// A list of mails. Clones are the same list.
#[derive(Debug, Clone, Default)]
pub struct MemoryTransport {
    mails: Arc<Mutex<Vec<Email>>>,
}

impl MemoryTransport {
    /// What was handed over so far, in order.
    pub fn sent(&self) -> Vec<Email> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was handed over since the last call.
    pub fn take(&self) -> Vec<Email> {
        std::mem::take(&mut *self.mails.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) async fn deliver<F, Fut>(&self, email: &Email, before_dot: F, now: Timestamp) -> TryOutcome
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<(), HandoverStopped>>,
    {
        if let Err(stopped) = before_dot().await {
            return TryOutcome::Deferred(reply::failure(stopped.to_string(), Fault::Mail, now));
        }
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).push(email.clone());
        TryOutcome::Accepted(Reply {
            code: None,
            enhanced: None,
            text: "kept in memory".to_owned(),
            fault: Fault::Mail,
            at: now,
        })
    }
}
