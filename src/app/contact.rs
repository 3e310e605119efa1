//! One contact's whole story: who they are, what they agreed to, where they are, what they got and did.

use crate::audience::{self, Ranks};
use crate::diagnostic;
use crate::domain::contact::{Contact, ContactId};
use crate::domain::name::{ScoreName, SegmentName, TraitName};
use crate::domain::score::ScoreValue;
use crate::domain::time::Timestamp;
use crate::domain::value::Value;
use crate::evaluate::Asked;
use crate::store::{consents, contacts, dossier, memberships, suppressions};

use super::{Failure, Installation};

pub use crate::store::consents::ConsentChange;
pub use crate::store::dossier::{EngagementRow, HitRow, MailRow, PastEvent};
pub use crate::store::suppressions::Suppression;

/// All that is held on a contact, and what follows from it now.
#[derive(Debug, Clone)]
pub struct Story {
    /// When.
    pub at: Timestamp,
    /// The contact.
    pub contact: Contact,
    /// What they answered, oldest first.
    pub consents: Vec<ConsentChange>,
    /// What holds mail to their address back.
    pub suppressions: Vec<Suppression>,
    /// In which segments they are, by the last evaluation.
    pub segments: Vec<Stay>,
    /// Traits that have a value.
    pub traits: Vec<(TraitName, Value)>,
    /// Scores, with the name of their level.
    pub scores: Vec<(ScoreName, ScoreValue, Option<String>)>,
    /// Mails, latest first.
    pub mails: Vec<MailRow>,
    /// Opens and clicks, latest first.
    pub engagements: Vec<EngagementRow>,
    /// Requests that their mails caused, latest first.
    pub hits: Vec<HitRow>,
    /// Their devices.
    pub anonymous_ids: Vec<String>,
    /// What they did, latest first.
    pub events: Vec<PastEvent>,
}

/// A membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// Where.
    pub segment: SegmentName,
    /// Since when.
    pub since: Timestamp,
    /// Until when, if nothing new happens.
    pub until: Option<Timestamp>,
}

/// The contact with this id, else the one with this address.
pub async fn find(installation: &Installation, id_or_address: &str) -> Result<Contact, Failure> {
    let failed = |error| installation.failed(error);
    if let Some(found) = contacts::find(&installation.store, id_or_address).await.map_err(failed)? {
        return Ok(found);
    }
    let known = contacts::neighbours(&installation.store, id_or_address).await.map_err(failed)?;
    // Of numbers each is as near as the next.
    let is_number = id_or_address.bytes().all(|byte| byte.is_ascii_digit());
    let meant = diagnostic::did_you_mean(id_or_address, known.iter().map(String::as_str));
    let hint = meant.filter(|_| !is_number).unwrap_or_else(|| {
        "`campaignd segment NAME` shows some contacts; `campaignd suppress --list ADDRESS` says what an address without a contact is held back by".to_owned()
    });
    Err(Failure::call_with_hint(format!("no contact has the id or address `{id_or_address}`"), hint))
}

/// Everything about a contact, now.
pub async fn story(installation: &Installation, contact: Contact) -> Result<Story, Failure> {
    let (store, id) = (&installation.store, contact.id);
    let failed = |error| installation.failed(error);
    let catalogue = &installation.project.catalogue;
    let at = installation.clock.now();
    let traits: Vec<TraitName> = catalogue.traits.keys().cloned().collect();
    let scores: Vec<ScoreName> = catalogue.scores.keys().cloned().collect();
    let seen = audience::look_at(
        store,
        catalogue,
        installation.project.evaluation_settings(),
        &[id],
        Asked { traits: &traits, scores: &scores, ..Asked::default() },
        Ranks::Standing,
        at,
    )
    .await
    .map_err(|error| installation.audience_failed(error))?;
    let seen = seen.into_iter().next();
    let (values, points) = seen.map(|seen| (seen.traits, seen.scores)).unwrap_or_default();
    let level = |name: &ScoreName, value: ScoreValue| {
        catalogue.scores.get(name).and_then(|score| score.level_name(value)).map(str::to_owned)
    };
    let mut held_back = Vec::new();
    if let Some(email) = contact.email.as_deref() {
        let found = suppressions::among(store, &[email]).await.map_err(failed)?;
        held_back.extend(found.into_values().flatten());
    }
    Ok(Story {
        at,
        consents: consents::history(store, id).await.map_err(failed)?,
        suppressions: held_back,
        segments: segments(installation, id, at).await?,
        traits: traits.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?))).collect(),
        scores: scores
            .into_iter()
            .zip(points)
            .filter_map(|(name, value)| {
                let value = value?;
                let level = level(&name, value);
                Some((name, value, level))
            })
            .collect(),
        mails: dossier::mails(store, id).await.map_err(failed)?,
        engagements: dossier::engagements(store, id).await.map_err(failed)?,
        hits: dossier::hits(store, id).await.map_err(failed)?,
        anonymous_ids: dossier::anonymous_ids(store, id).await.map_err(failed)?,
        events: dossier::events(store, id).await.map_err(failed)?,
        contact,
    })
}

async fn segments(
    installation: &Installation,
    contact: ContactId,
    at: Timestamp,
) -> Result<Vec<Stay>, Failure> {
    let segments = &installation.project.catalogue.segments;
    let names: Vec<SegmentName> = segments.keys().cloned().collect();
    let failed = |error| installation.failed(error);
    let known = memberships::ensure_segments(&installation.store, &names).await.map_err(failed)?;
    let known: Vec<_> = known.into_iter().map(|segment| segment.id).collect();
    let members =
        memberships::members_among(&installation.store, &known, &[contact]).await.map_err(failed)?;
    let conditions: Vec<_> = segments.values().map(|segment| &segment.condition).collect();
    let seen = audience::look_at(
        &installation.store,
        &installation.project.catalogue,
        installation.project.evaluation_settings(),
        &[contact],
        Asked { conditions: &conditions, ..Asked::default() },
        Ranks::Standing,
        at,
    )
    .await
    .map_err(|error| installation.audience_failed(error))?;
    let until = |place: usize| seen.first().and_then(|seen| seen.outcomes.get(place)?.until);
    let stays = names.into_iter().zip(members).enumerate().filter_map(|(place, (segment, members))| {
        let since = members.first()?.entered_at;
        Some(Stay { segment, since, until: until(place) })
    });
    Ok(stays.collect())
}
