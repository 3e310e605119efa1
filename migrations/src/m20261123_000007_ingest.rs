//! The ingest API: write keys, calls of people who are not known yet, calls that were refused.

use crate::step::Step;

/// See the module.
pub(crate) const STEP: Step =
    Step { name: "m20261123_000007_ingest", up: UP, up_postgres: &[], down: DOWN, down_postgres: &[] };

const UP: &[&str] = &[
    // A key is shown once; here stands its SHA-256, and what it begins with, to tell keys apart.
    "CREATE TABLE write_keys (
        id {drawn_id},
        name TEXT NOT NULL,
        hash TEXT NOT NULL UNIQUE,
        hint TEXT NOT NULL,
        created_at {int} NOT NULL,
        revoked_at {int},
        last_used_at {int},
        accepted {int} NOT NULL DEFAULT 0,
        rejected {int} NOT NULL DEFAULT 0
    ) {rewritten}",
    "CREATE UNIQUE INDEX write_keys_name ON write_keys (name) WHERE revoked_at IS NULL",
    // Whose a device is: the first contact that a call named together with it.
    "CREATE TABLE anonymous_ids (
        anonymous_id TEXT NOT NULL PRIMARY KEY,
        contact {int} NOT NULL,
        joined_at {int} NOT NULL
    ) {clustered}",
    "CREATE INDEX anonymous_ids_contact ON anonymous_ids (contact)",
    // Events of anonymous ids that are nobody's yet: they are moved to the log when the id is joined.
    // `facts`: what an identify call said.
    "CREATE TABLE anonymous_events (
        id {drawn_id},
        anonymous_id TEXT NOT NULL,
        name TEXT NOT NULL,
        at {int} NOT NULL,
        received_at {int} NOT NULL,
        message_id TEXT,
        source TEXT NOT NULL,
        properties TEXT NOT NULL,
        facts TEXT
    ) {strict}",
    "CREATE INDEX anonymous_events_anonymous_id ON anonymous_events (anonymous_id, id)",
    "CREATE UNIQUE INDEX anonymous_events_message_id ON anonymous_events (message_id)",
    // When a contact's facts were last said by a call: a call that arrives late changes nothing newer.
    "CREATE TABLE contact_said (contact {int} NOT NULL PRIMARY KEY, said TEXT NOT NULL) {rewritten_clustered}",
    // Calls that were refused, in whole or in part, the newest ones.
    "CREATE TABLE ingest_rejects (
        id {drawn_id},
        digest TEXT NOT NULL UNIQUE,
        at {int} NOT NULL,
        write_key {int} NOT NULL,
        kind TEXT NOT NULL,
        reason TEXT NOT NULL,
        external_id TEXT,
        email_folded TEXT,
        anonymous_id TEXT,
        payload TEXT NOT NULL
    ) {strict}",
];

const DOWN: &[&str] = &[
    "DROP TABLE ingest_rejects",
    "DROP TABLE contact_said",
    "DROP TABLE anonymous_events",
    "DROP TABLE anonymous_ids",
    "DROP TABLE write_keys",
];
