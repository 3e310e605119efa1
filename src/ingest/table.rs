//! CSV (RFC 4180, and what spreadsheets write): records with the line on which they begin.
//!
//! Built on the tokenizer of the `csv` crate rather than on its reader, which would take a quote
//! that is never closed for one record of the whole file, and keep all of it in memory.

use std::io::{self, BufRead};

use csv_core::ReadRecordResult;

use super::options::Delimiter;

/// A record may have this many bytes; what is longer is rejected, not kept.
pub(super) const LONGEST_RECORD: usize = 1024 * 1024;
/// A record may have this many cells.
const MOST_CELLS: usize = 10_000;

/// What stands next in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A record: see [`Table::cell`].
    Record,
    /// A record that is longer than [`LONGEST_RECORD`]; only its beginning is there.
    TooLong,
    /// A record with a quote that is not closed before the end of the file.
    Unclosed,
    /// Nothing.
    End,
}

/// A table that is read record by record into one buffer.
pub(super) struct Table {
    source: Box<dyn BufRead + Send>,
    tokenizer: csv_core::Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    text_length: usize,
    cells: usize,
    newlines: u64,
    line: u64,
}

impl Table {
    /// Reads a table from the beginning.
    pub(super) fn new(source: Box<dyn BufRead + Send>, delimiter: Delimiter) -> Self {
        Self {
            source,
            tokenizer: csv_core::ReaderBuilder::new().delimiter(delimiter.byte()).build(),
            text: vec![0; 4096],
            ends: vec![0; 64],
            text_length: 0,
            cells: 0,
            newlines: 0,
            line: 0,
        }
    }

    /// Goes to the next record. Lines without anything are none.
    pub(super) fn advance(&mut self) -> io::Result<Next> {
        self.skip_blank_lines()?;
        self.line = self.newlines + 1;
        self.text_length = 0;
        self.cells = 0;
        let mut last_byte = b'\n';
        let mut too_long = false;
        loop {
            let input = self.source.fill_buf()?;
            if input.is_empty() {
                return Ok(self.finish(last_byte, too_long));
            }
            let (result, read, written, cells) = self.tokenizer.read_record(
                input,
                &mut self.text[self.text_length..],
                &mut self.ends[self.cells..],
            );
            let taken = &input[..read];
            self.newlines += memchr::memchr_iter(b'\n', taken).count() as u64;
            last_byte = taken.last().copied().unwrap_or(last_byte);
            self.source.consume(read);
            self.text_length += written;
            self.cells += cells;
            match result {
                ReadRecordResult::Record if too_long => return Ok(Next::TooLong),
                ReadRecordResult::Record => return Ok(Next::Record),
                ReadRecordResult::End => return Ok(Next::End),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() < LONGEST_RECORD => {
                    self.text.resize(self.text.len() * 2, 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MOST_CELLS => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    too_long = true;
                    // What follows overwrites the second half; the first is kept to be shown.
                    self.text_length = self.text_length.min(LONGEST_RECORD / 2);
                    self.cells = 1;
                }
            }
        }
    }

    /// The end of the file: a last record may lack its line break, or be within quotes.
    fn finish(&mut self, last_byte: u8, too_long: bool) -> Next {
        let started = self.text_length > 0 || self.cells > 0 || last_byte != b'\n';
        if self.text.len() - self.text_length < 2 {
            self.text.resize(self.text.len() + 2, 0);
        }
        if self.ends.len() - self.cells < 2 {
            self.ends.resize(self.ends.len() + 2, 0);
        }
        let (result, _, written, cells) = self.tokenizer.read_record(
            b"\n",
            &mut self.text[self.text_length..],
            &mut self.ends[self.cells..],
        );
        match result {
            ReadRecordResult::Record => {
                self.cells += cells;
                self.text_length += written;
                if too_long { Next::TooLong } else { Next::Record }
            }
            _ if started => {
                let (_, _, _, cells) = self.tokenizer.read_record(
                    b"",
                    &mut self.text[self.text_length..],
                    &mut self.ends[self.cells..],
                );
                self.cells += cells;
                Next::Unclosed
            }
            _ => Next::End,
        }
    }

    fn skip_blank_lines(&mut self) -> io::Result<()> {
        loop {
            let input = self.source.fill_buf()?;
            let blank = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if blank == 0 {
                return Ok(());
            }
            self.newlines += memchr::memchr_iter(b'\n', &input[..blank]).count() as u64;
            self.source.consume(blank);
        }
    }

    /// The line on which the record begins, counted from 1.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// How many cells the record has.
    pub(super) const fn len(&self) -> usize {
        self.cells
    }

    /// A cell; empty beyond the last.
    pub(super) fn cell(&self, index: usize) -> &[u8] {
        if index >= self.cells {
            return b"";
        }
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.text.get(start..self.ends[index]).unwrap_or_default()
    }
}

/// The delimiter of a header: the one that stands most often outside of quotes in its first line.
pub(super) fn sniff_delimiter(head: &[u8]) -> Delimiter {
    let mut counts = [0_usize; Delimiter::ALL.len()];
    let mut quoted = false;
    let start = head.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    for byte in &head[start..] {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => {
                for (count, delimiter) in counts.iter_mut().zip(Delimiter::ALL) {
                    *count += usize::from(*byte == delimiter.byte());
                }
            }
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let index = counts.iter().position(|count| *count == most).unwrap_or(0);
    Delimiter::ALL[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let mut table = Table::new(Box::new(io::Cursor::new(text.to_owned())), Delimiter::Comma);
        let mut records = Vec::new();
        loop {
            let next = table.advance().expect("memory can be read");
            if next == Next::End {
                return records;
            }
            let cells: Vec<_> =
                (0..table.len()).map(|index| String::from_utf8_lossy(table.cell(index))).collect();
            records.push(format!("{} {next:?} {cells:?}", table.line()));
        }
    }

    #[test]
    fn records_know_their_line() {
        for (text, expected) in [
            ("", &[][..]),
            ("\n\r\n\n", &[]),
            ("a,b", &[r#"1 Record ["a", "b"]"#]),
            ("a,b\r\n\r\n1,2\r\n", &[r#"1 Record ["a", "b"]"#, r#"3 Record ["1", "2"]"#]),
            (
                "a\n\"x\ny\r\nz\"\nlast",
                &[r#"1 Record ["a"]"#, r#"2 Record ["x\ny\r\nz"]"#, r#"5 Record ["last"]"#],
            ),
            ("\"say \"\"hi\"\"\",", &[r#"1 Record ["say \"hi\"", ""]"#]),
            ("a,\"b", &[r#"1 Unclosed ["a", "b\n"]"#]),
            ("a\nb,\"c\nd\n", &[r#"1 Record ["a"]"#, r#"2 Unclosed ["b", "c\nd\n\n"]"#]),
            ("\"\"", &[r#"1 Record [""]"#]),
            (" ", &[r#"1 Record [" "]"#]),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
        let text = format!("a,b\n1,\"{}", "x,\n".repeat(LONGEST_RECORD));
        let records = read(&text);
        assert_eq!(records.len(), 2);
        assert!(records[1].starts_with("2 Unclosed"), "{}", &records[1][..40]);
        let text = format!("a,b\n1,{}\n3,4\n", "x".repeat(2 * LONGEST_RECORD));
        let records = read(&text);
        assert!(records[1].starts_with("2 TooLong"));
        assert_eq!(records[2], r#"3 Record ["3", "4"]"#);
    }

    /// Cells of each record, by the reader of the `csv` crate.
    fn read_by_another(text: &str) -> Vec<Vec<Vec<u8>>> {
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        reader
            .into_byte_records()
            .map(|record| record.expect("memory can be read").iter().map(<[u8]>::to_vec).collect())
            .collect()
    }

    proptest::proptest! {
        #[test]
        fn records_are_those_of_another_reader(text in "[ab,\"\n\ré]{0,40}", buffer in 1_usize..9) {
            let source = io::BufReader::with_capacity(buffer, io::Cursor::new(text.clone()));
            let mut table = Table::new(Box::new(source), Delimiter::Comma);
            let mut records = Vec::new();
            let mut closed = true;
            loop {
                match table.advance().expect("memory can be read") {
                    Next::End => break,
                    next => closed = next == Next::Record,
                }
                records.push((0..table.len()).map(|index| table.cell(index).to_vec()).collect::<Vec<_>>());
            }
            let mut expected = read_by_another(&text);
            if !closed {
                // A quote that is not closed: the same records before it.
                records.pop();
                expected.truncate(records.len());
            }
            proptest::prop_assert_eq!(records, expected);
        }
    }

    #[test]
    fn delimiters_are_counted_outside_of_quotes() {
        for (head, expected) in [
            ("a,b;c,d", Delimiter::Comma),
            ("a;b,c;d\n,,,,,,", Delimiter::Semicolon),
            ("\"a,b,c,d\";e;f", Delimiter::Semicolon),
            ("a\tb", Delimiter::Tab),
            ("email", Delimiter::Comma),
            ("", Delimiter::Comma),
        ] {
            assert_eq!(sniff_delimiter(head.as_bytes()), expected, "{head}");
        }
    }
}
