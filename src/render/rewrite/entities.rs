//! Character references in the values of attributes: `&amp;` and its kin.

use std::borrow::Cow;

use markup5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// The value that a browser reads (WHATWG HTML, 13.2.5.72 and following).
pub(super) fn decode(raw: &str) -> Cow<'_, str> {
    if !raw.contains('&') {
        return Cow::Borrowed(raw);
    }
    let mut decoded = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(start) = rest.find('&') {
        decoded.push_str(&rest[..start]);
        rest = &rest[start..];
        let (length, characters) = reference(rest).unwrap_or((1, ['&', '\0']));
        decoded.extend(characters.into_iter().filter(|character| *character != '\0'));
        rest = &rest[length..];
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// The value as it may be written between quotation marks.
pub(super) fn encode(value: &str) -> String {
    let mut raw = String::with_capacity(value.len() + 16);
    for character in value.chars() {
        match character {
            '&' => raw.push_str("&amp;"),
            '"' => raw.push_str("&quot;"),
            '\'' => raw.push_str("&#39;"),
            '<' => raw.push_str("&lt;"),
            '>' => raw.push_str("&gt;"),
            character => raw.push(character),
        }
    }
    raw
}

/// The reference at the beginning of a text: its length, and the one or two characters it stands for.
fn reference(text: &str) -> Option<(usize, [char; 2])> {
    match text.strip_prefix("&#") {
        Some(number) => numeric(number).map(|(length, character)| (2 + length, [character, '\0'])),
        None => named(&text[1..]).map(|(length, characters)| (1 + length, characters)),
    }
}

fn numeric(text: &str) -> Option<(usize, char)> {
    let hexadecimal = text.strip_prefix(['x', 'X']);
    let (radix, digits, mark) = hexadecimal.map_or((10, text, 0), |digits| (16, digits, 1));
    let length = digits.find(|character: char| !character.is_digit(radix)).unwrap_or(digits.len());
    if length == 0 {
        return None;
    }
    // What does not fit is no character either.
    let code = u32::from_str_radix(&digits[..length], radix).unwrap_or(u32::MAX);
    let replaced = code.checked_sub(0x80).and_then(|index| *C1_REPLACEMENTS.get(index as usize)?);
    let character = replaced.or_else(|| char::from_u32(code).filter(|character| *character != '\0'));
    let semicolon = usize::from(digits[length..].starts_with(';'));
    Some((mark + length + semicolon, character.unwrap_or(char::REPLACEMENT_CHARACTER)))
}

/// The longest name that is known. Without its semicolon, and before a letter, a digit or `=`, it is
/// none: `?a=1&copy=2` is an address.
fn named(text: &str) -> Option<(usize, [char; 2])> {
    let mut found = None;
    for length in 1..=text.len() {
        // Every beginning of a name is in the table, with zeros.
        let Some(characters) = text.get(..length).and_then(|name| NAMED_ENTITIES.get(name)) else { break };
        if characters.0 != 0 {
            found = Some((length, *characters));
        }
    }
    let (length, (first, second)) = found?;
    let next = text.as_bytes().get(length);
    let closed = text[..length].ends_with(';');
    if !closed && next.is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'=') {
        return None;
    }
    Some((length, [char::from_u32(first)?, char::from_u32(second)?]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_browsers_do() {
        for (raw, value) in [
            ("https://a.example/?b=1&amp;c=2", "https://a.example/?b=1&c=2"),
            ("?b=1&c=2&amp=3&ampx;&am", "?b=1&c=2&amp=3&ampx;&am"),
            ("?a=1&copy=2&copy;&copy", "?a=1&copy=2©©"),
            ("?reg_id=1&reg_id=2", "?reg_id=1®_id=2"),
            ("&notit;&not-it", "&notit;¬-it"),
            ("&#38;&#x26;&#X26;&#38 &#38a", "&&&& &a"),
            ("&#;&#x;&#xg;&&", "&#;&#x;&#xg;&&"),
            ("&#0;&#xD800;&#99999999999;&#x80;", "\u{fffd}\u{fffd}\u{fffd}€"),
            ("&#x27;&#x2F;&quot;&apos;&eacute;&Eacute", "'/\"'éÉ"),
            ("&nvlt;&lang=en&langle;é&", "<\u{20d2}&lang=en⟨é&"),
            ("&é&amp", "&é&"),
        ] {
            assert_eq!(decode(raw), value, "{raw}");
            assert_eq!(decode(&encode(value)), value);
        }
    }
}
