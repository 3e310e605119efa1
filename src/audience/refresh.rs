//! Keeps memberships true. What is declared as the last time is asked only of contacts whose answer can have
//! changed: with new facts since then, with new events that it reads, or with an `until` that has come. What is
//! declared otherwise is asked of everybody, but nothing else is.

use std::sync::Arc;
use std::time::Duration;

use super::answers::{Answers, Everybody, Few};
use super::causes::Causes;
use super::concerns::{Concerns, Readers};
use super::error::{AudienceError, store_error};
use super::groups::{Group, with_own_time};
use super::population::{Ranks, fingerprints, of_declaration, of_thresholds};
use super::program::{VISITORS, compile};
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::Condition;
use crate::domain::contact::ContactId;
use crate::domain::name::SegmentName;
use crate::domain::population::Population;
use crate::domain::roster::Roster;
use crate::domain::time::Timestamp;
use crate::evaluate::Asked;
use crate::store::contacts::{self, ChangeMark, Changes, News};
use crate::store::memberships::{self, EntryCause, Evaluated, Kept, KnownSegment, Member, SegmentChange};
use crate::store::reviews::{self, ReviewGroup, Reviews};
use crate::store::{Result as StoreResult, Store, campaigns, events, histories};

/// With more contacts to look at than this, a pass over all of them takes less time than reading
/// each by its number (10,500 point reads: 104 ms; a pass over a million: a second).
const SOME: usize = 20_000;

/// From so many contacts on they are looked at side by side.
const WORTH_ANOTHER: usize = 200;

/// What a refresh did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refreshed {
    /// How many contacts were looked at.
    pub looked_at: u64,
    /// Whether all of them were, for all segments.
    pub full: bool,
    /// What changed, by segment, in the order of names.
    pub segments: Vec<SegmentMoves>,
}

/// How many contacts entered and left a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentMoves {
    /// Which.
    pub segment: SegmentName,
    /// How many contacts were asked about it.
    pub looked_at: u64,
    /// Who entered.
    pub entered: u64,
    /// Who left.
    pub left: u64,
}

/// Evaluates all segments at `now`, and the audiences of campaigns that ask who entered, and writes who
/// entered and who left, and why.
pub async fn refresh(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    now: Timestamp,
) -> Result<Refreshed, AudienceError> {
    let mut all = refresh_shared(store, catalogue, settings, now).await?;
    for (segment, _) in with_own_time(catalogue) {
        let alone = refresh_alone(store, catalogue, settings, segment, now).await?;
        all.looked_at += alone.looked_at;
        all.full &= alone.full;
        all.segments.extend(alone.segments);
    }
    all.segments.sort_by(|one, other| one.segment.cmp(&other.segment));
    Ok(all)
}

/// Evaluates at `now` what has no time of its own; see [`refresh`].
pub async fn refresh_shared(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    now: Timestamp,
) -> Result<Refreshed, AudienceError> {
    refresh_group(store, catalogue, settings, Group::Shared, now)
        .await
        .map_err(AudienceError::while_doing("refresh the segments"))
}

/// Evaluates at `now` a segment with a time of its own; see [`refresh`].
pub async fn refresh_alone(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    segment: &SegmentName,
    now: Timestamp,
) -> Result<Refreshed, AudienceError> {
    refresh_group(store, catalogue, settings, Group::Alone(segment), now)
        .await
        .map_err(AudienceError::while_doing("refresh a segment"))
}

/// What memberships are kept of: segments, then audiences of campaigns that ask who entered; by name.
pub fn kept(catalogue: &Catalogue) -> Vec<Kept> {
    conditions(catalogue).map(|(kept, _)| kept).collect()
}

/// Everything that memberships are kept of, with its condition.
pub(super) fn conditions(catalogue: &Catalogue) -> impl Iterator<Item = (Kept, &Condition)> {
    let segments =
        catalogue.segments.iter().map(|(name, segment)| (Kept::Segment(name.clone()), &segment.condition));
    let campaigns = catalogue.campaigns.values().filter(|campaign| campaign.keeps_audience());
    segments.chain(campaigns.map(|campaign| (Kept::Audience(campaign.name.clone()), &campaign.audience)))
}

/// One of them, before it is evaluated.
struct Before<'a> {
    known: KnownSegment,
    condition: &'a Condition,
    fingerprint: String,
    /// Of a campaign: since when it has been active. What came before then is nothing that it saw.
    active_since: Option<Timestamp>,
    /// Whether everybody is asked: what is kept of it is not what the last refresh left.
    anew: bool,
}

impl Before<'_> {
    /// Why those entered or left whom neither data nor an import explain.
    fn cause(&self) -> EntryCause {
        match &self.known.evaluated {
            None => EntryCause::First,
            Some(last) if self.active_since.is_some_and(|since| last.at < since) => EntryCause::First,
            Some(last) if of_declaration(&last.fingerprint) != of_declaration(&self.fingerprint) => {
                EntryCause::Declaration
            }
            Some(last) if of_thresholds(&last.fingerprint) != of_thresholds(&self.fingerprint) => {
                EntryCause::Population
            }
            Some(_) => EntryCause::Data,
        }
    }
}

/// When something was evaluated last, and what data that saw.
type Last = (Timestamp, ChangeMark);

async fn before<'a>(
    store: &Store,
    catalogue: &'a Catalogue,
    settings: EvaluationSettings,
    group: Group<'_>,
    now: Timestamp,
) -> StoreResult<(Vec<Before<'a>>, Population, Option<Last>)> {
    let is_of_group = |(kept, _): &(Kept, &Condition)| Group::of(catalogue, kept) == group;
    let conditions: Vec<_> = conditions(catalogue).filter(is_of_group).collect();
    let (fingerprints, population) =
        fingerprints(store, catalogue, settings, &conditions, Ranks::Standing, now).await?;
    let names: Vec<_> = conditions.iter().map(|(kept, _)| kept.clone()).collect();
    let known = memberships::ensure(store, &names).await?;
    let evaluated = known.iter().filter_map(|one| one.evaluated.as_ref());
    let last =
        evaluated.map(|last| (last.at, last.mark)).max_by_key(|(at, mark)| (mark.contacts, mark.events, *at));
    let campaigns = campaigns::all(store).await?;
    let active_since = |kept: &Kept| match kept {
        Kept::Segment(_) => None,
        Kept::Audience(name) => {
            let campaign = campaigns.iter().find(|campaign| campaign.name == *name);
            campaign.map(|campaign| campaign.activated_at)
        }
    };
    let conditions = conditions.into_iter().zip(fingerprints);
    let before = conditions.zip(known).map(|(((kept, condition), fingerprint), known)| {
        let as_last = |evaluated: &Evaluated| {
            evaluated.fingerprint == fingerprint && last == Some((evaluated.at, evaluated.mark))
        };
        let anew = !known.evaluated.as_ref().is_some_and(as_last);
        Before { known, condition, fingerprint, active_since: active_since(&kept), anew }
    });
    Ok((before.collect(), population, last))
}

async fn refresh_group(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
    group: Group<'_>,
    now: Timestamp,
) -> StoreResult<Refreshed> {
    let (mut all, population, last) = before(store, catalogue, settings, group, now).await?;
    let Some(first) = all.first() else { return Ok(Refreshed::default()) };
    let group = match group {
        Group::Shared => ReviewGroup::SHARED,
        Group::Alone(_) => ReviewGroup::of(first.known.id),
    };
    let undeclared = memberships::undeclared(store, &kept(catalogue)).await?;
    let now = not_before_the_last(last, now);

    // Taken before anybody is looked at: what comes in meanwhile is looked at the next time.
    let due = if all.iter().all(|one| one.anew) { None } else { due(store, group, last, now).await? };
    let mark = match &due {
        Some(due) => due.mark,
        None => contacts::mark(store).await?,
    };
    for one in &mut all {
        one.anew |= due.is_none();
    }

    let mut few = Few::default();
    let mut concerns = Arc::new(Concerns::default());
    let mut with_news = None;
    if let Some(Due { news, reviews, since, .. }) = due {
        let conditions: Vec<_> = all.iter().map(|one| one.condition).collect();
        let readers = if news.of_events.is_empty() {
            Readers::default()
        } else {
            Readers::new(catalogue, settings, &conditions, &events::names(store).await?, now)
        };
        concerns = Arc::new(Concerns::of(&news, reviews, &readers));
        with_news = Some((since, news.contacts()));
        let program =
            compile(store, catalogue, settings, Asked { conditions: &conditions, ..Asked::default() })
                .await?;
        // Of very few none is worth a second snapshot.
        let visitors = if concerns.len() < WORTH_ANOTHER { 1 } else { VISITORS };
        let visitor = |_| Answers::new(&program, &population, conditions.len(), now).of(&concerns);
        let mut visitors: Vec<_> = (0..visitors).map(visitor).collect();
        if concerns.len() > 0 {
            let needs = program.needs(now);
            visitors = histories::visit_side_by_side(store, concerns.shown(), &needs, visitors)
                .await
                .map_err(store_error)?;
        }
        few = Answers::of_few(visitors, &concerns);
    }
    let asked_of_all: Vec<_> = all.iter().filter(|one| one.anew).map(|one| one.condition).collect();
    let mut everybody = Everybody::default();
    if !asked_of_all.is_empty() {
        let asked = Asked { conditions: &asked_of_all, ..Asked::default() };
        let program = compile(store, catalogue, settings, asked).await?;
        let visitors =
            (0..VISITORS).map(|_| Answers::new(&program, &population, asked_of_all.len(), now)).collect();
        let visitors =
            histories::visit_all(store, &program.needs(now), visitors).await.map_err(store_error)?;
        everybody = Answers::of_everybody(visitors);
    }

    let full = all.iter().all(|one| one.anew);
    let looked_at = if asked_of_all.is_empty() { few.looked_at } else { everybody.looked_at };
    let reviews = if full {
        Reviews::All(std::mem::take(&mut everybody.reviews))
    } else {
        let mut at_latest = std::mem::take(&mut everybody.reviews);
        at_latest.append(&mut few.some_reviews);
        at_latest.sort_by_key(|(contact, _)| *contact);
        Reviews::Some { exactly: std::mem::take(&mut few.reviews), at_latest }
    };
    let asked_of_few = concerns.by_condition(all.len());
    let asked: Vec<u64> = asked_of_few.iter().map(|asked| asked.len() as u64).collect();
    let going_on = all.iter().zip(asked_of_few).filter(|(one, _)| !one.anew);
    let going_on = going_on.map(|(one, asked)| (one.known.id, asked)).collect();
    let mut old_of_few = memberships::members_of(store, going_on).await?.into_iter();
    let mut of_all = everybody.members.into_iter();
    let mut causes = Causes::new(store, mark, with_news);
    let mut changes = Vec::with_capacity(all.len());
    let mut moves = Vec::with_capacity(all.len());
    let of_few = few.members.into_iter().map(Some).chain(std::iter::repeat(None));
    for ((one, of_few), asked) in all.into_iter().zip(of_few).zip(asked) {
        let (old, new) = if one.anew {
            (memberships::members(store, one.known.id).await?, of_all.next())
        } else {
            (old_of_few.next().unwrap_or_default(), of_few)
        };
        let (entered, left) = difference(&old, new.unwrap_or_default());
        let cause = one.cause();
        let last = one.known.evaluated.as_ref().map(|last| last.mark);
        let (left, gone) = causes.left_or_gone(left, last).await?;
        let other_causes = match (cause, last) {
            (EntryCause::Data | EntryCause::Population, Some(last)) => {
                let mut other_causes = causes.other_than(cause, &entered, last).await?;
                other_causes.extend(causes.other_than(cause, &left, last).await?);
                other_causes.sort_unstable_by_key(|(contact, _)| *contact);
                other_causes
            }
            _ => Vec::new(),
        };
        if let Kept::Segment(segment) = one.known.kept {
            moves.push(SegmentMoves {
                segment,
                looked_at: if one.anew { everybody.looked_at } else { asked },
                entered: entered.len() as u64,
                left: left.len() as u64,
            });
        }
        let evaluated = Evaluated { at: now, fingerprint: one.fingerprint, mark };
        changes.push(SegmentChange {
            segment: one.known.id,
            entered,
            left,
            cause,
            other_causes,
            gone,
            before: one.known.evaluated,
            evaluated,
        });
    }
    memberships::apply(store, &changes, &undeclared, group, &reviews, now).await?;
    Ok(Refreshed { looked_at, full, segments: moves })
}

/// A clock that was set back a little is waited for: else people would leave what they entered a moment
/// ago, and enter it again.
fn not_before_the_last(last: Option<Last>, now: Timestamp) -> Timestamp {
    last.map(|(at, _)| at).filter(|last| *last > now && last.since(now) <= SET_BACK).unwrap_or(now)
}

/// How far clocks are corrected without somebody's doing.
const SET_BACK: Duration = Duration::from_hours(1);

/// What can have changed answers since the last evaluation.
struct Due {
    /// What is new of contacts …
    news: News,
    /// … after this mark.
    since: ChangeMark,
    /// The mark behind it.
    mark: ChangeMark,
    /// Contacts whose time of review has come, in order.
    reviews: Vec<ContactId>,
}

/// What can have changed answers since the last evaluation; `None` when all contacts must be looked at.
async fn due(
    store: &Store,
    group: ReviewGroup,
    last: Option<Last>,
    now: Timestamp,
) -> StoreResult<Option<Due>> {
    let Some((at, since)) = last.filter(|(at, _)| *at <= now) else { return Ok(None) };
    let Changes { news, mark } = contacts::changed_since(store, since, SOME).await?;
    let Some(news) = news else { return Ok(None) };
    let reviews = if at < now { reviews::due_for_review(store, group, now).await? } else { Vec::new() };
    let mut contacts = news.contacts();
    contacts.extend(&reviews);
    contacts.sort_unstable();
    contacts.dedup();
    Ok((contacts.len() <= SOME).then_some(Due { news, since, mark, reviews }))
}

/// Who of the new members was not among the old, and who of the old is not among the new; all in the order of
/// numbers.
fn difference(old: &[Member], new: Roster) -> (Roster, Roster) {
    if old.is_empty() {
        return (new, Roster::default());
    }
    let (mut entered, mut left) = (Roster::default(), Roster::default());
    let mut old = old.iter().map(|member| member.contact).peekable();
    for contact in new.iter() {
        while let Some(former) = old.next_if(|former| *former < contact) {
            left.push(former);
        }
        if old.next_if_eq(&contact).is_none() {
            entered.push(contact);
        }
    }
    left.extend(old);
    (entered, left)
}
