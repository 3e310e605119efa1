//! What the names in a file mean: built-in facts, declared attributes and properties, `--map`.

use std::collections::HashMap;
use std::sync::Arc;

use super::options::{Content, ImportOptions, Mapping};
use super::values::Field;
use crate::domain::catalogue::{Catalogue, EventType};
use crate::domain::consent::Purpose;

/// What a name in a file means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Meaning {
    /// A built-in fact.
    Fact(Fact),
    /// An attribute of the contact.
    Attribute(Arc<Field>),
    /// A property of the event, by this name; what it is depends on the event.
    Property(String),
    /// Nothing is read from it.
    Nothing,
}

/// The built-in facts of contacts and events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Fact {
    Id,
    Email,
    TimeZone,
    Language,
    CreatedAt,
    Consent(Purpose),
    ConsentAt(Purpose),
    ConsentSource(Purpose),
    Event,
    At,
    MessageId,
}

impl Fact {
    /// What it is called here.
    pub(super) const fn word(self) -> &'static str {
        use Purpose::{Marketing, Tracking};
        match self {
            Self::Id => "id",
            Self::Email => "email",
            Self::TimeZone => "time_zone",
            Self::Language => "language",
            Self::CreatedAt => "created_at",
            Self::Consent(Marketing) => "consent.marketing",
            Self::Consent(Tracking) => "consent.tracking",
            Self::ConsentAt(Marketing) => "consent.marketing.at",
            Self::ConsentAt(Tracking) => "consent.tracking.at",
            Self::ConsentSource(Marketing) => "consent.marketing.source",
            Self::ConsentSource(Tracking) => "consent.tracking.source",
            Self::Event => "event",
            Self::At => "at",
            Self::MessageId => "message_id",
        }
    }

    /// The fact of this name, in contacts or in events. Case, spaces and hyphens do not matter.
    fn named(name: &str, content: Content) -> Option<Self> {
        let folded: String = name
            .chars()
            .map(|character| match character {
                ' ' | '-' => '_',
                other => other.to_ascii_lowercase(),
            })
            .collect();
        let common = match folded.as_str() {
            "id" | "user_id" | "userid" => Some(Self::Id),
            "email" | "e_mail" | "email_address" => Some(Self::Email),
            _ => None,
        };
        common.or_else(|| match content {
            Content::Contacts => Self::of_contact(&folded),
            Content::Events => match folded.as_str() {
                "event" => Some(Self::Event),
                "at" | "timestamp" => Some(Self::At),
                "message_id" | "messageid" => Some(Self::MessageId),
                _ => None,
            },
        })
    }

    fn of_contact(folded: &str) -> Option<Self> {
        match folded {
            "time_zone" | "timezone" => return Some(Self::TimeZone),
            "language" => return Some(Self::Language),
            "created_at" | "createdat" => return Some(Self::CreatedAt),
            _ => {}
        }
        let dotted = folded.replace('.', "_");
        let (base, of): (&str, fn(Purpose) -> Self) = if let Some(base) = dotted.strip_suffix("_at") {
            (base, Self::ConsentAt)
        } else if let Some(base) = dotted.strip_suffix("_source") {
            (base, Self::ConsentSource)
        } else {
            (&dotted, Self::Consent)
        };
        match base {
            "consent_marketing" | "marketing_consent" => Some(of(Purpose::Marketing)),
            "consent_tracking" | "tracking_consent" => Some(of(Purpose::Tracking)),
            _ => None,
        }
    }
}

/// The names of a catalogue and of the call.
#[derive(Debug, Clone)]
pub(super) struct Vocabulary {
    attributes: HashMap<String, Arc<Field>>,
    events: HashMap<String, Arc<EventFields>>,
    mappings: Vec<Mapping>,
    /// `--event`, by its name on the wire.
    pub(super) only_event: Option<String>,
}

/// A declared event.
#[derive(Debug, Clone)]
pub(super) struct EventFields {
    /// Its name on the wire.
    pub(super) wire_name: String,
    /// Its properties, by declared name and by name on the wire.
    pub(super) properties: HashMap<String, Arc<Field>>,
}

impl Vocabulary {
    /// The names that an import may meet.
    pub(super) fn new(catalogue: &Catalogue, options: &ImportOptions) -> Self {
        let mut attributes = HashMap::new();
        for (name, attribute) in &catalogue.attributes {
            let field = Field::new(&attribute.wire_name, Some(attribute.value_type), &attribute.one_of);
            add(&mut attributes, name.as_str(), Arc::new(field));
        }
        let mut events = HashMap::new();
        for (name, event) in &catalogue.events {
            let fields = Arc::new(EventFields::new(event));
            events.insert(fields.wire_name.clone(), Arc::clone(&fields));
            events.entry(name.as_str().to_owned()).or_insert(fields);
        }
        let wire_name = |event: &String| match events.get(event) {
            Some(fields) => fields.wire_name.clone(),
            None => event.clone(),
        };
        let only_event = options.event.as_ref().map(wire_name);
        Self { attributes, events, mappings: options.mappings.clone(), only_event }
    }

    /// Adds a mapping, as by `--map`.
    pub(super) fn map(&mut self, mapping: Mapping) {
        self.mappings.push(mapping);
    }

    /// The declared event of this name.
    pub(super) fn event(&self, name: &str) -> Option<&Arc<EventFields>> {
        self.events.get(name)
    }

    /// Whether an attribute is declared under this name.
    pub(super) fn is_attribute(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }

    /// What a name means. `--map` comes first; then what the mapped column would have been is
    /// data under its own name, as all that is not known.
    pub(super) fn meaning(&self, name: &str, content: Content) -> Meaning {
        if let Some(mapping) = self.mappings.iter().find(|mapping| mapping.theirs == name) {
            return self.ours(&mapping.ours, content);
        }
        match self.ours(name, content) {
            Meaning::Fact(fact) if self.is_mapped(fact, content) => self.data(name, content),
            Meaning::Fact(Fact::Event) if self.only_event.is_some() => self.data(name, content),
            meaning => meaning,
        }
    }

    /// The property that a key inside of `properties` is: never a built-in fact.
    pub(super) fn property(&self, name: &str) -> String {
        let mapping = self.mappings.iter().find(|mapping| mapping.theirs == name);
        mapping.map_or(name, |mapping| &mapping.ours).to_owned()
    }

    fn ours(&self, name: &str, content: Content) -> Meaning {
        match Fact::named(name, content) {
            // A declared attribute may be called `user_id`; the built-in names themselves are taken.
            Some(fact) if fact.word() == name || !self.is_declared(name, content) => Meaning::Fact(fact),
            _ => self.data(name, content),
        }
    }

    fn data(&self, name: &str, content: Content) -> Meaning {
        match content {
            Content::Contacts => Meaning::Attribute(
                self.attributes.get(name).cloned().unwrap_or_else(|| Arc::new(Field::new(name, None, &[]))),
            ),
            Content::Events => Meaning::Property(name.to_owned()),
        }
    }

    fn is_declared(&self, name: &str, content: Content) -> bool {
        match content {
            Content::Contacts => self.attributes.contains_key(name),
            Content::Events => self.events.values().any(|event| event.properties.contains_key(name)),
        }
    }

    /// Whether `--map` says where a fact is.
    pub(super) fn is_mapped(&self, fact: Fact, content: Content) -> bool {
        self.mappings.iter().any(|mapping| Fact::named(&mapping.ours, content) == Some(fact))
    }

    /// What is wrong with `--map`: a name that is not ours, or that none of the `columns` has.
    pub(super) fn check_mappings(&self, content: Content, columns: Option<&[String]>) -> Result<(), String> {
        for Mapping { ours, theirs } in &self.mappings {
            if Fact::named(ours, content).is_none() && !self.is_declared(ours, content) {
                let hint = match self.nearest(ours, content) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => "declare it first, or rename the column in the file".to_owned(),
                };
                let what = if content == Content::Contacts { "attribute" } else { "property" };
                return Err(format!(
                    "`--map {ours}={theirs}`: `{ours}` is neither built in nor a declared {what}; {hint}"
                ));
            }
            if let Some(columns) = columns
                && !columns.contains(theirs)
            {
                return Err(format!(
                    "`--map {ours}={theirs}`: there is no column `{theirs}`; the columns are {}",
                    columns.join(", ")
                ));
            }
        }
        Ok(())
    }

    fn nearest(&self, name: &str, content: Content) -> Option<String> {
        let facts: &[&str] = match content {
            Content::Contacts => &["id", "email", "time_zone", "language", "created_at"],
            Content::Events => &["id", "email", "event", "at", "message_id"],
        };
        let declared: Box<dyn Iterator<Item = &String>> = match content {
            Content::Contacts => Box::new(self.attributes.keys()),
            Content::Events => Box::new(self.events.values().flat_map(|event| event.properties.keys())),
        };
        let mut near: Vec<(usize, String)> = facts
            .iter()
            .map(|fact| (*fact).to_owned())
            .chain(declared.cloned())
            .map(|known| (strsim::damerau_levenshtein(&known, name), known))
            .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
            .collect();
        near.sort();
        near.into_iter().next().map(|(_, known)| known)
    }
}

impl EventFields {
    fn new(event: &EventType) -> Self {
        let mut properties = HashMap::new();
        for (name, property) in &event.properties {
            let field = Field::new(&property.wire_name, Some(property.value_type), &[]);
            add(&mut properties, &name.0, Arc::new(field));
        }
        Self { wire_name: event.wire_name.clone(), properties }
    }
}

/// Adds a field under both of its names; where two compete, the name on the wire wins.
fn add(fields: &mut HashMap<String, Arc<Field>>, name: &str, field: Arc<Field>) {
    fields.entry(name.to_owned()).or_insert_with(|| Arc::clone(&field));
    fields.insert(field.wire_name.clone(), field);
}
