//! Renders mails: what can be prepared is prepared once per campaign, the rest is done per mail.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tera::{Context, Map, Value as TeraValue};

use super::draft::Draft;
use super::locale::{Language, Locale};
use super::plan::{Plan, Wanted};
use super::templates::{Inner, Templates, for_language};
use super::{
    RenderError, RenderInput, RenderSettings, Rendered, TemplateNeeds, encode, failure, limits, rewrite,
    text, values,
};
use crate::dkim::Signer;
use crate::domain::campaign::{Campaign, MailPurpose, Tracking};
use crate::domain::catalogue::Catalogue;
use crate::domain::email::Mailbox;
use crate::domain::json;
use crate::domain::link::LinkNumber;
use crate::domain::name::CampaignName;
use crate::domain::time::Zone;
use crate::domain::value;
use crate::links::Links;

/// Renders mails of a catalogue's campaigns. Clones share everything.
#[derive(Clone)]
pub struct Renderer {
    inner: Arc<Shared>,
}

pub(super) struct Shared {
    templates: Arc<Inner>,
    pub(super) links: Links,
    pub(super) settings: RenderSettings,
    campaigns: BTreeMap<CampaignName, Prepared>,
}

/// A campaign, with what all its mails share as templates find it.
pub(super) struct Prepared {
    pub(super) purpose: MailPurpose,
    pub(super) from: Mailbox,
    pub(super) reply_to: Option<Mailbox>,
    /// Those that sign for its sender.
    pub(super) signers: Vec<Signer>,
    parameters: rewrite::Parameters,
    /// Addresses that are the same in all mails.
    common: HashSet<String>,
    data: TeraValue,
    sender: TeraValue,
    versions: Vec<PreparedVersion>,
}

struct PreparedVersion {
    label: String,
    template: String,
    campaign: TeraValue,
    /// By language, as in [`super::templates::EmailTemplate`].
    plans: BTreeMap<String, Plan>,
}

impl std::fmt::Debug for Renderer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let campaigns = self.inner.campaigns.keys();
        formatter.debug_struct("Renderer").field("campaigns", &campaigns).finish_non_exhaustive()
    }
}

impl Renderer {
    /// A renderer for the campaigns of `catalogue`.
    pub fn new(templates: Templates, catalogue: &Catalogue, links: Links, settings: RenderSettings) -> Self {
        let mut common = HashSet::new();
        for source in templates.inner.sources.values() {
            rewrite::collect(&source.text, &mut common);
        }
        let prepare = |campaign| prepare(&templates.inner, catalogue, campaign, &settings, &common);
        let campaigns = catalogue.campaigns.iter().map(|(name, campaign)| (name.clone(), prepare(campaign)));
        let campaigns = campaigns.collect();
        let inner = Shared { templates: templates.inner, links, settings, campaigns };
        Self { inner: Arc::new(inner) }
    }

    /// What a campaign's templates read, over all its versions and their languages; nothing for a
    /// campaign that is not in the catalogue.
    pub fn needs(&self, campaign: &CampaignName) -> TemplateNeeds {
        let mut needs = TemplateNeeds::default();
        let versions = self.inner.campaigns.get(campaign).map_or(&[][..], |campaign| &campaign.versions);
        for plan in versions.iter().flat_map(|version| version.plans.values()) {
            needs.attributes.extend(plan.wanted.attributes.iter().map(|attribute| attribute.name.clone()));
            needs.traits.extend(plan.wanted.traits.iter().map(|(name, _)| name.clone()));
            needs.scores.extend(plan.wanted.scores.iter().map(|score| score.name.clone()));
        }
        needs
    }

    /// Makes a mail whose links have the numbers that they would get first: right but for rare
    /// collisions, so for looking at. What is sent is [`draft`](Self::draft)ed.
    pub fn render(&self, input: &RenderInput<'_>) -> Result<Rendered, RenderError> {
        let draft = self.draft(input)?;
        let numbers: Vec<_> =
            draft.urls().iter().map(|url| LinkNumber::first_choice(input.run, url)).collect();
        Ok(draft.finish(&numbers))
    }

    /// Makes a mail as far as it goes before its links have numbers. Pure: the same input makes the same
    /// bytes.
    pub fn draft<'a>(&'a self, input: &RenderInput<'a>) -> Result<Draft<'a>, RenderError> {
        let shared = &*self.inner;
        let campaign = shared
            .campaigns
            .get(input.campaign)
            .ok_or_else(|| RenderError::UnknownCampaign(input.campaign.clone()))?;
        let version =
            campaign.versions.iter().find(|version| version.label == input.version).ok_or_else(|| {
                RenderError::UnknownVersion {
                    campaign: input.campaign.clone(),
                    label: input.version.to_owned(),
                }
            })?;
        let (language, plan) = for_language(&version.plans, input.contact.language)
            .ok_or_else(|| RenderError::UnknownTemplate(version.template.clone()))?;

        let zone =
            input.contact.time_zone.and_then(|name| name.parse().ok()).unwrap_or(shared.settings.time_zone);
        let tag = input.contact.language.filter(|tag| Language::of(tag).is_some()).unwrap_or(language);
        let locale = Locale { language: Language::of(tag).unwrap_or(Locale::PLAIN.language), zone };
        let mut context = Context::new();
        context.insert_value("contact", contact(input, &plan.wanted, zone, shared.settings.time_zone));
        context.insert_value("traits", traits(input, &plan.wanted, zone));
        context.insert_value("scores", scores(input, &plan.wanted));
        context.insert_value("data", campaign.data.clone());
        context.insert_value("campaign", version.campaign.clone());
        context.insert_value("sender", campaign.sender.clone());
        context.insert_value("links", addresses(&shared.links, input));
        context.insert_value("now", values::of_instant(input.now, zone));

        let subject = encode::one_line(&shared.part(&plan.subject, &context, locale)?);
        if subject.is_empty() {
            return Err(failure::empty_subject(&shared.templates, &plan.subject));
        }
        let html = shared.part(&plan.html, &context, locale)?;
        let text = match &plan.text {
            Some(name) => text::tidy(&shared.part(name, &context, locale)?),
            None => text::derived(&html),
        };
        // Mail that is owed to somebody is not tracked, whoever asks for it.
        let tracking = match campaign.purpose {
            MailPurpose::Marketing => input.tracking,
            MailPurpose::Transactional => Tracking::None,
        };
        let rules = rewrite::Rules {
            tracking,
            parameters: &campaign.parameters,
            common: &campaign.common,
            links: &shared.links,
        };
        let found = rewrite::find(&html, rules);
        Ok(Draft { shared, campaign, input: *input, tracking, language, subject, html, text, found })
    }
}

impl Shared {
    fn part(&self, name: &str, context: &Context, locale: Locale) -> Result<String, RenderError> {
        limits::begin_part(locale);
        let mut output = limits::Capped::new();
        self.templates
            .tera
            .render_to(name, context, &mut output)
            .map_err(|error| failure::of(&self.templates, name, &error))?;
        // Templates and values are texts, so the output is one.
        String::from_utf8(output.bytes).map_err(|_| RenderError::UnknownTemplate(name.to_owned()))
    }
}

fn prepare(
    templates: &Inner,
    catalogue: &Catalogue,
    campaign: &Campaign,
    settings: &RenderSettings,
    common: &HashSet<String>,
) -> Prepared {
    let mut common = common.clone();
    campaign.data.values().for_each(|value| rewrite::collect_from_data(value, &mut common));
    let versions = campaign.versions.iter().map(|version| {
        let plans =
            templates.emails.get(&version.template).map(|email| Plan::all(templates, catalogue, email));
        PreparedVersion {
            label: version.label.clone(),
            template: version.template.clone(),
            campaign: campaign_value(campaign, &version.label),
            plans: plans.unwrap_or_default(),
        }
    });
    let from = &campaign.from;
    let name = from.name.clone().unwrap_or_else(|| from.address.as_str().to_owned());
    let sender = [
        ("name", TeraValue::from(name)),
        ("email", TeraValue::from(from.address.as_str())),
        ("postal_address", TeraValue::from(settings.postal_address.as_str())),
    ];
    Prepared {
        purpose: campaign.purpose,
        from: from.clone(),
        reply_to: campaign.reply_to.clone(),
        signers: settings.signers.iter().filter(|signer| signer.signs_for(&from.address)).cloned().collect(),
        parameters: rewrite::Parameters::of(&campaign.utm),
        common,
        data: TeraValue::from_serializable(&campaign.data),
        sender: map(sender),
        versions: versions.collect(),
    }
}

fn campaign_value(campaign: &Campaign, label: &str) -> TeraValue {
    let mut entries = vec![
        ("name", TeraValue::from(campaign.name.as_str())),
        ("purpose", TeraValue::from(campaign.purpose.word())),
        ("version", TeraValue::from(label)),
    ];
    if let Some(description) = &campaign.description {
        entries.push(("description", TeraValue::from(description.as_str())));
    }
    map(entries)
}

fn map(entries: impl IntoIterator<Item = (&'static str, TeraValue)>) -> TeraValue {
    entries.into_iter().map(|(key, value)| (key.into(), value)).collect::<Map>().into()
}

/// What a template reads of the contact; what is missing is undefined. Instants are shown in `zone`; local times
/// among the attributes are those of the `installation`.
fn contact(input: &RenderInput<'_>, wanted: &Wanted, zone: Zone, installation: Zone) -> TeraValue {
    let contact = input.contact;
    let mut values = Map::with_capacity(wanted.attributes.len() + wanted.built_in.len());
    for name in &wanted.built_in {
        let value = match *name {
            "id" => contact.external_id.map(TeraValue::from),
            "email" => Some(TeraValue::from(input.recipient.as_str())),
            "time_zone" => contact.time_zone.map(TeraValue::from),
            "language" => contact.language.map(TeraValue::from),
            _ => Some(values::of_instant(contact.created_at, zone)),
        };
        if let Some(value) = value {
            values.insert((*name).into(), value);
        }
    }
    if wanted.attributes.is_empty() {
        return values.into();
    }
    for (key, token) in json::members(contact.attributes) {
        for attribute in wanted.attributes.iter().filter(|attribute| key.is(&attribute.wire_name)) {
            match value::of_token(attribute.value_type, token, installation) {
                Some(value) => values.insert(attribute.key.clone(), values::of_value(&value, zone)),
                None => values.shift_remove(&attribute.key),
            };
        }
    }
    values.into()
}

fn traits(input: &RenderInput<'_>, wanted: &Wanted, zone: Zone) -> TeraValue {
    let mut values = Map::with_capacity(wanted.traits.len());
    for (name, key) in &wanted.traits {
        let index = input.trait_names.iter().position(|known| known == name);
        if let Some(Some(value)) = index.and_then(|index| input.trait_values.get(index)) {
            values.insert(key.clone(), values::of_value(value, zone));
        }
    }
    values.into()
}

fn scores(input: &RenderInput<'_>, wanted: &Wanted) -> TeraValue {
    let mut values = Map::with_capacity(2 * wanted.scores.len());
    for score in &wanted.scores {
        let index = input.score_names.iter().position(|known| *known == score.name);
        let Some(Some(found)) = index.and_then(|index| input.score_values.get(index)) else { continue };
        values.insert(score.key.clone(), values::of_score(found.value));
        let level = found.level.and_then(|level| score.levels.get(level));
        if let (Some(key), Some(level)) = (&score.level_key, level) {
            values.insert(key.clone(), TeraValue::from(level.as_str()));
        }
    }
    values.into()
}

fn addresses(links: &Links, input: &RenderInput<'_>) -> TeraValue {
    map([
        ("unsubscribe", TeraValue::from(links.unsubscribe(input.delivery))),
        ("preferences", TeraValue::from(links.preferences(input.delivery))),
    ])
}

/// What every contact has without declaring it, as templates name it.
pub(super) const BUILT_IN: [&str; 5] = ["id", "email", "time_zone", "language", "created_at"];
