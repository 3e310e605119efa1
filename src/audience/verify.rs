//! What is kept of memberships, held against a full pass at the instant of their evaluation. Only reads: it
//! works beside a running daemon, and leaves out whoever changed since then.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use super::error::{AudienceError, store_error};
use super::groups::Group;
use super::population::{Ranks, fingerprints};
use super::program::{VISITORS, compile};
use super::refresh::conditions;
use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::Condition;
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::history::History;
use crate::domain::population::Population;
use crate::domain::time::Timestamp;
use crate::evaluate::{Asked, Outcome, Program, Scratch};
use crate::store::contacts::{self, ChangeMark};
use crate::store::histories::{self, ContactVisitor};
use crate::store::memberships::{self, Evaluated, Kept, KnownSegment, Member, Standing};
use crate::store::reviews::ReviewGroup;
use crate::store::{Result as StoreResult, Store};

/// How kept memberships compare with a full pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compared {
    /// The instant of the latest evaluation that was held against a pass.
    pub at: Option<Timestamp>,
    /// How many segments, and audiences of campaigns, were.
    pub segments: u64,
    /// How many contacts there are.
    pub contacts: u64,
    /// Those who changed since then, or whose time has come: the next refresh looks at them.
    pub waiting: u64,
    /// What was never evaluated, or is declared otherwise since: the next refresh asks everybody.
    pub to_be_evaluated: Vec<Kept>,
    /// What differs, in the order of names, then of contacts.
    pub differences: Vec<Difference>,
}

/// Something that is kept and should not be, or the other way round.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// Kept as a member, and does not meet the condition.
    Extra(Kept, ContactId),
    /// Meets the condition, and is not kept.
    Missing(Kept, ContactId),
    /// Its last passage says otherwise: whether, or since when, it is in.
    Passage(Kept, ContactId),
    /// Some answer changes at this instant, and nobody would look at the contact by then.
    Review(ContactId, Timestamp),
}

/// Passages that are compared a segment, the latest of each kind.
const PASSAGES: u32 = 10_000;

/// How often an answer is asked after the next instant at which it may change. Beyond that the time of
/// review is taken to be right.
const STEPS: u32 = 1_000;

/// Holds what is kept against a full pass.
pub async fn verify(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
) -> Result<Compared, AudienceError> {
    compare(store, catalogue, settings).await.map_err(AudienceError::while_doing("verify the segments"))
}

/// An evaluation: up to which changes of contacts and which events, and at which instant.
type When = (i64, i64, Timestamp);

/// Something that was evaluated as it is declared.
struct Standed<'a> {
    known: KnownSegment,
    condition: &'a Condition,
    members: Vec<Member>,
}

async fn compare(
    store: &Store,
    catalogue: &Catalogue,
    settings: EvaluationSettings,
) -> StoreResult<Compared> {
    let Standing { mut segments, mut reviews } = memberships::standing(store).await?;
    let mut compared = Compared { contacts: contacts::count(store).await?, ..Compared::default() };
    let mut groups: BTreeMap<(ReviewGroup, When), Vec<Standed<'_>>> = BTreeMap::new();
    let all: Vec<_> = conditions(catalogue).collect();
    let declared = fingerprints(store, catalogue, settings, &all, Ranks::Known, Timestamp::from_micros(0));
    let (declared, population) = declared.await?;
    for ((kept, condition), declared) in all.into_iter().zip(declared) {
        let found = segments.remove(&kept).and_then(|(known, members)| {
            let Evaluated { at, fingerprint, mark } = known.evaluated.clone()?;
            let group = match Group::of(catalogue, &kept) {
                Group::Shared => ReviewGroup::SHARED,
                Group::Alone(_) => ReviewGroup::of(known.id),
            };
            (fingerprint == declared)
                .then_some(((group, (mark.contacts, mark.events, at)), Standed { known, condition, members }))
        });
        match found {
            Some((when, standed)) => groups.entry(when).or_default().push(standed),
            None => compared.to_be_evaluated.push(kept),
        }
    }
    let latest: BTreeMap<ReviewGroup, When> = groups.keys().copied().collect();
    let against = Against { catalogue, settings, population };
    for ((of, when), group) in groups {
        // Times of review speak of what was evaluated last.
        let reviews = (latest.get(&of) == Some(&when)).then(|| reviews.remove(&of).unwrap_or_default());
        compare_group(store, &against, when, group, reviews.map(Arc::new), &mut compared).await?;
    }
    compared.differences.sort_unstable();
    Ok(compared)
}

/// What a pass goes by.
struct Against<'a> {
    catalogue: &'a Catalogue,
    settings: EvaluationSettings,
    population: Population,
}

async fn compare_group(
    store: &Store,
    Against { catalogue, settings, population }: &Against<'_>,
    (contacts_mark, events_mark, at): When,
    group: Vec<Standed<'_>>,
    reviews: Option<Arc<Vec<(ContactId, Timestamp)>>>,
    compared: &mut Compared,
) -> StoreResult<()> {
    let conditions: Vec<_> = group.iter().map(|one| one.condition).collect();
    let program =
        compile(store, catalogue, *settings, Asked { conditions: &conditions, ..Asked::default() }).await?;
    let kept: Arc<Vec<_>> = Arc::new(group.iter().map(|one| one.members.clone()).collect());
    let visitor = || Comparer {
        program: Arc::clone(&program),
        scratch: Scratch::default(),
        population: population.clone(),
        at,
        kept: Arc::clone(&kept),
        reviews: reviews.clone(),
        seen: Vec::new(),
        found: Vec::new(),
    };
    let visitors = (0..VISITORS).map(|_| visitor()).collect();
    let visitors =
        histories::visit_as_stored(store, &program.needs(at), visitors).await.map_err(store_error)?;
    let (mut seen, mut found) = (Vec::new(), Vec::new());
    for visitor in visitors {
        seen.extend(visitor.seen);
        found.extend(visitor.found);
    }
    let nobody = |member: &&Member| seen.binary_search(&member.contact).is_err();
    for (place, members) in kept.iter().enumerate() {
        found.extend(members.iter().filter(nobody).map(|member| (member.contact, Found::Extra(place))));
    }
    for (place, one) in group.iter().enumerate() {
        let passages = memberships::newest_passages(store, one.known.id, PASSAGES).await?;
        found.extend(
            against_passages(&one.members, &passages, at).map(|contact| (contact, Found::Passage(place))),
        );
    }

    // Asked last: whoever changed until now may have been seen as they are now.
    let mark = ChangeMark { contacts: contacts_mark, events: events_mark };
    let mut changed =
        contacts::changed_since(store, mark, usize::MAX).await?.news.unwrap_or_default().contacts();
    compared.waiting = compared.waiting.max(changed.len() as u64);
    changed.extend(contacts::forgotten(store).await?);
    changed.sort_unstable();
    found.retain(|(contact, _)| changed.binary_search(contact).is_err());
    let name = |place: usize| group[place].known.kept.clone();
    compared.differences.extend(found.into_iter().map(|(contact, found)| match found {
        Found::Extra(place) => Difference::Extra(name(place), contact),
        Found::Missing(place) => Difference::Missing(name(place), contact),
        Found::Passage(place) => Difference::Passage(name(place), contact),
        Found::Review(changes_at) => Difference::Review(contact, changes_at),
    }));
    compared.segments += group.len() as u64;
    compared.at = compared.at.max(Some(at));
    Ok(())
}

/// Contacts whose latest passage is not what is kept of them.
fn against_passages(
    members: &[Member],
    passages: &[memberships::Passed],
    at: Timestamp,
) -> impl Iterator<Item = ContactId> {
    let mut latest: BTreeMap<ContactId, Vec<&memberships::Passed>> = BTreeMap::new();
    for passed in passages {
        let known = latest.entry(passed.contact).or_default();
        match known.first().map_or(std::cmp::Ordering::Less, |first| first.at.cmp(&passed.at)) {
            std::cmp::Ordering::Less => *known = vec![passed],
            std::cmp::Ordering::Equal => known.push(passed),
            std::cmp::Ordering::Greater => {}
        }
    }
    let member = |contact| {
        members.binary_search_by_key(&contact, |one: &Member| one.contact).ok().map(|place| &members[place])
    };
    let too_late = members.iter().filter(move |one| one.entered_at > at).map(|one| one.contact);
    let otherwise: Vec<_> = latest
        .into_iter()
        .filter(|(contact, passages)| match (passages.as_slice(), member(*contact)) {
            ([passed], None) => passed.entered,
            ([passed], Some(member)) => !passed.entered || passed.at != member.entered_at,
            // Two evaluations at one instant: which came first is not known.
            _ => false,
        })
        .map(|(contact, _)| contact)
        .collect();
    too_late.chain(otherwise)
}

/// As [`Difference`], with places for names.
enum Found {
    Extra(usize),
    Missing(usize),
    Passage(usize),
    Review(Timestamp),
}

struct Comparer {
    program: Arc<Program>,
    scratch: Scratch,
    population: Population,
    at: Timestamp,
    /// Members by segment, in the order of asking.
    kept: Arc<Vec<Vec<Member>>>,
    reviews: Option<Arc<Vec<(ContactId, Timestamp)>>>,
    seen: Vec<ContactId>,
    found: Vec<(ContactId, Found)>,
}

impl ContactVisitor for Comparer {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        self.seen.push(contact.id);
        let evaluation =
            self.program.evaluate(&mut self.scratch, contact, history, &self.population, self.at);
        let answers: Vec<Outcome> = evaluation.outcomes.to_vec();
        for (place, (outcome, members)) in answers.iter().zip(self.kept.iter()).enumerate() {
            let is_kept = members.binary_search_by_key(&contact.id, |member| member.contact).is_ok();
            match (is_kept, outcome.holds) {
                (true, false) => self.found.push((contact.id, Found::Extra(place))),
                (false, true) => self.found.push((contact.id, Found::Missing(place))),
                _ => {}
            }
        }
        let Some(reviews) = &self.reviews else { return Ok(()) };
        let place = reviews.binary_search_by_key(&contact.id, |(contact, _)| *contact);
        let review = place.ok().map(|place| reviews[place].1);
        if review.is_some_and(|review| review <= self.at) {
            self.found.push((contact.id, Found::Review(self.at)));
            return Ok(());
        }
        // A review that is later than what is said now is right if the answers are the same until then.
        let least = |outcomes: &[Outcome]| outcomes.iter().filter_map(|outcome| outcome.until).min();
        let mut next = least(&answers);
        for _ in 0..STEPS {
            let Some(at) = next.filter(|at| review.is_none_or(|review| *at < review)) else { break };
            let later = self.program.evaluate(&mut self.scratch, contact, history, &self.population, at);
            let same = later.outcomes.iter().zip(&answers).all(|(one, other)| one.holds == other.holds);
            if !same {
                self.found.push((contact.id, Found::Review(at)));
                break;
            }
            next = least(later.outcomes).filter(|later| *later > at);
        }
        Ok(())
    }
}
