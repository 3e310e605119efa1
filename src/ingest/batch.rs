//! Rows on their way from the side that reads to the side that stores.

use super::options::Content;
use super::reason::Reason;
use super::recognise::Format;
use super::source::Position;
use crate::domain::contact::ContactUpdate;
use crate::store::events::IncomingEvent;

/// What the reading side tells the storing side.
pub(super) enum Message {
    /// First of all.
    Begin(Begin),
    /// Rows.
    Batch(Batch),
}

/// What is known before the first row.
pub(super) struct Begin {
    pub(super) content: Content,
    pub(super) format: Format,
    /// The names of the columns, in a table.
    pub(super) header: Vec<Vec<u8>>,
    pub(super) position: Position,
}

/// Some rows, in the order of the file.
#[derive(Default)]
pub(super) struct Batch {
    /// Every row, with its line, and why it was rejected when it was.
    pub(super) rows: Vec<(u64, Option<Reason>)>,
    /// As they stand in the file, for those that the store rejects.
    pub(super) originals: Originals,
    /// What the rows that were not rejected say; one of the two is empty.
    pub(super) contacts: Vec<ContactUpdate>,
    /// See `contacts`.
    pub(super) events: Vec<IncomingEvent>,
}

/// Rows as they stand in the file, cell by cell, in one buffer.
#[derive(Default)]
pub(super) struct Originals {
    bytes: Vec<u8>,
    cell_ends: Vec<usize>,
    row_ends: Vec<usize>,
}

impl Originals {
    /// Appends a cell to the row that is being written.
    pub(super) fn push_cell(&mut self, cell: &[u8]) {
        self.bytes.extend_from_slice(cell);
        self.cell_ends.push(self.bytes.len());
    }

    /// Ends the row.
    pub(super) fn end_row(&mut self) {
        self.row_ends.push(self.cell_ends.len());
    }

    /// How many bytes are kept.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The cells of a row.
    pub(super) fn row(&self, index: usize) -> impl Iterator<Item = &[u8]> {
        let end = |ends: &[usize], index: usize| index.checked_sub(1).map_or(0, |before| ends[before]);
        (end(&self.row_ends, index)..self.row_ends[index])
            .map(move |cell| &self.bytes[end(&self.cell_ends, cell)..self.cell_ends[cell]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_given_back_as_they_were() {
        let rows: [&[&str]; 4] = [&["a", "", "bc"], &[], &[""], &["d"]];
        let mut originals = Originals::default();
        for row in rows {
            for cell in row {
                originals.push_cell(cell.as_bytes());
            }
            originals.end_row();
        }
        for (index, row) in rows.iter().enumerate() {
            let given: Vec<_> = originals.row(index).map(|cell| String::from_utf8_lossy(cell)).collect();
            assert_eq!(given, *row);
        }
    }
}
