//! What a made-up reader finds in a mail as it was sent: the pixel, the links, the way out.

use std::path::Path;

/// A mail, as far as a reader acts on it. Addresses are paths on the public server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Mail {
    /// To whom it was sent.
    pub(super) to: String,
    /// The pixel, where the mail is tracked.
    pub(super) pixel: Option<String>,
    /// Its links, in their order, each once.
    pub(super) links: Vec<String>,
    /// Where one unsubscribes.
    pub(super) unsubscribe: Option<String>,
}

impl Mail {
    /// Reads a message as lettre writes it: quoted-printable lines and folded headers are joined.
    pub(super) fn read(message: &str, public_url: &str) -> Self {
        let text = message.replace("=\r\n", "").replace("\r\n ", "");
        let to = text.lines().find_map(|line| line.strip_prefix("To: ")).unwrap_or_default();
        let to = to.rsplit(['<', ' ']).next().unwrap_or_default().trim_end_matches('>');
        let mut mail = Self { to: to.to_owned(), ..Self::default() };
        for rest in text.split(public_url).skip(1) {
            let end = |byte: u8| !(byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_'));
            let path = &rest[..rest.bytes().position(end).unwrap_or(rest.len())];
            let found = || path.to_owned();
            match path.get(..3) {
                Some("/o/") => mail.pixel = Some(found()),
                Some("/u/") => mail.unsubscribe = Some(found()),
                Some("/c/") if !mail.links.iter().any(|known| known == path) => mail.links.push(found()),
                _ => {}
            }
        }
        mail
    }
}

/// The mails of a folder whose names come after `last`: the earliest first.
pub(super) fn new_mails(outbox: &Path, last: &str) -> std::io::Result<Vec<(String, String)>> {
    let entries = match std::fs::read_dir(outbox) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        // A name begins with the instant at which the mail was made.
        if name.as_str() > last {
            names.push(name);
        }
    }
    names.sort_unstable();
    names
        .into_iter()
        .map(|name| std::fs::read_to_string(outbox.join(&name)).map(|text| (name, text)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_in_their_order() {
        let message = "From: Shop <a@shop.example>\r\nTo: =?utf-8?b?Wm/Dqw==?= <zoe@example.org>\r\n\
            List-Unsubscribe: <https://mail.shop.example/u/AA-b>,\r\n <mailto:a@shop.example>\r\n\r\n\
            <a href=3D\"https://mail.shop.example/c/one_=\r\ntwo\">a</a> <a href=3D\"https://mail.shop.example/c/x\">b</a>\
            <a href=3D\"https://mail.shop.example/c/x\">c</a><img src=3D\"https://mail.shop.example/o/pix\" alt=3D\"\">";
        assert_eq!(
            Mail::read(message, "https://mail.shop.example"),
            Mail {
                to: "zoe@example.org".to_owned(),
                pixel: Some("/o/pix".to_owned()),
                links: vec!["/c/one_two".to_owned(), "/c/x".to_owned()],
                unsubscribe: Some("/u/AA-b".to_owned()),
            }
        );
    }
}
