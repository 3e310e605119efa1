//! Packed histories lie by name, then by block; the facts of contacts are packed by blocks, too.
//!
//! What is packed is made from the log and from the contacts, so the old chunks are dropped and the
//! counters begin anew: whoever reads next packs everything.

use crate::step::Step;

/// See the module.
pub(crate) const STEP: Step = Step {
    name: "m20261123_000002_facts",
    up: UP,
    up_postgres: UP_POSTGRES,
    down: DOWN,
    down_postgres: DOWN_POSTGRES,
};

const UP: &[&str] = &[
    "DROP TABLE history_chunks",
    // `id`: name, block and sequence as one number, so that the table lies in their order and a chunk on
    // one page of its own. `latest`: when the latest of its events happened; a window of a few days passes
    // over the chunks that end before it.
    "CREATE TABLE history_chunks (
        id {id},
        latest {int} NOT NULL,
        heads {packed},
        properties {packed}
    ) {rewritten_packed}",
    "UPDATE counters SET value = 0 WHERE name = 'event_packed'",
    // What a full pass reads of contacts that need no attributes, 4,096 contacts a row: as they were after
    // the change with the number `contact_packed`.
    "CREATE TABLE contact_fact_blocks (block {id}, payload {packed}) {rewritten_packed}",
    "INSERT INTO counters (name, value) VALUES ('contact_packed', 0)",
    "DROP INDEX contacts_facts",
];

const UP_POSTGRES: &[&str] = &[
    "ALTER TABLE history_chunks ALTER COLUMN heads SET STORAGE EXTERNAL",
    "ALTER TABLE history_chunks ALTER COLUMN properties SET STORAGE EXTERNAL",
    "ALTER TABLE contact_fact_blocks ALTER COLUMN payload SET STORAGE EXTERNAL",
];

const DOWN: &[&str] = &[
    "CREATE INDEX contacts_facts ON contacts (id, marketing, marketing_since, tracking, tracking_since, created_at, time_zone)",
    "DELETE FROM counters WHERE name = 'contact_packed'",
    "DROP TABLE contact_fact_blocks",
    "DROP TABLE history_chunks",
    "CREATE TABLE history_chunks (
        block {int} NOT NULL,
        name {int} NOT NULL,
        sequence {int} NOT NULL,
        heads {packed},
        properties {packed},
        PRIMARY KEY (block, name, sequence)
    ) {rewritten_clustered}",
    "UPDATE counters SET value = 0 WHERE name = 'event_packed'",
];

const DOWN_POSTGRES: &[&str] = &[
    "ALTER TABLE history_chunks ALTER COLUMN heads SET STORAGE EXTERNAL",
    "ALTER TABLE history_chunks ALTER COLUMN properties SET STORAGE EXTERNAL",
];
