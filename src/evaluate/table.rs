//! Rows by the value of a slot: few are looked at one by one, many are hashed.

use hashbrown::HashTable;

use super::slots::{Slot, Texts};

/// Rows by the value of a slot, in the order in which the values were first seen.
#[derive(Debug)]
pub(super) struct Table<Row> {
    /// Each with its value.
    pub(super) rows: Vec<(Slot, Row)>,
    index: HashTable<usize>,
}

impl<Row> Default for Table<Row> {
    fn default() -> Self {
        Self { rows: Vec::new(), index: HashTable::new() }
    }
}

impl<Row: Default> Table<Row> {
    /// Up to here looking at all rows is faster than hashing.
    const FEW: usize = 8;

    #[inline]
    pub(super) fn clear(&mut self) {
        if !self.rows.is_empty() {
            self.rows.clear();
            self.index.clear();
        }
    }

    /// All rows.
    pub(super) fn into_rows(self) -> impl Iterator<Item = Row> {
        self.rows.into_iter().map(|(_, row)| row)
    }

    /// The row of a value, made if there is none yet, and its place.
    pub(super) fn entry(&mut self, key: Slot, texts: &Texts) -> (usize, &mut Row) {
        let rows = &self.rows;
        let known = if rows.len() <= Self::FEW {
            rows.iter().position(|(known, _)| texts.equal(*known, key))
        } else {
            self.index.find(texts.hash(key), |place| texts.equal(rows[*place].0, key)).copied()
        };
        let place = known.unwrap_or_else(|| {
            self.rows.push((key, Row::default()));
            let from = if self.rows.len() <= Self::FEW { self.rows.len() } else { self.index.len() };
            for place in from..self.rows.len() {
                let rows = &self.rows;
                let rehash = |place: &usize| texts.hash(rows[*place].0);
                self.index.insert_unique(texts.hash(rows[place].0), place, rehash);
            }
            self.rows.len() - 1
        });
        (place, &mut self.rows[place].1)
    }
}
