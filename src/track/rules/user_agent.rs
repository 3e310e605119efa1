//! What a user agent says of itself.
//!
//! Browsers all say the same few things, in the same order: `Mozilla/5.0`, the platform in parentheses,
//! the engine, and names from a short list. So a browser is recognised by its form, and what departs from
//! it is a program: one that links to a page about itself, has a name of its own, or lies badly. No list of
//! crawlers is needed, which would be old tomorrow.

use super::names::{NAMES, NATIVE, PLATFORM, PROXIES, TALKATIVE, WORDS};

/// What made a request, by its user agent alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// A browser or mail program that people use.
    Browser,
    /// A browser on a phone inside an app that we do not know.
    App,
    /// A proxy that fetches a picture when somebody looks at it.
    Proxy,
    /// One that fetches pictures whether somebody looks or not.
    Prefetch,
    /// No browser.
    Machine,
    /// It does not say.
    Silent,
}

/// What a user agent is.
pub fn program(user_agent: Option<&str>) -> Program {
    let Some(text) = user_agent.map(str::trim).filter(|text| !text.is_empty()) else {
        return Program::Silent;
    };
    if text == "Mozilla/5.0" {
        return Program::Prefetch;
    }
    let text = text.to_ascii_lowercase();
    if PROXIES.iter().any(|proxy| text.contains(proxy)) {
        return Program::Proxy;
    }
    if links_to_itself(&text) || WORDS.iter().any(|word| text.contains(word)) || says_bot(&text) {
        return Program::Machine;
    }
    if !text.starts_with("mozilla/") {
        let is_native = NATIVE.iter().any(|native| text.starts_with(native));
        return if is_native { Program::Browser } else { Program::Machine };
    }
    by_form(&text)
}

/// A page or address to turn to: no browser has one.
fn links_to_itself(text: &str) -> bool {
    ["://", "www.", "@"].iter().any(|sign| text.contains(sign))
}

/// `bot`, but not the phones of that name.
fn says_bot(text: &str) -> bool {
    text.match_indices("bot").any(|(place, _)| !text[..place].ends_with("cu"))
}

/// Whether the parts stand as those of browsers do.
fn by_form(text: &str) -> Program {
    let Some(parts) = Part::all(text) else { return Program::Machine };
    let Some((Part::Word(_), [Part::Comment(platform), rest @ ..])) = parts.split_first() else {
        return Program::Machine;
    };
    let is_phone = ["android", "iphone", "ipad", "ipod"].iter().any(|system| platform.contains(system));
    // What phones are called is anybody's choice, what computers say of themselves is not.
    if !is_phone && !is_computer(platform) {
        return Program::Machine;
    }
    let has_engine = ["gecko", "trident", "msie", "khtml", "applewebkit", "ms-office", "lotus-notes"];
    if !has_engine.iter().any(|engine| text.contains(engine)) {
        return Program::Machine;
    }
    for part in rest {
        match part {
            Part::Comment(comment) if comment.starts_with("khtml") && *comment != "khtml, like gecko" => {
                return Program::Machine;
            }
            Part::Comment(_) | Part::Brackets => {}
            Part::Word(word) => {
                let name = word.split('/').next().unwrap_or_default();
                if is_phone && TALKATIVE.iter().any(|app| name.starts_with(app)) {
                    return Program::Browser;
                }
                let is_version = word.chars().all(|char| char.is_ascii_digit() || char == '.');
                if !is_version && !NAMES.contains(&name) {
                    return if is_phone && name != "mozilla" { Program::App } else { Program::Machine };
                }
            }
        }
    }
    Program::Browser
}

/// Whether a comment says what computers, consoles and screens say of themselves.
fn is_computer(platform: &str) -> bool {
    let elements: Vec<&str> =
        platform.split(';').map(str::trim).filter(|element| !element.is_empty()).collect();
    // "Compatible" with nothing is what crawlers are; old Internet Explorers say with what.
    if elements.first() == Some(&"compatible") {
        let with = ["msie ", "konqueror/", "lotus-notes/", "ms-office"];
        if !elements.iter().any(|element| with.iter().any(|name| element.starts_with(name))) {
            return false;
        }
    }
    elements.iter().all(|element| {
        PLATFORM.iter().any(|known| match *known {
            "u" | "k" => element == known,
            known => element.starts_with(known),
        }) || is_language(element)
    })
}

/// `en`, `fr-FR`.
fn is_language(element: &str) -> bool {
    let (language, region) = element.split_once(['-', '_']).unwrap_or((element, "xx"));
    let is_letters = |text: &str, most| {
        (2..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    is_letters(language, 2) && is_letters(region, 4)
}

/// What a user agent is made of.
#[derive(Debug, PartialEq, Eq)]
enum Part<'t> {
    /// `Chrome/142.0`, and single words.
    Word(&'t str),
    /// What stands in parentheses.
    Comment(&'t str),
    /// What stands in square brackets.
    Brackets,
}

impl<'t> Part<'t> {
    /// All parts; `None` where parentheses do not match.
    fn all(text: &'t str) -> Option<Vec<Self>> {
        let mut parts = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '(' | '[' => closed(rest, first)?,
                _ => rest.find([' ', '\t', '(', '[']).unwrap_or(rest.len()),
            };
            let (part, after) = rest.split_at(length);
            parts.push(match first {
                '(' => Self::Comment(&part[1..part.len() - 1]),
                '[' => Self::Brackets,
                _ => Self::Word(part),
            });
            rest = after.trim_start();
        }
        Some(parts)
    }
}

/// The length of what an opening parenthesis or bracket begins, with both.
fn closed(text: &str, open: char) -> Option<usize> {
    let close = if open == '(' { ')' } else { ']' };
    let mut depth = 0_usize;
    for (place, char) in text.char_indices() {
        if char == open {
            depth += 1;
        } else if char == close {
            depth -= 1;
            if depth == 0 {
                return Some(place + 1);
            }
        }
    }
    None
}
