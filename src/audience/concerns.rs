//! What is asked of contacts of whom something is new: of some everything, of others only what reads their new
//! events. The rest of their answers stand until their times of review.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::domain::catalogue::{Catalogue, EvaluationSettings};
use crate::domain::condition::Condition;
use crate::domain::contact::ContactId;
use crate::domain::event::EventNameId;
use crate::domain::time::Timestamp;
use crate::evaluate::{Asked, Program};
use crate::store::contacts::News;
use crate::store::histories::{Reading, Shown};

/// The places of the conditions that are asked, in order.
type Places = Arc<[usize]>;

/// What of a contact is asked; `None`: everything.
type Part = Option<(Places, Reading)>;

/// Contacts to be looked at, in the order of their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Concerns(Vec<(ContactId, Part)>);

impl Concerns {
    /// Whom news concern, and whose time of review has come: those are asked everything, and so are those with
    /// new facts.
    pub(super) fn of(news: &News, reviews: Vec<ContactId>, readers: &Readers) -> Self {
        let mut names: BTreeMap<ContactId, Vec<EventNameId>> = BTreeMap::new();
        for (contact, name) in &news.of_events {
            names.entry(*contact).or_default().push(*name);
        }
        let mut known: BTreeMap<Vec<EventNameId>, Option<Part>> = BTreeMap::new();
        let mut part = |names: Vec<EventNameId>| {
            known.entry(names).or_insert_with_key(|names| readers.of(names).map(Some)).clone()
        };
        let of_events = names.into_iter().filter_map(|(contact, names)| Some((contact, part(names)?)));
        let whole = news.of_facts.iter().copied().chain(reviews).map(|contact| (contact, None));
        // Who is asked everything comes first.
        let mut all: Vec<(ContactId, Part)> = whole.chain(of_events).collect();
        all.sort_by_key(|(contact, _)| *contact);
        all.dedup_by_key(|(contact, _)| *contact);
        Self(all)
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// What is read of them.
    pub(super) fn shown(&self) -> Shown {
        let reading = |part: &Part| part.as_ref().map(|(_, reading)| Arc::clone(reading));
        self.0.iter().map(|(contact, part)| (*contact, reading(part))).collect()
    }

    /// The conditions that a contact is asked, by their places; `None`: all.
    pub(super) fn asked_of(&self, contact: ContactId) -> Option<&[usize]> {
        let place = self.0.binary_search_by_key(&contact, |(contact, _)| *contact).ok()?;
        self.0[place].1.as_ref().map(|(places, _)| &places[..])
    }

    /// Who is asked everything.
    pub(super) fn asked_everything(&self) -> impl Iterator<Item = ContactId> {
        self.0.iter().filter(|(_, part)| part.is_none()).map(|(contact, _)| *contact)
    }

    /// For each of so many conditions: who is asked it.
    pub(super) fn by_condition(&self, conditions: usize) -> Vec<Arc<[ContactId]>> {
        let mut asked = vec![Vec::new(); conditions];
        for (contact, part) in &self.0 {
            match part {
                None => asked.iter_mut().for_each(|asked| asked.push(*contact)),
                Some((places, _)) => places.iter().for_each(|place| asked[*place].push(*contact)),
            }
        }
        asked.into_iter().map(Arc::from).collect()
    }
}

/// Which events each condition reads.
#[derive(Debug, Default)]
pub(super) struct Readers(Vec<BTreeSet<EventNameId>>);

impl Readers {
    /// Of these conditions as they are evaluated at `now`.
    pub(super) fn new(
        catalogue: &Catalogue,
        settings: EvaluationSettings,
        conditions: &[&Condition],
        names: &HashMap<String, EventNameId>,
        now: Timestamp,
    ) -> Self {
        let read = |condition: &&Condition| {
            let asked = Asked { conditions: &[condition], ..Asked::default() };
            let program = Program::compile(catalogue, settings, &asked, &|name| names.get(name).copied());
            program.needs(now).events.into_iter().map(|need| need.name).collect()
        };
        Self(conditions.iter().map(read).collect())
    }

    /// What is asked after new events of these names; `None`: nothing.
    fn of(&self, names: &[EventNameId]) -> Option<(Places, Reading)> {
        let reads =
            |(_, read): &(usize, &BTreeSet<EventNameId>)| names.iter().any(|name| read.contains(name));
        let readers: Vec<_> = self.0.iter().enumerate().filter(reads).collect();
        let reading: BTreeSet<_> = readers.iter().flat_map(|(_, read)| read.iter().copied()).collect();
        let places: Places = readers.iter().map(|(place, _)| *place).collect();
        (!places.is_empty()).then(|| (places, reading.into_iter().collect()))
    }
}
