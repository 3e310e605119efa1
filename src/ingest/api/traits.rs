//! What an identify call says of its contact. What cannot be read is refused by itself; the rest holds.

use serde_json::Value;
use serde_json::value::RawValue;

use super::call::scalar;
use super::properties::{Members, members};
use crate::domain::consent::Purpose;
use crate::domain::json::{self, Token};
use crate::domain::time::Timestamp;
use crate::ingest::contact_row::{ContactDefaults, ContactRow, exact_number};
use crate::ingest::options::Content;
use crate::ingest::reason::Reason;
use crate::ingest::values::{Given, LONGEST_NAME};
use crate::ingest::vocabulary::{Fact, Meaning, Vocabulary};
use crate::store::arrivals::{Facts, SaidConsent};

/// What traits say.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) email: Option<String>,
    pub(super) facts: Facts,
    /// What of it cannot be read.
    pub(super) problems: Vec<Reason>,
}

/// Reads traits. Built-in facts are known by the names that files use for them, too (`createdAt`,
/// `timezone`), and `locale` is a language, unless an attribute is declared so.
pub(super) fn read(traits: &Members<'_>, vocabulary: &Vocabulary, received: Timestamp) -> Said {
    let defaults = ContactDefaults {
        time_zone: chrono_tz::UTC,
        now: received,
        consents: Vec::new(),
        source: String::new(),
    };
    let mut row = ContactRow::default();
    let mut problems = Vec::new();
    let mut attributes = serde_json::Map::new();
    let mut words = [None, None];
    let mut unreadable = Vec::new();
    let mut take = |fact: Fact, name: &str, value: &Value| {
        let column = format!("traits.{name}");
        if let Err(reason) = row.fact(fact, Given::Json(value), &column, &defaults) {
            unreadable.push(reason);
        }
    };
    for (name, raw) in traits {
        let meaning = match vocabulary.meaning(name, Content::Contacts) {
            Meaning::Attribute(field) if field.value_type.is_none() => {
                undeclared(name, traits).map_or(Meaning::Attribute(field), Meaning::Fact)
            }
            meaning => meaning,
        };
        match meaning {
            // Who it is, `userId` says.
            Meaning::Fact(Fact::Id) | Meaning::Property(_) | Meaning::Nothing => {}
            Meaning::Fact(fact) => take(fact, name, &value(raw)),
            Meaning::Attribute(_) if name == "consent" => {
                for purpose in [Purpose::Marketing, Purpose::Tracking] {
                    words[purpose as usize] = consent(purpose, &members(Some(raw)), &mut take);
                }
            }
            Meaning::Attribute(field) if field.wire_name.len() <= LONGEST_NAME => match readable(raw) {
                Some(value) => {
                    attributes.insert(field.wire_name.clone(), value);
                }
                None => problems.push(Reason::of(format!("`traits.{name}` is nested too deep"))),
            },
            Meaning::Attribute(_) => {}
        }
    }
    problems.extend(unreadable);
    let (update, consents) = row.into_said();
    let consents = consents
        .into_iter()
        .map(|(purpose, state, at, source)| SaidConsent {
            purpose,
            state,
            at,
            source,
            words: words[purpose as usize].take(),
        })
        .collect();
    Said {
        email: update.email,
        facts: Facts {
            time_zone: update.time_zone,
            language: update.language,
            created_at: update.created_at,
            attributes,
            consents,
        },
        problems,
    }
}

/// What some names mean that are not declared.
fn undeclared(name: &str, traits: &Members<'_>) -> Option<Fact> {
    (name == "locale" && !traits.contains_key("language")).then_some(Fact::Language)
}

/// `consent: { marketing: true }`, or `{ marketing: { state: yes, at: …, source: …, words: … } }`. Gives
/// the words that were agreed to.
fn consent(
    purpose: Purpose,
    consent: &Members<'_>,
    take: &mut impl FnMut(Fact, &str, &Value),
) -> Option<String> {
    let name = purpose.word();
    let raw = consent.get(name)?;
    if !raw.get().starts_with('{') {
        take(Fact::Consent(purpose), &format!("consent.{name}"), &value(raw));
        return None;
    }
    let of = members(Some(raw));
    for (key, fact) in [
        ("state", Fact::Consent(purpose)),
        ("at", Fact::ConsentAt(purpose)),
        ("source", Fact::ConsentSource(purpose)),
    ] {
        if let Some(raw) = of.get(key) {
            take(fact, &format!("consent.{name}.{key}"), &value(raw));
        }
    }
    of.get("words").and_then(|raw| scalar(raw)).filter(|words| !words.contains('\0'))
}

/// A value as it is kept of a contact; what cannot be read is null, which no fact takes for one.
pub(super) fn value(raw: &RawValue) -> Value {
    readable(raw).unwrap_or(Value::Null)
}

/// A value as it is kept of a contact; numbers stay exact. `None`: it is nested deeper than anything that
/// conditions and templates could use (128 levels, the bound of `serde_json`).
fn readable(raw: &RawValue) -> Option<Value> {
    match json::token(raw.get()) {
        Some(Token::Number(number)) => Some(exact_number(number)),
        Some(Token::Text(text)) => Some(Value::String(text.decode().into_owned())),
        _ => serde_json::from_str(raw.get()).ok(),
    }
}
