//! Contact + template to an e-mail: a message ready for the wire. Not: whether it may be sent, or how.
//!
//! ```text
//! templates/ ──▶ Templates (compiled once) ──▶ check: every name held against what is declared
//!                     │
//!                     ▼
//! Catalogue ──▶ Renderer ──▶ draft(contact, traits, delivery) ──▶ subject, HTML, text, addresses of links
//!                                                                           │ their numbers
//!                                                                           ▼
//!                                                             links and pixel ──▶ message
//! ```
//!
//! | file | what |
//! |---|---|
//! | `templates`, `source` | reads and compiles `templates/`; language versions |
//! | `outline`, `uses` | which names a template reads, also in branches not taken |
//! | [`mod@check`], `names`, `sample` | holds templates against what is declared |
//! | `plan`, `renderer`, `values`, `draft` | what can be done once per campaign; one mail |
//! | `rewrite` | signed links, the pixel, parameters of `utm` |
//! | `filters`, `dates`, `money`, `locale` | dates and amounts as people write them |
//! | `limits` | bounds on output and work |
//! | `text`, `encode`, `message` | text parts; encodings; headers and parts |
//! | `places`, `failure` | errors at the user's own line |
//!
//! Templates find:
//!
//! | name | what |
//! |---|---|
//! | `contact` | declared attributes under their declared names; `id`, `email`, `time_zone`, `language`, `created_at` |
//! | `traits` | declared traits |
//! | `data` | the campaign's `data` |
//! | `campaign` | `name`, `description`, `purpose`, `version` |
//! | `links` | `unsubscribe`, `preferences` |
//! | `sender` | `name`, `email`, `postal_address` |
//! | `now` | the instant of rendering, in the contact's zone |
//!
//! What a contact lacks is undefined: an error, unless the template says what to write instead.

use std::collections::BTreeSet;
use std::fmt;

use crate::diagnostic::Place;
use crate::dkim::Signer;
use crate::domain::address::EmailAddress;
use crate::domain::campaign::Tracking;
use crate::domain::contact::ContactView;
use crate::domain::delivery::{DeliveryId, RunId};
use crate::domain::email::Email;
use crate::domain::name::{AttributeName, CampaignName, ScoreName, TraitName};
use crate::domain::score::ScoreValue;
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::Value;

mod check;
mod dates;
mod draft;
mod encode;
mod failure;
mod filters;
mod limits;
mod locale;
mod message;
mod money;
mod names;
mod outline;
mod places;
mod plan;
mod renderer;
mod rewrite;
mod sample;
mod source;
mod templates;
mod text;
mod uses;
mod values;

pub use check::{check, required};
pub use draft::Draft;
pub use renderer::Renderer;
pub use templates::{LoadedTemplates, TemplateFile, Templates};

/// The installation's part of every mail.
#[derive(Debug, Clone)]
pub struct RenderSettings {
    /// The sender's postal address, which marketing mail must carry.
    pub postal_address: String,
    /// Where what cannot be delivered comes back to; the sender where there is none.
    pub bounces: Option<EmailAddress>,
    /// The zone of contacts without one.
    pub time_zone: Zone,
    /// Who signs; each the mails of its domain.
    pub signers: Vec<Signer>,
}

/// Which facts a campaign's templates read: the engine computes just those.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateNeeds {
    /// Declared attributes.
    pub attributes: BTreeSet<AttributeName>,
    /// Traits.
    pub traits: BTreeSet<TraitName>,
    /// Scores.
    pub scores: BTreeSet<ScoreName>,
}

/// One mail to be made.
#[derive(Debug, Clone, Copy)]
pub struct RenderInput<'a> {
    /// The campaign.
    pub campaign: &'a CampaignName,
    /// The label of the version ([`crate::domain::campaign::Version::label`]).
    pub version: &'a str,
    /// The delivery: links and Message-ID are made from it.
    pub delivery: DeliveryId,
    /// Its run.
    pub run: RunId,
    /// What of its opens and clicks may be recorded.
    pub tracking: Tracking,
    /// For whom.
    pub contact: &'a ContactView<'a>,
    /// The address to send to.
    pub recipient: &'a EmailAddress,
    /// Names of the traits that were computed …
    pub trait_names: &'a [TraitName],
    /// … and their values, in the same order.
    pub trait_values: &'a [Option<Value>],
    /// Names of the scores that were computed …
    pub score_names: &'a [ScoreName],
    /// … and their values, in the same order.
    pub score_values: &'a [Option<ScoreValue>],
    /// `Date`: when the delivery was first claimed; the same at every try.
    pub date: Timestamp,
    /// What templates find as `now`.
    pub now: Timestamp,
}

/// A mail, and what it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Ready for the wire.
    pub email: Email,
    /// SHA-256 of its bytes.
    pub content_hash: [u8; 32],
    /// The subject.
    pub subject: String,
    /// The HTML part, as it is sent.
    pub html: String,
    /// The text part.
    pub text: String,
    /// The language version that was chosen; `None` for the default.
    pub language: Option<String>,
    /// What of its opens and clicks can be recorded.
    pub tracking: Tracking,
}

/// Why a mail could not be made. Always final for this content: trying again does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The renderer was made from a catalogue without it.
    #[error("render `{0}`: no such campaign is declared")]
    UnknownCampaign(CampaignName),
    /// The campaign has no version of this label.
    #[error("render `{campaign}`: it has no version `{label}`")]
    UnknownVersion {
        /// The campaign.
        campaign: CampaignName,
        /// The label.
        label: String,
    },
    /// There is no such folder, or it did not compile.
    #[error("render the template `{0}`: it is missing or broken; `campaignd check` says more")]
    UnknownTemplate(String),
    /// The template could not be rendered for this contact.
    #[error("{}:{}:{}: {message}", place.file, place.line, place.column)]
    TemplateFailed {
        /// Where in the template.
        place: Place,
        /// What was undefined, or of the wrong type.
        message: String,
    },
}

/// An attribute or trait that a campaign's templates use without a default: contacts that lack it are not
/// mailed. With a database at hand, `check` says how many of the audience they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Required {
    /// What it is.
    pub needed: Needed,
    /// Where it is used.
    pub place: Place,
}

/// What a template cannot do without. Its text is what the template calls it: `contact.first_name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needed {
    /// An attribute.
    Attribute(AttributeName),
    /// A trait.
    Trait(TraitName),
}

impl fmt::Display for Needed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(name) => write!(formatter, "contact.{name}"),
            Self::Trait(name) => write!(formatter, "traits.{name}"),
        }
    }
}
