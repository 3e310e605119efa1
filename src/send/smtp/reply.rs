//! What a server said, or what failed on the way to it, as one clean line.

use crate::domain::delivery::Reply;
use crate::domain::time::Timestamp;

/// Longest text that is kept of a reply, in characters.
pub const LONGEST_TEXT: usize = 500;

/// A failure that no server spoke of.
pub fn failure(text: impl AsRef<str>, server_failed: bool, at: Timestamp) -> Reply {
    Reply { code: None, enhanced: None, text: one_line(text.as_ref()), server_failed, at }
}

/// Text as one line: control characters and runs of white space become single spaces.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(LONGEST_TEXT));
    let words = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.chars().count() > LONGEST_TEXT {
        line = line.chars().take(LONGEST_TEXT - 1).collect();
        line.push('…');
    }
    line
}
