//! Addresses that stand word for word in templates or in a campaign's `data`: the same in all mails.
//!
//! Mails that count without knowing who (`tracking: aggregate`) have no others rewritten: an address
//! that is made from what is known of a contact would name the contact by itself.

use std::collections::HashSet;

use super::entities;

/// Collects the addresses that stand in a text.
pub(in crate::render) fn collect(text: &str, addresses: &mut HashSet<String>) {
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let before = rest.as_bytes()[at.saturating_sub(5)..at].to_ascii_lowercase();
        let scheme = ["https", "http"].into_iter().find(|scheme| before.ends_with(scheme.as_bytes()));
        let start = at - scheme.map_or(0, str::len);
        // Ends at what cannot stand in an address, or at what a template puts in.
        let ends = |character: char| {
            character.is_whitespace() || matches!(character, '"' | '\'' | '<' | '>' | '`' | '{' | '}')
        };
        let end = rest[at..].find(ends).map_or(rest.len(), |length| at + length);
        let goes_on = rest[end..].starts_with('{');
        if scheme.is_some() && !goes_on {
            let address = &rest[start..end];
            addresses.insert(entities::decode(address).into_owned());
            addresses.insert(address.to_owned());
        }
        rest = &rest[end..];
    }
}

/// Collects the addresses that stand in a campaign's `data`.
pub(in crate::render) fn collect_from_data(data: &serde_json::Value, addresses: &mut HashSet<String>) {
    match data {
        serde_json::Value::String(text) => {
            addresses.insert(text.clone());
            collect(text, addresses);
        }
        serde_json::Value::Array(items) => {
            for item in items {
                collect_from_data(item, addresses);
            }
        }
        serde_json::Value::Object(members) => {
            for member in members.values() {
                collect_from_data(member, addresses);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_where_they_are_whole() {
        let mut found = HashSet::new();
        let template = r#"<a href="https://a.example/x?b=1&amp;c=2">A</a> {{ <button url="HTTPS://a.example/y" /> }}
            <a href='http://a.example/{{ contact.id }}'> <a href=https://a.example/z>Z</a> {{ "://" }}
            {% set base = "https://a.example/base" %}<a href="{{ base }}?x">"#;
        collect(template, &mut found);
        collect_from_data(&serde_json::json!({ "a": ["https://a.example/data x", 1] }), &mut found);
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort();
        assert_eq!(
            found,
            [
                "HTTPS://a.example/y",
                "https://a.example/base",
                "https://a.example/data",
                "https://a.example/data x",
                "https://a.example/x?b=1&amp;c=2",
                "https://a.example/x?b=1&c=2",
                "https://a.example/z",
            ]
        );
    }
}
