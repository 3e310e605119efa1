//! Whether what is kept is what it should be: memberships against a full pass, packed histories against the log,
//! rows against each other, values against their types. Only reads, also beside a running daemon.

use std::collections::BTreeMap;

use crate::audience::{self, Compared, Difference, Unfit, ValueOf};
use crate::clock::Clock;
use crate::domain::contact::{Contact, ContactId};
use crate::domain::time::Timestamp;
use crate::store::{Store, StoreError, checkup, contacts, events, histories};

use super::installation::{connect, database};
use super::{Failure, Project};

/// What was looked at, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkup {
    /// When.
    pub at: Timestamp,
    /// The database, without its password.
    pub database: String,
    /// The last evaluation that memberships were held against; `None`: there was none as they are declared.
    pub evaluated_at: Option<Timestamp>,
    /// How many segments, and audiences of campaigns, were compared.
    pub segments: u64,
    /// All contacts.
    pub contacts: u64,
    /// All events.
    pub events: u64,
    /// Contacts that changed since the last evaluation: the next refresh looks at them.
    pub waiting: u64,
    /// What is not compared, being declared otherwise, or for the first time, since the last evaluation.
    pub not_compared: Vec<String>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind: `membership`, `history`, `value`, `ledger` … Stays the same.
    pub code: &'static str,
    /// What, for people.
    pub what: String,
    /// How many.
    pub count: u64,
    /// Some of them: ids of contacts, numbers of rows.
    pub examples: Vec<String>,
    /// What to do about it.
    pub remedy: &'static str,
}

/// How many contacts a finding names.
const EXAMPLES: usize = 5;

const REEVALUATE: &str = "`campaignd migrate --reevaluate`; the next refresh then asks everybody";
const REBUILD: &str = "`campaignd migrate --rebuild-histories`";
const ADD: &str =
    "correct the source and import it again, or add them to `one_of`; until then they are read as they are";
const REIMPORT: &str = "correct the source and import it again, or declare the type that the values have; until then they count as missing";

/// Looks at everything. Writes nothing, and does not bring tables up to date.
pub async fn doctor(project: &Project, clock: &Clock) -> Result<Checkup, Failure> {
    let store = connect(project).await?;
    let failed = |error| database(project, error);
    store.require_migrated().await.map_err(failed)?;
    let shown = &project.settings.database_shown;
    let audience_failed = |error| Failure::outside(format!("database {shown}"), error);
    let settings = project.evaluation_settings();
    let at = clock.now();

    let mut findings = Vec::new();
    let damaged = histories_against_the_log(&store, &mut findings).await.map_err(failed)?;
    let mut compared = Compared::default();
    // What a damaged history says is not worth comparing: it could not be read to its end.
    if !damaged {
        compared = audience::verify(&store, &project.catalogue, settings).await.map_err(audience_failed)?;
        memberships_against_a_pass(&store, &compared, &mut findings).await.map_err(failed)?;
        let misfits = audience::misfits(&store, &project.catalogue, settings).await;
        let misfits = misfits.map_err(audience_failed)?;
        for misfit in misfits {
            let of = match misfit.of {
                ValueOf::Attribute(name) => format!("attribute `{name}`"),
                ValueOf::Property(event, property) => format!("property `{}` of event `{event}`", property.0),
            };
            let (fault, remedy) = match misfit.fault {
                Unfit::NoneOfType(value_type) => (format!("no {}", value_type.word()), REIMPORT),
                Unfit::NotAmong(_, allowed) => (format!("none of {}", allowed.join(", ")), ADD),
            };
            findings.push(Finding {
                code: "value",
                what: format!("{of}: values are {fault}"),
                count: misfit.count,
                examples: named(&store, &misfit.examples).await.map_err(failed)?,
                remedy,
            });
        }
    }
    for broken in checkup::broken(&store).await.map_err(failed)? {
        let checkup::Broken { code, what, remedy, count, examples } = broken;
        findings.push(Finding { code, what: what.to_owned(), count, examples, remedy });
    }
    let checkup = Checkup {
        at,
        database: shown.clone(),
        evaluated_at: compared.at,
        segments: compared.segments,
        contacts: contacts::count(&store).await.map_err(failed)?,
        events: events::count(&store).await.map_err(failed)?,
        waiting: compared.waiting,
        not_compared: compared.to_be_evaluated.iter().map(ToString::to_string).collect(),
        findings,
    };
    store.close().await.map_err(failed)?;
    Ok(checkup)
}

/// Says whether packed bytes cannot be read at all.
async fn histories_against_the_log(store: &Store, findings: &mut Vec<Finding>) -> Result<bool, StoreError> {
    match histories::verify(store).await {
        Ok(different) if different.is_empty() => Ok(false),
        Ok(different) => {
            findings.push(Finding {
                code: "history",
                what: "contacts' packed history or facts are not what the log and their rows say".to_owned(),
                count: different.len() as u64,
                examples: named(store, &different).await?,
                remedy: REBUILD,
            });
            Ok(false)
        }
        Err(error @ (StoreError::Damaged(_) | StoreError::DamagedFacts(_))) => {
            let why =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            findings.push(Finding {
                code: "history",
                what: "packed histories or facts are damaged; memberships and values were not looked at"
                    .to_owned(),
                count: 1,
                examples: why.split(';').next().map(str::to_owned).into_iter().collect(),
                remedy: REBUILD,
            });
            Ok(true)
        }
        Err(error) => Err(error),
    }
}

async fn memberships_against_a_pass(
    store: &Store,
    compared: &Compared,
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let mut groups: BTreeMap<(&'static str, String), Vec<ContactId>> = BTreeMap::new();
    for difference in &compared.differences {
        let (code, what, contact) = match difference {
            Difference::Extra(kept, contact) => (
                "membership",
                format!("`{kept}`: contacts are kept in it who do not meet its condition"),
                contact,
            ),
            Difference::Missing(kept, contact) => (
                "membership",
                format!("`{kept}`: contacts meet its condition and are not kept in it"),
                contact,
            ),
            Difference::Passage(kept, contact) => (
                "passage",
                format!("`{kept}`: contacts entered or left at another time than is kept"),
                contact,
            ),
            Difference::Review(contact, _) => {
                ("review", "answers change by time before anybody would look again".to_owned(), contact)
            }
        };
        groups.entry((code, what)).or_default().push(*contact);
    }
    for ((code, what), contacts) in groups {
        let examples = named(store, &contacts).await?;
        findings.push(Finding { code, what, count: contacts.len() as u64, examples, remedy: REEVALUATE });
    }
    Ok(())
}

/// The first of these contacts by their ids, else by their numbers: addresses have no place in a terminal's history.
async fn named(store: &Store, some: &[ContactId]) -> Result<Vec<String>, StoreError> {
    let some = &some[..some.len().min(EXAMPLES)];
    let found = contacts::by_numbers(store, some).await?;
    let name = |number: &ContactId| {
        let contact: Option<&Contact> = found.iter().find(|contact| contact.id == *number);
        let id = contact.and_then(|contact| contact.external_id.clone());
        id.unwrap_or_else(|| format!("number {}", number.0))
    };
    Ok(some.iter().map(name).collect())
}
