//! The report as one HTML page that needs nothing else: no script, no font, no picture from elsewhere.
//! For a marketer: plain words, every rate with its interval, light and dark, on a phone and on paper.

use std::fmt::Write as _;

use super::outcome::Report;
use crate::domain::time::{Timestamp, Zone};
use words::Escaped;

mod campaign;
mod charts;
mod overview;
mod svg;
mod words;

const STYLE: &str = include_str!("page.css");

/// What a browser may do with the page: nothing but its own style.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How a page is to look, and what stands at its head.
#[derive(Debug, Clone)]
pub struct HtmlStyle {
    /// As of when.
    pub at: Timestamp,
    /// The zone in which times are shown.
    pub time_zone: Zone,
    /// Whose campaigns they are.
    pub sender: String,
    /// The folder into which mails are written, where nobody is mailed.
    pub folder: Option<String>,
    /// Which page of how many.
    pub extent: Extent,
}

/// Which page of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Everything in one file.
    File,
    /// All campaigns; each has a page of its own at `campaigns/NAME`.
    Overview,
    /// One campaign; all of them are at `../`.
    Campaign,
}

impl Report {
    /// The report as a page.
    pub fn to_html(&self, style: &HtmlStyle) -> String {
        let mut text = String::with_capacity(64 * 1024);
        let one =
            self.campaigns.first().filter(|_| self.campaigns.len() == 1 && style.extent != Extent::Overview);
        let title = one.map_or("Campaigns", |campaign| campaign.name.as_str());
        let _ = write!(
            text,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{} – {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
            Escaped(title),
            Escaped(&style.sender),
        );
        self.head(&mut text, style, one.is_some());
        text.push_str("<main>\n");
        match one {
            _ if self.campaigns.is_empty() => nothing_yet(&mut text),
            Some(campaign) => campaign::push(&mut text, campaign, style, campaign::Head::OnThePage),
            None => {
                overview::push(&mut text, self, style);
                if style.extent == Extent::File {
                    for campaign in &self.campaigns {
                        campaign::push(&mut text, campaign, style, campaign::Head::Own);
                    }
                }
            }
        }
        if self.outcome().engagement.mails.all() > 0 {
            how_to_read(&mut text);
        }
        let _ = write!(
            text,
            "</main>\n<footer><p>Made by campaignd. Times are those of {}.</p></footer>\n</body>\n</html>\n",
            Escaped(style.time_zone.name()),
        );
        text
    }

    fn head(&self, text: &mut String, style: &HtmlStyle, one: bool) {
        let heading = match self.campaigns.first() {
            Some(campaign) if one => campaign.name.as_str(),
            _ => "How the campaigns are doing",
        };
        let _ = write!(
            text,
            "<header>\n<p class=\"quiet small\">{} · as of {}</p>\n<h1>{}</h1>\n",
            Escaped(&style.sender),
            words::time(style.at, style.time_zone),
            Escaped(heading),
        );
        match style.extent {
            Extent::Campaign => text.push_str("<nav><a href=\"../\">← All campaigns</a></nav>\n"),
            Extent::File if !one && self.campaigns.len() > 1 => {
                text.push_str("<nav>");
                for campaign in &self.campaigns {
                    let name = Escaped(campaign.name.as_str());
                    let _ = write!(text, "<a href=\"#{name}\">{name}</a> ");
                }
                text.push_str("</nav>\n");
            }
            _ => {}
        }
        if let Some(folder) = &style.folder {
            let _ = writeln!(
                text,
                "<p class=\"notice\"><strong>Nobody is being mailed.</strong> Mails are written into the folder \
                 <code>{}</code> until the settings name a mail server.</p>",
                Escaped(folder),
            );
        }
        text.push_str("</header>\n");
    }
}

fn nothing_yet(text: &mut String) {
    text.push_str(
        "<section class=\"card\"><h2>No campaign has run yet</h2>\n<p class=\"about quiet\">As soon as the first one has, \
         this page says who got it, who did not and why, and what came of it.</p></section>\n",
    );
}

fn how_to_read(text: &mut String) {
    text.push_str("<section class=\"card\"><h2>How to read this</h2>\n<p class=\"about\"></p>\n<dl>\n");
    for (term, meaning) in [
        (
            "Mails",
            "Mails that the mail server took. Whether each reached an inbox, nobody can see from here.",
        ),
        (
            "Opened",
            "The mail’s invisible picture was fetched by a person, also through a service that hides them \
             (Gmail’s). Who reads with pictures off is not counted, so the true number is higher.",
        ),
        ("Clicked", "A person followed a link. Each mail counts once, however often."),
        (
            "Machines",
            "Programs that look at mail before anybody does: virus scanners that follow every link, Apple’s \
             fetching in advance. They are in no rate.",
        ),
        ("Unknown", "It could have been either. In no rate, too: rates say at least."),
        (
            "a to b %",
            "A rate comes from some people, and others could have got the mail. In 95 of 100 such reports the true \
             rate lies between a and b (Wilson 1927). Where two of these ranges overlap widely, the difference \
             between two numbers may be chance.",
        ),
        (
            "Tracked",
            "Rates of opens and clicks are of mails to people who agreed to be tracked; of the others nothing is \
             recorded. Unsubscribes are of all mails.",
        ),
    ] {
        let _ = writeln!(text, "<dt>{term}</dt><dd>{meaning}</dd>");
    }
    text.push_str("</dl></section>\n");
}
