//! The foundation: contacts, events, memberships, the send ledger.
//!
//! Instants are microseconds since 1970-01-01T00:00:00Z. States are words. The text below is for both
//! databases; see [`crate::spelling`].

use crate::step::Step;

/// See the module.
pub(crate) const STEP: Step = Step {
    name: "m20261123_000001_foundation",
    up: UP,
    up_postgres: UP_POSTGRES,
    down: DOWN,
    down_postgres: &[],
};

const UP: &[&str] = &[
    // Numbers that are drawn inside a transaction; its row lock also puts imports in a row.
    "CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value {int} NOT NULL) {clustered}",
    "INSERT INTO counters (name, value) VALUES ('contact', 0), ('contact_change', 0), ('contact_merge', 0), ('event', 0), ('event_packed', 0)",
    "CREATE TABLE secrets (name TEXT NOT NULL PRIMARY KEY, value {bytes} NOT NULL, created_at {int} NOT NULL) {clustered}",
    // ---- people
    "CREATE TABLE contacts (
        id {id},
        key TEXT NOT NULL,
        external_id TEXT,
        email TEXT,
        email_folded TEXT,
        time_zone TEXT,
        language TEXT,
        created_at {int} NOT NULL,
        marketing {int} NOT NULL,
        marketing_since {int},
        tracking {int} NOT NULL,
        tracking_since {int},
        change {int} NOT NULL,
        updated_at {int} NOT NULL,
        attributes TEXT NOT NULL
    ) {strict}",
    "CREATE UNIQUE INDEX contacts_external_id ON contacts (external_id)",
    "CREATE UNIQUE INDEX contacts_email_folded ON contacts (email_folded)",
    "CREATE INDEX contacts_change ON contacts (change)",
    // What a full pass reads of a contact that needs no attributes.
    "CREATE INDEX contacts_facts ON contacts (id, marketing, marketing_since, tracking, tracking_since, created_at, time_zone)",
    "CREATE TABLE contact_merges (
        former {int} NOT NULL PRIMARY KEY,
        contact {int} NOT NULL,
        change {int} NOT NULL,
        at {int} NOT NULL
    ) {clustered}",
    "CREATE INDEX contact_merges_change ON contact_merges (change)",
    "CREATE INDEX contact_merges_contact ON contact_merges (contact)",
    "CREATE TABLE consent_changes (
        contact {int} NOT NULL,
        purpose TEXT NOT NULL,
        at {int} NOT NULL,
        state {int} NOT NULL,
        source TEXT NOT NULL,
        PRIMARY KEY (contact, purpose, at, state)
    ) {clustered}",
    "CREATE TABLE suppressions (
        address TEXT NOT NULL,
        cause TEXT NOT NULL,
        scope TEXT NOT NULL,
        at {int} NOT NULL,
        source TEXT NOT NULL,
        PRIMARY KEY (address, cause, scope)
    ) {clustered}",
    // ---- what they did
    "CREATE TABLE event_names (id {id}, name TEXT NOT NULL UNIQUE) {strict}",
    // The log is the truth and is only appended to. A contact that became another keeps its number
    // here; `contact_merges` says whose it is.
    "CREATE TABLE events (
        id {id},
        contact {int} NOT NULL,
        name {int} NOT NULL,
        at {int} NOT NULL,
        received_at {int} NOT NULL,
        message_id TEXT,
        source TEXT NOT NULL,
        properties TEXT NOT NULL
    ) {strict}",
    // By the first eight bytes of the SHA-256 of `message_id`: an index over the texts themselves
    // would be several times as large. A hit is compared with the text.
    "CREATE TABLE event_messages (hash {int} NOT NULL, event {int} NOT NULL, PRIMARY KEY (hash, event)) {clustered}",
    // For anybody's SQL.
    "CREATE VIEW event_log AS
        SELECT e.id, c.external_id, c.email, n.name, {readable_at} AS at, e.properties, e.source, e.message_id
        FROM events e
        JOIN event_names n ON n.id = e.name
        LEFT JOIN contact_merges m ON m.former = e.contact
        JOIN contacts c ON c.id = COALESCE(m.contact, e.contact)",
    // The same events up to number `event_packed`, packed; can be made anew from the log. `properties` is the last column, so that
    // what is not needed is not read.
    "CREATE TABLE history_chunks (
        block {int} NOT NULL,
        name {int} NOT NULL,
        sequence {int} NOT NULL,
        heads {packed},
        properties {packed},
        PRIMARY KEY (block, name, sequence)
    ) {rewritten_clustered}",
    // ---- segments
    "CREATE TABLE segments (
        id {drawn_id},
        name TEXT NOT NULL UNIQUE,
        evaluated_at {int},
        fingerprint TEXT,
        contacts_mark {int} NOT NULL DEFAULT 0,
        events_mark {int} NOT NULL DEFAULT 0
    ) {strict}",
    "CREATE TABLE membership_blocks (
        segment {int} NOT NULL,
        block {int} NOT NULL,
        members {int} NOT NULL,
        payload {packed},
        PRIMARY KEY (segment, block)
    ) {rewritten_clustered}",
    "CREATE TABLE membership_changes (
        segment {int} NOT NULL,
        at {int} NOT NULL,
        contact {int} NOT NULL,
        entered {int} NOT NULL,
        PRIMARY KEY (segment, entered, at, contact)
    ) {clustered}",
    "CREATE TABLE review_blocks (
        block {int} NOT NULL PRIMARY KEY,
        earliest {int} NOT NULL,
        payload {packed}
    ) {rewritten_clustered}",
    // ---- the send ledger
    "CREATE TABLE campaigns (
        name TEXT NOT NULL PRIMARY KEY,
        activated_at {int} NOT NULL,
        considered_until {int} NOT NULL
    ) {clustered}",
    "CREATE TABLE runs (
        id {drawn_id},
        campaign TEXT NOT NULL,
        due_at {int} NOT NULL,
        zone TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL,
        made_by TEXT NOT NULL,
        created_at {int} NOT NULL,
        fixed_at {int},
        finished_at {int},
        note TEXT,
        UNIQUE (campaign, due_at, zone)
    ) {strict}",
    "CREATE INDEX runs_state ON runs (state, due_at)",
    "CREATE TABLE incarnations (
        id {drawn_id},
        host TEXT NOT NULL,
        process {int} NOT NULL,
        started_at {int} NOT NULL,
        heartbeat_at {int} NOT NULL,
        ended_at {int}
    ) {strict}",
    "CREATE TABLE deliveries (
        id {drawn_id},
        run {int} NOT NULL REFERENCES runs (id),
        contact {int} NOT NULL,
        address TEXT,
        version TEXT,
        state TEXT NOT NULL,
        reason TEXT,
        wait TEXT,
        not_before {int} NOT NULL,
        attempts {int} NOT NULL DEFAULT 0,
        incarnation {int},
        lease_until {int},
        first_claimed_at {int},
        settled_at {int},
        recorded_at {int},
        message_id TEXT,
        content_hash TEXT,
        reply_code {int},
        reply_enhanced TEXT,
        reply_text TEXT,
        UNIQUE (run, contact),
        UNIQUE (run, address)
    ) {rewritten}",
    // Rows that keep a run from being finished; claims walk it run by run.
    "CREATE INDEX deliveries_open ON deliveries (run, not_before, id)
        WHERE state IN ('planned', 'claimed', 'transmitting', 'deferred')",
    // Rows in somebody's hands: never more than a few hundred.
    "CREATE INDEX deliveries_in_hand ON deliveries (incarnation) WHERE state IN ('claimed', 'transmitting')",
    // What a contact had, or may still get: `repeat` asks for it.
    "CREATE INDEX deliveries_mailed ON deliveries (contact, run)
        WHERE state IN ('planned', 'claimed', 'transmitting', 'accepted', 'deferred', 'uncertain')",
    // Accepted rows without their `email_sent` event.
    "CREATE INDEX deliveries_unrecorded ON deliveries (id) WHERE state = 'accepted' AND recorded_at IS NULL",
];

/// Packed bytes are read whole and often: EXTERNAL keeps the server from compressing them.
const UP_POSTGRES: &[&str] = &[
    "ALTER TABLE history_chunks ALTER COLUMN heads SET STORAGE EXTERNAL",
    "ALTER TABLE history_chunks ALTER COLUMN properties SET STORAGE EXTERNAL",
    "ALTER TABLE membership_blocks ALTER COLUMN payload SET STORAGE EXTERNAL",
    "ALTER TABLE review_blocks ALTER COLUMN payload SET STORAGE EXTERNAL",
];

const DOWN: &[&str] = &[
    "DROP VIEW event_log",
    "DROP TABLE deliveries",
    "DROP TABLE incarnations",
    "DROP TABLE runs",
    "DROP TABLE campaigns",
    "DROP TABLE review_blocks",
    "DROP TABLE membership_changes",
    "DROP TABLE membership_blocks",
    "DROP TABLE segments",
    "DROP TABLE history_chunks",
    "DROP TABLE event_messages",
    "DROP TABLE events",
    "DROP TABLE event_names",
    "DROP TABLE suppressions",
    "DROP TABLE consent_changes",
    "DROP TABLE contact_merges",
    "DROP TABLE contacts",
    "DROP TABLE secrets",
    "DROP TABLE counters",
];
