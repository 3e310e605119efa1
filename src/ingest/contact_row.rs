//! A row to what it says of a contact.

use serde_json::Value;

use super::reason::Reason;
use super::values::{self, Field, Given, LONGEST_NAME};
use super::vocabulary::Fact;
use crate::domain::address::EmailAddress;
use crate::domain::consent::{ConsentState, Purpose};
use crate::domain::contact::{ConsentUpdate, ContactUpdate};
use crate::domain::number::Number;
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::{self, ValueType};

/// The attributes of one row may have this many bytes of JSON together.
const LARGEST_ROW: usize = 64 * 1024;
/// The longest language tag that RFC 5646, section 4.4.1, asks programs to hold.
const LONGEST_LANGUAGE: usize = 35;

/// What holds for all rows of a file.
#[derive(Debug, Clone)]
pub(super) struct ContactDefaults {
    /// The zone of times that have none.
    pub(super) time_zone: Zone,
    /// When answers without a time were given.
    pub(super) now: Timestamp,
    /// Answers for rows that have none.
    pub(super) consents: Vec<(Purpose, ConsentState)>,
    /// How answers were given, where the row does not say.
    pub(super) source: String,
}

/// One row on its way.
#[derive(Debug, Default)]
pub(super) struct ContactRow {
    update: ContactUpdate,
    consents: [GivenConsent; 2],
    json: String,
    size: usize,
}

#[derive(Debug, Default)]
struct GivenConsent {
    state: Option<ConsentState>,
    at: Option<Timestamp>,
    source: Option<String>,
}

impl ContactRow {
    /// Takes a built-in fact. `column` is what the file calls it.
    pub(super) fn fact(
        &mut self,
        fact: Fact,
        given: Given<'_>,
        column: &str,
        defaults: &ContactDefaults,
    ) -> Result<(), Reason> {
        if matches!(fact, Fact::Id | Fact::Email) {
            no_boolean(given, column)?;
        }
        let Some(text) = text_of_fact(given, column)? else { return Ok(()) };
        let text = text.as_str();
        match fact {
            Fact::Id => set(&mut self.update.external_id, column, identifier(text, column)?),
            Fact::Email => set(&mut self.update.email, column, address(text, column)?),
            Fact::TimeZone => {
                let zone: Zone = text.parse().map_err(|_| {
                    given.reason(format!("`{column}` is not a time zone such as Europe/Paris"))
                })?;
                set(&mut self.update.time_zone, column, zone.name().to_owned())
            }
            Fact::Language => set(&mut self.update.language, column, language(text, column)?),
            Fact::CreatedAt => {
                set(&mut self.update.created_at, column, instant(text, column, defaults.time_zone)?)
            }
            Fact::Consent(purpose) => {
                let state = ConsentState::parse(text)
                    .ok_or_else(|| given.reason(format!("`{column}` is not yes, no or unknown")))?;
                set(&mut self.consents[purpose as usize].state, column, state)
            }
            Fact::ConsentAt(purpose) => {
                let at = instant(text, column, defaults.time_zone)?;
                if at > defaults.now {
                    return Err(given.reason(format!("`{column}` is in the future")));
                }
                set(&mut self.consents[purpose as usize].at, column, at)
            }
            Fact::ConsentSource(purpose) => {
                set(&mut self.consents[purpose as usize].source, column, bounded(text, column)?)
            }
            Fact::Event | Fact::At | Fact::MessageId => Ok(()),
        }
    }

    /// Takes an attribute.
    pub(super) fn attribute(
        &mut self,
        field: &Field,
        given: Given<'_>,
        column: &str,
        defaults: &ContactDefaults,
    ) -> Result<(), Reason> {
        self.json.clear();
        if !values::write(&mut self.json, field, given, column, defaults.time_zone)? {
            return Ok(());
        }
        self.size += field.wire_name.len() + self.json.len();
        if self.size > LARGEST_ROW {
            return Err(Reason::of(format!("the row's attributes are larger than {LARGEST_ROW} bytes")));
        }
        if field.wire_name.len() > LONGEST_NAME {
            return Err(Reason::of(format!("a name is longer than {LONGEST_NAME} bytes")));
        }
        let value = match field.value_type {
            Some(ValueType::Number) => exact_number(&self.json),
            _ => serde_json::from_str(&self.json).unwrap_or(Value::Null),
        };
        match self.update.attributes.insert(field.wire_name.clone(), value) {
            Some(_) => Err(Reason::of(format!("`{column}` is given twice"))),
            None => Ok(()),
        }
    }

    /// What was taken so far, without judging it: the row may name nobody.
    pub(super) fn into_said(mut self) -> (ContactUpdate, Vec<GivenAnswer>) {
        let mut answers = Vec::new();
        for purpose in [Purpose::Marketing, Purpose::Tracking] {
            let given = std::mem::take(&mut self.consents[purpose as usize]);
            answers.extend(given.state.map(|state| (purpose, state, given.at, given.source)));
        }
        (self.update, answers)
    }

    /// The whole row.
    pub(super) fn finish(mut self, defaults: &ContactDefaults) -> Result<ContactUpdate, Reason> {
        if self.update.external_id.is_none() && self.update.email.is_none() {
            return Err(Reason::of("the row names no contact: it has neither `id` nor `email`"));
        }
        for purpose in [Purpose::Marketing, Purpose::Tracking] {
            let given = std::mem::take(&mut self.consents[purpose as usize]);
            let default = defaults.consents.iter().find(|(of, _)| *of == purpose).map(|(_, state)| *state);
            let Some(state) = given.state.or(default) else { continue };
            self.update.consents.push(ConsentUpdate {
                purpose,
                state,
                at: given.at.unwrap_or(defaults.now),
                source: given.source.unwrap_or_else(|| defaults.source.clone()),
                words: None,
                gives_way: given.at.is_none(),
            });
        }
        Ok(self.update)
    }
}

/// An answer, when it was given, and how.
pub(super) type GivenAnswer = (Purpose, ConsentState, Option<Timestamp>, Option<String>);

/// The text of a built-in fact; `None` where nothing is said.
pub(super) fn text_of_fact(given: Given<'_>, column: &str) -> Result<Option<String>, Reason> {
    let text = match given {
        Given::Json(Value::Null) => return Ok(None),
        given => match given.scalar() {
            Some(text) => text.trim().to_owned(),
            None => return Err(given.reason(format!("`{column}` is not a text"))),
        },
    };
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Ids are texts or numbers: `true` is nobody's.
pub(super) fn no_boolean(given: Given<'_>, column: &str) -> Result<(), Reason> {
    match given {
        Given::Json(Value::Bool(_)) => {
            Err(given.reason(format!("`{column}` is neither a text nor a number")))
        }
        _ => Ok(()),
    }
}

fn set<T>(place: &mut Option<T>, column: &str, value: T) -> Result<(), Reason> {
    match place.replace(value) {
        Some(_) => Err(Reason::of(format!("`{column}` is given twice"))),
        None => Ok(()),
    }
}

/// An id of the user's system.
pub(super) fn identifier(text: &str, column: &str) -> Result<String, Reason> {
    if text.chars().any(char::is_control) {
        return Err(Reason::with(format!("`{column}` holds a control character"), text));
    }
    bounded(text, column)
}

/// An address.
pub(super) fn address(text: &str, column: &str) -> Result<String, Reason> {
    match EmailAddress::parse(text) {
        Ok(address) => Ok(address.as_str().to_owned()),
        Err(invalid) => {
            Err(Reason::with(format!("`{column}` is not an e-mail address ({})", invalid.reason), text))
        }
    }
}

/// An instant.
pub(super) fn instant(text: &str, column: &str, zone: Zone) -> Result<Timestamp, Reason> {
    value::instant(text, zone).ok_or_else(|| {
        Reason::with(
            format!("`{column}` is not a time such as 2026-03-29T09:30:00Z or 2026-03-29 09:30"),
            text,
        )
    })
}

/// A short text.
pub(super) fn bounded(text: &str, column: &str) -> Result<String, Reason> {
    if text.len() > LONGEST_NAME {
        return Err(Reason::with(format!("`{column}` is longer than {LONGEST_NAME} bytes"), text));
    }
    Ok(text.to_owned())
}

/// A language tag, in its looks only: `fr`, `pt-BR`, `zh_Hant_TW`.
fn language(text: &str, column: &str) -> Result<String, Reason> {
    let tag = text.replace('_', "-");
    let mut parts = tag.split('-');
    let is_first =
        |part: &str| (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_part =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if tag.len() <= LONGEST_LANGUAGE && parts.next().is_some_and(is_first) && parts.all(is_part) {
        Ok(tag)
    } else {
        Err(Reason::with(format!("`{column}` is not a language such as fr or pt-BR"), text))
    }
}

/// A number as JSON; where a double would change it, as text, which reads as the same number.
pub(super) fn exact_number(json: &str) -> Value {
    match serde_json::from_str::<Value>(json) {
        Ok(value) if Number::parse(&value.to_string()) == Number::parse(json) => value,
        _ => Value::from(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_exact() {
        for (json, expected) in [
            ("12.5", "12.5"),
            ("9223372036854.775807", "\"9223372036854.775807\""),
            ("-3", "-3"),
            ("null", "null"),
        ] {
            let value = if json == "null" { Value::Null } else { exact_number(json) };
            assert_eq!(value.to_string(), expected);
        }
    }

    #[test]
    fn languages_look_like_tags() {
        for (text, expected) in
            [("fr", Some("fr")), ("pt_BR", Some("pt-BR")), ("zh-Hant-TW", Some("zh-Hant-TW"))]
        {
            assert_eq!(language(text, "language").ok().as_deref(), expected);
        }
        for text in ["f", "french", "fr-", "fr/CA", "français", "fr--CA"] {
            assert!(language(text, "language").is_err(), "{text}");
        }
    }
}
