//! What calls of the API need of a book beside rows: they hold in part, and say when they said it.

use super::{Book, Outcome, fold};
use crate::domain::contact::{ContactId, ContactUpdate};
use crate::domain::time::Timestamp;
use crate::store::contacts::ContactRejection;

impl Book {
    /// Applies one row; when its address belongs to another contact and it has an id, all of it but
    /// the address. Says what was refused.
    pub(in crate::store) fn apply_to_id(
        &mut self,
        update: &ContactUpdate,
        now: Timestamp,
    ) -> Option<ContactRejection> {
        self.apply(update, now);
        let Some(Outcome::Rejected(rejection)) = self.outcomes.last() else { return None };
        let rejection = rejection.clone();
        if update.external_id.is_some() && matches!(rejection, ContactRejection::AddressTaken { .. }) {
            self.outcomes.pop();
            self.apply(&ContactUpdate { email: None, ..update.clone() }, now);
        }
        Some(rejection)
    }

    /// Where the persons stand whom an id and an address name.
    pub(in crate::store) fn places(
        &self,
        external_id: Option<&str>,
        email: Option<&str>,
    ) -> [Option<usize>; 2] {
        let by_email = email.and_then(|email| self.by_email.get(&fold(email)));
        [external_id.and_then(|id| self.by_external_id.get(id)).copied(), by_email.copied()]
    }

    /// Whether the person at a place has an id: then it becomes nobody else.
    pub(in crate::store) fn has_id(&self, place: usize) -> bool {
        self.people[place].contact.external_id.is_some()
    }

    /// Where the person stands to whom the last row was applied.
    pub(in crate::store) fn last_place(&self) -> Option<usize> {
        match self.outcomes.last()? {
            Outcome::Created(place) | Outcome::Updated(place) | Outcome::Unchanged(place) => Some(*place),
            Outcome::Rejected(_) => None,
        }
    }

    /// The contacts that were there before, with their places.
    pub(in crate::store) fn stored(&self) -> Vec<(usize, ContactId)> {
        let stored = self.people.iter().enumerate().filter(|(_, person)| !person.is_new());
        stored.map(|(place, person)| (place, person.contact.id)).collect()
    }
}
