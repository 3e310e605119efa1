//! When segments are evaluated anew, and contacts ranked.
//!
//! Segments without a `refresh` of their own are evaluated together: as often as the settings say, and when a
//! run was made. One with its own is evaluated by itself: at its times, and when a run that uses it was made.

use std::collections::BTreeSet;

use super::core::Core;
use super::error::{Doing as _, EngineError};
use super::parts::Declared;
use crate::audience::{self, Refreshed};
use crate::domain::name::SegmentName;
use crate::domain::time::Timestamp;
use crate::store::memberships::{self, Kept};

impl Core {
    /// Ranks contacts anew where it is time for it. Whether a threshold that stood is another now: then
    /// segments are to be evaluated.
    pub(super) async fn keep_ranks(
        &self,
        declared: &Declared,
        edition: u64,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let known = self.memory().ranked;
        let is_known = |(next, at, under): &(Option<Timestamp>, Timestamp, u64)| {
            *under == edition && now >= *at && next.is_none_or(|next| now < next)
        };
        if known.as_ref().is_some_and(is_known) {
            return Ok(false);
        }
        self.record_sent(now).await?;
        let settings = &self.settings;
        let kept = audience::keep_ranks(
            &self.store,
            &declared.catalogue,
            settings.evaluation,
            &settings.refresh_ranks,
            now,
        )
        .await
        .doing(|| "rank the contacts".to_owned())?;
        if kept.computed > 0 {
            tracing::debug!(
                ranks.computed = kept.computed,
                ranks.changed = kept.changed,
                "contacts are ranked anew"
            );
        }
        self.memory().ranked = Some((kept.next, now, edition));
        Ok(kept.changed)
    }

    /// Whether it is time to evaluate the segments without a time of their own.
    pub(super) async fn refresh_is_due(
        &self,
        declared: &Declared,
        edition: u64,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let shared = audience::shared(&declared.catalogue);
        if shared.is_empty() {
            return Ok(false);
        }
        let (cadence, zone) = (&self.settings.refresh, self.settings.evaluation.time_zone);
        let known = self.memory().refreshed;
        if let Some((at, under)) = known {
            return Ok(under != edition || cadence.is_due(at, now, zone));
        }
        // Other declarations are found out by the refresh itself; one of them may be new.
        let oldest = self.evaluated_since(&shared).await?;
        if let Some(at) = oldest.filter(|at| !cadence.is_due(*at, now, zone)) {
            self.memory().refreshed = Some((at, edition));
            return Ok(false);
        }
        Ok(true)
    }

    /// Since when all of these have been evaluated; `None`: one of them never was.
    async fn evaluated_since(&self, kept: &[Kept]) -> Result<Option<Timestamp>, EngineError> {
        let known = memberships::ensure(&self.store, kept)
            .await
            .doing(|| "see when segments were evaluated last".to_owned())?;
        Ok(known.iter().map(|one| one.evaluated.as_ref().map(|last| last.at)).min().flatten())
    }

    /// When a segment was evaluated as it is declared now; `None`: never.
    async fn evaluated_as_declared(
        &self,
        declared: &Declared,
        name: &SegmentName,
    ) -> Result<Option<Timestamp>, EngineError> {
        let known = memberships::ensure(&self.store, &[Kept::Segment(name.clone())])
            .await
            .doing(|| format!("see when the segment `{name}` was evaluated last"))?;
        let catalogue = &declared.catalogue;
        let Some(segment) = catalogue.segments.get(name) else { return Ok(None) };
        let fingerprint = audience::fingerprint(catalogue, self.settings.evaluation, &segment.condition);
        let last = known.into_iter().find_map(|one| one.evaluated);
        let last = last.filter(|last| audience::of_declaration(&last.fingerprint) == fingerprint);
        Ok(last.map(|last| last.at))
    }

    /// Evaluates the segments without a time of their own.
    pub(super) async fn refresh(
        &self,
        declared: &Declared,
        edition: u64,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        self.record_sent(now).await?;
        let refreshed =
            audience::refresh_shared(&self.store, &declared.catalogue, self.settings.evaluation, now)
                .await
                .doing(|| "refresh the segments".to_owned())?;
        tell(&refreshed);
        self.memory().refreshed = Some((now, edition));
        Ok(())
    }

    /// Evaluates those segments with a time of their own for which it has come, or that a run uses.
    pub(super) async fn refresh_those_with_their_own_time(
        &self,
        declared: &Declared,
        used: &BTreeSet<SegmentName>,
        edition: u64,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let zone = self.settings.evaluation.time_zone;
        let mut any = false;
        for (name, cadence) in audience::with_own_time(&declared.catalogue) {
            let known = self.memory().refreshed_alone.get(name).copied();
            let at = match known {
                Some((at, under)) if under == edition => Some(at),
                _ => self.evaluated_as_declared(declared, name).await?,
            };
            let is_due = at.is_none_or(|at| cadence.is_due(at, now, zone));
            if let (Some(at), false) = (at, is_due || used.contains(name)) {
                self.memory().refreshed_alone.insert(name.clone(), (at, edition));
                continue;
            }
            self.record_sent(now).await?;
            let settings = self.settings.evaluation;
            let refreshed = audience::refresh_alone(&self.store, &declared.catalogue, settings, name, now)
                .await
                .doing(|| format!("refresh the segment `{name}`"))?;
            tell(&refreshed);
            self.memory().refreshed_alone.insert(name.clone(), (now, edition));
            any = true;
        }
        Ok(any)
    }

    /// The segments that the audiences and versions of due runs name, directly or by way of others.
    pub(super) async fn used_by_due_runs(
        &self,
        declared: &Declared,
    ) -> Result<BTreeSet<SegmentName>, EngineError> {
        let mut used = BTreeSet::new();
        for run in self.due_runs().await? {
            if let Some(campaign) = declared.catalogue.campaigns.get(&run.campaign) {
                used.extend(audience::segments_of(&declared.catalogue, campaign));
            }
        }
        Ok(used)
    }

    /// When segments are to be evaluated, or contacts ranked, next.
    pub(super) fn next_refresh(&self, declared: &Declared) -> Option<Timestamp> {
        let zone = self.settings.evaluation.time_zone;
        let memory = self.memory();
        let shared = memory
            .refreshed
            .filter(|_| !audience::shared(&declared.catalogue).is_empty())
            .and_then(|(at, _)| self.settings.refresh.next_after(at, zone));
        let alone = audience::with_own_time(&declared.catalogue).filter_map(|(name, cadence)| {
            memory.refreshed_alone.get(name).and_then(|(at, _)| cadence.next_after(*at, zone))
        });
        let ranks = memory.ranked.and_then(|(next, ..)| next);
        alone.chain(shared).chain(ranks).min()
    }
}

fn tell(refreshed: &Refreshed) {
    let entered: u64 = refreshed.segments.iter().map(|one| one.entered).sum();
    let left: u64 = refreshed.segments.iter().map(|one| one.left).sum();
    tracing::debug!(
        contacts.looked_at = refreshed.looked_at,
        contacts.all = refreshed.full,
        memberships.entered = entered,
        memberships.left = left,
        "segments are refreshed"
    );
}
