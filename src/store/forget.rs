//! Erases a person: everything that is held on them goes, in one transaction; what remains is the hash of
//! their addresses, as a suppression, and rows that count without saying who.
//!
//! | table | what becomes of it |
//! |---|---|
//! | contacts, merges, consents, events and their packed copy, memberships, anonymous ids, refused calls | removed |
//! | deliveries | kept for the counts: without address, answer of the server and contact |
//! | hits | kept for the counts: without anything that the request said of itself |
//! | links | those that carry the address or the id are removed |
//! | suppressions | of the address: of its hash instead |
//!
//! A database keeps what it deletes until the space is used again: [`wipe`] sees to that.

use std::collections::BTreeSet;

use serde_json::json;

use super::arrows::begins;
use super::bulk::{Bulk, Cell, Counter, pack, place, regroup, unpack};
use super::dialect::Column::Number;
use super::dialect::{given_numbers, given_rows};
use super::error::failed;
use super::statement::numbers_json;
use super::{Backend, Engine, ROWS, Result, Store, arrivals, log, memberships, tail};
use crate::domain::arrow::Arrow;
use crate::domain::contact::ContactId;
use crate::domain::delivery::{SkipReason, SuppressionCause};
use crate::domain::membership::CONTACTS_PER_MEMBER_BLOCK;
use crate::domain::suppression::SuppressionTarget;
use crate::domain::time::Timestamp;

/// What was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Events that are gone.
    pub events: u64,
    /// Deliveries that say no more whose they were.
    pub deliveries: u64,
    /// Addresses that are kept as hashes, so that nobody mails them.
    pub addresses: u64,
    /// Links that carried the address or the id: they lead nowhere now.
    pub links: u64,
}

/// The source of the suppressions that remain.
const SOURCE: &str = "erased";

/// An id that is shorter is found in a link by chance.
const SHORTEST_ID_IN_LINKS: usize = 5;

/// Erases a contact; `None`: there is no such contact.
pub async fn forget(store: &Store, contact: ContactId, now: Timestamp) -> Result<Option<Forgotten>> {
    let bulk = Bulk::begin(store, "erase a contact").await?;
    let mut erasing = Erasing { bulk, backend: store.backend(), now, forgotten: Forgotten::default() };
    let Some(everybody) = erasing.everything_of(contact).await? else { return Ok(None) };
    let forgotten = erasing.forgotten;
    erasing.bulk.commit().await?;
    // Bare numbers, and a refresh would find them gone.
    memberships::forget(store, &everybody).await?;
    Ok(Some(forgotten))
}

struct Erasing {
    bulk: Bulk,
    backend: Backend,
    now: Timestamp,
    forgotten: Forgotten,
}

impl Erasing {
    /// Erases; gives the numbers of the contact and of all that became it.
    async fn everything_of(&mut self, contact: ContactId) -> Result<Option<Vec<ContactId>>> {
        // In the order of the counters; and nobody else may append to the histories that are rewritten.
        self.bulk.draw(Counter::ContactChange, 1).await?;
        let last = self.bulk.last(Counter::Event).await?;
        tail::pack_up_to(&mut self.bulk, last).await?;
        self.bulk.last(Counter::ContactMerge).await?;
        if self.backend == Backend::Sqlite {
            // What is deleted from here on is overwritten at once.
            self.bulk.rows_with("PRAGMA secure_delete = ON", vec![]).await?;
        }
        let find = "SELECT external_id, email FROM contacts WHERE id = $1";
        let rows = self.bulk.rows_with(find, vec![contact.0.into()]).await?;
        let Some([external_id, email]) = rows.first().and_then(|row| row.first_chunk()).cloned() else {
            return Ok(None);
        };
        let mut everybody = vec![contact.0];
        let formers = "SELECT former FROM contact_merges WHERE contact = $1";
        everybody.extend(self.numbers(formers, vec![contact.0.into()]).await?);

        self.events(contact).await?;
        let addresses = self.deliveries(&everybody, email.text()).await?;
        self.links(&addresses, external_id.text()).await?;
        self.suppressions(&addresses).await?;
        for address in &addresses {
            let (id, address) = (external_id.text(), Some(address.as_str()));
            arrivals::forget_within(&mut self.bulk, contact, id, address).await?;
        }
        arrivals::forget_within(&mut self.bulk, contact, external_id.text(), None).await?;
        for number in &everybody {
            for text in ROWS_OF_A_CONTACT {
                self.bulk.execute(text, &[*number]).await?;
            }
            let note = "INSERT INTO forgotten_contacts (contact, at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            self.bulk.execute(note, &[*number, self.now.micros()]).await?;
        }
        let block = contact.0.div_euclid(CONTACTS_PER_MEMBER_BLOCK);
        self.bulk.execute("DELETE FROM contact_fact_blocks WHERE block = $1", &[block]).await?;
        self.bulk.draw(Counter::ContactForgotten, everybody.len()).await?;
        self.bulk.draw(Counter::EventRemoved, self.forgotten.events as usize).await?;
        if self.backend == Backend::Sqlite {
            self.bulk.rows_with("PRAGMA secure_delete = OFF", vec![]).await?;
        }
        Ok(Some(everybody.into_iter().map(ContactId).collect()))
    }

    /// The log, the hashes of message ids, and the packed copy.
    async fn events(&mut self, contact: ContactId) -> Result<()> {
        let block = place(contact.0).0;
        let rows = unpack(&self.bulk.read_blocks(vec![block]).await?)?;
        let (gone, mut kept): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.contact == contact.0);
        let mut chunks = Vec::new();
        for group in regroup(&mut kept) {
            chunks.extend(pack(group.block, group.name, None, &kept[group.start..group.end])?);
        }
        self.bulk.replace_blocks(vec![block], chunks).await?;
        let given = given_numbers(self.backend, 1, "id");
        let messages = format!(
            "SELECT id, message_id FROM events
             WHERE id IN (SELECT id FROM {given} AS given) AND message_id IS NOT NULL"
        );
        let delete = format!("DELETE FROM events WHERE id IN (SELECT id FROM {given} AS given)");
        let hashes = given_rows(self.backend, 1, &[("hash", Number), ("event", Number)]);
        let delete_hashes = format!(
            "DELETE FROM event_messages WHERE (hash, event) IN (SELECT hash, event FROM {hashes} AS given)"
        );
        for part in gone.chunks(ROWS) {
            let numbers = Cell::from(numbers_json(part.iter().map(|row| row.id)));
            let found = self.bulk.rows_with(&messages, vec![numbers.clone()]).await?;
            let hashes: Vec<_> = found
                .iter()
                .filter_map(|row| Some(json!([log::hash(row.get(1)?.text()?), row.first()?.number()?])))
                .collect();
            self.bulk.execute_with(&delete_hashes, vec![json!(hashes).to_string().into()]).await?;
            self.forgotten.events += self.bulk.execute_with(&delete, vec![numbers]).await?;
        }
        Ok(())
    }

    /// The send ledger and what was recorded of it; gives all addresses that were mailed, and the present one.
    async fn deliveries(&mut self, everybody: &[i64], email: Option<&str>) -> Result<BTreeSet<String>> {
        let given = given_numbers(self.backend, 1, "contact");
        let find = format!(
            "SELECT id, address FROM deliveries WHERE contact IN (SELECT contact FROM {given} AS given)"
        );
        let everybody = Cell::from(numbers_json(everybody.iter().copied()));
        let rows = self.bulk.rows_with(&find, vec![everybody]).await?;
        let ids: Vec<i64> = rows.iter().filter_map(|row| row.first()?.number()).collect();
        let mailed = rows.iter().filter_map(|row| row.get(1)?.text());
        let addresses: BTreeSet<String> = mailed
            .chain(email)
            .map(|address| SuppressionTarget::address(address).as_str().to_owned())
            .collect();
        let given = given_numbers(self.backend, 1, "id");
        // What is not sent yet is not sent. A row that is being handed over is settled by its sender.
        let update = format!(
            "UPDATE deliveries SET contact = -id, address = NULL, reply_text = NULL, content_hash = NULL,
                 recorded_at = COALESCE(recorded_at, $2),
                 reason = CASE WHEN {waits} THEN '{reason}' ELSE reason END,
                 settled_at = CASE WHEN {waits} THEN $2 ELSE settled_at END,
                 wait = CASE WHEN {waits} THEN NULL ELSE wait END,
                 incarnation = CASE WHEN {waits} THEN NULL ELSE incarnation END,
                 state = CASE WHEN {waits} THEN '{skipped}' ELSE state END
             WHERE id IN (SELECT id FROM {given} AS given)",
            waits = begins(Arrow::Forget, "state"),
            skipped = Arrow::Forget.end().word(),
            reason = SkipReason::LeftTheAudience.word()
        );
        let blank = format!(
            "UPDATE hits SET user_agent = NULL, network = NULL, accept = NULL, accept_language = NULL,
                 fetch_mode = NULL, purpose = NULL
             WHERE delivery IN (SELECT id FROM {given} AS given)"
        );
        for part in ids.chunks(ROWS) {
            let numbers = Cell::from(numbers_json(part.iter().copied()));
            let now = Cell::from(self.now.micros());
            self.forgotten.deliveries += self.bulk.execute_with(&update, vec![numbers.clone(), now]).await?;
            self.bulk.execute_with(&blank, vec![numbers]).await?;
        }
        Ok(addresses)
    }

    /// Links that carry an address, plain or encoded, or a long id.
    async fn links(&mut self, addresses: &BTreeSet<String>, external_id: Option<&str>) -> Result<()> {
        let mut marks: Vec<String> = addresses.iter().cloned().collect();
        marks.extend(addresses.iter().map(|address| address.replace('@', "%40")));
        let id = external_id.filter(|id| id.len() >= SHORTEST_ID_IN_LINKS).map(str::to_lowercase);
        marks.extend(id);
        let mut numbers = BTreeSet::new();
        for mark in marks {
            let find = "SELECT number, url FROM links WHERE LOWER(url) LIKE $1 ESCAPE '\\'";
            let escaped = mark.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            for row in self.bulk.rows_with(find, vec![format!("%{escaped}%").into()]).await? {
                let whole = row.get(1).and_then(Cell::text).is_some_and(|url| carries(url, &mark));
                numbers.extend(row.first().and_then(Cell::number).filter(|_| whole));
            }
        }
        let given = given_numbers(self.backend, 1, "number");
        let delete = format!("DELETE FROM links WHERE number IN (SELECT number FROM {given} AS given)");
        self.forgotten.links += self.bulk.execute_with(&delete, vec![numbers_json(numbers).into()]).await?;
        Ok(())
    }

    /// Suppressions of the addresses become those of their hashes; there is at least one.
    async fn suppressions(&mut self, addresses: &BTreeSet<String>) -> Result<()> {
        let now = self.now.micros();
        for address in addresses {
            let hash = SuppressionTarget::hash_of(address);
            let hash = || Cell::from(hash.as_str());
            let copy = "INSERT INTO suppressions (address, cause, scope, at, source)
                SELECT CAST($2 AS TEXT), cause, scope, at, $3 FROM suppressions WHERE address = $1
                ON CONFLICT DO NOTHING";
            let own = Cell::from(address.as_str());
            self.bulk.execute_with(copy, vec![own.clone(), hash(), SOURCE.into()]).await?;
            self.bulk.execute_with("DELETE FROM suppressions WHERE address = $1", vec![own]).await?;
            let known = "SELECT at FROM suppressions WHERE address = $1";
            if self.bulk.rows_with(known, vec![hash()]).await?.is_empty() {
                let add = "INSERT INTO suppressions (address, cause, scope, at, source) VALUES ($1, $2, $3, $4, $5)";
                let cause = SuppressionCause::Import;
                let (word, scope) = (cause.word().into(), cause.scope().word().into());
                self.bulk.execute_with(add, vec![hash(), word, scope, now.into(), SOURCE.into()]).await?;
            }
            self.forgotten.addresses += 1;
        }
        Ok(())
    }

    async fn numbers(&mut self, text: &str, values: Vec<Cell>) -> Result<Vec<i64>> {
        let rows = self.bulk.rows_with(text, values).await?;
        Ok(rows.iter().filter_map(|row| row.first()?.number()).collect())
    }
}

/// The rows of contact `$1` that go.
const ROWS_OF_A_CONTACT: [&str; 3] = [
    "DELETE FROM consent_changes WHERE contact = $1",
    "DELETE FROM contact_merges WHERE contact = $1 OR former = $1",
    "DELETE FROM contacts WHERE id = $1",
];

/// What else than letters and digits the parts of an address may hold, as it is and escaped.
const IN_LOCAL_PARTS: [&str; 10] = [".", "+", "-", "_", "'", "%2e", "%2b", "%2d", "%5f", "%27"];
const IN_DOMAINS: [&str; 4] = [".", "-", "%2e", "%2d"];

/// Whether an address of a link holds a mark that is not a part of something longer: `ada-17` is not in
/// `?customer=ada-177`, nor `shop@x.example` in `?e=john.shop@x.example`.
fn carries(url: &str, mark: &str) -> bool {
    let url = url.to_lowercase();
    let is_address = mark.contains('@') || mark.contains("%40");
    let is_inner = |character: char| character.is_alphanumeric();
    url.match_indices(mark).any(|(at, _)| {
        let (before, after) = (&url[..at], &url[at + mark.len()..]);
        // An escape such as %3D ends in a digit or letter and is none.
        let escaped = at >= 3 && url.as_bytes()[at - 3] == b'%';
        let begins = escaped || !before.ends_with(is_inner);
        let ends = !after.starts_with(is_inner);
        let goes_on = |part: &&str| after.strip_prefix(*part).is_some_and(|rest| rest.starts_with(is_inner));
        let is_longer =
            || IN_LOCAL_PARTS.iter().any(|part| before.ends_with(part)) || IN_DOMAINS.iter().any(goes_on);
        begins && ends && !(is_address && is_longer())
    })
}

/// Whether nothing of what was deleted is left in the database's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wiped {
    /// Nothing is.
    Whole,
    /// The write-ahead log could not be emptied while somebody reads: it is, at the latest when the last
    /// program closes the database.
    ButTheLog,
    /// The server uses the space again by and by.
    ByTheServer,
}

/// Writes the database's file anew without what was deleted (`SQLite`; takes as long as copying it, and as
/// much room), or lets the server use the space again (`PostgreSQL`).
pub async fn wipe(store: &Store) -> Result<Wiped> {
    let operation = "wipe what was deleted";
    match &store.engine {
        Engine::Sqlite(file) => {
            let mut turn = file.write_turn().await;
            // The bulk writer's own connection would be in the way of the last step.
            turn.take();
            file.close_readers();
            let path = file.path.clone();
            let wipe = move || {
                let connection = rusqlite::Connection::open(path)?;
                connection.busy_timeout(super::connection::BUSY_TIMEOUT)?;
                connection.execute_batch("VACUUM")?;
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
            };
            let wiped = tokio::task::spawn_blocking(wipe).await.map_err(failed(operation))?;
            let busy = wiped.map_err(failed::<rusqlite::Error>(operation))?;
            Ok(if busy == 0 { Wiped::Whole } else { Wiped::ButTheLog })
        }
        Engine::Postgres(pool, _) => {
            sqlx::query("VACUUM").execute(pool).await.map_err(failed(operation))?;
            Ok(Wiped::ByTheServer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_whole() {
        for (url, mark, found) in [
            ("https://x.example/?e=Ada@Shop.example", "ada@shop.example", true),
            ("https://x.example/?e%3Dada%40shop.example&x", "ada%40shop.example", true),
            ("https://x.example/?c=ada-17", "ada-17", true),
            ("https://x.example/?c=ada-177", "ada-17", false),
            ("https://x.example/?c=xada-17", "ada-17", false),
            ("https://x.example/", "ada-17", false),
            ("https://x.example/?c=x.ada-17", "ada-17", true),
            ("https://x.example/?e=ada+shop@x.example", "shop@x.example", false),
            ("https://x.example/?e=john.shop@x.example", "shop@x.example", false),
            ("https://x.example/?e=o'shop@x.example", "shop@x.example", false),
            ("https://x.example/?e=ada%2Bshop%40x.example", "shop%40x.example", false),
            ("https://x.example/?e=ada%2Eshop@x.example", "shop@x.example", false),
            ("https://x.example/?e=ada%2dshop@x.example", "shop@x.example", false),
            ("https://x.example/?e=ada%5Fshop@x.example", "shop@x.example", false),
            ("https://x.example/?e=shop@x.example.org", "shop@x.example", false),
            ("https://x.example/?e=shop%40x.example%2Eorg", "shop%40x.example", false),
            ("https://x.example/?e=shop@x.example-2.org", "shop@x.example", false),
            ("https://x.example/shop@x.example.", "shop@x.example", true),
            ("https://x.example/?e=john.shop@x.example&f=shop@x.example", "shop@x.example", true),
            ("https://x.example/?e%3Dshop%40x.example", "shop%40x.example", true),
        ] {
            assert_eq!(carries(url, mark), found, "{url}");
        }
    }
}
