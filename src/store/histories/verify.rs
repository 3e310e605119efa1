//! Packed histories held against the log, and packed facts and attributes against the contacts. Only reads, and keeps nobody
//! from writing: what changes meanwhile is left out, or looked at once more.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use futures_util::TryStreamExt as _;
use sqlx::Row as _;

use super::super::contacts::{self, ChangeMark};
use super::super::statement::{query, query_column, values};
use super::super::{Engine, Result, Store, StoreError, events, failed};
use super::{ContactVisitor, VisitError, visit_as_stored};
use crate::domain::attributes::{self, AttributesPacker, AttributesReader};
use crate::domain::contact::{ContactId, ContactView};
use crate::domain::facts::{DamagedFacts, Facts, FactsReader};
use crate::domain::history::{ContactPart, EventNeed, History, Needs};
use crate::domain::membership::MemberBlock;
use crate::domain::time::Timestamp;

const OPERATION: &str = "verify the histories";

/// How often it is looked again when events are taken out of the log meanwhile.
const ATTEMPTS: u32 = 3;

/// Contacts whose packed history does not hold what the log says, or whose packed facts or attributes are not theirs, in the
/// order of their numbers. What is not packed yet is not looked at.
pub async fn verify(store: &Store) -> Result<Vec<ContactId>> {
    let mut different = histories_that_differ(store).await?;
    different.extend(facts_that_differ(store).await?);
    different.sort_unstable();
    different.dedup();
    Ok(different)
}

async fn histories_that_differ(store: &Store) -> Result<Vec<ContactId>> {
    let everything = |name| EventNeed {
        name,
        since: Timestamp::from_micros(i64::MIN),
        properties_since: Some(Timestamp::from_micros(i64::MIN)),
    };
    let mut attempt = 1;
    loop {
        let (packed, before) = standing(store).await?;
        let mut needs = Needs {
            contact: ContactPart::Facts,
            events: events::names(store).await?.into_values().map(everything).collect(),
        };
        needs.events.sort_unstable_by_key(|need| need.name);
        let mut rest = digests_of_log(store, packed).await?;
        for (contact, _, of_packed) in look_at_all(store, &needs, packed).await? {
            let of_log = rest.entry(contact).or_default();
            *of_log = of_log.wrapping_sub(of_packed);
        }
        let mut different: Vec<_> =
            rest.into_iter().filter(|(_, rest)| *rest != 0).map(|(contact, _)| ContactId(contact)).collect();
        if different.is_empty() || attempt == ATTEMPTS || before == standing(store).await?.1 {
            different.sort_unstable();
            return Ok(different);
        }
        attempt += 1;
    }
}

/// Up to which number events are packed; and what grows when some are taken out of the log or change hands.
async fn standing(store: &Store) -> Result<(i64, i64)> {
    let text = "SELECT CAST(SUM(CASE name WHEN 'event_packed' THEN value ELSE 0 END) AS BIGINT),
            CAST(SUM(CASE name WHEN 'event_packed' THEN 0 ELSE value END) AS BIGINT)
        FROM counters WHERE name IN ('event_packed', 'event_removed', 'contact_merge', 'contact_forgotten')";
    let rows = query(&store.database, OPERATION, text, vec![]).await?;
    let Some(row) = rows.first() else { return Ok((0, 0)) };
    let read = |index| row.try_get_by_index::<i64>(index).map_err(failed(OPERATION));
    Ok((read(0)?, read(1)?))
}

/// The sum of the digests of each contact's events in the log, up to a number.
async fn digests_of_log(store: &Store, up_to: i64) -> Result<HashMap<i64, u64>> {
    const TEXT: &str = "SELECT COALESCE(m.contact, e.contact), e.id, e.name, e.at, e.properties
        FROM events e LEFT JOIN contact_merges m ON m.former = e.contact WHERE e.id <= $1";
    let mut digests: HashMap<i64, u64> = HashMap::new();
    let note = |digests: &mut HashMap<i64, u64>, contact, [id, name, at]: [i64; 3], properties: &str| {
        let digest = digest(id, name, at, if properties == "{}" { "" } else { properties });
        let sum = digests.entry(contact).or_default();
        *sum = sum.wrapping_add(digest);
    };
    match &store.engine {
        Engine::Sqlite(file) => {
            let file = file.clone();
            let read = move || {
                let connection = file.reader()?;
                let walk = || -> rusqlite::Result<HashMap<i64, u64>> {
                    connection.execute_batch("BEGIN")?;
                    let mut select = connection.prepare(&TEXT.replace('$', "?"))?;
                    let mut rows = select.query([up_to])?;
                    while let Some(row) = rows.next()? {
                        let numbers = [row.get(1)?, row.get(2)?, row.get(3)?];
                        note(&mut digests, row.get(0)?, numbers, row.get_ref(4)?.as_str()?);
                    }
                    Ok(digests)
                };
                let digests = walk().map_err(failed::<rusqlite::Error>(OPERATION))?;
                file.keep_reader(connection);
                Ok(digests)
            };
            tokio::task::spawn_blocking(read).await.map_err(failed(OPERATION))?
        }
        Engine::Postgres(pool, _) => {
            let mut rows = sqlx::query(TEXT).bind(up_to).fetch(pool);
            while let Some(row) = rows.try_next().await.map_err(failed(OPERATION))? {
                let number = |index: usize| row.try_get::<i64, _>(index).map_err(failed(OPERATION));
                let numbers = [number(1)?, number(2)?, number(3)?];
                let properties: &str = row.try_get(4).map_err(failed(OPERATION))?;
                note(&mut digests, number(0)?, numbers, properties);
            }
            Ok(digests)
        }
    }
}

/// Blocks of contacts that are read at once.
const BLOCKS: i64 = 64;

/// Contacts whose packed facts or attributes are not what a pass shows that reads contacts whole.
async fn facts_that_differ(store: &Store) -> Result<Vec<ContactId>> {
    let packed = "SELECT value FROM counters WHERE name = 'contact_packed'";
    let packed: Vec<i64> = query_column(&store.database, OPERATION, packed, vec![]).await?;
    let (mut of_blocks, mut blocks) = (HashMap::new(), HashSet::new());
    let text =
        "SELECT block, payload, attributes FROM contact_fact_blocks WHERE block > $1 ORDER BY block LIMIT $2";
    let mut last = i64::MIN;
    loop {
        let rows = query(&store.database, OPERATION, text, values![last, BLOCKS]).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let read = || Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?));
            let (block, facts, attributes): (i64, Vec<u8>, Option<Vec<u8>>) =
                read().map_err(failed::<sea_orm::DbErr>(OPERATION))?;
            digest_block(MemberBlock(block), &facts, &attributes.unwrap_or_default(), &mut of_blocks)?;
            blocks.insert(MemberBlock(block));
            last = block;
        }
    }
    let whole = Needs { contact: ContactPart::Whole, events: Vec::new() };
    let mut different = Vec::new();
    for (contact, facts, _) in look_at_all(store, &whole, 0).await? {
        let packed = of_blocks.remove(&contact);
        if packed != Some(facts) && blocks.contains(&MemberBlock::of(ContactId(contact))) {
            different.push(ContactId(contact));
        }
    }
    different.extend(of_blocks.into_keys().map(ContactId));
    if !different.is_empty() {
        // Whoever changed since then is packed again when a pass begins.
        let since = ChangeMark { contacts: packed.first().copied().unwrap_or_default(), events: i64::MAX };
        let changed =
            contacts::changed_since(store, since, usize::MAX).await?.news.unwrap_or_default().contacts();
        let forgotten = contacts::forgotten(store).await?;
        different.retain(|one| changed.binary_search(one).is_err() && forgotten.binary_search(one).is_err());
    }
    Ok(different)
}

/// What a pass shows: of each contact its number, a digest of its facts, and the sum of the digests of its
/// events up to a number.
async fn look_at_all(store: &Store, needs: &Needs, up_to: i64) -> Result<Vec<(i64, u64, u64)>> {
    match visit_as_stored(store, needs, vec![Digests { up_to, by_contact: Vec::new() }]).await {
        Ok(visitors) => Ok(visitors.into_iter().flat_map(|visitor| visitor.by_contact).collect()),
        Err(VisitError::Store(error)) => Err(error),
        Err(VisitError::Visitor(never)) => match never {},
    }
}

#[derive(Debug)]
struct Digests {
    up_to: i64,
    by_contact: Vec<(i64, u64, u64)>,
}

impl ContactVisitor for Digests {
    type Error = Infallible;

    fn visit(&mut self, contact: &ContactView<'_>, history: &History<'_>) -> Result<(), Infallible> {
        let known = history.all().iter().filter(|event| event.arrival <= self.up_to);
        let digests = known.map(|event| {
            let name = i64::from(event.name.0);
            digest(event.arrival, name, event.at.micros(), history.properties(event))
        });
        let of_events = digests.fold(0, u64::wrapping_add);
        self.by_contact.push((contact.id.0, digest_of_contact(contact), of_events));
        Ok(())
    }
}

/// The digests of a block's contacts, by their numbers.
fn digest_block(
    block: MemberBlock,
    facts: &[u8],
    attributes: &[u8],
    digests: &mut HashMap<i64, u64>,
) -> Result<(), StoreError> {
    let names = attributes::names(block, attributes)?;
    let mut reader = AttributesReader::new(block, attributes, &names)?;
    for facts in FactsReader::new(block, facts)? {
        let facts = facts?;
        let of_attributes = digest_of_attributes(&names, reader.next_contact()?);
        digests.insert(facts.id.0, digest_of_facts(&facts).wrapping_add(of_attributes));
    }
    Ok(())
}

/// The digest of a contact that was read whole. Its attributes are packed alone: so they mean the same.
fn digest_of_contact(contact: &ContactView<'_>) -> u64 {
    let mut packer = AttributesPacker::default();
    packer.push(contact.attributes);
    let payload = packer.finish();
    let block = MemberBlock::of(contact.id);
    let read = || {
        let names = attributes::names(block, &payload)?;
        let mut reader = AttributesReader::new(block, &payload, &names)?;
        Ok::<_, DamagedFacts>(digest_of_attributes(&names, reader.next_contact()?))
    };
    // What was packed a moment ago can be read.
    digest_of_facts(&Facts::from(contact)).wrapping_add(read().unwrap_or_default())
}

/// The same in whatever order they come.
fn digest_of_attributes(names: &[String], values: &[Option<&str>]) -> u64 {
    let digest = |(name, value): (&String, &str)| {
        let mut hasher = DefaultHasher::new();
        (name, value).hash(&mut hasher);
        hasher.finish()
    };
    let present = names.iter().zip(values).filter_map(|(name, value)| Some((name, (*value)?)));
    present.map(digest).fold(0, u64::wrapping_add)
}

fn digest_of_facts(facts: &Facts<'_>) -> u64 {
    let Facts { id, marketing, tracking, created_at, time_zone } = facts;
    let mut hasher = DefaultHasher::new();
    (id, created_at, time_zone).hash(&mut hasher);
    for consent in [marketing, tracking] {
        (consent.state.code(), consent.since).hash(&mut hasher);
    }
    hasher.finish()
}

fn digest(arrival: i64, name: i64, at: i64, properties: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (arrival, name, at, properties).hash(&mut hasher);
    hasher.finish()
}
