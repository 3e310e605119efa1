//! A mail between its rendering and its bytes: its links are known, their numbers are not.

use sha2::{Digest as _, Sha256};

use super::message::{self, Parts};
use super::renderer::{Prepared, Shared};
use super::{RenderInput, Rendered, rewrite};
use crate::dkim;
use crate::domain::campaign::Tracking;
use crate::domain::link::LinkNumber;
use crate::links::Subject;

/// A mail whose links have no numbers yet: its renderer knows no database.
pub struct Draft<'a> {
    pub(super) shared: &'a Shared,
    pub(super) campaign: &'a Prepared,
    pub(super) input: RenderInput<'a>,
    pub(super) tracking: Tracking,
    pub(super) language: &'a str,
    pub(super) subject: String,
    pub(super) html: String,
    pub(super) text: String,
    pub(super) found: rewrite::Found,
}

impl std::fmt::Debug for Draft<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Draft").field("delivery", &self.input.delivery).finish_non_exhaustive()
    }
}

impl Draft<'_> {
    /// The addresses that need a number, each once. They are the run's: the same address in another mail
    /// of it has the same number.
    pub fn urls(&self) -> &[String] {
        &self.found.urls
    }

    /// Writes the mail; `numbers` are those of [`urls`](Self::urls), in their order.
    pub fn finish(self, numbers: &[LinkNumber]) -> Rendered {
        let Self { shared, campaign, input, tracking, language, subject, html, text, found } = self;
        let subject_of_links = match tracking {
            Tracking::Aggregate => Subject::Run(input.run),
            Tracking::None | Tracking::Individual => Subject::Delivery(input.delivery),
        };
        let html = found.apply(html, &shared.links, subject_of_links, numbers);
        let parts = Parts {
            campaign: input.campaign.as_str(),
            version: input.version,
            purpose: campaign.purpose,
            from: &campaign.from,
            reply_to: campaign.reply_to.as_ref(),
            bounces: shared.settings.bounces.as_ref(),
            recipient: input.recipient,
            delivery: input.delivery,
            date: input.date,
            subject: &subject,
            text: &text,
            html: &html,
        };
        let mut email = message::write(&parts, &shared.links);
        // Dated as the mail is: so every try has the same bytes.
        dkim::sign(&mut email.bytes, &campaign.signers, input.date);
        let content_hash = Sha256::digest(&email.bytes).into();
        let language = (!language.is_empty()).then(|| language.to_owned());
        Rendered { email, content_hash, subject, html, text, language, tracking }
    }
}
