//! Reads what is wanted out of JSON in one pass and without allocating.
//!
//! Attributes and properties are stored as the JSON objects that they came as, and almost always
//! most of an object is of no interest: [`members`] walks over it and hands out slices. It is meant
//! for JSON that was valid when it was stored: of anything else it yields what comes before the
//! damage, and never panics.

use std::borrow::Cow;

/// A JSON text between its quotes, escapes and all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    raw: &'a str,
    escaped: bool,
}

/// A text that does not come from JSON, such as a cell of a table, to be read as if it did. It is not
/// [written](Token::write) as JSON: nothing in it is escaped.
pub(crate) const fn plain(text: &str) -> Token<'_> {
    Token::Text(Text { raw: text, escaped: false })
}

/// A JSON value, not looked into any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number as it was written.
    Number(&'a str),
    /// A text.
    Text(Text<'a>),
    /// An array with its brackets; see [`items`].
    Array(&'a str),
    /// An object with its braces; see [`members`].
    Object(&'a str),
}

impl Token<'_> {
    /// Appends the value as JSON: as it was written.
    pub fn write(&self, buffer: &mut String) {
        match self {
            Self::Null => buffer.push_str("null"),
            Self::Boolean(value) => buffer.push_str(if *value { "true" } else { "false" }),
            Self::Number(raw) | Self::Array(raw) | Self::Object(raw) => buffer.push_str(raw),
            Self::Text(text) => buffer.extend(["\"", text.raw, "\""]),
        }
    }
}

/// Reads one value; `None` when there is none.
pub fn token(json: &str) -> Option<Token<'_>> {
    Scanner { json, position: 0 }.value()
}

/// The members of an object in the order of writing; of two with one key the last one counts. Of
/// what is no object: none.
pub fn members(object: &str) -> Members<'_> {
    let mut scanner = Scanner { json: object, position: 0 };
    let opened = scanner.take(b'{');
    Members { scanner, more: opened }
}

/// The items of an array. Of what is no array: none.
pub fn items(array: &str) -> Items<'_> {
    let mut scanner = Scanner { json: array, position: 0 };
    let opened = scanner.take(b'[');
    Items { scanner, more: opened }
}

/// The same JSON with U+FFFD for each escape that is half a surrogate pair and stands alone. RFC 8259,
/// section 8.2, allows such texts, and leaves open what a reader makes of them; ours refuse them in names.
pub fn without_half_pairs(json: &str) -> Cow<'_, str> {
    /// An escape of a code unit, in bytes.
    const UNIT: usize = r"\u0000".len();
    let unit = |at: usize| {
        let escape = json.get(at..at + UNIT)?.strip_prefix("\\u")?;
        u32::from_str_radix(escape, 16).ok()
    };
    let mut mended = String::new();
    let (mut taken, mut position) = (0, 0);
    while let Some(next) = json[position..].find('\\') {
        position += next;
        position += match unit(position) {
            Some(0xd800..0xdc00) if matches!(unit(position + UNIT), Some(0xdc00..0xe000)) => 2 * UNIT,
            Some(0xd800..0xe000) => {
                mended.push_str(&json[taken..position]);
                mended.push_str(r"\ufffd");
                taken = position + UNIT;
                UNIT
            }
            // What is escaped may be a backslash, or the first byte of something longer.
            _ => 1 + json[position + 1..].chars().next().map_or(0, char::len_utf8),
        };
    }
    if taken == 0 {
        return Cow::Borrowed(json);
    }
    mended.push_str(&json[taken..]);
    Cow::Owned(mended)
}

/// See [`members`].
#[derive(Debug, Clone)]
pub struct Members<'a> {
    scanner: Scanner<'a>,
    more: bool,
}

/// See [`items`].
#[derive(Debug, Clone)]
pub struct Items<'a> {
    scanner: Scanner<'a>,
    more: bool,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Text<'a>, Token<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if !std::mem::take(&mut self.more) || !self.scanner.take(b'"') {
            return None;
        }
        let key = self.scanner.text()?;
        let value = if self.scanner.take(b':') { self.scanner.value()? } else { return None };
        self.more = self.scanner.take(b',');
        Some((key, value))
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Token<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if !std::mem::take(&mut self.more) {
            return None;
        }
        let item = self.scanner.value()?;
        self.more = self.scanner.take(b',');
        Some(item)
    }
}

impl<'a> Text<'a> {
    /// Whether this is the text `other`.
    #[inline]
    pub fn is(&self, other: &str) -> bool {
        if self.escaped { self.characters().eq(other.chars()) } else { self.raw == other }
    }

    /// The text without escapes, borrowed where it has none.
    pub fn decode(&self) -> Cow<'a, str> {
        if self.escaped { Cow::Owned(self.characters().collect()) } else { Cow::Borrowed(self.raw) }
    }

    /// Appends the text without escapes.
    pub fn decode_into(&self, buffer: &mut String) {
        if self.escaped {
            buffer.extend(self.characters());
        } else {
            buffer.push_str(self.raw);
        }
    }

    fn characters(&self) -> Unescaped<'a> {
        Unescaped { rest: self.raw.chars() }
    }
}

/// The characters of a text, without escapes. What is no escape, or half a surrogate pair, is U+FFFD.
struct Unescaped<'a> {
    rest: std::str::Chars<'a>,
}

impl Unescaped<'_> {
    fn code_unit(&mut self) -> Option<u32> {
        let digits = self.rest.as_str().get(..4)?;
        let unit = u32::from_str_radix(digits, 16).ok()?;
        self.rest = self.rest.as_str()[4..].chars();
        Some(unit)
    }

    fn escaped_unit(&mut self) -> char {
        let Some(first) = self.code_unit() else { return char::REPLACEMENT_CHARACTER };
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
        let after_first = self.rest.clone();
        if self.rest.next() == Some('\\')
            && self.rest.next() == Some('u')
            && let Some(second @ 0xdc00..0xe000) = self.code_unit()
        {
            let pair = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
        self.rest = after_first;
        char::REPLACEMENT_CHARACTER
    }
}

impl Iterator for Unescaped<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let character = self.rest.next()?;
        if character != '\\' {
            return Some(character);
        }
        Some(match self.rest.next()? {
            escaped @ ('"' | '\\' | '/') => escaped,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.escaped_unit(),
            _ => char::REPLACEMENT_CHARACTER,
        })
    }
}

/// A place in JSON text.
#[derive(Debug, Clone)]
struct Scanner<'a> {
    json: &'a str,
    position: usize,
}

impl<'a> Scanner<'a> {
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.json.as_bytes();
        while let Some(byte) = bytes.get(self.position) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(*byte);
            }
            self.position += 1;
        }
        None
    }

    /// Steps over `wanted`, if it comes next.
    #[inline]
    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.position += usize::from(found);
        found
    }

    #[inline]
    fn value(&mut self) -> Option<Token<'a>> {
        let first = self.peek()?;
        let start = self.position;
        match first {
            b'"' => {
                self.position += 1;
                self.text().map(Token::Text)
            }
            b'{' => self.nested().map(Token::Object),
            b'[' => self.nested().map(Token::Array),
            _ => {
                let rest = &self.json.as_bytes()[start..];
                let length = rest
                    .iter()
                    .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'))
                    .unwrap_or(rest.len());
                self.position += length;
                match self.json.get(start..self.position)? {
                    "null" => Some(Token::Null),
                    "true" => Some(Token::Boolean(true)),
                    "false" => Some(Token::Boolean(false)),
                    number if matches!(first, b'-' | b'0'..=b'9') => Some(Token::Number(number)),
                    _ => None,
                }
            }
        }
    }

    /// The rest of a text after its opening quote.
    #[inline]
    fn text(&mut self) -> Option<Text<'a>> {
        let start = self.position;
        let bytes = self.json.as_bytes();
        let mut escaped = false;
        loop {
            match bytes.get(self.position)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.position += 2;
                }
                _ => self.position += 1,
            }
        }
        let raw = self.json.get(start..self.position)?;
        self.position += 1;
        Some(Text { raw, escaped })
    }

    /// A whole array or object.
    fn nested(&mut self) -> Option<&'a str> {
        let start = self.position;
        let mut depth = 0_usize;
        loop {
            let byte = *self.json.as_bytes().get(self.position)?;
            self.position += 1;
            match byte {
                b'"' => drop(self.text()?),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return self.json.get(start..self.position);
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;
    use serde_json::Value as Json;

    use super::*;

    /// The whole tree as `serde_json` would read it, by way of the scanner.
    fn tree(token: Token<'_>) -> Json {
        match token {
            Token::Null => Json::Null,
            Token::Boolean(value) => Json::Bool(value),
            Token::Number(raw) => serde_json::from_str(raw).expect("a number"),
            Token::Text(text) => {
                let decoded = text.decode();
                assert!(text.is(&decoded) && !text.is(&format!("{decoded}x")));
                let mut buffer = String::from("before ");
                text.decode_into(&mut buffer);
                assert_eq!(buffer.strip_prefix("before "), Some(&*decoded));
                Json::String(decoded.into_owned())
            }
            Token::Array(raw) => Json::Array(items(raw).map(tree).collect()),
            Token::Object(raw) => Json::Object(
                members(raw).map(|(key, value)| (key.decode().into_owned(), tree(value))).collect(),
            ),
        }
    }

    fn agrees(json: &str) {
        let expected: Json = serde_json::from_str(json).expect(json);
        assert_eq!(token(json).map(tree), Some(expected), "{json}");
    }

    #[test]
    fn reads_as_serde_json_does() {
        for json in [
            "null",
            " [ ] ",
            "{}",
            r#"{"a":1,"a":"last","b":{"a":[1,"]}\"",{}]},"\u0061":true}"#,
            r#"{"é\n\"\\\/\b\f\t\r":"😀\ud83d\ude00 \u00e9","":-0.5e+3}"#,
            "\t{ \"a\" :\n[ 1 , [ 2 ] , { \"b\" : null } ] , \"c\":false }\r\n",
        ] {
            agrees(json);
        }
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let scalar = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(Json::from),
            any::<u32>().prop_map(|value| Json::from(f64::from(value) / 8.0)),
            any::<String>().prop_map(Json::String),
        ];
        scalar.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn half_pairs_become_the_replacement_character() {
        for (json, mended) in [
            (r#"{"a":"b"}"#, r#"{"a":"b"}"#),
            (r#"{"\ud83d":1}"#, r#"{"\ufffd":1}"#),
            (r#"{"\uD83D\uDE00":1}"#, r#"{"\uD83D\uDE00":1}"#),
            (r#""\ude00\ud83dx\ud83d""#, r#""\ufffd\ufffdx\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\u00e9 \ud8""#, r#""\u00e9 \ud8""#),
            ("\\é\\", "\\é\\"),
            ("\\u+12f", "\\u+12f"),
        ] {
            assert_eq!(without_half_pairs(json), mended, "{json}");
        }
    }

    /// The same JSON with every character beyond ASCII escaped.
    fn escape(json: &str) -> String {
        let mut escaped = String::new();
        for character in json.chars() {
            if character.is_ascii() {
                escaped.push(character);
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(escaped, "\\u{unit:04x}").expect("a String takes it");
            }
        }
        escaped
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn any_json_reads_as_serde_json_reads_it(json in any_json()) {
            agrees(&json.to_string());
            agrees(&escape(&json.to_string()));
            agrees(&serde_json::to_string_pretty(&json).expect("it can be written"));
        }

        #[test]
        fn damage_neither_panics_nor_hangs(json in any_json(), cut in 0.0..1.0_f64, junk in ".{0,8}") {
            let text = json.to_string();
            let position = (text.len() as f64 * cut) as usize;
            let position = (0..=position).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            for damaged in [format!("{}{junk}", &text[..position]), format!("{junk}{}", &text[position..])] {
                let _ = members(&damaged).map(|(key, _)| key.decode().len()).sum::<usize>();
                let _ = items(&damaged).count();
            }
        }
    }
}
