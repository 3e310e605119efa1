//! Problems for people.

use super::{Problem, Sources};

/// All problems as text, in the given order, each with its source line underlined; `colour` adds
/// ANSI colours. Ends in a line break unless there is nothing.
pub fn render(_problems: &[Problem], _sources: &Sources, _colour: bool) -> String {
    todo!()
}

/// `3 errors, 1 warning`; `None` when there is nothing.
pub fn summary(_problems: &[Problem]) -> Option<String> {
    todo!()
}
