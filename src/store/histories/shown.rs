//! Who is shown in a visit, and with which of their events.

use std::sync::Arc;

use crate::domain::contact::ContactId;
use crate::domain::event::EventNameId;
use crate::domain::history::{BlockId, EventNeed};

/// Names of events that are read of a contact, in their order.
pub type Reading = Arc<[EventNameId]>;

/// Contacts to be shown, in the order of their numbers.
#[derive(Debug, Clone, Default)]
pub struct Shown(Vec<(ContactId, Option<Reading>)>);

impl Shown {
    /// These contacts, with all events that are needed.
    pub fn wholly(contacts: &[ContactId]) -> Self {
        contacts.iter().map(|contact| (*contact, None)).collect()
    }

    /// The first of so many parts of about the same size; a block is in one part.
    pub(super) fn take_first(&mut self, parts: usize) -> Self {
        let contacts = &self.0;
        let about = contacts.len().div_ceil(parts.max(1));
        let count = contacts.get(..about).and_then(<[_]>::last).map_or(contacts.len(), |(last, _)| {
            let block = BlockId::of(*last).0;
            about
                + contacts[about..].iter().take_while(|(contact, _)| BlockId::of(*contact).0 == block).count()
        });
        Self(self.0.drain(..count).collect())
    }

    /// By blocks, in order.
    pub(super) fn blocks(&self) -> impl Iterator<Item = ShownBlock<'_>> {
        self.0
            .chunk_by(|(left, _), (right, _)| BlockId::of(*left).0 == BlockId::of(*right).0)
            .filter_map(|contacts| Some(ShownBlock { block: BlockId::of(contacts.first()?.0).0, contacts }))
    }

    /// Whether contacts of a block are shown.
    pub(super) fn has(&self, block: BlockId) -> bool {
        self.0.binary_search_by_key(&block, |(contact, _)| BlockId::of(*contact).0).is_ok()
    }
}

impl FromIterator<(ContactId, Option<Reading>)> for Shown {
    /// Contacts with the names of events that are read of them, or with all that are needed. Of a contact that
    /// is named twice the first counts.
    fn from_iter<I: IntoIterator<Item = (ContactId, Option<Reading>)>>(contacts: I) -> Self {
        let mut contacts: Vec<_> = contacts.into_iter().collect();
        contacts.sort_by_key(|(contact, _)| *contact);
        contacts.dedup_by_key(|(contact, _)| *contact);
        Self(contacts)
    }
}

/// The contacts of a block that are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShownBlock<'s> {
    pub(super) block: BlockId,
    contacts: &'s [(ContactId, Option<Reading>)],
}

impl<'s> ShownBlock<'s> {
    /// Their numbers.
    pub(super) fn numbers(self) -> impl Iterator<Item = i64> + use<'s> {
        self.contacts.iter().map(|(contact, _)| contact.0)
    }

    /// Their slots, a bit each.
    pub(super) fn slots(self) -> u64 {
        self.contacts.iter().fold(0, |slots, (contact, _)| slots | 1 << BlockId::of(*contact).1)
    }

    /// Whether events of a name are read of one of them.
    pub(super) fn reads(self, need: &EventNeed) -> bool {
        let reads = |reading: &Option<Reading>| {
            reading.as_ref().is_none_or(|names| names.binary_search(&need.name).is_ok())
        };
        self.contacts.iter().any(|(_, reading)| reads(reading))
    }
}
