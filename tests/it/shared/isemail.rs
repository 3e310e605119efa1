//! The addresses of the isemail corpus: which are refused, which are accepted.

use std::fs;

use campaignd::domain::address::EmailAddress;

struct Case {
    address: String,
    category: String,
    diagnosis: String,
}

/// Reads `<test><address>…</address><category>…` with what the file uses of XML: elements, text,
/// and entities. U+2400 + n stands for the control character n.
fn cases(xml: &str) -> Vec<Case> {
    let inner = |test: &str, name: &str| {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let text = test.split_once(&open).and_then(|(_, rest)| rest.split_once(&close));
        text.map_or_else(String::new, |(text, _)| unescaped(text))
    };
    let tests = xml.split("<test id=").skip(1);
    tests
        .map(|test| Case {
            address: inner(test, "address"),
            category: inner(test, "category"),
            diagnosis: inner(test, "diagnosis"),
        })
        .collect()
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut pieces = text.split('&');
    plain.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (entity, rest) = piece.split_once(';').expect("an entity ends with a semicolon");
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let digits = entity.strip_prefix("#x").expect("a hexadecimal entity");
                u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).expect("a character")
            }
        });
        plain.push_str(rest);
    }
    let control = |c: char| match u32::from(c) {
        code @ 0x2400..=0x2420 => char::from_u32(code - 0x2400).expect("a control character"),
        _ => c,
    };
    plain.chars().map(control).collect()
}

#[test]
fn the_addresses_of_isemail_are_judged() {
    let Some(shared) = super::shared_folder() else { return };
    let xml = fs::read_to_string(shared.join("corpora/isemail/tests.xml")).expect("the corpus is readable");
    let cases = cases(&xml);
    assert_eq!(cases.len(), 164);
    let mut must_be_refused = 0;
    for Case { address, category, diagnosis } in &cases {
        // Domains without a dot are refused by choice: `anna@gmail` is a mistake.
        let dotless = address.ends_with("@io");
        let expected = match category.as_str() {
            "ISEMAIL_VALID_CATEGORY" | "ISEMAIL_DNSWARN" => !dotless,
            "ISEMAIL_ERR" => {
                must_be_refused += 1;
                false
            }
            // Quoted strings, comments, folding, literals, too long, no domain of the public
            // net: valid somewhere, accepted nowhere here.
            _ => false,
        };
        let found = EmailAddress::parse(address);
        assert_eq!(found.is_ok(), expected, "{address:?} ({diagnosis}): {found:?}");
    }
    assert_eq!(must_be_refused, 66);
}
