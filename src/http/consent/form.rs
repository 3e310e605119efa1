//! What a POST holds: names and values, in either encoding of a form. A form that cannot be read is empty.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, header};

/// A form of these pages has a few dozen bytes; what is larger is none.
const LARGEST: usize = 16 * 1024;

/// For so long a form may take to arrive.
const WITHIN: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads the body of a request.
    pub(super) async fn read(headers: &HeaderMap, body: Body) -> Self {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let body = tokio::time::timeout(WITHIN, to_bytes(body, LARGEST)).await;
        let Ok(Ok(body)) = body else { return Self::default() };
        Self::parse(&content_type, &body)
    }

    fn parse(content_type: &str, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let multipart =
            content_type.trim_start().get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/"));
        let fields = if multipart { parts(content_type, &text) } else { Some(pairs(&text)) };
        Self { fields: fields.unwrap_or_default() }
    }

    /// The last value of a name.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// `application/x-www-form-urlencoded`.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    text.trim().split('&').filter(|text| !text.is_empty()).map(pair).collect()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match (bytes[at], escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `multipart/form-data` (RFC 7578); `None` without a boundary.
fn parts(content_type: &str, text: &str) -> Option<Vec<(String, String)>> {
    let boundary = parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty())?;
    let delimiter = format!("--{boundary}");
    let mut fields = Vec::new();
    for part in text.split(delimiter.as_str()).skip(1) {
        if part.starts_with("--") {
            break;
        }
        // A line break ends the delimiter's line, and one stands before the next delimiter.
        let Some((head, value)) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n")) else {
            continue;
        };
        let value = value.strip_suffix("\r\n").or_else(|| value.strip_suffix('\n')).unwrap_or(value);
        let disposition = head.lines().find_map(|line| {
            let (name, rest) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then_some(rest)
        });
        if let Some(name) = disposition.and_then(|rest| parameter(rest, "name")) {
            fields.push((name.to_owned(), value.to_owned()));
        }
    }
    Some(fields)
}

/// A parameter of a header: `name=value` or `name="value"`, behind a semicolon.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').skip(1).find_map(|item| {
        let (key, value) = item.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_are_read() {
        let multipart =
            "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
        let bare = multipart.replace("\r\n", "\n");
        for (content_type, body) in [
            ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
            ("application/x-www-form-urlencoded; charset=utf-8", "a=b&List%2DUnsubscribe=One%2dClick\r\n"),
            ("", "List-Unsubscribe=One-Click"),
            ("multipart/form-data; boundary=x", multipart),
            ("Multipart/Form-Data; charset=utf-8; boundary=\"x\"", multipart),
            ("multipart/form-data; boundary=x", &bare),
        ] {
            let form = Form::parse(content_type, body.as_bytes());
            assert_eq!(form.value("List-Unsubscribe"), Some("One-Click"), "{content_type}: {body}");
        }
    }

    #[test]
    fn what_is_no_form_is_empty_or_harmless() {
        for (content_type, body) in [
            ("multipart/form-data", "--x\r\n\r\n"),
            ("multipart/form-data; boundary=", "----"),
            ("multipart/form-data; boundary=x", "--x"),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--"),
            ("application/json", ""),
            ("é", "\u{0}"),
        ] {
            let form = Form::parse(content_type, body.as_bytes());
            assert_eq!(form.value("List-Unsubscribe"), None, "{content_type}: {body}");
        }
        let form = Form::parse("", b"a=1&a=2&b=%zz%4&c=x+y%C3%A9&=&%");
        assert_eq!(form.value("a"), Some("2"));
        assert_eq!(form.value("b"), Some("%zz%4"));
        assert_eq!(form.value("c"), Some("x yé"));
    }
}
