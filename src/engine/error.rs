//! What can go wrong with the engine as a whole. What goes wrong with one mail is a state of its row.

use crate::audience::AudienceError;
use crate::domain::name::CampaignName;
use crate::store::StoreError;

/// A failed operation of the engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database failed.
    #[error("cannot {operation}")]
    Store {
        /// What was tried: `fix the recipients of run 7`.
        operation: String,
        /// Why.
        source: StoreError,
    },
    /// An audience could not be evaluated.
    #[error("cannot {operation}")]
    Audience {
        /// What was tried.
        operation: String,
        /// Why.
        source: AudienceError,
    },
    /// A run was asked for of a campaign that is not declared.
    #[error("cannot run campaign `{0}`: it is not declared")]
    UnknownCampaign(CampaignName),
    /// A lane came to an end that it should not come to.
    #[error("a lane of the mail transport broke off; what it had in hand is found at the next start")]
    LaneFailed {
        /// How.
        source: tokio::task::JoinError,
    },
}

impl EngineError {
    /// Whether the same may work later without a change of the program, the files or the data.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Store { source, .. } => source.is_unavailable(),
            Self::Audience { source, .. } => source.is_unavailable(),
            Self::UnknownCampaign(_) | Self::LaneFailed { .. } => false,
        }
    }
}

/// Says which operation failed.
pub(super) trait Doing<T> {
    /// `result`, or the error of `operation`.
    fn doing(self, operation: impl FnOnce() -> String) -> Result<T, EngineError>;
}

impl<T> Doing<T> for Result<T, StoreError> {
    fn doing(self, operation: impl FnOnce() -> String) -> Result<T, EngineError> {
        self.map_err(|source| EngineError::Store { operation: operation(), source })
    }
}

impl<T> Doing<T> for Result<T, AudienceError> {
    fn doing(self, operation: impl FnOnce() -> String) -> Result<T, EngineError> {
        self.map_err(|source| EngineError::Audience { operation: operation(), source })
    }
}
