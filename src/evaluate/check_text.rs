//! Tests of texts. Both sides are folded before they meet; where the test is of exact case, only composed (NFC).

use crate::domain::condition::{Operator, Test, TextMatch};
use crate::domain::text::{compose, fold};
use crate::domain::value::Value;

/// A compiled test of a text: all operators hold.
#[derive(Debug)]
pub(super) struct TextTest(Vec<TextOperator>);

#[derive(Debug)]
enum TextOperator {
    Always(bool),
    OneOf(Vec<String>),
    NoneOf(Vec<String>),
    Contains(String, bool),
    StartsWith(String, bool),
    EndsWith(String, bool),
    Like(Pattern, bool),
    Blank(bool),
}

/// What a text is compared with, in the form in which the texts are.
pub(super) fn fold_operand(text: &str, exact_case: bool) -> String {
    if exact_case { compose(text).into_owned() } else { fold(text).into_owned() }
}

impl TextTest {
    pub(super) fn compile(test: &Test) -> Self {
        Self(test.operators.iter().map(|operator| TextOperator::compile(operator, test.exact_case)).collect())
    }

    /// Whether it holds for a text, folded unless the test is of exact case.
    pub(super) fn holds(&self, text: &str) -> bool {
        self.0.iter().all(|operator| operator.holds(text))
    }
}

impl TextOperator {
    fn compile(operator: &Operator, exact_case: bool) -> Self {
        let operand = |text: &str| fold_operand(text, exact_case);
        let operands = |values: &[Value]| {
            let mut texts: Vec<String> = values
                .iter()
                .filter_map(|value| if let Value::Text(text) = value { Some(operand(text)) } else { None })
                .collect();
            texts.sort_unstable();
            texts
        };
        match operator {
            Operator::Exists(wanted) => Self::Always(*wanted),
            Operator::Is(value) => Self::OneOf(operands(std::slice::from_ref(value))),
            Operator::IsNot(value) => Self::NoneOf(operands(std::slice::from_ref(value))),
            Operator::In(values) => Self::OneOf(operands(values)),
            Operator::NotIn(values) => Self::NoneOf(operands(values)),
            Operator::Blank(wanted) => Self::Blank(*wanted),
            Operator::Matches(TextMatch::Contains(part), not) => Self::Contains(operand(part), *not),
            Operator::Matches(TextMatch::StartsWith(part), not) => Self::StartsWith(operand(part), *not),
            Operator::Matches(TextMatch::EndsWith(part), not) => Self::EndsWith(operand(part), *not),
            Operator::Matches(TextMatch::Like(pattern), not) => {
                Self::Like(Pattern::compile(pattern, exact_case), *not)
            }
            _ => Self::Always(false),
        }
    }

    fn holds(&self, text: &str) -> bool {
        let among = |texts: &[String]| texts.binary_search_by(|known| known.as_str().cmp(text)).is_ok();
        match self {
            Self::Always(answer) => *answer,
            Self::OneOf(texts) => among(texts),
            Self::NoneOf(texts) => !among(texts),
            Self::Contains(part, not) => text.contains(part) != *not,
            Self::StartsWith(part, not) => text.starts_with(part) != *not,
            Self::EndsWith(part, not) => text.ends_with(part) != *not,
            Self::Like(pattern, not) => pattern.matches(text) != *not,
            Self::Blank(wanted) => text.chars().all(char::is_whitespace) == *wanted,
        }
    }
}

/// A compiled `like` pattern.
#[derive(Debug)]
struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// This character.
    Character(char),
    /// `_`: any one.
    One,
    /// `%`: any number of any.
    Many,
}

impl Pattern {
    fn compile(pattern: &str, exact_case: bool) -> Self {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            let wild = match character {
                '%' => Piece::Many,
                '_' => Piece::One,
                // Before anything but a wildcard or itself, a backslash is just one.
                '\\' => {
                    let escaped = characters.clone().next().filter(|next| matches!(next, '%' | '_' | '\\'));
                    literal.push(escaped.unwrap_or('\\'));
                    if escaped.is_some() {
                        characters.next();
                    }
                    continue;
                }
                _ => {
                    literal.push(character);
                    continue;
                }
            };
            pieces.extend(fold_operand(&literal, exact_case).chars().map(Piece::Character));
            literal.clear();
            if (wild, pieces.last()) != (Piece::Many, Some(&Piece::Many)) {
                pieces.push(wild);
            }
        }
        pieces.extend(fold_operand(&literal, exact_case).chars().map(Piece::Character));
        Self(pieces)
    }

    /// Whether the whole text matches. Only the last `%` is ever tried again, so that the work is
    /// bounded by text × pattern.
    fn matches(&self, text: &str) -> bool {
        let mut rest = text.chars();
        let mut piece = 0;
        let mut again = None;
        loop {
            let before = rest.clone();
            match (self.0.get(piece), rest.next()) {
                (None, None) => return true,
                (Some(Piece::Many), _) => {
                    again = Some((piece, before.clone()));
                    rest = before;
                    piece += 1;
                    continue;
                }
                (Some(Piece::One), Some(_)) => {
                    piece += 1;
                    continue;
                }
                (Some(Piece::Character(wanted)), Some(found)) if *wanted == found => {
                    piece += 1;
                    continue;
                }
                _ => {}
            }
            let Some((many, mut from)) = again else { return false };
            if from.next().is_none() {
                return false;
            }
            again = Some((many, from.clone()));
            rest = from;
            piece = many + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_matches_the_whole_text() {
        for (pattern, text, matches) in [
            ("a%", "abc", true),
            ("a%", "ba", false),
            ("%b%", "abc", true),
            ("a_c", "abc", true),
            ("a_c", "ac", false),
            ("", "", true),
            ("%", "", true),
            ("_", "", false),
            ("a%b%c", "axxbxbxc", true),
            ("a%b%c", "axxbxbx", false),
            ("%ab", "aab", true),
            (r"100\%", "100%", true),
            (r"100\%", "1000", false),
            (r"a\b\\_", r"a\b\x", true),
            ("CAF_", "cafe\u{301}", true),
            ("%É%", "été", true),
            ("%%%a", "bba", true),
        ] {
            let folded = fold(text);
            assert_eq!(Pattern::compile(pattern, false).matches(&folded), matches, "{pattern} {text}");
        }
        assert!(!Pattern::compile("A%", true).matches("abc"));
        let long = "a".repeat(5_000);
        assert!(!Pattern::compile("%a%a%a%a%a%b", false).matches(&long), "and in no time");
    }
}
