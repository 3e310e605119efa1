//! Addresses that links lead to: which are rewritten, and what `utm` adds.

use std::borrow::Cow;

use crate::domain::campaign::Utm;

/// Bytes of the longest address that is rewritten; mail programs and proxies cut longer ones.
const LONGEST: usize = 8_000;

/// The address that a browser would open, if it is one of the web that has its host. White space around
/// it, tabs and line ends in it do not count (WHATWG URL, basic parser, steps 1 to 3).
pub(super) fn web_address(value: &str) -> Option<Cow<'_, str>> {
    let trimmed = value.trim_matches(|character: char| character <= ' ');
    let address = if trimmed.contains(['\t', '\n', '\r']) {
        Cow::Owned(trimmed.replace(['\t', '\n', '\r'], ""))
    } else {
        Cow::Borrowed(trimmed)
    };
    let (scheme, rest) = address.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let has_host = rest.starts_with(|first: char| !matches!(first, '/' | '\\' | '?' | '#'));
    let is_clean = !address.contains(char::is_control) && address.len() <= LONGEST;
    (is_web && has_host && is_clean).then_some(address)
}

/// The parameters of a campaign, as they are added.
#[derive(Debug, Clone, Default)]
pub(in crate::render) struct Parameters {
    /// Names, and the same with their values: `utm_source=spring%20news`.
    all: Vec<(&'static str, String)>,
}

impl Parameters {
    pub(in crate::render) fn of(utm: &Utm) -> Self {
        let pair = |(name, value): (&'static str, &str)| (name, format!("{name}={}", encoded(value)));
        Self { all: utm.parameters().map(pair).collect() }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The address with those that it has not got; `None` where it has them all. What it has stays.
    pub(super) fn added_to(&self, address: &str) -> Option<String> {
        if self.all.is_empty() {
            return None;
        }
        let (base, fragment) = address.split_at(address.find('#').unwrap_or(address.len()));
        let query = base.split_once('?').map(|(_, query)| query);
        let has = |name: &str| {
            query.is_some_and(|query| {
                query.split('&').any(|pair| pair.split('=').next().is_some_and(|there| there == name))
            })
        };
        let mut separator = match query {
            None => "?",
            Some("") => "",
            Some(query) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        let mut with = None;
        for (name, pair) in &self.all {
            if !has(name) {
                let with = with.get_or_insert_with(|| base.to_owned());
                with.push_str(separator);
                with.push_str(pair);
                separator = "&";
            }
        }
        with.map(|with| with + fragment)
    }
}

/// Percent-encoded but for what RFC 3986 calls unreserved.
fn encoded(value: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from(DIGITS[usize::from(half & 15)]);
            text.extend(['%', digit(byte >> 4), digit(byte)]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_web_are_told_from_others() {
        for (value, address) in [
            (" https://a.example/x \n", Some("https://a.example/x")),
            ("HTTP://a.example", Some("HTTP://a.example")),
            ("https://a.example/\n\t  x", Some("https://a.example/  x")),
            ("https://a.example/é?ü#ö", Some("https://a.example/é?ü#ö")),
            ("mailto:a@b.example", None),
            ("tel:+33199001234", None),
            ("#top", None),
            ("/relative", None),
            ("//a.example/", None),
            ("relative?to=https://a.example/", None),
            ("https:", None),
            ("https://", None),
            ("https:///a.example", None),
            ("javascript:location='https://a.example'", None),
            ("ftp://a.example/", None),
            ("https://a.example/\0x", None),
            ("https://a.example/\u{7f}", None),
            ("", None),
        ] {
            assert_eq!(web_address(value).as_deref(), address, "{value:?}");
        }
        assert_eq!(web_address(&format!("https://a.example/{}", "x".repeat(LONGEST))), None);
    }

    #[test]
    fn parameters_are_added_and_override_nothing() {
        let utm = Utm {
            source: Some("news letter".to_owned()),
            campaign: Some("é&=#".to_owned()),
            ..Utm::default()
        };
        let parameters = Parameters::of(&utm);
        let both = "utm_source=news%20letter&utm_campaign=%C3%A9%26%3D%23";
        for (address, expected) in [
            ("https://a.example", format!("https://a.example?{both}")),
            ("https://a.example/?", format!("https://a.example/?{both}")),
            ("https://a.example/?b=1#x?y", format!("https://a.example/?b=1&{both}#x?y")),
            ("https://a.example/?b&#x", format!("https://a.example/?b&{both}#x")),
            (
                "https://a.example/?utm_source=own",
                "https://a.example/?utm_source=own&utm_campaign=%C3%A9%26%3D%23".to_owned(),
            ),
            ("https://a.example/utm_source=x", format!("https://a.example/utm_source=x?{both}")),
        ] {
            assert_eq!(parameters.added_to(address), Some(expected), "{address}");
        }
        assert_eq!(parameters.added_to("https://a.example/?utm_campaign&utm_source=#x"), None);
        assert_eq!(Parameters::default().added_to("https://a.example/"), None);
    }
}
