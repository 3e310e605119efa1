//! Many contacts in little memory: mostly a byte each.
//!
//! ```text
//! roster := (step from the previous contact: varint)*
//! ```
//!
//! The first step counts from 0.

use super::contact::ContactId;
use super::varint;

/// Contacts in the order of their numbers, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roster {
    steps: Vec<u8>,
    last: i64,
    count: usize,
}

impl Roster {
    /// Adds a contact, whose number is greater than those of all that are in.
    #[inline]
    pub fn push(&mut self, ContactId(contact): ContactId) {
        varint::push(&mut self.steps, contact.wrapping_sub(self.last) as u64);
        self.last = contact;
        self.count += 1;
    }

    /// Adds all of another roster, whose numbers are greater than those of all that are in.
    pub fn append(&mut self, other: Self) {
        let mut rest = &other.steps[..];
        let Some(first) = varint::take(&mut rest) else { return };
        if self.count == 0 {
            *self = other;
            return;
        }
        self.push(ContactId(first as i64));
        self.steps.extend_from_slice(rest);
        (self.last, self.count) = (other.last, self.count + other.count - 1);
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is nobody.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Everybody, in order.
    pub fn iter(&self) -> impl Iterator<Item = ContactId> + use<'_> {
        let (mut rest, mut contact) = (&self.steps[..], 0_i64);
        std::iter::from_fn(move || {
            contact = contact.wrapping_add(varint::take(&mut rest)? as i64);
            Some(ContactId(contact))
        })
    }
}

impl Extend<ContactId> for Roster {
    fn extend<I: IntoIterator<Item = ContactId>>(&mut self, contacts: I) {
        contacts.into_iter().for_each(|contact| self.push(contact));
    }
}

impl FromIterator<ContactId> for Roster {
    fn from_iter<I: IntoIterator<Item = ContactId>>(contacts: I) -> Self {
        let mut roster = Self::default();
        roster.extend(contacts);
        roster
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(contacts: &[i64]) -> Roster {
        contacts.iter().copied().map(ContactId).collect()
    }

    #[test]
    fn who_is_put_in_comes_out() {
        let parts: [&[i64]; 4] = [&[], &[-3, 0, 1, 127, 300], &[301, 1 << 40], &[i64::MAX]];
        let whole: Vec<i64> = parts.concat();
        let mut joined = Roster::default();
        for part in parts {
            joined.append(roster(part));
        }
        assert_eq!(joined.iter().map(|contact| contact.0).collect::<Vec<_>>(), whole);
        assert_eq!((joined.len(), joined.is_empty()), (whole.len(), false));
        assert_eq!(joined, roster(&whole));
        assert!(roster(&[]).iter().next().is_none());
    }
}
