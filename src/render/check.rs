//! Holds the templates of all campaigns against what is declared, and renders each once as a sample.

use std::collections::BTreeSet;

use super::templates::{EmailTemplate, Inner, Templates};
use super::uses::{self, Use};
use super::{Needed, RenderSettings, Required, names, plan, sample};
use crate::diagnostic::{self, Place, Problem, did_you_mean};
use crate::domain::campaign::{Campaign, MailPurpose, Version};
use crate::domain::catalogue::Catalogue;
use crate::domain::name::{AttributeName, TraitName};

/// Holds the templates of all campaigns against what is declared. `place_of` tells where a key
/// stands, by its dotted path (`campaigns.vip_discount.template`). Problems of templates that did not
/// compile are not repeated.
pub fn check(
    templates: &Templates,
    catalogue: &Catalogue,
    settings: &RenderSettings,
    place_of: &dyn Fn(&str) -> Option<Place>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let marketing = |campaign: &&Campaign| campaign.purpose == MailPurpose::Marketing;
    if settings.postal_address.trim().is_empty() && catalogue.campaigns.values().any(|one| marketing(&one)) {
        let message = "marketing mail must carry the sender's postal address, and there is none";
        problems.push(
            Problem::error("missing-postal-address", message, Place::file("campaignd.yaml"))
                .hint("write it under `sender: { postal_address: … }`"),
        );
    }
    for campaign in catalogue.campaigns.values() {
        for (index, version) in campaign.versions.iter().enumerate() {
            let place = template_place(campaign, index, place_of);
            problems.append(&mut version_problems(templates, catalogue, campaign, version, settings, &place));
        }
    }
    diagnostic::sort(&mut problems);
    problems
}

fn template_place(campaign: &Campaign, index: usize, place_of: &dyn Fn(&str) -> Option<Place>) -> Place {
    let name = &campaign.name;
    let path = if campaign.versions.len() == 1 && campaign.versions[0].label == "default" {
        format!("campaigns.{name}.template")
    } else {
        format!("campaigns.{name}.versions.{index}.template")
    };
    place_of(&path).unwrap_or_else(|| Place::file("campaigns"))
}

fn version_problems(
    templates: &Templates,
    catalogue: &Catalogue,
    campaign: &Campaign,
    version: &Version,
    settings: &RenderSettings,
    place: &Place,
) -> Vec<Problem> {
    let inner = &*templates.inner;
    let Some(email) = inner.emails.get(&version.template) else {
        if inner.broken.contains(&version.template) {
            return Vec::new();
        }
        let hint = did_you_mean(&version.template, templates.names()).unwrap_or_else(|| {
            format!("make the folder templates/{} with subject.txt, body.html and body.txt", version.template)
        });
        let message = format!("there is no template `{}`", version.template);
        return vec![Problem::error("unknown-template", message, place.clone()).hint(hint)];
    };
    if inner.broken.contains(&version.template) {
        return Vec::new();
    }
    let mut problems = missing_files(&version.template, email, inner, place);
    if problems.iter().any(Problem::is_error) {
        return problems;
    }
    for language in email.keys() {
        let Some((subject, html, text)) = plan::files(email, language) else { continue };
        let parts = [Some(&subject), Some(&html), text.as_ref()];
        let mut found: Vec<Problem> = parts
            .into_iter()
            .flatten()
            .flat_map(|name| uses::of(inner, name))
            .filter_map(|one| names::problem(&one, catalogue, campaign))
            .collect();
        if found.is_empty() {
            found = sample::problems(templates, catalogue, campaign, version, language, settings);
        }
        problems.append(&mut found);
    }
    problems
}

fn missing_files(name: &str, email: &EmailTemplate, inner: &Inner, place: &Place) -> Vec<Problem> {
    let mut problems = Vec::new();
    let default = email.get("").cloned().unwrap_or_default();
    for (part, file) in [(&default.subject, "subject.txt"), (&default.html, "body.html")] {
        if part.is_none() {
            let message = format!("the template `{name}` has no {file}");
            let problem = Problem::error("missing-template-file", message, place.clone());
            problems.push(problem.hint(format!("write templates/{name}/{file}")));
        }
    }
    for (language, parts) in email.iter().filter(|(language, _)| !language.is_empty()) {
        let own = [&parts.subject, &parts.html, &parts.text].into_iter().flatten().next();
        for (part, file) in [(&parts.subject, "subject"), (&parts.html, "body")] {
            let extension = if file == "body" { "html" } else { "txt" };
            if part.is_none()
                && let Some(source) = own.and_then(|own| inner.sources.get(own))
            {
                let message = format!(
                    "the language version `{language}` of `{name}` has no {file}.{language}.{extension}: it takes the default's"
                );
                let place = Place::file(source.file.clone());
                problems.push(Problem::warning("incomplete-language", message, place));
            }
        }
    }
    problems
}

/// The attributes and traits that a campaign's templates use without a default: contacts that lack one are
/// not mailed. One place each.
pub fn required(templates: &Templates, catalogue: &Catalogue, campaign: &Campaign) -> Vec<Required> {
    let inner = &*templates.inner;
    let mut seen = BTreeSet::new();
    let mut required = Vec::new();
    let emails = campaign.versions.iter().filter_map(|version| inner.emails.get(&version.template));
    for (email, language) in emails.flat_map(|email| email.keys().map(move |language| (email, language))) {
        let Some((subject, html, text)) = plan::files(email, language) else { continue };
        for one in [Some(subject), Some(html), text].iter().flatten().flat_map(|name| uses::of(inner, name)) {
            let Some(needed) = needed(&one, catalogue) else { continue };
            if seen.insert(needed.clone()) {
                let at = one.places.iter().flatten().next_back().cloned().unwrap_or_default();
                required.push(Required { needed, place: one.source.place(at) });
            }
        }
    }
    required
}

fn needed(one: &Use<'_>, catalogue: &Catalogue) -> Option<Needed> {
    let name = one.field().filter(|_| !one.guarded)?;
    match one.root.as_str() {
        "contact" => {
            let name = AttributeName::parse(name).ok()?;
            catalogue.attributes.contains_key(&name).then_some(Needed::Attribute(name))
        }
        "traits" => {
            let name = TraitName::parse(name).ok()?;
            catalogue.traits.contains_key(&name).then_some(Needed::Trait(name))
        }
        _ => None,
    }
}
