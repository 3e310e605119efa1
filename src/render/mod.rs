//! Contact + template to an e-mail: a message ready for the wire.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Place, Problem, Sources};
use crate::domain::address::EmailAddress;
use crate::domain::campaign::Campaign;
use crate::domain::catalogue::Catalogue;
use crate::domain::contact::ContactView;
use crate::domain::delivery::DeliveryId;
use crate::domain::email::Email;
use crate::domain::name::{AttributeName, CampaignName, TraitName};
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::Value;
use crate::links::Links;

/// All templates of a project, compiled. Clones share them.
#[derive(Debug, Clone)]
pub struct Templates;

/// What was read of a project's templates.
#[derive(Debug, Clone)]
pub struct LoadedTemplates {
    /// Those that compile.
    pub templates: Templates,
    /// What is wrong with the others, sorted.
    pub problems: Vec<Problem>,
    /// The texts of the files, for [`crate::diagnostic::text::render`].
    pub sources: Sources,
}

/// A file below `templates/`.
#[derive(Debug, Clone)]
pub struct TemplateFile {
    /// Its name relative to `templates/`, with slashes: `vip_discount/body.fr.html`.
    pub name: Arc<str>,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Templates {
    /// Reads all files below `templates/` of a project folder.
    pub fn load(_project: &Path) -> LoadedTemplates {
        todo!()
    }

    /// Compiles files that are at hand.
    pub fn read(_files: &[TemplateFile]) -> LoadedTemplates {
        todo!()
    }
}

/// The installation's part of every mail.
#[derive(Debug, Clone)]
pub struct RenderSettings {
    /// The sender's postal address, which marketing mail must carry.
    pub postal_address: String,
    /// The zone of contacts without one.
    pub time_zone: Zone,
}

/// Which facts a campaign's templates read: the engine computes just those.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateNeeds {
    /// Declared attributes.
    pub attributes: BTreeSet<AttributeName>,
    /// Traits.
    pub traits: BTreeSet<TraitName>,
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
    /// For whom.
    pub contact: &'a ContactView<'a>,
    /// The address to send to.
    pub recipient: &'a EmailAddress,
    /// Names of the traits that were computed …
    pub trait_names: &'a [TraitName],
    /// … and their values, in the same order.
    pub trait_values: &'a [Option<Value>],
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
    /// The HTML part.
    pub html: String,
    /// The text part.
    pub text: String,
    /// The language version that was chosen; `None` for the default.
    pub language: Option<String>,
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
    #[error("render `{0}`: the template is missing or broken; `campaignd check` says more")]
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

/// Renders mails of a catalogue's campaigns. Clones share everything.
#[derive(Debug, Clone)]
pub struct Renderer;

impl Renderer {
    /// A renderer for the campaigns of `catalogue`.
    pub fn new(
        _templates: Templates,
        _catalogue: &Catalogue,
        _links: Links,
        _settings: RenderSettings,
    ) -> Self {
        todo!()
    }

    /// What a campaign's templates read, over all its versions and their languages.
    pub fn needs(&self, _campaign: &CampaignName) -> TemplateNeeds {
        todo!()
    }

    /// Makes a mail. Pure: the same input makes the same bytes.
    pub fn render(&self, _input: &RenderInput<'_>) -> Result<Rendered, RenderError> {
        todo!()
    }
}

/// Holds the templates of all campaigns against what is declared. `place_of` tells where a key
/// stands, by its dotted path (`campaigns.vip_discount.template`).
pub fn check(
    _templates: &Templates,
    _catalogue: &Catalogue,
    _settings: &RenderSettings,
    _place_of: &dyn Fn(&str) -> Option<Place>,
) -> Vec<Problem> {
    todo!()
}

/// An attribute that a campaign's templates use without a default: contacts that lack it are not
/// mailed. With a database at hand, `check` says how many of the audience they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Required {
    /// The attribute.
    pub attribute: AttributeName,
    /// Where it is used.
    pub place: Place,
}

/// The attributes that a campaign's templates use without a default.
pub fn required(_templates: &Templates, _campaign: &Campaign) -> Vec<Required> {
    todo!()
}
