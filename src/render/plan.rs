//! How one language version of an e-mail is rendered: its files, and which facts they read.

use std::collections::BTreeMap;

use tera::value::Key;

use super::names;
use super::renderer::BUILT_IN;
use super::templates::{EmailTemplate, Inner};
use super::uses::{self, Use};
use crate::domain::catalogue::Catalogue;
use crate::domain::name::{AttributeName, ScoreName, TraitName};
use crate::domain::value::ValueType;

/// The files of one language version, and what they read.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) subject: String,
    pub(super) html: String,
    /// `None`: derived from the HTML.
    pub(super) text: Option<String>,
    pub(super) wanted: Wanted,
}

/// The facts that a version reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) built_in: Vec<&'static str>,
    pub(super) attributes: Vec<WantedAttribute>,
    pub(super) traits: Vec<(TraitName, Key<'static>)>,
    pub(super) scores: Vec<WantedScore>,
}

#[derive(Debug, Clone)]
pub(super) struct WantedAttribute {
    pub(super) name: AttributeName,
    pub(super) key: Key<'static>,
    pub(super) wire_name: String,
    pub(super) value_type: ValueType,
}

/// A score, of which a template may read the value and the level.
#[derive(Debug, Clone)]
pub(super) struct WantedScore {
    pub(super) name: ScoreName,
    pub(super) key: Key<'static>,
    /// `None`: a score of its own has this name.
    pub(super) level_key: Option<Key<'static>>,
    /// The names of its levels.
    pub(super) levels: Vec<String>,
}

impl Plan {
    /// The plans of an e-mail by language; versions without a subject or an HTML part have none.
    pub(super) fn all(
        templates: &Inner,
        catalogue: &Catalogue,
        email: &EmailTemplate,
    ) -> BTreeMap<String, Self> {
        let plan = |language: &String| {
            let (subject, html, text) = files(email, language)?;
            let names = [Some(&subject), Some(&html), text.as_ref()];
            let uses: Vec<_> =
                names.into_iter().flatten().flat_map(|name| uses::of(templates, name)).collect();
            let wanted = Wanted::of(catalogue, &uses);
            Some((language.clone(), Self { subject, html, text, wanted }))
        };
        email.keys().filter_map(plan).collect()
    }
}

/// The subject, HTML and text files of a language version. What it lacks is taken from the default;
/// but a text part is rather derived from its own HTML than taken in another language.
pub(super) fn files(email: &EmailTemplate, language: &str) -> Option<(String, String, Option<String>)> {
    let own = email.get(language)?;
    let default = email.get("");
    let subject = own.subject.clone().or_else(|| default?.subject.clone())?;
    let html = own.html.clone().or_else(|| default?.html.clone())?;
    let text = match (&own.text, &own.html) {
        (Some(text), _) => Some(text.clone()),
        (None, Some(_)) => None,
        (None, None) => default.and_then(|default| default.text.clone()),
    };
    Some((subject, html, text))
}

impl Wanted {
    fn of(catalogue: &Catalogue, uses: &[Use<'_>]) -> Self {
        // `contact` as a whole, or `contact[name]`: anything may be read.
        let whole = |root: &str| uses.iter().any(|one| one.root == root && one.field().is_none());
        let reads =
            |root: &str, field: &str| uses.iter().any(|one| one.root == root && one.field() == Some(field));
        let (all_of_contact, all_traits, all_scores) = (whole("contact"), whole("traits"), whole("scores"));
        let wants = |field: &str| all_of_contact || reads("contact", field);
        let attributes = catalogue.attributes.iter().filter(|(name, _)| wants(name.as_str()));
        let traits = catalogue.traits.keys().filter(|name| all_traits || reads("traits", name.as_str()));
        let wants_score = |name: &ScoreName| {
            all_scores || reads("scores", name.as_str()) || reads("scores", &names::level_of(name))
        };
        let scores = catalogue.scores.iter().filter(|(name, _)| wants_score(name));
        Self {
            built_in: BUILT_IN.into_iter().filter(|name| wants(name)).collect(),
            attributes: attributes
                .map(|(name, attribute)| WantedAttribute {
                    name: name.clone(),
                    key: Key::String(name.as_str().into()),
                    wire_name: attribute.wire_name.clone(),
                    value_type: attribute.value_type,
                })
                .collect(),
            traits: traits.map(|name| (name.clone(), Key::String(name.as_str().into()))).collect(),
            scores: scores
                .map(|(name, score)| {
                    let level = names::level_of(name);
                    let is_free = !catalogue.scores.keys().any(|other| other.as_str() == level);
                    WantedScore {
                        name: name.clone(),
                        key: Key::String(name.as_str().into()),
                        level_key: is_free.then(|| Key::String(level.into())),
                        levels: score.levels.iter().map(|level| level.name.clone()).collect(),
                    }
                })
                .collect(),
        }
    }
}
