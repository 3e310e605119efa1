//! The texts of the files that were read: places are shown with their line.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::Place;

/// Texts by the name under which [`super::Place`]s name their file.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    texts: BTreeMap<Arc<str>, Lines>,
}

impl Sources {
    /// No texts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a file's text.
    pub fn insert(&mut self, file: impl Into<Arc<str>>, text: impl Into<Arc<str>>) {
        let file = file.into();
        self.texts.insert(file.clone(), Lines::new(file, text));
    }

    /// Takes over all texts of `other`.
    pub fn extend(&mut self, other: Self) {
        self.texts.extend(other.texts);
    }

    /// A file's text.
    pub fn text(&self, file: &str) -> Option<&str> {
        self.texts.get(file).map(|lines| lines.text.as_ref())
    }

    /// A line of a file, counted from 1, without its end.
    pub fn line(&self, file: &str, line: u32) -> Option<&str> {
        self.texts.get(file)?.line(line)
    }
}

/// A file's text by lines: turns byte ranges into [`Place`]s that are always inside the file.
#[derive(Debug, Clone)]
pub struct Lines {
    file: Arc<str>,
    text: Arc<str>,
    /// Where each line begins. Never empty.
    starts: Vec<usize>,
    /// How many characters begin before each [`STRIDE`]th byte: a line may be megabytes long, and
    /// each of its values has a column.
    marks: Vec<usize>,
    /// Where the text ends but for white space.
    last: usize,
}

/// Bytes between two marks.
const STRIDE: usize = 1024;

impl Lines {
    /// Finds the lines of a text. They end with LF, CR LF or CR, as in YAML.
    pub fn new(file: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        starts.extend(bytes.iter().enumerate().filter_map(|(index, byte)| match byte {
            b'\n' => Some(index + 1),
            b'\r' if bytes.get(index + 1) != Some(&b'\n') => Some(index + 1),
            _ => None,
        }));
        let mut marks = Vec::with_capacity(bytes.len() / STRIDE + 1);
        let mut characters = 0;
        for chunk in bytes.chunks(STRIDE) {
            marks.push(characters);
            characters += begun(chunk);
        }
        marks.push(characters);
        let last = text.trim_end().len();
        Self { file: file.into(), text, starts, marks, last }
    }

    /// A line, counted from 1, without its end.
    pub fn line(&self, line: u32) -> Option<&str> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text.len());
        self.text.get(start..end).map(|line| line.trim_end_matches(['\n', '\r']))
    }

    /// The place of a range of bytes: what of it lies on its first line. What is behind the text
    /// is placed at its last line that has something on it.
    pub fn place(&self, range: Range<usize>) -> Place {
        let start = self.boundary(range.start.min(self.last));
        let line = self.starts.partition_point(|begin| *begin <= start).max(1);
        let begin = self.starts[line - 1];
        let line_end = begin + self.line(line as u32).map_or(0, str::len);
        let start = start.min(line_end);
        let end = self.boundary(range.end.clamp(start, line_end));
        Place {
            file: self.file.clone(),
            line: line as u32,
            column: self.characters(begin..start) as u32 + 1,
            length: (self.characters(start..end) as u32).max(1),
        }
    }

    /// How many characters begin in a range of bytes.
    fn characters(&self, range: Range<usize>) -> usize {
        let before = |index: usize| {
            let mark = index / STRIDE;
            self.marks[mark] + begun(&self.text.as_bytes()[mark * STRIDE..index])
        };
        before(range.end) - before(range.start)
    }

    fn boundary(&self, mut index: usize) -> usize {
        while !self.text.is_char_boundary(index) {
            index -= 1;
        }
        index
    }
}

/// How many characters begin in these bytes of UTF-8.
fn begun(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn columns_are_counted_in_characters_however_long_the_line() {
        let text = format!("é\n{}x", "aé€😀".repeat(3_000));
        let lines = Lines::new("a", text.as_str());
        for (index, (start, char)) in text.char_indices().enumerate().skip(2) {
            let place = lines.place(start..start + char.len_utf8());
            assert_eq!((place.line, place.column as usize, place.length), (2, index - 1, 1));
            let tail = lines.place(start..text.len());
            assert_eq!(tail.length as usize, 12_003 - index);
        }
    }
}
