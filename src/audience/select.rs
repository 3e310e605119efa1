//! The audience of a run: everybody who meets its condition at one instant, with the version each gets.

use std::convert::Infallible;
use std::sync::Arc;

use super::error::{AudienceError, store_error};
use super::inspect::look_at;
use super::population::{self, Ranks};
use super::program::{VISITORS, compile};
use crate::domain::campaign::Campaign;
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::history::History;
use crate::domain::population::Population;
use crate::domain::time::{Timestamp, Zone};
use crate::evaluate::{Asked, Outcome, Program, Scratch};
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

/// Everybody who meets the campaign's audience at `at` (of those in a zone, if one is given; contacts
/// without a zone are in the installation's), in the order of their numbers. Kept as 16
/// bytes a contact: what else is needed of them is read when it is needed.
pub async fn select(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    campaign: &Campaign,
    in_zone: Option<Zone>,
    at: Timestamp,
) -> Result<Vec<Selected>, AudienceError> {
    let failed = AudienceError::while_doing("select the audience");
    let versions = campaign.versions.iter().map(|version| &version.condition);
    let conditions: Vec<_> = std::iter::once(&campaign.audience).chain(versions).collect();
    let program = compile(store, catalogue, settings, Asked { conditions: &conditions, ..Asked::default() })
        .await
        .map_err(&failed)?;
    let population =
        population::of(store, catalogue, settings, &program, Ranks::Standing, at).await.map_err(&failed)?;
    let in_zone = in_zone.map(|zone| InZone { zone, else_in: settings.time_zone });
    let visitors = (0..VISITORS)
        .map(|_| Selector { in_zone, ..Selector::new(Arc::clone(&program), population.clone(), at) });
    let visitors = histories::visit_all(store, &program.needs(at), visitors.collect())
        .await
        .map_err(|error| failed(store_error(error)))?;
    Ok(visitors.into_iter().flat_map(|visitor| visitor.selected).collect())
}

/// These contacts of a campaign's audience, with the version each gets at `at`; whoever is unknown is left
/// out. Whether they are in the audience is not asked: they were, when they were found.
pub async fn select_among(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    campaign: &Campaign,
    contacts: &[ContactId],
    at: Timestamp,
) -> Result<Vec<Selected>, AudienceError> {
    let versions: Vec<_> = campaign.versions.iter().map(|version| &version.condition).collect();
    let asked = Asked { conditions: &versions, ..Asked::default() };
    let mut selected = Vec::with_capacity(contacts.len());
    for some in contacts.chunks(SOME) {
        for seen in look_at(store, catalogue, settings, some, asked, Ranks::Standing, at).await? {
            selected.push(Selected { contact: seen.contact.id, version: version_of(&seen.outcomes) });
        }
    }
    Ok(selected)
}

/// Contacts that are held in memory at once, whole.
const SOME: usize = 2_000;

/// The place of the first version whose condition holds.
pub fn version_of(versions: &[Outcome]) -> Option<u16> {
    versions.iter().position(|version| version.holds).and_then(|version| u16::try_from(version).ok())
}

/// Contacts of one zone.
#[derive(Debug, Clone, Copy)]
struct InZone {
    zone: Zone,
    else_in: Zone,
}

impl InZone {
    fn has(self, contact: &ContactView<'_>) -> bool {
        let own = contact.time_zone.and_then(|name| name.parse().ok());
        own.unwrap_or(self.else_in) == self.zone
    }
}

struct Selector {
    program: Arc<Program>,
    scratch: Scratch,
    population: Population,
    at: Timestamp,
    in_zone: Option<InZone>,
    selected: Vec<Selected>,
}

impl Selector {
    fn new(program: Arc<Program>, population: Population, at: Timestamp) -> Self {
        Self { program, scratch: Scratch::default(), population, at, in_zone: None, selected: Vec::new() }
    }
}

impl ContactVisitor for Selector {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        if self.in_zone.is_some_and(|zone| !zone.has(contact)) {
            return Ok(());
        }
        let evaluation =
            self.program.evaluate(&mut self.scratch, contact, history, &self.population, self.at);
        if let Some((audience, versions)) = evaluation.outcomes.split_first()
            && audience.holds
        {
            self.selected.push(Selected { contact: contact.id, version: version_of(versions) });
        }
        Ok(())
    }
}
