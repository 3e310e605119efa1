//! Finds what may be rewritten in an HTML part: the `href` of `<a>` and `<area>`, and the end of the
//! body. Reads tags as a browser does (WHATWG HTML, 13.2.5), so that what only looks like a tag (in a
//! comment, a style sheet, an attribute) is passed over. Where it is in doubt it finds nothing: a link
//! that is not rewritten still leads where it should.

use std::ops::Range;

use memchr::{memchr, memmem};

/// A value of `href`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Href {
    /// Its bytes, without quotation marks.
    pub(super) value: Range<usize>,
    /// Whether it stands in quotation marks.
    pub(super) quoted: bool,
}

/// What may be rewritten, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Markup {
    pub(super) hrefs: Vec<Href>,
    /// Where the last `</body>` begins.
    pub(super) body_end: Option<usize>,
}

/// Elements whose content is text up to their end tag.
const TEXT_ELEMENTS: [&[u8]; 8] =
    [b"style", b"script", b"title", b"textarea", b"xmp", b"iframe", b"noembed", b"noframes"];

/// Reads an HTML part.
pub(super) fn read(html: &str) -> Markup {
    let bytes = html.as_bytes();
    let mut found = Markup::default();
    let mut at = 0;
    while let Some(offset) = memchr(b'<', &bytes[at..]) {
        let open = at + offset;
        let behind = match bytes.get(open + 1) {
            Some(b'!') => behind_declaration(bytes, open),
            Some(b'?') => behind(bytes, open, b'>'),
            Some(b'/') => match bytes.get(open + 2) {
                Some(letter) if letter.is_ascii_alphabetic() => read_tag(bytes, open + 2).map(|tag| {
                    if tag.is(b"body") {
                        found.body_end = Some(open);
                    }
                    tag.end
                }),
                Some(_) => behind(bytes, open, b'>'),
                None => None,
            },
            Some(letter) if letter.is_ascii_alphabetic() => {
                read_tag(bytes, open + 1).and_then(|tag| behind_start_tag(bytes, tag, &mut found))
            }
            _ => Some(open + 1),
        };
        // What does not end is no tag, and nothing follows it.
        let Some(behind) = behind else { break };
        at = behind;
    }
    found
}

/// Takes in a start tag; gives where reading goes on.
fn behind_start_tag(bytes: &[u8], tag: Tag<'_>, found: &mut Markup) -> Option<usize> {
    if tag.is(b"a") || tag.is(b"area") {
        found.hrefs.extend(tag.href);
        return Some(tag.end);
    }
    if tag.is(b"plaintext") {
        return None;
    }
    let Some(name) = TEXT_ELEMENTS.into_iter().find(|name| tag.is(name)) else { return Some(tag.end) };
    let end = end_tag(bytes, tag.end, name)?;
    let content = &bytes[tag.end..end];
    // A script in a comment in a script: its end tag may not be one (13.2.5.20 and following).
    let in_doubt = name == b"script" && memmem::find(content, b"<!--").is_some();
    (!in_doubt).then_some(end)
}

struct Tag<'h> {
    name: &'h [u8],
    /// The first `href`: later ones do not count.
    href: Option<Href>,
    /// Behind its `>`.
    end: usize,
}

impl Tag<'_> {
    fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

/// Reads a tag from its name on; nothing when it does not end.
fn read_tag(bytes: &[u8], start: usize) -> Option<Tag<'_>> {
    let name_end = until(bytes, start, |byte| is_space(byte) || matches!(byte, b'/' | b'>'))?;
    let mut href = None;
    let mut at = name_end;
    loop {
        at = until(bytes, at, |byte| !is_space(byte) && byte != b'/')?;
        if bytes[at] == b'>' {
            return Some(Tag { name: &bytes[start..name_end], href, end: at + 1 });
        }
        // The first character belongs to the name even if it is `=`.
        let attribute_end =
            until(bytes, at + 1, |byte| is_space(byte) || matches!(byte, b'/' | b'>' | b'='))?;
        let attribute = &bytes[at..attribute_end];
        at = until(bytes, attribute_end, |byte| !is_space(byte))?;
        if bytes[at] != b'=' {
            continue;
        }
        at = until(bytes, at + 1, |byte| !is_space(byte))?;
        let value = match bytes[at] {
            b'>' => continue,
            quote @ (b'"' | b'\'') => {
                let end = behind(bytes, at + 1, quote)? - 1;
                Href { value: at + 1..end, quoted: true }
            }
            _ => Href { value: at..until(bytes, at, |byte| is_space(byte) || byte == b'>')?, quoted: false },
        };
        at = value.value.end + usize::from(value.quoted);
        if href.is_none() && attribute.eq_ignore_ascii_case(b"href") {
            href = Some(value);
        }
    }
}

/// The next byte that is an end.
fn until(bytes: &[u8], from: usize, is_end: impl Fn(u8) -> bool) -> Option<usize> {
    bytes[from..].iter().position(|byte| is_end(*byte)).map(|length| from + length)
}

/// Behind the next such byte.
fn behind(bytes: &[u8], from: usize, byte: u8) -> Option<usize> {
    memchr(byte, bytes.get(from..)?).map(|offset| from + offset + 1)
}

/// Behind a comment, a document type or what else begins with `<!`.
fn behind_declaration(bytes: &[u8], open: usize) -> Option<usize> {
    let rest = &bytes[open..];
    if rest.starts_with(b"<!--") {
        // `<!-->` and `<!--->` are comments, too.
        let plain = memmem::find(&rest[2..], b"-->").map(|offset| 2 + offset + 3);
        let marked = memmem::find(&rest[4..], b"--!>").map(|offset| 4 + offset + 4);
        return plain.into_iter().chain(marked).min().map(|length| open + length);
    }
    if rest.starts_with(b"<![CDATA[") {
        // Text in drawings, a comment elsewhere: passed over as far as either goes.
        if let Some(offset) = memmem::find(rest, b"]]>") {
            return Some(open + offset + 3);
        }
    }
    behind(bytes, open, b'>')
}

/// Where the end tag of a text element begins.
fn end_tag(bytes: &[u8], from: usize, name: &[u8]) -> Option<usize> {
    let mut at = from;
    loop {
        at += memmem::find(&bytes[at..], b"</")?;
        let rest = &bytes[at + 2..];
        let (there, next) = (rest.get(..name.len()), rest.get(name.len()));
        let ends = next.is_some_and(|next| is_space(*next) || matches!(next, b'/' | b'>'));
        if ends && there.is_some_and(|there| there.eq_ignore_ascii_case(name)) {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests;
