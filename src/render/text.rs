//! Text parts: tidied where they are written by hand, derived from the HTML where they are not.

/// Columns of a derived text part.
const WIDTH: usize = 78;

/// A text part without blanks at the ends of lines, and with at most one empty line in a row: tags that
/// stand on lines of their own leave empty ones. It ends with a line end.
pub(super) fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = true;
    for line in text.lines() {
        let line = line.trim_end_matches([' ', '\t', '\r', '\u{a0}']);
        if line.is_empty() && empty {
            continue;
        }
        empty = line.is_empty();
        tidied.push_str(line);
        tidied.push('\n');
    }
    if tidied.ends_with("\n\n") {
        tidied.pop();
    }
    tidied
}

/// The text of an HTML part: wrapped, with links as footnotes, without what is hidden (preheaders).
pub(super) fn derived(html: &str) -> String {
    let visible = without_hidden(html);
    let text = html2text::config::plain()
        .link_footnotes(true)
        .no_table_borders()
        .allow_width_overflow()
        .string_from_read(visible.as_bytes(), WIDTH)
        // Only a width of nothing fails, or a reader.
        .unwrap_or_default();
    tidy(&text)
}

/// Elements that have no end tag.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];

/// The HTML without comments, style sheets, and elements whose style says `display:none`.
pub(super) fn without_hidden(html: &str) -> String {
    let mut visible = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        visible.push_str(&rest[..start]);
        rest = &rest[start..];
        if rest.starts_with("<!--") {
            rest = rest.split_once("-->").map_or("", |(_, behind)| behind);
            continue;
        }
        let tag = tag_at(rest);
        if tag.hidden {
            rest = behind_element(rest, &tag);
        } else {
            visible.push_str(&rest[..tag.length]);
            rest = &rest[tag.length..];
        }
    }
    visible.push_str(rest);
    visible
}

struct Tag {
    /// In lower case; of an end tag with its slash.
    name: String,
    length: usize,
    hidden: bool,
}

/// The tag at the beginning of a text.
fn tag_at(text: &str) -> Tag {
    let mut quote = None;
    let mut length = text.len();
    for (index, character) in text.char_indices() {
        match (quote, character) {
            (None, '>') => {
                length = index + 1;
                break;
            }
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), character) if open == character => quote = None,
            _ => {}
        }
    }
    let inner = &text[1..length];
    let end = inner.find(|character: char| character.is_whitespace() || character == '>');
    let name = inner[..end.unwrap_or(inner.len())].trim_end_matches('/').to_ascii_lowercase();
    let style = inner.to_ascii_lowercase().split_once("style").map(|(_, style)| style.to_owned());
    let squeezed: String = style.unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect();
    let hidden = !name.starts_with('/')
        && !VOID.contains(&name.as_str())
        && (squeezed.contains("display:none") || matches!(name.as_str(), "style" | "script" | "title"));
    Tag { name, length, hidden }
}

/// What follows an element, from its start tag on; nothing when it does not end.
fn behind_element<'h>(html: &'h str, start: &Tag) -> &'h str {
    let end = format!("/{}", start.name);
    let mut depth = 1usize;
    let mut rest = &html[start.length..];
    while let Some(offset) = rest.find('<') {
        rest = &rest[offset..];
        let tag = tag_at(rest);
        rest = &rest[tag.length..];
        if tag.name == end {
            depth -= 1;
        } else if tag.name == start.name {
            depth += 1;
        }
        if depth == 0 {
            return rest;
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_tidied() {
        for (text, expected) in [
            ("a \r\n\n\n\nb\t\n\n", "a\n\nb\n"),
            ("\n\na", "a\n"),
            ("", ""),
            (" \n ", ""),
            ("  indented\n", "  indented\n"),
            ("a\n\u{a0}\n\nb", "a\n\nb\n"),
        ] {
            assert_eq!(tidy(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_text_part_is_derived() {
        let html = r#"<!DOCTYPE html><html><head><title>No</title><style>p { color: red }</style></head><body>
<div style="display: none; max-height:0"><div>Preview</div>text</div>
<table><tr><td><h1>Hello Zoë</h1><p>Read <a href="https://maison.example/a?b=1&amp;c=2">the news</a> &amp; more.<br>Bye</p></td></tr></table>
<!--[if mso]><p>Outlook</p><![endif]--><p hidden-not="x">End</p></body></html>"#;
        insta::assert_snapshot!(derived(html), @r##"
# Hello Zoë

Read [the news][1] & more.
Bye

End

[1]: https://maison.example/a?b=1&c=2
"##);
        assert_eq!(derived("<div style='display:none'>never ended"), "");
        assert_eq!(derived("a < b"), "a < b\n");
    }
}
