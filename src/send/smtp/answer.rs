//! Answers of a server, put together from bytes as they come in: one at a time or several at once, byte by
//! byte or whole (RFC 5321 section 4.2).
//!
//! Servers are less exact than the RFC: text that is no UTF-8, lines ended by a bare LF, a code without text, and
//! lines longer than 512 bytes are all read. What cannot be an answer (no code, codes that differ from line to
//! line, no end) is an error, and the connection is of no more use.

/// What is kept of a line: twice what RFC 5321 section 4.5.3.1.5 allows, nearly.
const LONGEST_LINE: usize = 900;

/// Without a line's end by here, the other side does not speak SMTP.
const LONGEST_UNENDED: usize = 16_384;

/// More lines than any server has keywords for EHLO: the answer has no end.
const MOST_LINES: usize = 100;

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// The three digits.
    pub(super) code: u16,
    /// The text of each line.
    pub(super) lines: Vec<String>,
}

/// What came in is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoAnswer {
    /// A line that does not begin with a code, or with another than the line before.
    #[error("the server's answer is no SMTP reply")]
    Nonsense,
    /// It goes on and on.
    #[error("the server's answer has no end")]
    Endless,
}

impl Answer {
    /// Whether the server agreed, or asks for more (2xx, 3xx).
    pub(super) fn is_good(&self) -> bool {
        self.code < 400
    }

    /// Its lines as one text. Servers say the enhanced code on each (RFC 2034 section 4): it is kept once.
    pub(super) fn text(&self) -> String {
        let Some((first, more)) = self.lines.split_first() else { return String::new() };
        let code = super::reply::enhanced_code(self.code, first);
        let mut text = first.clone();
        for line in more {
            let rest = code.as_deref().and_then(|code| line.strip_prefix(code));
            text.push(' ');
            text.push_str(rest.unwrap_or(line).trim_start());
        }
        text
    }
}

/// Bytes that came in, and what is known of the answer that they begin.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    /// The lines of an answer that is not whole yet, and their code.
    lines: Vec<String>,
    code: Option<u16>,
}

impl Incoming {
    /// Takes bytes in.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether nothing came in that was not asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.lines.is_empty()
    }

    /// The next whole answer, if it has come in.
    pub(super) fn next(&mut self) -> Result<Option<Answer>, NoAnswer> {
        while let Some(end) = memchr::memchr(b'\n', &self.bytes) {
            let (code, is_last, text) = line(&self.bytes[..end])?;
            self.bytes.drain(..=end);
            if self.code.is_some_and(|before| before != code) {
                return Err(NoAnswer::Nonsense);
            }
            self.lines.push(text);
            if is_last {
                self.code = None;
                return Ok(Some(Answer { code, lines: std::mem::take(&mut self.lines) }));
            }
            self.code = Some(code);
            if self.lines.len() >= MOST_LINES {
                return Err(NoAnswer::Endless);
            }
        }
        if self.bytes.len() > LONGEST_UNENDED { Err(NoAnswer::Endless) } else { Ok(None) }
    }
}

/// A line's code, whether it is an answer's last, and its text.
fn line(raw: &[u8]) -> Result<(u16, bool, String), NoAnswer> {
    let [first @ b'2'..=b'5', second @ b'0'..=b'9', third @ b'0'..=b'9', rest @ ..] = raw else {
        return Err(NoAnswer::Nonsense);
    };
    let code = [first, second, third].iter().fold(0, |code, digit| code * 10 + u16::from(**digit - b'0'));
    let (is_last, text) = match rest {
        [] | [b'\r'] => (true, &rest[..0]),
        [b' ' | b'\t', text @ ..] => (true, text),
        [b'-', text @ ..] => (false, text),
        _ => return Err(NoAnswer::Nonsense),
    };
    let text = &text[..text.len().min(LONGEST_LINE)];
    Ok((code, is_last, String::from_utf8_lossy(text).trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All answers in these bytes, whole or byte by byte.
    fn answers(bytes: &[u8]) -> Result<Vec<(u16, String)>, NoAnswer> {
        let read = |pieces: std::slice::Chunks<'_, u8>| {
            let (mut incoming, mut found) = (Incoming::default(), Vec::new());
            for piece in pieces {
                incoming.push(piece);
                while let Some(answer) = incoming.next()? {
                    found.push((answer.code, answer.text()));
                }
            }
            Ok(found)
        };
        let whole = read(bytes.chunks(bytes.len().max(1)));
        assert_eq!(whole, read(bytes.chunks(1)), "{bytes:?}");
        whole
    }

    #[test]
    fn answers_are_read_however_they_come_in() {
        let check = |bytes: &[u8], expected: &[(u16, &str)]| {
            let expected: Vec<_> = expected.iter().map(|(code, text)| (*code, (*text).to_owned())).collect();
            assert_eq!(answers(bytes), Ok(expected));
        };
        check(b"", &[]);
        check(b"250 ok", &[]);
        check(b"250 ok\r\n", &[(250, "ok")]);
        check(b"250\r\n354\n", &[(250, ""), (354, "")]);
        check(b"250-a\r\n250-b\r\n250 c\r\n354 go\r\n", &[(250, "a b c"), (354, "go")]);
        check(b"250-a\r\n250\r\n", &[(250, "a ")]);
        check(b"550 Empf\xe4nger\r\n", &[(550, "Empf\u{fffd}nger")]);
        check(b"550-5.1.1 no such\r\n550 5.1.1 user\r\n", &[(550, "5.1.1 no such user")]);
        check(b"550-5.1.1 no such\r\n550 5.1.2 user\r\n", &[(550, "5.1.1 no such 5.1.2 user")]);
        let long = format!("550 {}\r\n", "x".repeat(3_000));
        assert_eq!(answers(long.as_bytes()).unwrap()[0].1.len(), LONGEST_LINE);
    }

    #[test]
    fn what_cannot_be_an_answer_is_an_error() {
        for nonsense in [
            "HTTP/1.1 400 Bad Request\n",
            "\r\n",
            "25 ok\n",
            "250ok\n",
            "650 x\n",
            "150 x\n",
            "250-a\n550 b\n",
        ] {
            assert_eq!(answers(nonsense.as_bytes()), Err(NoAnswer::Nonsense), "{nonsense}");
        }
        assert_eq!(answers("250-more\r\n".repeat(200).as_bytes()), Err(NoAnswer::Endless));
        assert_eq!(answers(&b"2".repeat(20_000)), Err(NoAnswer::Endless));
    }

    #[test]
    fn what_was_not_asked_for_is_seen() {
        let mut incoming = Incoming::default();
        incoming.push(b"250 ok\r\n421 bye");
        assert!(incoming.next().unwrap().is_some());
        assert!(!incoming.is_empty());
    }
}
