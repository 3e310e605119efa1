//! A message as it goes over the wire: whole lines ended by CRLF, dots doubled, the final dot.

/// The bytes behind DATA's 354, and what the server must be able to take.
#[derive(Debug)]
pub(super) struct WireMessage {
    /// The message with its final dot.
    pub(super) bytes: Vec<u8>,
    /// How many of `bytes` come before the final dot's line.
    pub(super) before_dot: usize,
    /// Whether a byte beyond ASCII is in it.
    pub(super) eight_bit: bool,
    /// Whether one is in the headers, which is for servers with SMTPUTF8 only.
    pub(super) eight_bit_headers: bool,
}

impl WireMessage {
    /// Dots at the beginning of lines are doubled (RFC 5321 section 4.5.2). A bare CR or LF becomes
    /// CRLF: some servers take `LF . LF` for the end, and would read what follows as commands.
    pub(super) fn new(message: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(message.len() + message.len() / 50 + 16);
        let (mut at_line_start, mut in_headers, mut eight_bit_headers) = (true, true, false);
        let mut rest = message;
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            if byte == b'\r' || byte == b'\n' {
                in_headers &= !at_line_start;
                bytes.extend_from_slice(b"\r\n");
                if byte == b'\r' {
                    rest = rest.strip_prefix(b"\n").unwrap_or(rest);
                }
                at_line_start = true;
                continue;
            }
            if at_line_start && byte == b'.' {
                bytes.push(b'.');
            }
            at_line_start = false;
            eight_bit_headers |= in_headers && !byte.is_ascii();
            bytes.push(byte);
        }
        if !at_line_start {
            bytes.extend_from_slice(b"\r\n");
        }
        let before_dot = bytes.len();
        bytes.extend_from_slice(b".\r\n");
        Self { bytes, before_dot, eight_bit: !message.is_ascii(), eight_bit_headers }
    }
}

#[cfg(test)]
mod tests {
    use super::WireMessage;

    #[test]
    fn lines_are_whole_and_dots_doubled() {
        let check = |message: &str, expected: &str| {
            let wire = WireMessage::new(message.as_bytes());
            assert_eq!(String::from_utf8_lossy(&wire.bytes), expected, "{message:?}");
            assert_eq!(&wire.bytes[wire.before_dot..], b".\r\n");
        };
        check("", ".\r\n");
        check("A: b\r\n\r\ntext\r\n", "A: b\r\n\r\ntext\r\n.\r\n");
        check("A: b\r\n\r\ntext", "A: b\r\n\r\ntext\r\n.\r\n");
        check(".\r\n..\r\na.b\r\n.c", "..\r\n...\r\na.b\r\n..c\r\n.\r\n");
        check("a\n.\nMAIL FROM:<x>\r.\rb", "a\r\n..\r\nMAIL FROM:<x>\r\n..\r\nb\r\n.\r\n");
        check("a\r\r\nb", "a\r\n\r\nb\r\n.\r\n");
    }

    #[test]
    fn bytes_beyond_ascii_are_found_where_they_are() {
        let check = |message: &str, anywhere: bool, headers: bool| {
            let wire = WireMessage::new(message.as_bytes());
            assert_eq!((wire.eight_bit, wire.eight_bit_headers), (anywhere, headers), "{message:?}");
        };
        check("A: b\r\n\r\ntext", false, false);
        check("A: b\r\n\r\nté", true, false);
        check("A: é\r\n\r\ntext", true, true);
        check("A: b\r\n é\r\n\r\ntext", true, true);
    }
}
