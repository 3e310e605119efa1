//! Contacts: people known by an id of the user's system, an e-mail address, or both.

use super::attributes::NamedAttributes;
use super::consent::{Consent, ConsentState, Purpose};
use super::time::Timestamp;

/// The number under which the database knows a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContactId(pub i64);

/// A contact as it is evaluated and rendered: borrowed, with raw attributes that are parsed only
/// when something asks for them.
#[derive(Debug, Clone, Copy)]
pub struct ContactView<'a> {
    /// The database's number.
    pub id: ContactId,
    /// Fixed when the contact is created; what `bucket` hashes.
    pub key: &'a str,
    /// The `id` of the user's system.
    pub external_id: Option<&'a str>,
    /// The address as it was given; compared in lower case.
    pub email: Option<&'a str>,
    /// The name of an IANA zone.
    pub time_zone: Option<&'a str>,
    /// A language tag, such as `fr`.
    pub language: Option<&'a str>,
    /// When the contact was created.
    pub created_at: Timestamp,
    /// Consent to marketing.
    pub marketing: Consent,
    /// Consent to tracking.
    pub tracking: Consent,
    /// A JSON object: names on the wire to values as they came. Never invalid JSON.
    pub attributes: &'a str,
    /// Those that the reader named, where it read no others: then `attributes` is empty.
    pub named: Option<NamedAttributes<'a>>,
}

impl ContactView<'_> {
    /// The consent for a purpose.
    pub const fn consent(&self, purpose: Purpose) -> Consent {
        match purpose {
            Purpose::Marketing => self.marketing,
            Purpose::Tracking => self.tracking,
        }
    }
}

/// A contact of its own; see [`ContactView`] for the fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    /// The database's number.
    pub id: ContactId,
    /// What `bucket` hashes.
    pub key: String,
    /// The `id` of the user's system.
    pub external_id: Option<String>,
    /// The address as it was given.
    pub email: Option<String>,
    /// The name of an IANA zone.
    pub time_zone: Option<String>,
    /// A language tag.
    pub language: Option<String>,
    /// When the contact was created.
    pub created_at: Timestamp,
    /// Consent to marketing.
    pub marketing: Consent,
    /// Consent to tracking.
    pub tracking: Consent,
    /// A JSON object of raw values.
    pub attributes: String,
}

impl Contact {
    /// The same contact, borrowed.
    pub fn view(&self) -> ContactView<'_> {
        ContactView {
            id: self.id,
            key: &self.key,
            external_id: self.external_id.as_deref(),
            email: self.email.as_deref(),
            time_zone: self.time_zone.as_deref(),
            language: self.language.as_deref(),
            created_at: self.created_at,
            marketing: self.marketing,
            tracking: self.tracking,
            attributes: &self.attributes,
            named: None,
        }
    }
}

impl From<&ContactView<'_>> for Contact {
    fn from(view: &ContactView<'_>) -> Self {
        Self {
            id: view.id,
            key: view.key.to_owned(),
            external_id: view.external_id.map(str::to_owned),
            email: view.email.map(str::to_owned),
            time_zone: view.time_zone.map(str::to_owned),
            language: view.language.map(str::to_owned),
            created_at: view.created_at,
            marketing: view.marketing,
            tracking: view.tracking,
            attributes: view.attributes.to_owned(),
        }
    }
}

/// What an import or a call says of a contact; what it does not say stays as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ContactUpdate {
    /// The `id` of the user's system.
    pub external_id: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// The name of an IANA zone.
    pub time_zone: Option<String>,
    /// A language tag.
    pub language: Option<String>,
    /// When the user's system created the contact, if it says so.
    pub created_at: Option<Timestamp>,
    /// Attributes by their name on the wire; a JSON `null` removes one.
    pub attributes: serde_json::Map<String, serde_json::Value>,
    /// Consents, with when and how they were given.
    pub consents: Vec<ConsentUpdate>,
}

/// A consent that was given or withdrawn.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsentUpdate {
    /// For what.
    pub purpose: Purpose,
    /// The answer.
    pub state: ConsentState,
    /// When.
    pub at: Timestamp,
    /// How: `checkout 2026`.
    pub source: String,
    /// The words that were agreed to, where they are known.
    pub words: Option<String>,
    /// It gives way to an answer that is known already: it was said of a whole file, or without a
    /// time of its own, and may be older than that answer. (A refusal never gives way; without a time of its
    /// own it does not renew one that is known.)
    pub gives_way: bool,
}
