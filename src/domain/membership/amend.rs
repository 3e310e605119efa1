//! Packed reviews of which a few change: what lies between those is copied as it is.

use super::{DamagedMembers, Entries, KeptBlock, MOST_BYTES, Packer};
use crate::domain::contact::ContactId;
use crate::domain::time::Timestamp;

/// What becomes of a contact's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amendment {
    /// It is this one, or there is none.
    Exactly(Option<Timestamp>),
    /// It is no later than this.
    AtLatest(Timestamp),
}

impl Amendment {
    fn of(self, known: Option<Timestamp>) -> Option<Timestamp> {
        match self {
            Self::Exactly(at) => at,
            Self::AtLatest(at) => Some(known.map_or(at, |known| known.min(at))),
        }
    }
}

/// Reviews after amendments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmendedReviews {
    /// Their bytes; none: nobody is left.
    pub payload: Vec<u8>,
    /// The earliest time; of none the last there is.
    pub earliest: Timestamp,
}

/// Amends packed reviews of one block; amendments come in the order of their contacts, and hold one after the other.
/// `None`: all is as it was.
pub fn amend_reviews(
    block: KeptBlock,
    bytes: &[u8],
    amendments: &[(ContactId, Amendment)],
) -> Result<Option<AmendedReviews>, DamagedMembers> {
    let mut amended = Amended::new(block, bytes, amendments.len());
    let mut by_contact = amendments.chunk_by(|left, right| left.0 == right.0).peekable();
    let mut entries = Entries::new(block, bytes);
    loop {
        let before = entries.clone();
        let entry = entries.next().transpose()?;
        while let Some(of_absent) =
            by_contact.next_if(|one| entry.is_none_or(|(contact, _)| one[0].0 < contact))
        {
            amended.change(&before, None, of_absent);
        }
        let Some((contact, at)) = entry else { return Ok(amended.finish(&before)) };
        match by_contact.next_if(|one| one[0].0 == contact) {
            Some(of_present) => amended.change(&before, Some(at), of_present),
            None => amended.keep(&entries, contact, at),
        }
    }
}

/// Reviews that are being amended.
struct Amended<'b> {
    packer: Packer,
    earliest: i64,
    is_changed: bool,
    /// From here on entries are copied together, up to the next that changes. None: the next one is written by itself,
    /// since what was before it has changed.
    copied_from: Option<&'b [u8]>,
}

impl<'b> Amended<'b> {
    fn new(block: KeptBlock, bytes: &'b [u8], amendments: usize) -> Self {
        let packer = Packer::new(block, bytes.len() + MOST_BYTES * amendments);
        Self { packer, earliest: i64::MAX, is_changed: false, copied_from: Some(bytes) }
    }

    /// An entry that was just read stays.
    #[inline]
    fn keep(&mut self, after: &Entries<'b>, contact: ContactId, at: Timestamp) {
        self.earliest = self.earliest.min(at.micros());
        if self.copied_from.is_none() {
            self.packer.push(contact, at);
            self.copied_from = Some(after.rest);
        }
    }

    /// The amendments of one contact, which stands, or would stand, behind `before`.
    fn change(
        &mut self,
        before: &Entries<'b>,
        known: Option<Timestamp>,
        amendments: &[(ContactId, Amendment)],
    ) {
        self.copy(before);
        let at = amendments.iter().fold(known, |at, (_, amendment)| amendment.of(at));
        if let Some((at, (contact, _))) = at.zip(amendments.first()) {
            self.earliest = self.earliest.min(at.micros());
            self.packer.push(*contact, at);
        }
        self.is_changed |= at != known;
    }

    /// Copies the entries that were kept.
    fn copy(&mut self, until: &Entries<'b>) {
        if let Some(from) = self.copied_from.take() {
            self.packer.bytes.extend_from_slice(&from[..from.len() - until.rest.len()]);
            (self.packer.contact, self.packer.at) = (until.contact, until.at);
        }
    }

    fn finish(mut self, end: &Entries<'b>) -> Option<AmendedReviews> {
        self.copy(end);
        let earliest = Timestamp::from_micros(self.earliest);
        self.is_changed.then_some(AmendedReviews { payload: self.packer.bytes, earliest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::membership::pack_reviews;

    const NOW: i64 = 1_793_491_200_000_000;

    #[test]
    fn amended_reviews_have_the_bytes_of_reviews_that_are_packed_anew() {
        let block = KeptBlock(2);
        let at = |micros| Timestamp::from_micros(NOW + micros);
        // Every choice of five contacts that are known, and of what becomes of each.
        let contacts = [1_024, 1_025, 1_200, 1_534, 1_535].map(ContactId);
        let outcomes = [
            &[][..],
            &[Amendment::Exactly(None)],
            &[Amendment::Exactly(Some(at(3)))],
            &[Amendment::AtLatest(at(-9))],
            &[Amendment::Exactly(Some(at(8))), Amendment::AtLatest(at(700)), Amendment::AtLatest(at(5))],
        ];
        for known in 0..32_u32 {
            let is_known = |place: usize| known >> place & 1 == 1;
            let before: Vec<_> = (0..5)
                .filter(|place| is_known(*place))
                .map(|place| (contacts[place], at(place as i64)))
                .collect();
            let bytes = pack_reviews(block, before.clone());
            for choice in 0..5_usize.pow(5) {
                let chosen = |place: usize| outcomes[choice / 5_usize.pow(place as u32) % 5];
                let amendments: Vec<_> = (0..5)
                    .flat_map(|place| chosen(place).iter().map(move |one| (contacts[place], *one)))
                    .collect();
                let after: Vec<_> = (0..5)
                    .filter_map(|place| {
                        let known = is_known(place).then_some(at(place as i64));
                        Some((contacts[place], chosen(place).iter().fold(known, |at, one| one.of(at))?))
                    })
                    .collect();
                let expected = (after != before).then(|| AmendedReviews {
                    payload: pack_reviews(block, after.clone()),
                    earliest: after
                        .iter()
                        .map(|(_, at)| *at)
                        .min()
                        .unwrap_or(Timestamp::from_micros(i64::MAX)),
                });
                assert_eq!(
                    amend_reviews(block, &bytes, &amendments),
                    Ok(expected),
                    "{before:?} {amendments:?}"
                );
            }
        }
        let damaged =
            amend_reviews(block, &[0x80, 0x80, 0x40, 0], &[(ContactId(1_030), Amendment::Exactly(None))]);
        assert_eq!(damaged, Err(DamagedMembers { block: 2 }));
    }
}
