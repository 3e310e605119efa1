//! Why a use case did not do what it was asked.

use std::error::Error;

use crate::diagnostic::{Problem, Sources};

/// Three kinds, by who can mend it. Whatever the kind: what had to hold together was not half done.
#[derive(Debug)]
pub enum Failure {
    /// The project's files are wrong. Nothing was changed.
    Files {
        /// All problems of all files, sorted.
        problems: Vec<Problem>,
        /// The files' texts.
        sources: Sources,
    },
    /// The call is wrong: no such campaign, a setting that cannot be. Nothing was changed.
    Call {
        /// What failed on what.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Something outside failed: database, network, disk.
    Outside(anyhow::Error),
}

impl Failure {
    /// The call is wrong.
    pub fn call(message: impl Into<String>) -> Self {
        Self::Call { message: message.into(), hint: None }
    }

    /// The call is wrong, and this is what to do.
    pub fn call_with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Call { message: message.into(), hint: Some(hint.into()) }
    }

    /// The operation failed for a reason outside the project's files.
    pub fn outside(operation: impl Into<String>, cause: impl Error + Send + Sync + 'static) -> Self {
        Self::Outside(anyhow::Error::new(cause).context(operation.into()))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Outside(error)
    }
}
