//! E-mail addresses: which are accepted, and how they are compared.
//!
//! Accepted is what a mail can practically be sent to: a local part of atoms and dots (RFC 5321
//! section 4.1.2) in which letters and digits of any script may stand (RFC 6531), and a domain of
//! two labels or more, international ones by IDNA (UTS 46). Lengths are those of RFC 5321 section
//! 4.5.3.1 and of a forward-path: 64 bytes, 63 a label, 253 a domain, 254 in all.
//!
//! Refused though some RFC allows it: comments and folding white space (they belong into headers),
//! quoted local parts (RFC 5321 itself advises against them; in a list of contacts they are
//! mistakes or attacks), address literals such as `[192.0.2.1]`, and domains without a dot
//! (`anna@gmail`). A line break or a control character is never accepted, anywhere.

use std::borrow::Cow;
use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Longest local part in bytes (RFC 5321 section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;
/// Longest label of a domain in bytes (RFC 1035 section 2.3.4).
const LONGEST_LABEL: usize = 63;
/// Longest domain in bytes, as text without the root's dot (RFC 1035 section 2.3.4).
const LONGEST_DOMAIN: usize = 253;
/// Longest address in bytes: a path of 256 (RFC 5321 section 4.5.3.1.3) without its angle brackets.
const LONGEST_ADDRESS: usize = 254;
/// What may stand in a local part beside ASCII letters and digits: `atext` of RFC 5322 section 3.2.3.
const ATOM_SIGNS: &[u8] = b"!#$%&'*+-/=?^_`{|}~";

/// An address that a mail can be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    text: String,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an e-mail address: {reason}")]
pub struct InvalidAddress {
    /// What was given, cut at 80 characters, control and invisible characters replaced by `�`.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl EmailAddress {
    /// Reads an address. White space around it is not cut off: that is the caller's to do.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        match examine(text) {
            Ok(()) => Ok(Self { text: text.to_owned() }),
            Err(reason) => Err(InvalidAddress { text: text.chars().map(visible).take(80).collect(), reason }),
        }
    }

    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address as it is compared and kept unique: in lower case, the domain in ASCII, so that
    /// `Anna@MÜLLER.example` and `anna@xn--mller-kva.example` are one.
    pub fn folded(&self) -> String {
        if self.text.is_ascii() {
            return self.text.to_ascii_lowercase();
        }
        // Normalised behind the lower case, which can take characters apart.
        let local: String = self.local().to_lowercase().nfc().collect();
        format!("{local}@{}", ascii_domain(self.domain()).unwrap_or(Cow::Borrowed(self.domain())))
    }

    /// The address as it goes over the wire: a domain that is not in ASCII is turned into it. The
    /// rest is in ASCII unless the local part is not, which only servers with SMTPUTF8 take.
    pub fn on_the_wire(&self) -> Cow<'_, str> {
        match ascii_domain(self.domain()) {
            Some(Cow::Owned(domain)) => Cow::Owned(format!("{}@{domain}", self.local())),
            _ => Cow::Borrowed(&self.text),
        }
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        self.text.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// What stands behind the `@`.
    pub fn domain(&self) -> &str {
        self.text.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// The form of an address in which it is compared, see [`EmailAddress::folded`]; a text that is none is
/// put into lower case.
pub fn fold(text: &str) -> String {
    EmailAddress::parse(text).map_or_else(|_| text.to_lowercase(), |address| address.folded())
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn visible(c: char) -> char {
    let shown = (c == ' ' || c.is_ascii_graphic()) || (!c.is_ascii() && may_stand_in_an_atom(c));
    if shown { c } else { char::REPLACEMENT_CHARACTER }
}

fn examine(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.chars().any(char::is_control) {
        return Err("a control character or a line break is in it");
    }
    if text.ends_with('>') {
        return Err("give the bare address, without name and angle brackets");
    }
    if text.chars().any(char::is_whitespace) {
        return Err("white space is in it");
    }
    let (local, domain) = text.rsplit_once('@').ok_or("it has no @")?;
    if local.contains('@') {
        return Err("it has more than one @");
    }
    examine_local(local)?;
    let ascii = examine_domain(domain)?;
    if local.len() + 1 + ascii.len() > LONGEST_ADDRESS {
        return Err("it is longer than 254 bytes");
    }
    Ok(())
}

fn examine_local(local: &str) -> Result<(), &'static str> {
    if local.is_empty() {
        return Err("nothing stands before the @");
    }
    if local.len() > LONGEST_LOCAL {
        return Err("what stands before the @ is longer than 64 bytes");
    }
    if local.starts_with('"') {
        return Err("quotation marks before the @ are not supported");
    }
    for atom in local.split('.') {
        if atom.is_empty() {
            return Err("a dot begins or ends what stands before the @, or follows another");
        }
        if atom.starts_with(is_combining_mark) || !atom.chars().all(may_stand_in_an_atom) {
            return Err("a character before the @ is not one that an address can have");
        }
    }
    Ok(())
}

fn may_stand_in_an_atom(c: char) -> bool {
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => byte.is_ascii_alphanumeric() || ATOM_SIGNS.contains(&byte),
        _ => c.is_alphanumeric() || is_combining_mark(c),
    }
}

/// Checks a domain; returns it in ASCII.
fn examine_domain(domain: &str) -> Result<Cow<'_, str>, &'static str> {
    if domain.is_empty() {
        return Err("nothing stands behind the @");
    }
    if domain.starts_with('[') {
        return Err("an address of a machine in brackets is not supported; give a domain");
    }
    let may_stand = |c: char| {
        if c.is_ascii() { c.is_ascii_alphanumeric() || "-.".contains(c) } else { may_stand_in_an_atom(c) }
    };
    if !domain.chars().all(may_stand) {
        return Err("a character behind the @ is not one that a domain can have");
    }
    let ascii = ascii_domain(domain).ok_or("its domain is no valid international domain name")?;
    if ascii.len() > LONGEST_DOMAIN {
        return Err("its domain is longer than 253 bytes");
    }
    for label in ascii.split('.') {
        if label.is_empty() {
            return Err("a dot begins or ends its domain, or follows another");
        }
        if label.len() > LONGEST_LABEL {
            return Err("a part of its domain is longer than 63 bytes");
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("a part of its domain begins or ends with a hyphen");
        }
    }
    let (_, top) = ascii.rsplit_once('.').ok_or("its domain has no dot")?;
    if top.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("its domain ends with a number");
    }
    Ok(ascii)
}

/// A domain in ASCII: itself where it is, else by UTS 46. `None` where that is not possible.
fn ascii_domain(domain: &str) -> Option<Cow<'_, str>> {
    let international = |label: &str| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    if domain.is_ascii() && !domain.split('.').any(international) {
        return Some(Cow::Borrowed(domain));
    }
    idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::STD3).ok()
}
