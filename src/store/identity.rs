//! Who is who: applies rows to the contacts that they name, in memory, by the identity rules of the
//! product contract, section 4. Knows no database: it is given what is stored and says what to write.
//!
//! `id` wins; an address belongs to one contact. A row that gives contact 1 the address of contact 2 is
//! rejected, unless 2 has no `id`: then they become one.

mod calls;

use std::collections::HashMap;

use super::contacts::{ContactOutcome, ContactRejection};
use crate::domain::consent::{Consent, ConsentState, Purpose};
use crate::domain::contact::{ConsentUpdate, Contact, ContactId, ContactUpdate};
use crate::domain::time::Timestamp;

/// The contacts that a batch of rows may touch.
pub(super) struct Book {
    people: Vec<Person>,
    by_external_id: HashMap<String, usize>,
    by_email: HashMap<String, usize>,
    outcomes: Vec<Outcome>,
}

struct Person {
    contact: Contact,
    origin: Origin,
    attributes: Option<serde_json::Map<String, serde_json::Value>>,
    /// By the row at hand, by any row, and in the attributes.
    news: bool,
    changed: bool,
    attributes_changed: bool,
    became: Option<usize>,
    consents: Vec<ConsentUpdate>,
}

enum Origin {
    /// It comes with this batch.
    New,
    /// It is stored, with this folded address.
    Stored { email: Option<String> },
}

enum Outcome {
    Created(usize),
    Updated(usize),
    Unchanged(usize),
    Rejected(ContactRejection),
}

/// What a batch of rows changes.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// One per row.
    pub(super) outcomes: Vec<ContactOutcome>,
    /// Stored contacts that became others: (former, now).
    pub(super) merges: Vec<(ContactId, ContactId)>,
    /// Stored contacts whose address is another now, or moved on: freed before anything is written.
    pub(super) freed_emails: Vec<ContactId>,
    /// Stored contacts with something new.
    pub(super) updates: Vec<Contact>,
    /// New contacts.
    pub(super) inserts: Vec<Contact>,
    /// Consents for the history.
    pub(super) consents: Vec<(ContactId, ConsentUpdate)>,
}

/// An address as it is compared.
pub(super) fn fold(email: &str) -> String {
    email.to_lowercase()
}

impl Book {
    /// A book of what is stored: every contact that a row's id or address names.
    pub(super) fn new(stored: Vec<Contact>) -> Self {
        let mut book = Self {
            people: Vec::with_capacity(stored.len()),
            by_external_id: HashMap::with_capacity(stored.len()),
            by_email: HashMap::with_capacity(stored.len()),
            outcomes: Vec::new(),
        };
        for contact in stored {
            let index = book.people.len();
            if let Some(external_id) = &contact.external_id {
                book.by_external_id.insert(external_id.clone(), index);
            }
            let email = contact.email.as_deref().map(fold);
            if let Some(email) = &email {
                book.by_email.insert(email.clone(), index);
            }
            book.people.push(Person::new(contact, Origin::Stored { email }));
        }
        book
    }

    /// Applies one row.
    pub(super) fn apply(&mut self, update: &ContactUpdate, now: Timestamp) {
        let outcome = match self.find_or_create(update, now) {
            Err(rejection) => Outcome::Rejected(rejection),
            Ok((index, created)) => {
                let person = &mut self.people[index];
                person.take(update);
                let news = std::mem::take(&mut person.news);
                person.changed |= news;
                match (created, news) {
                    (true, _) => Outcome::Created(index),
                    (false, true) => Outcome::Updated(index),
                    (false, false) => Outcome::Unchanged(index),
                }
            }
        };
        self.outcomes.push(outcome);
    }

    /// The person whom a row names, and whether it is new.
    fn find_or_create(
        &mut self,
        update: &ContactUpdate,
        now: Timestamp,
    ) -> Result<(usize, bool), ContactRejection> {
        check_texts(update)?;
        let email = update.email.as_deref().map(fold);
        let by_id = update.external_id.as_ref().and_then(|id| self.by_external_id.get(id)).copied();
        let by_email = email.as_ref().and_then(|email| self.by_email.get(email)).copied();
        match (by_id, by_email) {
            (Some(person), Some(other)) if person != other => {
                self.require_no_id(other)?;
                self.merge(other, person);
                Ok((person, false))
            }
            (Some(person), _) => Ok((person, false)),
            (None, Some(other)) => {
                let Some(external_id) = &update.external_id else { return Ok((other, false)) };
                self.require_no_id(other)?;
                self.by_external_id.insert(external_id.clone(), other);
                let person = &mut self.people[other];
                person.contact.external_id = Some(external_id.clone());
                person.news = true;
                Ok((other, false))
            }
            (None, None) => {
                let key = update.external_id.clone().or_else(|| email.clone());
                let key = key.ok_or(ContactRejection::NoIdentity)?;
                Ok((self.create(key, update, now), true))
            }
        }
        .inspect(|(person, _)| {
            if let Some(email) = email {
                self.give_address(*person, email, update.email.as_deref());
            }
        })
    }

    fn require_no_id(&self, person: usize) -> Result<(), ContactRejection> {
        let contact = &self.people[person].contact;
        match &contact.external_id {
            None => Ok(()),
            Some(owner) => Err(ContactRejection::AddressTaken {
                email: contact.email.clone().unwrap_or_default(),
                owner: owner.clone(),
            }),
        }
    }

    fn create(&mut self, key: String, update: &ContactUpdate, now: Timestamp) -> usize {
        let index = self.people.len();
        if let Some(external_id) = &update.external_id {
            self.by_external_id.insert(external_id.clone(), index);
        }
        let contact = Contact {
            key,
            external_id: update.external_id.clone(),
            created_at: update.created_at.unwrap_or(now),
            ..nobody()
        };
        self.people.push(Person::new(contact, Origin::New));
        index
    }

    /// Nobody else has this address.
    fn give_address(&mut self, person: usize, folded: String, email: Option<&str>) {
        let contact = &mut self.people[person].contact;
        let former = contact.email.as_deref().map(fold);
        if former.as_ref() == Some(&folded) {
            return; // The spelling that came first stays: case is no news.
        }
        contact.email = email.map(str::to_owned);
        self.people[person].news = true;
        if let Some(former) = former {
            self.by_email.remove(&former);
        }
        self.by_email.insert(folded, person);
    }

    /// `other` has no id and becomes `person`, who keeps what both know.
    fn merge(&mut self, other: usize, person: usize) {
        let mut gone = Person::new(nobody(), Origin::New);
        std::mem::swap(&mut gone, &mut self.people[other]);
        if let Some(email) = gone.contact.email.as_deref().map(fold) {
            self.by_email.remove(&email);
        }
        let attributes = gone.attributes_of().clone();
        let into = &mut self.people[person];
        into.news = true;
        for (name, value) in attributes {
            if !into.attributes_of().contains_key(&name) {
                into.attributes_of().insert(name, value);
                into.attributes_changed = true;
            }
        }
        let contact = &mut into.contact;
        contact.time_zone = contact.time_zone.take().or(gone.contact.time_zone.take());
        contact.language = contact.language.take().or(gone.contact.language.take());
        contact.created_at = contact.created_at.min(gone.contact.created_at);
        contact.marketing = later(contact.marketing, gone.contact.marketing);
        contact.tracking = later(contact.tracking, gone.contact.tracking);
        into.consents.append(&mut gone.consents);
        let gone_to = &mut self.people[other];
        gone_to.contact.id = gone.contact.id;
        gone_to.origin = gone.origin;
        gone_to.became = Some(person);
    }

    /// What to write; new contacts get the numbers from `first_number` on.
    pub(super) fn finish(mut self, first_number: i64) -> Plan {
        let mut plan = Plan::default();
        let mut number = first_number;
        for person in &mut self.people {
            if person.is_new() {
                person.contact.id = ContactId(number);
                number += 1;
            }
        }
        plan.outcomes = self
            .outcomes
            .iter()
            .map(|outcome| match outcome {
                Outcome::Created(index) => ContactOutcome::Created(self.number(*index)),
                Outcome::Updated(index) => ContactOutcome::Updated(self.number(*index)),
                Outcome::Unchanged(index) => ContactOutcome::Unchanged(self.number(*index)),
                Outcome::Rejected(rejection) => ContactOutcome::Rejected(rejection.clone()),
            })
            .collect();
        for (index, person) in self.people.iter().enumerate() {
            if person.became.is_some() && matches!(person.origin, Origin::Stored { .. }) {
                plan.merges.push((person.contact.id, self.number(index)));
            }
        }
        for person in self.people.iter_mut().filter(|person| person.became.is_none()) {
            let id = person.contact.id;
            plan.consents.extend(person.consents.drain(..).map(|consent| (id, consent)));
            if person.attributes_changed {
                person.contact.attributes = serde_json::to_string(person.attributes_of()).unwrap_or_default();
            }
            match &person.origin {
                Origin::New => plan.inserts.push(std::mem::replace(&mut person.contact, nobody())),
                Origin::Stored { email } if person.changed => {
                    if email.is_some() && *email != person.contact.email.as_deref().map(fold) {
                        plan.freed_emails.push(id);
                    }
                    plan.updates.push(std::mem::replace(&mut person.contact, nobody()));
                }
                Origin::Stored { .. } => {}
            }
        }
        plan
    }

    /// How many numbers [`finish`](Self::finish) gives out.
    pub(super) fn new_contacts(&self) -> usize {
        self.people.iter().filter(|person| person.is_new()).count()
    }

    fn number(&self, mut index: usize) -> ContactId {
        while let Some(next) = self.people[index].became {
            index = next;
        }
        self.people[index].contact.id
    }
}

impl Person {
    const fn new(contact: Contact, origin: Origin) -> Self {
        Self {
            contact,
            origin,
            attributes: None,
            news: false,
            changed: false,
            attributes_changed: false,
            became: None,
            consents: Vec::new(),
        }
    }

    const fn is_new(&self) -> bool {
        self.became.is_none() && matches!(self.origin, Origin::New)
    }

    fn attributes_of(&mut self) -> &mut serde_json::Map<String, serde_json::Value> {
        let text = &self.contact.attributes;
        self.attributes.get_or_insert_with(|| serde_json::from_str(text).unwrap_or_default())
    }

    /// Takes over what a row says.
    fn take(&mut self, update: &ContactUpdate) {
        self.news |= set(&mut self.contact.time_zone, update.time_zone.as_ref());
        self.news |= set(&mut self.contact.language, update.language.as_ref());
        if let Some(created_at) = update.created_at {
            self.news |= created_at != self.contact.created_at;
            self.contact.created_at = created_at;
        }
        for (name, value) in &update.attributes {
            let known = self.attributes_of();
            let news = if value.is_null() {
                known.shift_remove(name).is_some()
            } else {
                known.get(name) != Some(value) && {
                    known.insert(name.clone(), value.clone());
                    true
                }
            };
            self.attributes_changed |= news;
            self.news |= news;
        }
        for consent in &update.consents {
            self.news |= self.agree(consent);
        }
    }

    /// A later answer replaces an earlier one, in whatever order they come, and holds from the last time that it
    /// was given; an earlier answer is history, and so is that nothing is known of somebody who refused. The
    /// same answer again without a time of its own is no news.
    fn agree(&mut self, update: &ConsentUpdate) -> bool {
        let known = match update.purpose {
            Purpose::Marketing => &mut self.contact.marketing,
            Purpose::Tracking => &mut self.contact.tracking,
        };
        let refuses = update.state == ConsentState::No;
        let gives_way = update.gives_way && !refuses && known.state != ConsentState::Unknown;
        let is_the_same = known.state == update.state;
        let is_another_time = known.since.is_some_and(|since| update.at != since);
        if gives_way || is_the_same && (update.gives_way || !is_another_time) {
            return false;
        }
        self.consents.push(update.clone());
        let says_nothing = update.state == ConsentState::Unknown && known.state == ConsentState::No;
        if says_nothing || known.since.is_some_and(|since| update.at < since) {
            return false;
        }
        let since = (update.state != ConsentState::Unknown).then_some(update.at);
        *known = Consent { state: update.state, since };
        true
    }
}

fn later(one: Consent, other: Consent) -> Consent {
    if other.since > one.since { other } else { one }
}

fn set(field: &mut Option<String>, value: Option<&String>) -> bool {
    match value {
        Some(value) if field.as_ref() != Some(value) => {
            *field = Some(value.clone());
            true
        }
        _ => false,
    }
}

fn nobody() -> Contact {
    Contact {
        id: ContactId(0),
        key: String::new(),
        external_id: None,
        email: None,
        time_zone: None,
        language: None,
        created_at: Timestamp::from_micros(0),
        marketing: Consent::default(),
        tracking: Consent::default(),
        attributes: "{}".to_owned(),
    }
}

/// PostgreSQL keeps no U+0000 in texts; so that both keep the same, neither does.
fn check_texts(update: &ContactUpdate) -> Result<(), ContactRejection> {
    let texts = [
        ("id", update.external_id.as_deref()),
        ("email", update.email.as_deref()),
        ("time_zone", update.time_zone.as_deref()),
        ("language", update.language.as_deref()),
    ];
    let sources = update.consents.iter().map(|consent| ("source", Some(consent.source.as_str())));
    match texts.into_iter().chain(sources).find(|(_, text)| text.is_some_and(|text| text.contains('\0'))) {
        Some((field, _)) => Err(ContactRejection::Nul { field }),
        None => Ok(()),
    }
}
