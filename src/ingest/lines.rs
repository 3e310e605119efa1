//! JSON lines: one object a line (<https://jsonlines.org>), read into one buffer.

use std::io::{self, BufRead, Read};

use super::table::LONGEST_RECORD;

/// What stands next in a file of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A line: see [`Lines::text`].
    Line,
    /// A line that is longer than a record may be; only its beginning is there.
    TooLong,
    /// Nothing.
    End,
}

/// A file of lines.
pub(super) struct Lines {
    source: Box<dyn BufRead + Send>,
    text: Vec<u8>,
    line: u64,
}

impl Lines {
    /// Reads a file from the beginning.
    pub(super) const fn new(source: Box<dyn BufRead + Send>) -> Self {
        Self { source, text: Vec::new(), line: 0 }
    }

    /// Goes to the next line that holds anything.
    pub(super) fn advance(&mut self) -> io::Result<Next> {
        loop {
            self.text.clear();
            let limit = LONGEST_RECORD as u64 + 1;
            let read = self.source.by_ref().take(limit).read_until(b'\n', &mut self.text)?;
            if read == 0 {
                return Ok(Next::End);
            }
            self.line += 1;
            if self.text.last() == Some(&b'\n') {
                self.text.pop();
            } else if read as u64 == limit {
                self.source.skip_until(b'\n')?;
                return Ok(Next::TooLong);
            }
            if !self.text.iter().all(u8::is_ascii_whitespace) {
                return Ok(Next::Line);
            }
        }
    }

    /// The number of the line, counted from 1.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// The line, without its end.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_and_bounded() {
        let long = "x".repeat(LONGEST_RECORD + 5);
        let text = format!("a\r\n\n  \nb\n{long}\nc");
        let mut lines = Lines::new(Box::new(io::Cursor::new(text)));
        let mut seen = Vec::new();
        loop {
            let next = lines.advance().expect("memory can be read");
            if next == Next::End {
                break;
            }
            let text = String::from_utf8_lossy(lines.text()).chars().take(1).collect::<String>();
            seen.push((lines.line(), next, text));
        }
        let line = |number, text: &str| (number, Next::Line, text.to_owned());
        assert_eq!(seen, [line(1, "a"), line(4, "b"), (5, Next::TooLong, "x".to_owned()), line(6, "c")]);
    }
}
