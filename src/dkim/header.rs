//! The `DKIM-Signature` field: which headers are signed, and how it looks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Signer;
use super::canonical::{self, Field};
use crate::domain::time::Timestamp;

/// Headers of which nobody may add one on the way: each is signed once more than it is there (RFC 6376, 8.15).
/// RFC 8058, 4, wants the two that unsubscribe; the large mailbox providers want the rest.
const GUARDED: [&str; 12] = [
    "from",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];

/// Headers that are signed where they are: a server on the way may rightly add one.
const SIGNED: [&str; 3] = ["list-id", "feedback-id", "auto-submitted"];

/// Lines should not be longer (RFC 5322, 2.1.1).
const LINE: usize = 78;

/// The field with its end of line; `None`: the key did not sign.
pub(super) fn signature(
    signer: &Signer,
    fields: &[Field],
    body_hash: &[u8; 32],
    at: Timestamp,
) -> Option<String> {
    let seconds = at.micros().div_euclid(1_000_000).max(0);
    let names = signed_names(fields);
    let mut field = Folded::new("DKIM-Signature: v=1;");
    field.tag(&format!("a={}-sha256;", signer.key().algorithm()));
    field.tag("c=relaxed/relaxed;");
    field.tag(&format!("d={};", signer.domain()));
    field.tag(&format!("s={};", signer.selector()));
    field.tag(&format!("t={seconds};"));
    for (place, name) in names.iter().enumerate() {
        let end = if place + 1 == names.len() { ";" } else { ":" };
        match place {
            0 => field.tag(&format!("h={name}{end}")),
            _ => field.part(&format!("{name}{end}")),
        }
    }
    field.tag(&format!("bh={};", STANDARD.encode(body_hash)));
    field.tag("b=");
    let signature = signer.key().sign(signed_text(fields, &names, &field.text)?.as_bytes())?;
    for piece in STANDARD.encode(signature).as_bytes().chunks(64) {
        field.part(&String::from_utf8_lossy(piece));
    }
    field.text.push_str("\r\n");
    Some(field.text)
}

/// `h=`.
fn signed_names(fields: &[Field]) -> Vec<&'static str> {
    let count = |name: &str| fields.iter().filter(|field| field.name == name).count();
    let guarded = GUARDED.iter().flat_map(|name| std::iter::repeat_n(*name, count(name) + 1));
    let signed = SIGNED.iter().flat_map(|name| std::iter::repeat_n(*name, count(name)));
    guarded.chain(signed).collect()
}

/// What is hashed and signed: the named fields, of several of one name the lowest first, then the signature's own
/// field with an empty `b=` (RFC 6376, 3.7). A name without a field left stands for nothing.
fn signed_text(fields: &[Field], names: &[&str], own: &str) -> Option<String> {
    let mut text = String::with_capacity(2_048);
    for (place, name) in names.iter().enumerate() {
        let before = names[..place].iter().filter(|earlier| *earlier == name).count();
        if let Some(field) = fields.iter().rev().filter(|field| field.name == *name).nth(before) {
            text.push_str(&field.text);
            text.push_str("\r\n");
        }
    }
    text.push_str(&canonical::field(own.as_bytes())?.text);
    Some(text)
}

/// A field that is folded between its parts.
struct Folded {
    text: String,
    column: usize,
}

impl Folded {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), column: text.len() }
    }

    /// A tag, behind a space or on a line of its own.
    fn tag(&mut self, tag: &str) {
        self.push(" ", tag);
    }

    /// A part of a tag, behind the one before or on a line of its own.
    fn part(&mut self, part: &str) {
        self.push("", part);
    }

    fn push(&mut self, gap: &str, text: &str) {
        if self.column + gap.len() + text.len() > LINE {
            self.text.push_str("\r\n ");
            self.column = 1;
        } else {
            self.text.push_str(gap);
            self.column += gap.len();
        }
        self.text.push_str(text);
        self.column += text.len();
    }
}

#[cfg(test)]
mod tests {
    use super::super::Key;
    use super::*;
    use crate::domain::address::EmailAddress;

    /// The message and the Ed25519 key of RFC 8463, appendix A.
    const MESSAGE: &str = "From: Joe SixPack <joe@football.example.com>\r\n\
        To: Suzie Q <suzie@shopping.example.net>\r\n\
        Subject: Is dinner ready?\r\n\
        Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
        Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\
        \r\n\
        Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
    const SEED: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";

    fn key() -> Key {
        let seed = STANDARD.decode(SEED).expect("base64").try_into().expect("32 bytes");
        Key::from_pem(&Key::ed25519_pem(&seed)).expect("a key")
    }

    #[test]
    fn the_example_of_the_rfc_is_signed_as_there() {
        let (headers, body) = canonical::split(MESSAGE.as_bytes());
        let own = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n \
            d=football.example.com; i=@football.example.com;\r\n \
            q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n \
            subject : date : message-id : from : subject : date;\r\n \
            bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=";
        assert_eq!(
            STANDARD.encode(canonical::body_hash(body)),
            "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
        );
        let names = ["from", "to", "subject", "date", "message-id", "from", "subject", "date"];
        let text = signed_text(&canonical::fields(headers), &names, own).expect("a field");
        assert_eq!(
            STANDARD.encode(key().sign(text.as_bytes()).expect("a signature")),
            "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
        );
    }

    #[test]
    fn it_is_folded_and_the_same_each_time() {
        let signer = Signer::new("football.example.com", "Brisbane", key()).expect("names");
        let at = Timestamp::from_seconds(1_528_637_909);
        let make = || {
            let mut message = MESSAGE.as_bytes().to_vec();
            super::super::sign(&mut message, std::slice::from_ref(&signer), at);
            String::from_utf8(message).expect("text")
        };
        let message = make();
        assert_eq!(message, make());
        let field = message.strip_suffix(MESSAGE).expect("the message is as it was");
        insta::assert_snapshot!(field.replace('\r', ""), @r#"
        DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
         d=football.example.com; s=brisbane; t=1528637909; h=from:from:reply-to:to:to:
         cc:subject:subject:date:date:message-id:message-id:list-unsubscribe:
         list-unsubscribe-post:mime-version:content-type:content-transfer-encoding;
         bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=
         Ful079OCco8ypXCfUbTanTHWPEcxCbUv0C2v4SsET/S0MeeubhpprY4BZNNVjVUN
         GCBjzcwhSkVjpjiaLtZ1CA==
        "#);
        assert!(field.lines().all(|line| line.len() <= LINE));
    }

    #[test]
    fn domains_below_are_signed_for() {
        let signer = Signer::new("Maison.Example", "a.b", key()).expect("names");
        let signs = |from: &str| signer.signs_for(&EmailAddress::parse(from).expect("an address"));
        assert!(signs("a@maison.example") && signs("a@News.Maison.example"));
        assert!(!signs("a@notmaison.example") && !signs("a@maison.example.org"));
        for (domain, selector) in
            [("maison", "a b"), ("ma ison", "a"), ("maison.example", "-a"), ("maison.example", "")]
        {
            Signer::new(domain, selector, key()).expect_err(selector);
        }
    }
}
