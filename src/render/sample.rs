//! A sample of each mail: a contact that has everything. It finds what only rendering can: wrong types,
//! and marketing mail that lacks what the law asks for.

use super::renderer::Renderer;
use super::templates::Templates;
use super::{RenderError, RenderInput, RenderSettings, plan, text};
use crate::diagnostic::{Place, Problem};
use crate::domain::address::EmailAddress;
use crate::domain::campaign::{Campaign, MailPurpose, Tracking, Version};
use crate::domain::catalogue::Catalogue;
use crate::domain::consent::Consent;
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::delivery::{DeliveryId, RunId};
use crate::domain::number::Number;
use crate::domain::score::{Score, ScoreValue};
use crate::domain::time::Timestamp;
use crate::domain::value::{Value, ValueType};
use crate::links::{Links, Signer, SigningKey};

/// 2026-06-15T08:00:00Z, a Monday.
const NOW: Timestamp = Timestamp::from_seconds(1_781_510_400);
const DELIVERY: DeliveryId = DeliveryId(1);
/// Stands for the postal address, which may be written over several lines.
const ADDRESS: &str = "sample-postal-address";

/// What is wrong with the sample of one language version.
pub(super) fn problems(
    templates: &Templates,
    catalogue: &Catalogue,
    campaign: &Campaign,
    version: &Version,
    language: &str,
    settings: &RenderSettings,
) -> Vec<Problem> {
    let links = Links::new(
        Signer::new(&SigningKey { id: 0, secret: b"only for samples".to_vec() }, &[]),
        "https://sample.example",
    );
    let mut only = catalogue.clone();
    only.campaigns.retain(|name, _| *name == campaign.name);
    let sampled = RenderSettings { postal_address: ADDRESS.to_owned(), ..settings.clone() };
    let templating = Renderer::new(templates.clone(), &only, links.clone(), sampled);
    let attributes = attributes(catalogue);
    let contact = ContactView {
        id: ContactId(1),
        key: "sample",
        external_id: Some("sample"),
        email: Some("sample@example.org"),
        time_zone: None,
        language: (!language.is_empty()).then_some(language),
        created_at: NOW,
        marketing: Consent::default(),
        tracking: Consent::default(),
        attributes: &attributes,
        named: None,
    };
    let trait_names: Vec<_> = catalogue.traits.keys().cloned().collect();
    let trait_values: Vec<_> =
        catalogue.traits.values().map(|one| Some(value(one.value_type, &[]))).collect();
    let score_names: Vec<_> = catalogue.scores.keys().cloned().collect();
    let score = |score: &Score| ScoreValue { value: 12.5, level: score.levels.first().map(|_| 0) };
    let score_values: Vec<_> = catalogue.scores.values().map(|one| Some(score(one))).collect();
    let Ok(recipient) = EmailAddress::parse("sample@example.org") else { return Vec::new() };
    let rendered = templating.render(&RenderInput {
        campaign: &campaign.name,
        version: &version.label,
        delivery: DELIVERY,
        run: RunId(1),
        tracking: Tracking::None,
        contact: &contact,
        recipient: &recipient,
        trait_names: &trait_names,
        trait_values: &trait_values,
        score_names: &score_names,
        score_values: &score_values,
        date: NOW,
        now: NOW,
    });
    let rendered = match rendered {
        Ok(rendered) => rendered,
        Err(RenderError::TemplateFailed { place, message }) => {
            let message = format!("a sample cannot be rendered: {message}");
            return vec![Problem::error("template-failed", message, place)];
        }
        Err(error) => return vec![Problem::placeless("template-failed", error.to_string())],
    };
    if campaign.purpose == MailPurpose::Transactional {
        return Vec::new();
    }
    let files = templates.inner.emails.get(&version.template).and_then(|email| plan::files(email, language));
    let Some((_, html_file, text_file)) = files else { return Vec::new() };
    let visible = text::without_hidden(&rendered.html);
    let unsubscribe = links.unsubscribe(DELIVERY);
    let in_link = [format!("href=\"{unsubscribe}\""), format!("href='{unsubscribe}'")];
    // The address may also be written by hand.
    let written = settings.postal_address.trim();
    let shows_address = |part: &str| part.contains(ADDRESS) || !written.is_empty() && part.contains(written);
    let place = |name: &String| {
        let source = templates.inner.sources.get(name);
        source.map_or_else(|| Place::file(name.as_str()), |source| Place::file(source.file.clone()))
    };
    let mut problems = Vec::new();
    let mut demand = |met: bool, what: Missing, file: &String| {
        if !met {
            problems.push(Problem::error(what.code, what.message, place(file)).hint(what.hint));
        }
    };
    demand(in_link.iter().any(|link| visible.contains(link)), UNSUBSCRIBE, &html_file);
    demand(shows_address(&visible), POSTAL_ADDRESS, &html_file);
    if let Some(text_file) = &text_file {
        demand(rendered.text.contains(&unsubscribe), UNSUBSCRIBE_IN_TEXT, text_file);
        demand(shows_address(&rendered.text), POSTAL_ADDRESS, text_file);
    }
    problems
}

struct Missing {
    code: &'static str,
    message: &'static str,
    hint: &'static str,
}

const UNSUBSCRIBE: Missing = Missing {
    code: "no-unsubscribe-link",
    message: "marketing mail must have a visible unsubscribe link",
    hint: "write <a href=\"{{ links.unsubscribe }}\">Unsubscribe</a>",
};
const UNSUBSCRIBE_IN_TEXT: Missing = Missing { hint: "write {{ links.unsubscribe }}", ..UNSUBSCRIBE };
const POSTAL_ADDRESS: Missing = Missing {
    code: "no-postal-address",
    message: "marketing mail must show the sender's postal address",
    hint: "write {{ sender.postal_address }}",
};

/// An object with a value for every attribute.
fn attributes(catalogue: &Catalogue) -> String {
    let values = catalogue.attributes.values().map(|attribute| {
        let json = match value(attribute.value_type, &attribute.one_of) {
            Value::Text(text) => serde_json::Value::from(text),
            Value::Number(number) => serde_json::Value::from(number.to_f64()),
            Value::Boolean(boolean) => serde_json::Value::from(boolean),
            Value::Date(date) => serde_json::Value::from(date.to_string()),
            Value::Datetime(at) => serde_json::Value::from(at.to_string()),
            Value::List(items) => serde_json::Value::from(items),
        };
        (attribute.wire_name.clone(), json)
    });
    serde_json::Value::Object(values.collect()).to_string()
}

fn value(value_type: ValueType, one_of: &[String]) -> Value {
    let text = one_of.first().cloned().unwrap_or_else(|| "sample".to_owned());
    match value_type {
        ValueType::Text => Value::Text(text),
        ValueType::Number => Value::Number(Number::from_millionths(12_500_000)),
        ValueType::Boolean => Value::Boolean(true),
        ValueType::Date => Value::Date(NOW.to_utc().date_naive()),
        ValueType::Datetime => Value::Datetime(NOW),
        ValueType::List => Value::List(vec![text]),
    }
}
