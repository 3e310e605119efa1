//! What a server says it can do: the keywords of its answer to EHLO.

/// The extensions that matter here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a keyword that is there or not")]
pub(super) struct Extensions {
    /// RFC 3207.
    pub(super) starttls: bool,
    /// RFC 2920: commands may be sent without waiting for each answer.
    pub(super) pipelining: bool,
    /// RFC 6152.
    pub(super) eight_bit_mime: bool,
    /// RFC 6531.
    pub(super) smtputf8: bool,
    /// RFC 1870: whether sizes are announced, and the largest that is taken.
    pub(super) size: Option<u64>,
    /// RFC 4954: the mechanisms, in upper case.
    pub(super) auth: Vec<String>,
}

impl Extensions {
    /// Reads the lines of an answer to EHLO: the first is a greeting, each other a keyword.
    pub(super) fn read(lines: &[String]) -> Self {
        let mut found = Self::default();
        for line in lines.iter().skip(1) {
            // `AUTH=LOGIN` is an old spelling that some servers still send beside the other.
            let text = line.to_ascii_uppercase().replace('=', " ");
            let mut words = text.split_ascii_whitespace();
            match words.next() {
                Some("STARTTLS") => found.starttls = true,
                Some("PIPELINING") => found.pipelining = true,
                Some("8BITMIME") => found.eight_bit_mime = true,
                Some("SMTPUTF8") => found.smtputf8 = true,
                // 0, or nothing, is no limit.
                Some("SIZE") => found.size = Some(words.next().and_then(|n| n.parse().ok()).unwrap_or(0)),
                Some("AUTH") => found.auth.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        found
    }

    /// Whether a message of this many bytes is larger than what the server takes.
    pub(super) fn is_too_large(&self, bytes: usize) -> bool {
        self.size.is_some_and(|limit| limit > 0 && bytes as u64 > limit)
    }
}

#[cfg(test)]
mod tests {
    use super::Extensions;

    #[test]
    fn keywords_are_read_in_any_case() {
        let lines = [
            "mail.shop.example",
            "Pipelining",
            "SIZE 1000",
            "8bitMime",
            "AUTH PLAIN login",
            "AUTH=LOGIN",
            "XCLIENT",
            "SMTPUTF8",
        ];
        let found = Extensions::read(&lines.map(str::to_owned));
        assert_eq!(
            found,
            Extensions {
                starttls: false,
                pipelining: true,
                eight_bit_mime: true,
                smtputf8: true,
                size: Some(1_000),
                auth: vec!["PLAIN".to_owned(), "LOGIN".to_owned(), "LOGIN".to_owned()],
            }
        );
        assert!(found.is_too_large(1_001) && !found.is_too_large(1_000));
        assert_eq!(Extensions::read(&["STARTTLS".to_owned()]), Extensions::default());
    }
}
