//! The audience of a run: everybody who meets its condition at one instant, with the version each gets.

use std::convert::Infallible;
use std::sync::Arc;

use super::error::{AudienceError, store_error};
use super::program::{VISITORS, compile};
use crate::domain::campaign::Campaign;
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::history::History;
use crate::domain::time::Timestamp;
use crate::evaluate::{Asked, Program, Scratch};
use crate::store::Store;
use crate::store::histories::{self, ContactVisitor};

/// A contact of an audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    /// Who.
    pub contact: ContactId,
    /// The place of the first of the campaign's versions whose condition the contact meets.
    pub version: Option<u16>,
}

/// Everybody who meets the campaign's audience at `at`, in the order of their numbers. Kept as 16
/// bytes a contact: what else is needed of them is read when it is needed.
pub async fn select(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    campaign: &Campaign,
    at: Timestamp,
) -> Result<Vec<Selected>, AudienceError> {
    let failed = AudienceError::while_doing("select the audience");
    let versions = campaign.versions.iter().map(|version| &version.condition);
    let conditions: Vec<_> = std::iter::once(&campaign.audience).chain(versions).collect();
    let program = compile(store, catalogue, settings, Asked { conditions: &conditions, ..Asked::default() })
        .await
        .map_err(&failed)?;
    let visitors = (0..VISITORS).map(|_| Selector::new(Arc::clone(&program), at)).collect();
    let visitors = histories::visit_all(store, &program.needs(at), visitors)
        .await
        .map_err(|error| failed(store_error(error)))?;
    Ok(visitors.into_iter().flat_map(|visitor| visitor.selected).collect())
}

struct Selector {
    program: Arc<Program>,
    scratch: Scratch,
    at: Timestamp,
    selected: Vec<Selected>,
}

impl Selector {
    fn new(program: Arc<Program>, at: Timestamp) -> Self {
        Self { program, scratch: Scratch::default(), at, selected: Vec::new() }
    }
}

impl ContactVisitor for Selector {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        let evaluation = self.program.evaluate(&mut self.scratch, contact, history, self.at);
        if let Some((audience, versions)) = evaluation.outcomes.split_first()
            && audience.holds
        {
            let version = versions.iter().position(|version| version.holds);
            self.selected.push(Selected {
                contact: contact.id,
                version: version.and_then(|version| u16::try_from(version).ok()),
            });
        }
        Ok(())
    }
}
