//! When two texts are the same: after NFC and simple case folding.

use std::borrow::Cow;

use caseless::Caseless;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The form under which texts are compared: NFC, then simple case folding (the statuses C and S of
/// Unicode's `CaseFolding.txt`), which keeps the number of characters: `ß` stays one.
pub fn fold(text: &str) -> Cow<'_, str> {
    let folded = |byte: &u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if text.as_bytes().iter().all(folded) {
        return Cow::Borrowed(text);
    }
    let mut buffer = String::with_capacity(text.len());
    fold_into(text, &mut buffer);
    Cow::Owned(buffer)
}

/// Appends the folded form of `text`; see [`fold`].
pub fn fold_into(text: &str, buffer: &mut String) {
    if text.is_ascii() {
        let start = buffer.len();
        buffer.push_str(text);
        buffer[start..].make_ascii_lowercase();
    } else if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        buffer.extend(text.chars().map(fold_character));
    } else {
        buffer.extend(text.nfc().map(fold_character));
    }
}

/// The form in which texts are compared where large and small letters differ: NFC alone.
pub fn compose(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfc().collect())
}

fn fold_character(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    if let Some(folded) = single(std::iter::once(character).default_case_fold()) {
        return folded;
    }
    // Full folding makes several characters of this one. Where a simple folding exists, it is the
    // lower-case letter (`ẞ`, `ᾈ`), but for one ligature.
    match character {
        '\u{fb05}' => '\u{fb06}',
        _ => single(character.to_lowercase()).unwrap_or(character),
    }
}

fn single(mut characters: impl Iterator<Item = char>) -> Option<char> {
    characters.next().filter(|_| characters.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_after_nfc_and_simple_case_folding() {
        for (one, other, same) in [
            ("Tennis", "TENNIS", true),
            ("café", "CAFE\u{301}", true),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ", true),
            ("\u{212b}ngstrom", "ångstrom", true), // the sign for ångström
            ("STRAẞE", "straße", true),
            ("straße", "strasse", false),
            ("ᾈ", "ᾀ", true),
            ("ﬅ", "ﬆ", true),
            ("I", "ı", false),
            ("İ", "i", false),
            ("a", "b", false),
            ("", "", true),
        ] {
            assert_eq!(fold(one) == fold(other), same, "{one} {other}");
            assert_eq!(fold(one).chars().count(), fold(&fold(one)).chars().count(), "{one}");
        }
        assert!(matches!(fold("already folded 1"), Cow::Borrowed(_)));
        assert_eq!(compose("CAFE\u{301}"), "CAFÉ");
        assert!(matches!(compose("Élodie"), Cow::Borrowed(_)));
    }
}
