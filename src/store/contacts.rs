//! Contacts: who they are, by the identity rules of the product contract, section 4.

use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _};
use sea_orm::{Condition, QuerySelect as _};

use super::backfills;
use super::bulk::{Bulk, Counter};
use super::connection::Load;
use super::dialect::given_numbers;
use super::entity::contact;
use super::error::failed;
use super::identity::{Book, fold};
use super::statement::{numbers_json, query, query_as, query_column, values};
use super::{ROWS, Result, Store, merges};
use crate::domain::consent::{Consent, ConsentState};
use crate::domain::contact::{Contact, ContactId, ContactUpdate};
use crate::domain::event::EventNameId;
use crate::domain::time::Timestamp;

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactOutcome {
    /// A new contact.
    Created(ContactId),
    /// A known contact with something new.
    Updated(ContactId),
    /// A known contact; the row says nothing new.
    Unchanged(ContactId),
    /// The row was not applied.
    Rejected(ContactRejection),
}

impl ContactOutcome {
    /// The contact, unless the row was rejected.
    pub const fn contact(&self) -> Option<ContactId> {
        match self {
            Self::Created(contact) | Self::Updated(contact) | Self::Unchanged(contact) => Some(*contact),
            Self::Rejected(_) => None,
        }
    }
}

/// Why a row names no contact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContactRejection {
    /// Neither id nor address.
    #[error("it has neither an id nor an e-mail address")]
    NoIdentity,
    /// The address belongs to a contact with another id.
    #[error("address taken: `{email}` belongs to the contact with the id `{owner}`")]
    AddressTaken {
        /// The address.
        email: String,
        /// The id of its contact.
        owner: String,
    },
    /// A text that `PostgreSQL` cannot keep.
    #[error("{field} holds the character U+0000")]
    Nul {
        /// Which.
        field: &'static str,
    },
}

/// How data come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arrival {
    /// As they happen: who enters an audience by them entered it now.
    #[default]
    News,
    /// Facts of another time, from a file: `on_entry` mails nobody for them.
    BackFill,
}

/// So many rows at once are an import.
const MANY: usize = 5_000;

/// Applies rows in their order, in one transaction; the outcomes are in the same order. The same
/// rows twice change nothing the second time. Thousands of rows a call are best.
pub async fn apply(store: &Store, updates: &[ContactUpdate], now: Timestamp) -> Result<Vec<ContactOutcome>> {
    apply_as(store, updates, Arrival::News, now).await
}

/// See [`apply`].
pub async fn apply_as(
    store: &Store,
    updates: &[ContactUpdate],
    arrival: Arrival,
    now: Timestamp,
) -> Result<Vec<ContactOutcome>> {
    let load = if updates.len() < MANY { Load::Little } else { Load::Much };
    let mut bulk = Bulk::begin_with(store, load, "store contacts").await?;
    // Drawn first: on PostgreSQL it puts those who write contacts in a row.
    let change = bulk.draw(Counter::ContactChange, 1).await?;
    let outcomes = apply_within(&mut bulk, updates, change, now).await?;
    if arrival == Arrival::BackFill {
        backfills::note(&mut bulk, backfills::Kind::Contacts, change, change).await?;
    }
    bulk.commit().await?;
    Ok(outcomes)
}

/// See [`apply`]; `change` is the number of this batch.
pub(super) async fn apply_within(
    bulk: &mut Bulk,
    updates: &[ContactUpdate],
    change: i64,
    now: Timestamp,
) -> Result<Vec<ContactOutcome>> {
    let mut ids: Vec<_> = updates.iter().filter_map(|update| update.external_id.clone()).collect();
    let mut emails: Vec<_> = updates.iter().filter_map(|update| update.email.as_deref().map(fold)).collect();
    for texts in [&mut ids, &mut emails] {
        texts.retain(|text| !text.contains('\0')); // such rows are rejected below
        texts.sort_unstable();
        texts.dedup();
    }
    let mut book = Book::new(bulk.contacts(ids, emails).await?);
    for update in updates {
        book.apply(update, now);
    }
    write(bulk, book, change, now).await
}

/// Writes what a book has come to; the outcomes are in the order of its rows.
pub(super) async fn write(
    bulk: &mut Bulk,
    book: Book,
    change: i64,
    now: Timestamp,
) -> Result<Vec<ContactOutcome>> {
    let new_contacts = book.new_contacts();
    let first = if new_contacts > 0 { bulk.draw(Counter::Contact, new_contacts).await? } else { 0 };
    let plan = book.finish(first);
    for (former, contact) in &plan.merges {
        merges::merge(bulk, *former, *contact, change, now).await?;
    }
    if !plan.freed_emails.is_empty() {
        bulk.free_emails(plan.freed_emails.iter().map(|contact| contact.0).collect()).await?;
    }
    if !plan.updates.is_empty() {
        bulk.update_contacts(plan.updates, change, now.micros()).await?;
    }
    if !plan.inserts.is_empty() {
        bulk.insert_contacts(plan.inserts, change, now.micros()).await?;
    }
    if !plan.consents.is_empty() {
        bulk.add_consents(plan.consents).await?;
    }
    Ok(plan.outcomes)
}

/// The contact with this number.
pub async fn by_number(store: &Store, contact: ContactId) -> Result<Option<Contact>> {
    let found = contact::Entity::find_by_id(contact.0).one(&store.database).await;
    Ok(found.map_err(failed(LOOK_UP))?.map(read))
}

/// The contact with this id of the user's system, else the one with this address.
pub async fn find(store: &Store, id_or_email: &str) -> Result<Option<Contact>> {
    if id_or_email.contains('\0') {
        return Ok(None);
    }
    let either = Condition::any()
        .add(contact::Column::ExternalId.eq(id_or_email))
        .add(contact::Column::EmailFolded.eq(fold(id_or_email)));
    let found = contact::Entity::find().filter(either).all(&store.database).await.map_err(failed(LOOK_UP))?;
    let by_id = found.iter().position(|contact| contact.external_id.as_deref() == Some(id_or_email));
    Ok(found.into_iter().nth(by_id.unwrap_or(0)).map(read))
}

/// Ids and addresses beside one that is not there, in the order of the indexes over them: among them is what
/// was meant, if it begins alike.
pub async fn neighbours(store: &Store, id_or_email: &str) -> Result<Vec<String>> {
    /// Before and after: a slip at the end of a text leaves it beside what was meant.
    const BESIDE: i64 = 20;
    /// From its first half on: a slip in the second.
    const BEHIND: i64 = 200;
    if id_or_email.contains('\0') {
        return Ok(Vec::new());
    }
    let folded = fold(id_or_email);
    let half: String = folded.chars().take(folded.chars().count().div_ceil(2)).collect();
    let mut found = Vec::new();
    for column in ["external_id", "email_folded"] {
        let whole = if column == "external_id" { id_or_email } else { folded.as_str() };
        for (comparison, order, from, limit) in
            [(">=", "ASC", whole, BESIDE), ("<", "DESC", whole, BESIDE), (">=", "ASC", &half, BEHIND)]
        {
            let text = format!(
                "SELECT {column} FROM contacts WHERE {column} {comparison} $1 ORDER BY {column} {order} LIMIT $2"
            );
            let given = values![from, limit];
            found.extend(query_column::<String>(&store.database, LOOK_UP, &text, given).await?);
        }
    }
    Ok(found)
}

/// The contacts with these numbers, in the order of the numbers; unknown ones are left out.
pub async fn by_numbers(store: &Store, contacts: &[ContactId]) -> Result<Vec<Contact>> {
    let mut numbers: Vec<i64> = contacts.iter().map(|contact| contact.0).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let given = given_numbers(store.backend(), 1, "id");
    let text =
        format!("SELECT * FROM contacts WHERE id IN (SELECT id FROM {given} AS given) ORDER BY contacts.id");
    let mut found = Vec::with_capacity(numbers.len());
    for part in numbers.chunks(ROWS) {
        let given = values![numbers_json(part.iter().copied())];
        let rows: Vec<contact::Model> = query_as(&store.database, LOOK_UP, &text, given).await?;
        found.extend(rows.into_iter().map(read));
    }
    Ok(found)
}

/// The first `limit` contacts after `after`, by number.
pub async fn page(store: &Store, after: Option<ContactId>, limit: u32) -> Result<Vec<Contact>> {
    let query = contact::Entity::find()
        .filter(contact::Column::Id.gt(after.map_or(i64::MIN, |contact| contact.0)))
        .order_by_asc(contact::Column::Id)
        .limit(u64::from(limit));
    let found = query.all(&store.database).await.map_err(failed(LOOK_UP))?;
    Ok(found.into_iter().map(read).collect())
}

/// The zones that contacts have, as they were given.
pub async fn zones(store: &Store) -> Result<Vec<String>> {
    let text = "SELECT DISTINCT time_zone FROM contacts WHERE time_zone IS NOT NULL";
    query_column(&store.database, "list the zones of contacts", text, vec![]).await
}

/// How many there are.
pub async fn count(store: &Store) -> Result<u64> {
    contact::Entity::find().count(&store.database).await.map_err(failed("count contacts"))
}

const LOOK_UP: &str = "look up contacts";

fn read(row: contact::Model) -> Contact {
    let consent = |state: i64, since: Option<i64>| Consent {
        state: ConsentState::from_code(state as i16),
        since: since.map(Timestamp::from_micros),
    };
    Contact {
        id: ContactId(row.id),
        key: row.key,
        external_id: row.external_id,
        email: row.email,
        time_zone: row.time_zone,
        language: row.language,
        created_at: Timestamp::from_micros(row.created_at),
        marketing: consent(row.marketing, row.marketing_since),
        tracking: consent(row.tracking, row.tracking_since),
        attributes: row.attributes,
    }
}

/// A place in the stream of changes: what was before it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChangeMark {
    /// Number of the last batch of contacts.
    pub contacts: i64,
    /// Number of the last event.
    pub events: i64,
}

/// Contacts with new facts or events after a mark, and the mark behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// `None` when they are more than `limit`: look at all.
    pub news: Option<News>,
    /// To be given the next time.
    pub mark: ChangeMark,
}

/// What is new of contacts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct News {
    /// Who has new facts, and who became others; in the order of their numbers, each once.
    pub of_facts: Vec<ContactId>,
    /// Who has new events, of which names; in the order of their numbers, each name once.
    pub of_events: Vec<(ContactId, EventNameId)>,
}

impl News {
    /// Of whom something is new, in the order of their numbers.
    pub fn contacts(&self) -> Vec<ContactId> {
        let with_events = self.of_events.iter().map(|(contact, _)| *contact);
        let mut contacts: Vec<_> = self.of_facts.iter().copied().chain(with_events).collect();
        contacts.sort_unstable();
        contacts.dedup();
        contacts
    }
}

/// The present mark. Take it before a full pass; what comes in during the pass is behind it.
pub async fn mark(store: &Store) -> Result<ChangeMark> {
    let text = "SELECT c.value, e.value FROM counters c, counters e
        WHERE c.name = 'contact_change' AND e.name = 'event'";
    let operation = "read how far the data go";
    let rows = super::statement::query(&store.database, operation, text, vec![]).await?;
    let Some(row) = rows.first() else { return Ok(ChangeMark::default()) };
    Ok(ChangeMark {
        contacts: row.try_get_by_index(0).map_err(failed(operation))?,
        events: row.try_get_by_index(1).map_err(failed(operation))?,
    })
}

/// Numbers that are nobody's any more since `mark`: their contacts became others. In order.
pub async fn merged_since(store: &Store, mark: ChangeMark) -> Result<Vec<ContactId>> {
    let text = "SELECT former FROM contact_merges WHERE change > $1 ORDER BY former";
    let operation = "list contacts that became others";
    let formers: Vec<i64> = query_column(&store.database, operation, text, values![mark.contacts]).await?;
    Ok(formers.into_iter().map(ContactId).collect())
}

/// Numbers of contacts that were erased, in order.
pub async fn forgotten(store: &Store) -> Result<Vec<ContactId>> {
    let text = "SELECT contact FROM forgotten_contacts ORDER BY contact";
    let numbers: Vec<i64> = query_column(&store.database, "list erased contacts", text, vec![]).await?;
    Ok(numbers.into_iter().map(ContactId).collect())
}

/// Who changed since `mark`. Contacts that became others are named, too: they are no more.
pub async fn changed_since(store: &Store, mark: ChangeMark, limit: usize) -> Result<Changes> {
    let operation = "list contacts that changed";
    let now = self::mark(store).await?;
    let mut news = News::default();
    let at_most = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX).saturating_add(1);
    for text in [
        "SELECT id FROM contacts WHERE change > $1 AND change <= $2 LIMIT $3",
        "SELECT former FROM contact_merges WHERE change > $1 AND change <= $2 LIMIT $3",
    ] {
        let given = values![mark.contacts, now.contacts, at_most(limit)];
        let numbers = query_column::<i64>(&store.database, operation, text, given).await?;
        news.of_facts.extend(numbers.into_iter().map(ContactId));
    }
    let text = "SELECT DISTINCT COALESCE(m.contact, e.contact), e.name FROM events e
        LEFT JOIN contact_merges m ON m.former = e.contact
        WHERE e.id > $1 AND e.id <= $2 LIMIT $3";
    let names = limit.saturating_mul(NAMES_A_CONTACT);
    for row in
        query(&store.database, operation, text, values![mark.events, now.events, at_most(names)]).await?
    {
        let number = |index| row.try_get_by_index::<i64>(index).map_err(failed(operation));
        news.of_events.push((ContactId(number(0)?), EventNameId(number(1)? as u32)));
    }
    news.of_facts.sort_unstable();
    news.of_facts.dedup();
    news.of_events.sort_unstable();
    let is_few = news.of_events.len() <= names && news.contacts().len() <= limit;
    Ok(Changes { news: is_few.then_some(news), mark: now })
}

/// So many names of new events a contact are listed, on average, before there are too many.
const NAMES_A_CONTACT: usize = 4;
