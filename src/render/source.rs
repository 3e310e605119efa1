//! A template's source, with what was found in it.

use std::ops::Range;
use std::sync::Arc;

use super::outline::Outline;
use crate::diagnostic::Place;

/// A file below `templates/` that is a template.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// As the user would name it: `templates/welcome/body.html`.
    pub(super) file: Arc<str>,
    pub(super) text: Arc<str>,
    pub(super) outline: Outline,
}

impl Source {
    /// The place of some bytes, as far as they stand on one line.
    pub(super) fn place(&self, at: Range<usize>) -> Place {
        let start = self.floor(at.start);
        let end = self.floor(at.end);
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let meant = &self.text[start..end.max(start)];
        let meant = meant.lines().next().unwrap_or("");
        let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        Place {
            file: self.file.clone(),
            line: u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX).saturating_add(1),
            column: count(&self.text[line_start..start]).saturating_add(1),
            length: count(meant).max(1),
        }
    }

    /// The nearest beginning of a character at or before a byte.
    fn floor(&self, byte: usize) -> usize {
        self.text.floor_char_boundary(byte)
    }
}
