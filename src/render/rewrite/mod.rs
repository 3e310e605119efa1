//! Rewrites the links of an HTML part and adds the pixel, in two steps: [`find`] says which addresses need
//! a number, [`Found::apply`] puts the signed addresses in. Nothing but values of `href` changes, and what
//! the campaign and the contact allow decides which:
//!
//! | tracking | links to the web | pixel |
//! |---|---|---|
//! | none | stay | none |
//! | aggregate | those that are the same in all mails: signed for the run | signed for the run |
//! | individual | all, signed for the delivery | signed for the delivery |
//!
//! Addresses that are minted here (to unsubscribe) stay as they are. Parameters of `utm` are added to the
//! others before, in every mode.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::domain::campaign::Tracking;
use crate::domain::link::LinkNumber;
use crate::links::{Links, Subject};

mod common;
mod entities;
mod markup;
mod target;

pub(super) use common::{collect, collect_from_data};
pub(super) use target::Parameters;

/// What decides which links are rewritten.
#[derive(Clone, Copy)]
pub(super) struct Rules<'r> {
    pub(super) tracking: Tracking,
    pub(super) parameters: &'r Parameters,
    /// Addresses that are the same in all mails.
    pub(super) common: &'r HashSet<String>,
    pub(super) links: &'r Links,
}

/// What is to be rewritten.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The addresses that need a number, each once, in their order.
    pub(super) urls: Vec<String>,
    edits: Vec<Edit>,
    /// Where the pixel goes.
    pixel: Option<usize>,
}

/// A value of `href` that becomes another.
#[derive(Debug)]
struct Edit {
    value: Range<usize>,
    quoted: bool,
    target: Target,
}

#[derive(Debug)]
enum Target {
    /// A signed address that leads to this one of [`Found::urls`].
    Link(usize),
    /// Another address.
    Address(String),
}

/// Finds what is to be rewritten.
pub(super) fn find(html: &str, rules: Rules<'_>) -> Found {
    let mut found = Found::default();
    if rules.tracking == Tracking::None && rules.parameters.is_empty() {
        return found;
    }
    let markup = markup::read(html);
    if rules.tracking != Tracking::None {
        found.pixel = Some(markup.body_end.unwrap_or(html.len()));
    }
    let mut known: HashMap<String, usize> = HashMap::new();
    for href in markup.hrefs {
        let value = entities::decode(&html[href.value.clone()]);
        let Some(address) = target::web_address(&value).filter(|address| !rules.links.is_own(address)) else {
            continue;
        };
        let tracked = match rules.tracking {
            Tracking::None => false,
            Tracking::Aggregate => rules.common.contains(&*address),
            Tracking::Individual => true,
        };
        let with_parameters = rules.parameters.added_to(&address);
        let target = if tracked {
            let url = with_parameters.unwrap_or_else(|| address.into_owned());
            let urls = &mut found.urls;
            let index = *known.entry(url).or_insert_with_key(|url| {
                urls.push(url.clone());
                urls.len() - 1
            });
            Target::Link(index)
        } else if let Some(address) = with_parameters {
            Target::Address(address)
        } else {
            continue;
        };
        found.edits.push(Edit { value: href.value, quoted: href.quoted, target });
    }
    found
}

impl Found {
    /// The HTML part with signed addresses and the pixel; `numbers` are those of [`urls`](Self::urls).
    pub(super) fn apply(
        &self,
        html: String,
        links: &Links,
        subject: Subject,
        numbers: &[LinkNumber],
    ) -> String {
        if self.edits.is_empty() && self.pixel.is_none() {
            return html;
        }
        let mut rewritten = String::with_capacity(html.len() + 128 * (self.edits.len() + 1));
        let mut copied = 0;
        let mut pixel = self.pixel;
        for edit in &self.edits {
            let address = match &edit.target {
                Target::Link(index) => match numbers.get(*index) {
                    Some(number) => links.click(subject, *number),
                    // Without a number it stays as it is.
                    None => continue,
                },
                Target::Address(address) => address.clone(),
            };
            if let Some(at) = pixel.take_if(|at| *at <= edit.value.start) {
                rewritten.push_str(&html[copied..at]);
                push_pixel(&links.open(subject), &mut rewritten);
                copied = at;
            }
            rewritten.push_str(&html[copied..edit.value.start]);
            let quotes = if edit.quoted { "" } else { "\"" };
            for part in [quotes, &entities::encode(&address), quotes] {
                rewritten.push_str(part);
            }
            copied = edit.value.end;
        }
        if let Some(at) = pixel {
            rewritten.push_str(&html[copied..at]);
            push_pixel(&links.open(subject), &mut rewritten);
            copied = at;
        }
        rewritten.push_str(&html[copied..]);
        rewritten
    }
}

/// A picture of one transparent point.
fn push_pixel(address: &str, html: &mut String) {
    html.push_str("<img src=\"");
    html.push_str(&entities::encode(address));
    html.push_str("\" alt=\"\" width=\"1\" height=\"1\" style=\"display:block; border:0;\">");
}

#[cfg(test)]
mod tests;
