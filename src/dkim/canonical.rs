//! Headers and bodies as they are signed: the relaxed forms of RFC 6376, 3.4.2 and 3.4.4. Servers on the way may
//! fold lines anew and add or drop white space; nothing else.

use sha2::{Digest as _, Sha256};

/// The headers of a message, and its body behind the empty line.
pub(super) fn split(message: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memmem::find(message, b"\r\n\r\n") {
        Some(end) => (&message[..end + 2], &message[end + 4..]),
        None => (message, &[]),
    }
}

/// A header's field: its name in lower case, and `name:value` as it is signed, without an end of line.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) text: String,
}

/// The fields of a header, in order. What is no field is left out.
pub(super) fn fields(headers: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', headers).map(|end| end + 1).chain([headers.len()]) {
        // A line that begins with white space goes on with the one before (RFC 5322, 2.2.3).
        let goes_on = matches!(headers.get(end), Some(b' ' | b'\t'));
        if !goes_on && start < end {
            fields.extend(field(&headers[start..end]));
            start = end;
        }
    }
    fields
}

/// One field, its folded lines included.
pub(super) fn field(raw: &[u8]) -> Option<Field> {
    let raw = String::from_utf8_lossy(raw);
    let (name, value) = raw.split_once(':')?;
    let name = name.trim_end_matches([' ', '\t']).to_ascii_lowercase();
    let mut text = format!("{name}:");
    let words = value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
    for (place, word) in words.enumerate() {
        if place > 0 {
            text.push(' ');
        }
        text.push_str(word);
    }
    Some(Field { name, text })
}

/// SHA-256 of the body in its relaxed form.
pub(super) fn body_hash(body: &[u8]) -> [u8; 32] {
    let mut relaxed = Vec::with_capacity(body.len() + 2);
    let (mut start, mut empty_lines) = (0, 0);
    for end in memchr::memchr_iter(b'\n', body).map(|end| end + 1).chain([body.len()]) {
        if start == end {
            continue;
        }
        let line = &body[start..end];
        start = end;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let length = line.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
        if length == 0 {
            // Those at the end do not count.
            empty_lines += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty_lines) {
            relaxed.extend_from_slice(b"\r\n");
        }
        push_relaxed(&line[..length], &mut relaxed);
        relaxed.extend_from_slice(b"\r\n");
    }
    Sha256::digest(&relaxed).into()
}

/// Appends a line in which each run of white space is one space.
fn push_relaxed(line: &[u8], relaxed: &mut Vec<u8>) {
    // Nearly all lines are so already. No early end: so it is done for many bytes at once.
    let pairs = line.iter().zip(line.get(1..).unwrap_or_default());
    let runs = pairs.fold(false, |found, (one, next)| found | (is_space(*one) & is_space(*next)));
    if !runs && memchr::memchr(b'\t', line).is_none() {
        return relaxed.extend_from_slice(line);
    }
    let mut after_space = false;
    for &byte in line {
        if !is_space(byte) {
            relaxed.push(byte);
        } else if !after_space {
            relaxed.push(b' ');
        }
        after_space = is_space(byte);
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6376, 3.4.5.
    #[test]
    fn white_space_is_relaxed() {
        let (headers, body) = split(b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n");
        let texts: Vec<_> = fields(headers).into_iter().map(|field| field.text).collect();
        assert_eq!(texts, ["a:X", "b:Y Z"]);
        assert_eq!(body_hash(body), <[u8; 32]>::from(Sha256::digest(b" C\r\nD E\r\n")));
    }

    #[test]
    fn ends_of_bodies_do_not_count() {
        let empty: [u8; 32] = Sha256::digest(b"").into();
        let check = |body: &str, expected: &[u8]| {
            assert_eq!(body_hash(body.as_bytes()), <[u8; 32]>::from(Sha256::digest(expected)), "{body:?}");
        };
        for body in ["", "\r\n", " \t\r\n\r\n"] {
            assert_eq!(body_hash(body.as_bytes()), empty, "{body:?}");
        }
        check("a", b"a\r\n");
        check("a\r\n\r\nb", b"a\r\n\r\nb\r\n");
        check("\r\na\t \tb \r\n \r\n", b"\r\na b\r\n");
    }
}
