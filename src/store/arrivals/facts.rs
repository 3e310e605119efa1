//! What identify calls say of a contact. Calls are repeated and overtake each other: each fact holds
//! with the time of the call that said it, and a call that arrives late changes nothing that was said
//! later.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use crate::domain::consent::{ConsentState, Purpose};
use crate::domain::contact::{ConsentUpdate, ContactId, ContactUpdate};
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::bulk::Bulk;
use crate::store::dialect::Column::{Number, Text};
use crate::store::dialect::{given_numbers, given_rows};
use crate::store::statement::numbers_json;

/// What one call says, beside id and address.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// The name of an IANA zone.
    pub time_zone: Option<String>,
    /// A language tag.
    pub language: Option<String>,
    /// When the user's system created the contact.
    pub created_at: Option<Timestamp>,
    /// Attributes by their name on the wire; a JSON `null` removes one.
    pub attributes: Map<String, Value>,
    /// Answers.
    pub consents: Vec<SaidConsent>,
}

/// An answer of a contact, as a call tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidConsent {
    /// For what.
    pub purpose: Purpose,
    /// The answer.
    pub state: ConsentState,
    /// When it was given, if the call says so.
    pub at: Option<Timestamp>,
    /// How it was given, if the call says so.
    pub source: Option<String>,
    /// The words that were agreed to, if the call says so.
    pub words: Option<String>,
}

/// How an answer was given, where the call does not say.
const SOURCE: &str = "identify";

impl Facts {
    /// As text, to be kept.
    pub(super) fn to_json(&self) -> String {
        let consents: Vec<Value> = self
            .consents
            .iter()
            .map(|said| {
                let at = said.at.map(Timestamp::micros);
                json!([said.purpose.word(), said.state.word(), at, said.source, said.words])
            })
            .collect();
        json!({
            "time_zone": self.time_zone,
            "language": self.language,
            "created_at": self.created_at.map(Timestamp::micros),
            "attributes": self.attributes,
            "consents": consents,
        })
        .to_string()
    }

    /// What [`to_json`](Self::to_json) wrote; what cannot be read was not said.
    pub(super) fn from_json(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let consents = value["consents"].as_array().into_iter().flatten().filter_map(|said| {
            let purpose = [Purpose::Marketing, Purpose::Tracking]
                .into_iter()
                .find(|purpose| said[0].as_str() == Some(purpose.word()))?;
            Some(SaidConsent {
                purpose,
                state: ConsentState::parse(said[1].as_str()?)?,
                at: said[2].as_i64().map(Timestamp::from_micros),
                source: said[3].as_str().map(str::to_owned),
                words: said[4].as_str().map(str::to_owned),
            })
        });
        Self {
            time_zone: text("time_zone"),
            language: text("language"),
            created_at: value["created_at"].as_i64().map(Timestamp::from_micros),
            attributes: value["attributes"].as_object().cloned().unwrap_or_default(),
            consents: consents.collect(),
        }
    }
}

/// When each fact of a contact was last said by a call, and the last answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Said {
    times: BTreeMap<String, i64>,
    answers: BTreeMap<String, ConsentState>,
}

impl Said {
    /// The address that a call gives at `at`, unless a later call gave another. Without an id it says
    /// who it is: that is never late.
    pub(super) fn address<'a>(
        &mut self,
        external_id: Option<&str>,
        email: Option<&'a str>,
        at: Timestamp,
    ) -> Option<&'a str> {
        let is_news = email.is_some() && self.hear("email", at);
        email.filter(|_| is_news || external_id.is_none())
    }

    /// When an address was said last.
    pub(super) fn address_time(&self) -> Option<i64> {
        self.times.get("email").copied()
    }

    /// The address that was said last was refused: it was said last at `before`.
    pub(super) fn refuse_address(&mut self, before: Option<i64>) {
        match before {
            Some(at) => self.times.insert("email".to_owned(), at),
            None => self.times.remove("email"),
        };
    }

    /// Takes what a call says at `at` and gives what of it is to be applied.
    pub(super) fn sift(
        &mut self,
        external_id: Option<&str>,
        email: Option<&str>,
        facts: &Facts,
        at: Timestamp,
        now: Timestamp,
    ) -> ContactUpdate {
        let mut update = ContactUpdate {
            external_id: external_id.map(str::to_owned),
            email: email.map(str::to_owned),
            ..ContactUpdate::default()
        };
        if facts.time_zone.is_some() && self.hear("time_zone", at) {
            update.time_zone.clone_from(&facts.time_zone);
        }
        if facts.language.is_some() && self.hear("language", at) {
            update.language.clone_from(&facts.language);
        }
        if facts.created_at.is_some() && self.hear("created_at", at) {
            update.created_at = facts.created_at;
        }
        for (name, value) in &facts.attributes {
            if self.hear(name, at) {
                update.attributes.insert(name.clone(), value.clone());
            }
        }
        update.consents = facts.consents.iter().filter_map(|said| self.answer(said, at, now)).collect();
        update
    }

    /// Whether nothing later was said of this fact.
    fn hear(&mut self, name: &str, at: Timestamp) -> bool {
        match self.times.get_mut(name) {
            Some(known) if *known > at.micros() => false,
            Some(known) => {
                *known = at.micros();
                true
            }
            None => {
                self.times.insert(name.to_owned(), at.micros());
                true
            }
        }
    }

    /// A profile is often sent whole, again and again: an answer in it is one when it is another than
    /// the last time. The first one gives way to what is known already, unless it is a refusal or says
    /// when it was given.
    fn answer(&mut self, said: &SaidConsent, at: Timestamp, now: Timestamp) -> Option<ConsentUpdate> {
        let key = format!("consent.{}", said.purpose.word());
        let given_at = said.at.unwrap_or(at).min(now);
        let is_late = !self.hear(&key, given_at);
        let before = if is_late { None } else { self.answers.insert(key, said.state) };
        if said.at.is_none() && (is_late || before == Some(said.state)) {
            return None;
        }
        Some(ConsentUpdate {
            purpose: said.purpose,
            state: said.state,
            at: given_at,
            source: said.source.clone().unwrap_or_else(|| SOURCE.to_owned()),
            words: said.words.clone(),
            gives_way: said.at.is_none() && before.is_none() && said.state != ConsentState::No,
        })
    }

    /// Takes over what was said of a contact that became this one.
    pub(super) fn absorb(&mut self, other: Self) {
        for (name, answer) in other.answers {
            if other.times.get(&name) > self.times.get(&name) || !self.answers.contains_key(&name) {
                self.answers.insert(name, answer);
            }
        }
        for (name, at) in other.times {
            let known = self.times.entry(name).or_insert(at);
            *known = (*known).max(at);
        }
    }

    fn to_json(&self) -> String {
        let answers: Map<String, Value> =
            self.answers.iter().map(|(name, answer)| (name.clone(), json!(answer.word()))).collect();
        json!({ "times": self.times, "answers": answers }).to_string()
    }

    fn from_json(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let members = |name: &str| value[name].as_object().cloned().unwrap_or_default().into_iter();
        Self {
            times: members("times").filter_map(|(name, at)| Some((name, at.as_i64()?))).collect(),
            answers: members("answers")
                .filter_map(|(name, answer)| Some((name, ConsentState::parse(answer.as_str()?)?)))
                .collect(),
        }
    }
}

/// What was said of these contacts, by the places that are given with them.
pub(super) async fn read(bulk: &mut Bulk, contacts: &[(usize, ContactId)]) -> Result<HashMap<usize, Said>> {
    if contacts.is_empty() {
        return Ok(HashMap::new());
    }
    let given = given_numbers(bulk.backend(), 1, "contact");
    let text = format!(
        "SELECT CAST(s.contact AS TEXT), s.said FROM contact_said s
         WHERE s.contact IN (SELECT contact FROM {given} AS given)"
    );
    let rows = bulk.ask(&text, vec![numbers_json(contacts.iter().map(|(_, contact)| contact.0))]).await?;
    let mut said: HashMap<i64, Said> = rows
        .into_iter()
        .filter_map(|row| {
            let [Some(contact), Some(said)] = row.as_slice() else { return None };
            Some((contact.parse().ok()?, Said::from_json(said)))
        })
        .collect();
    Ok(contacts.iter().filter_map(|(place, contact)| Some((*place, said.remove(&contact.0)?))).collect())
}

/// Writes when facts were said.
pub(super) async fn write(bulk: &mut Bulk, said: impl Iterator<Item = (ContactId, &Said)>) -> Result<()> {
    let rows: Vec<Value> = said.map(|(contact, said)| json!([contact.0, said.to_json()])).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let given = given_rows(bulk.backend(), 1, &[("contact", Number), ("said", Text)]);
    let text = format!(
        "INSERT INTO contact_said (contact, said) SELECT contact, said FROM {given} AS given WHERE TRUE
         ON CONFLICT (contact) DO UPDATE SET said = excluded.said"
    );
    bulk.change(&text, vec![json!(rows).to_string()]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(second)
    }

    fn plan(value: &str) -> Facts {
        let attributes = json!({ "plan": value });
        Facts { attributes: attributes.as_object().cloned().unwrap_or_default(), ..Facts::default() }
    }

    fn marketing(state: ConsentState, given: Option<i64>) -> Facts {
        let said =
            SaidConsent { purpose: Purpose::Marketing, state, at: given.map(at), source: None, words: None };
        Facts { consents: vec![said], ..Facts::default() }
    }

    #[test]
    fn what_is_late_changes_nothing_newer() {
        let mut said = Said::default();
        for (facts, second, applied) in [
            (plan("pro"), 10, true),
            (plan("free"), 5, false),
            (plan("team"), 10, true),
            (plan("gone"), 11, true),
            (plan("pro"), 10, false),
        ] {
            let update = said.sift(Some("1"), None, &facts, at(second), at(100));
            assert_eq!(update.attributes.contains_key("plan"), applied, "{facts:?} at {second}");
        }
        for (id, email, second, applied) in [
            (Some("1"), "new@x.example", 10, true),
            (Some("1"), "old@x.example", 9, false),
            (None, "old@x.example", 9, true),
        ] {
            assert_eq!(said.address(id, Some(email), at(second)).is_some(), applied, "{email} at {second}");
        }
    }

    #[test]
    fn an_answer_is_one_when_it_changes() {
        use ConsentState::{No, Yes};
        let mut said = Said::default();
        // (answer, at, given at) and what is applied: the answer, its time, whether it gives way
        for (state, second, given, expected) in [
            (Yes, 10, None, Some((Yes, 10, true))),
            (Yes, 20, None, None),
            (No, 30, None, Some((No, 30, false))),
            (Yes, 25, None, None),
            (No, 40, None, None),
            (Yes, 50, None, Some((Yes, 50, false))),
            (Yes, 60, Some(55), Some((Yes, 55, false))),
            (No, 60, Some(2), Some((No, 2, false))),
            (Yes, 200, None, None),
            (No, 200, None, Some((No, 100, false))),
        ] {
            let update = said.sift(Some("1"), None, &marketing(state, given), at(second), at(100));
            let applied = update.consents.first().map(|one| (one.state, one.at, one.gives_way));
            let expected = expected.map(|(state, second, gives_way)| (state, at(second), gives_way));
            assert_eq!(applied, expected, "{state:?} at {second}");
        }
    }

    #[test]
    fn facts_are_read_as_they_were_written() {
        let facts = Facts {
            time_zone: Some("Europe/Paris".to_owned()),
            language: Some("fr".to_owned()),
            created_at: Some(at(7)),
            consents: vec![
                SaidConsent {
                    purpose: Purpose::Marketing,
                    state: ConsentState::Yes,
                    at: None,
                    source: None,
                    words: None,
                },
                SaidConsent {
                    purpose: Purpose::Tracking,
                    state: ConsentState::No,
                    at: Some(at(3)),
                    source: Some("form".to_owned()),
                    words: Some("Do not track me".to_owned()),
                },
            ],
            ..plan("pro")
        };
        assert_eq!(Facts::from_json(&facts.to_json()), facts);
        assert_eq!(Facts::from_json("nonsense"), Facts::default());
        let mut said = Said::default();
        said.address(Some("1"), Some("a@x.example"), at(9));
        said.sift(Some("1"), None, &facts, at(9), at(9));
        assert_eq!(Said::from_json(&said.to_json()), said);
    }
}
