//! Whom each call names, and what it changes: in memory, by the identity rules of the product contract,
//! section 4.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::facts::{Facts, Said};
use super::{Arrival, Name};
use crate::domain::time::Timestamp;
use crate::store::contacts::ContactRejection;
use crate::store::identity::Book;
use crate::store::refusals::Refusal;

/// An anonymous id that becomes somebody's.
#[derive(Debug)]
pub(super) struct Join {
    pub(super) anonymous_id: String,
    /// The call that says so, by its place among the calls.
    pub(super) by: usize,
}

/// An event on its way, from this parcel or from earlier.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    /// `None`: it is nobody's yet.
    pub(super) contact: Option<Name>,
    pub(super) name: &'a str,
    pub(super) at: Timestamp,
    pub(super) message_id: Option<&'a str>,
    pub(super) properties: &'a str,
    pub(super) facts: Option<&'a Facts>,
}

impl<'a> Item<'a> {
    /// A call, with its contact: by what it says itself, else the one whose device it came from.
    pub(super) fn of(arrival: &'a Arrival, owners: &HashMap<String, Name>) -> Self {
        let contact = if arrival.names_nobody() {
            arrival.anonymous_id.as_ref().and_then(|id| owners.get(id)).cloned()
        } else {
            Some(arrival.contact_name())
        };
        Self {
            contact,
            name: &arrival.name,
            at: arrival.at,
            message_id: arrival.message_id.as_deref(),
            properties: &arrival.properties,
            facts: arrival.facts.as_ref(),
        }
    }
}

/// Which anonymous ids become whose: the first call that names both decides. `owners` is told.
pub(super) fn join(
    book: &Book,
    fresh: &[&Arrival],
    owners: &mut HashMap<String, Name>,
    refusals: &mut Vec<Refusal>,
) -> Vec<Join> {
    let mut joins = Vec::new();
    // Who has an id is named by it alone: what follows on the device does not say the address anew.
    let owner = |arrival: &Arrival| {
        let name = arrival.contact_name();
        if name.external_id.is_some() { Name { email: None, ..name } } else { name }
    };
    // Contacts that this parcel makes, up to the call that is looked at.
    let mut named: HashSet<&str> = HashSet::new();
    for (by, arrival) in fresh.iter().enumerate().filter(|(_, arrival)| !arrival.names_nobody()) {
        let mut ids = vec![arrival.anonymous_id.as_ref()];
        let previous = arrival.previous_id.as_ref().filter(|id| arrival.external_id.as_ref() != Some(*id));
        match previous {
            Some(id) if named.contains(id.as_str()) || book.places(Some(id), None)[0].is_some() => {
                let kind = "`previousId` is a contact of its own: two contacts with ids stay two";
                refusals.push(refused(arrival, kind.to_owned(), format!("{kind}: `{id}`")));
            }
            previous => ids.push(previous),
        }
        named.extend(arrival.external_id.as_deref());
        for anonymous_id in ids.into_iter().flatten() {
            if !owners.contains_key(anonymous_id) {
                owners.insert(anonymous_id.clone(), owner(arrival));
                joins.push(Join { anonymous_id: anonymous_id.clone(), by });
            }
        }
    }
    joins
}

/// What became of items.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// The row of the book of each item; `None`: it is nobody's yet.
    pub(super) rows: Vec<Option<usize>>,
    /// What was refused, by place of the item.
    pub(super) rejections: Vec<(usize, ContactRejection)>,
    /// When facts were said, by a row of the contact.
    pub(super) said: Vec<(usize, Said)>,
}

/// Applies items to their contacts, in their order. `said`: what was said before, by place in the book.
pub(super) fn settle(
    book: &mut Book,
    items: &[Item<'_>],
    mut said: HashMap<usize, Said>,
    now: Timestamp,
) -> Settled {
    let mut settled = Settled::default();
    let mut heard: BTreeMap<usize, usize> = BTreeMap::new();
    let mut row = 0;
    for (index, item) in items.iter().enumerate() {
        let Some(contact) = &item.contact else {
            settled.rows.push(None);
            continue;
        };
        let before = book.places(contact.external_id.as_deref(), contact.email.as_deref());
        let nothing = Facts::default();
        let external_id = contact.external_id.as_deref();
        // Whoever has an id is not another's contact, whatever address a call gives.
        let [by_id, by_email] = before;
        let place = by_id.or(by_email.filter(|other| external_id.is_none() || !book.has_id(*other)));
        let mut known = place.and_then(|place| said.remove(&place)).unwrap_or_default();
        // A clock that is ahead must not hold up what is said in the meantime.
        let heard_at = item.at.min(now);
        let address_time = known.address_time();
        let email = known.address(external_id, contact.email.as_deref(), heard_at);
        if let [Some(person), Some(other)] = before
            && email.is_some()
            && person != other
            && !book.has_id(other)
        {
            // They become one: what was said later of either holds.
            known.absorb(said.remove(&other).unwrap_or_default());
            heard.remove(&other);
        }
        let facts = item.facts.unwrap_or(&nothing);
        let update = known.sift(external_id, email, facts, heard_at, now);
        if let Some(rejection) = book.apply_to_id(&update, now) {
            known.refuse_address(address_time);
            settled.rejections.push((index, rejection));
        }
        settled.rows.push(Some(row));
        if let Some(place) = book.last_place() {
            if item.facts.is_some() {
                heard.insert(place, row);
            }
            said.insert(place, known);
        }
        row += 1;
    }
    let heard = heard.into_iter().filter_map(|(place, row)| Some((row, said.remove(&place)?)));
    settled.said = heard.collect();
    settled
}

/// A call of which something was refused.
pub(super) fn refusal(arrival: &Arrival, rejection: &ContactRejection) -> Refusal {
    let kind = match rejection {
        ContactRejection::AddressTaken { .. } => "address taken: it belongs to a contact with another id",
        ContactRejection::NoIdentity => "the call names nobody",
        ContactRejection::Nul { .. } => "a text holds the character U+0000",
    };
    refused(arrival, kind.to_owned(), rejection.to_string())
}

fn refused(arrival: &Arrival, kind: String, reason: String) -> Refusal {
    Refusal {
        kind,
        reason,
        external_id: arrival.external_id.clone(),
        email: arrival.email.clone(),
        anonymous_id: arrival.anonymous_id.clone(),
        message_id: arrival.message_id.clone(),
        payload: arrival.payload.clone(),
    }
}
