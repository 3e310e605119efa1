//! The words of a template: what stands between `{{ }}` and `{% %}`, with its place in bytes.
//!
//! Tera keeps its own syntax tree to itself, so names are found by reading the source once more.
//! Only sources that Tera accepted come here: what is odd is skipped, not reported.

use std::ops::Range;

/// One word of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    /// Its place in bytes.
    pub(super) at: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// `{{`, `{%`
    Open(Delimiter),
    /// `}}`, `%}`, and whether a `-` stands before it
    Close(bool),
    /// A name or keyword.
    Word(&'a str),
    /// A text literal, without its quotes; escapes are kept as written.
    Literal(&'a str),
    /// A number literal.
    Number,
    /// An operator or bracket.
    Symbol(&'a str),
}

/// What a tag began with, and whether a `-` follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    Variable(bool),
    Tag(bool),
}

/// All words of a source; comments and `raw` sections are left out.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut reader = Reader { source, position: 0, tokens: Vec::new() };
    while reader.next_tag() {}
    reader.tokens
}

struct Reader<'a> {
    source: &'a str,
    position: usize,
    tokens: Vec<Token<'a>>,
}

impl<'a> Reader<'a> {
    /// Skips text up to the next tag and reads it; `false` at the end.
    fn next_tag(&mut self) -> bool {
        let rest = &self.source[self.position..];
        let starts = [("{{", 0), ("{%", 1), ("{#", 2)];
        let found = starts
            .iter()
            .filter_map(|(mark, which)| rest.find(mark).map(|offset| (offset, *which)))
            .min_by_key(|(offset, _)| *offset);
        let Some((offset, which)) = found else { return false };
        let start = self.position + offset;
        self.position = start + 2;
        if which == 2 {
            return self.skip_past("#}");
        }
        let dash = self.source.as_bytes().get(self.position) == Some(&b'-');
        self.position += usize::from(dash);
        let (delimiter, end) =
            if which == 0 { (Delimiter::Variable(dash), "}}") } else { (Delimiter::Tag(dash), "%}") };
        let first = self.tokens.len();
        self.push(Kind::Open(delimiter), start);
        if !self.read_until(end) {
            return false;
        }
        if which == 1 && self.tokens.get(first + 1).is_some_and(|token| token.kind == Kind::Word("raw")) {
            self.tokens.truncate(first);
            return self.skip_raw();
        }
        true
    }

    fn read_until(&mut self, end: &str) -> bool {
        loop {
            let rest = &self.source[self.position..];
            let trimmed = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
            self.position += rest.len() - trimmed.len();
            let start = self.position;
            let (length, kind) = match trimmed.as_bytes() {
                [] => return false,
                [b'-', ..] if trimmed[1..].starts_with(end) => (3, Kind::Close(true)),
                _ if trimmed.starts_with(end) => (2, Kind::Close(false)),
                [quote @ (b'"' | b'\'' | b'`'), ..] => {
                    let Some(length) = literal_length(trimmed.as_bytes(), *quote) else { return false };
                    (length, Kind::Literal(&trimmed[1..length - 1]))
                }
                [digit, ..] if digit.is_ascii_digit() => {
                    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
                    let fraction = match trimmed.as_bytes().get(digits..digits + 2) {
                        Some([b'.', digit]) if digit.is_ascii_digit() => {
                            1 + trimmed.bytes().skip(digits + 1).take_while(u8::is_ascii_digit).count()
                        }
                        _ => 0,
                    };
                    (digits + fraction, Kind::Number)
                }
                [letter, ..] if letter.is_ascii_alphabetic() || *letter == b'_' => {
                    let length = trimmed
                        .bytes()
                        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                        .count();
                    (length, Kind::Word(&trimmed[..length]))
                }
                _ => {
                    let length = symbol_length(trimmed);
                    (length, Kind::Symbol(&trimmed[..length]))
                }
            };
            self.position += length;
            self.push(kind, start);
            if matches!(kind, Kind::Close(_)) {
                return true;
            }
        }
    }

    fn push(&mut self, kind: Kind<'a>, start: usize) {
        self.tokens.push(Token { kind, at: start..self.position });
    }

    fn skip_past(&mut self, mark: &str) -> bool {
        match self.source[self.position..].find(mark) {
            Some(offset) => {
                self.position += offset + mark.len();
                true
            }
            None => false,
        }
    }

    fn skip_raw(&mut self) -> bool {
        while self.skip_past("{%") {
            let rest = self.source[self.position..].trim_start_matches(['-', ' ', '\t', '\r', '\n']);
            if rest.starts_with("endraw") {
                return self.skip_past("%}");
            }
        }
        false
    }
}

/// The length of a text literal with both its quotes.
fn literal_length(bytes: &[u8], quote: u8) -> Option<usize> {
    let mut escaped = false;
    for (index, byte) in bytes.iter().enumerate().skip(1) {
        match (escaped, *byte) {
            (true, _) => escaped = false,
            (false, b'\\') => escaped = true,
            (false, byte) if byte == quote => return Some(index + 1),
            _ => {}
        }
    }
    None
}

fn symbol_length(text: &str) -> usize {
    let long = ["...", "//", "**", "==", "!=", ">=", "<=", "</", "?.", "?["];
    match long.iter().find(|symbol| text.starts_with(**symbol)) {
        Some(symbol) => symbol.len(),
        None => text.chars().next().map_or(0, char::len_utf8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> String {
        tokens(source).iter().map(|token| &source[token.at.clone()]).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tags_are_read_and_the_rest_is_not() {
        for (source, expected) in [
            ("plain", ""),
            ("a {{ b }} c", "{{ b }}"),
            ("{#- {{ no }} -#}{{- yes -}}", "{{- yes -}}"),
            ("{% raw %}{{ no }}{% if %}{%- endraw %}{{ yes }}", "{{ yes }}"),
            (r#"{{ "}}" ~ a?.b['c'] }}"#, r#"{{ "}}" ~ a ?. b [ 'c' ] }}"#),
            (r"{{ 'it\'s' | f(x=1.5) }}", r"{{ 'it\'s' | f ( x = 1.5 ) }}"),
            ("{% for k, v in m -%}{% endfor %}", "{% for k , v in m -%} {% endfor %}"),
            ("{{ a - -1 }}", "{{ a - - 1 }}"),
            ("{{ é", "{{ é"),
            ("{{ 'open", "{{"),
            ("{% raw %} never ended", ""),
        ] {
            assert_eq!(words(source), expected, "{source}");
        }
    }
}
