//! What mails caused: requests of pixels and links, and what was read from them.

use crate::step::Step;

/// See the module.
pub(crate) const STEP: Step =
    Step { name: "m20261123_000004_tracking", up: UP, up_postgres: &[], down: DOWN, down_postgres: &[] };

const UP: &[&str] = &[
    // How far each file of a spool is in the database: written with its hits, so that a file that is
    // read again adds nothing.
    "CREATE TABLE spool_files (file {int} NOT NULL PRIMARY KEY, drained {int} NOT NULL, at {int} NOT NULL) {clustered}",
    // Raw evidence of one contact's mail: where in which file of a spool it stood, and what the request said of
    // itself. `link` is 0 for a pixel. `agent` and `rule` are its reading, NULL until it was read.
    "CREATE TABLE hits (
        file {int} NOT NULL,
        place {int} NOT NULL,
        delivery {int} NOT NULL,
        kind TEXT NOT NULL,
        link {int} NOT NULL,
        at {int} NOT NULL,
        head {int} NOT NULL,
        user_agent TEXT,
        network TEXT,
        accept TEXT,
        accept_language TEXT,
        accept_encoding {int} NOT NULL,
        fetch_mode TEXT,
        purpose TEXT,
        agent TEXT,
        rule TEXT,
        PRIMARY KEY (file, place)
    ) {clustered}",
    "CREATE INDEX hits_delivery ON hits (delivery, at)",
    "CREATE INDEX hits_at ON hits (at)",
    "CREATE INDEX hits_unread ON hits (delivery) WHERE agent IS NULL",
    // What is read now: one row for a mail that was opened, one for each of its links that was followed.
    // `at`, `agent` and `rule` are those of the hit that decides; `rules` is the edition that decided.
    "CREATE TABLE engagements (
        delivery {int} NOT NULL,
        kind TEXT NOT NULL,
        link {int} NOT NULL,
        agent TEXT NOT NULL,
        rule TEXT NOT NULL,
        at {int} NOT NULL,
        rules {int} NOT NULL,
        PRIMARY KEY (delivery, kind, link)
    ) {rewritten_clustered}",
    // Mails that name nobody are only counted. `day`: days since 1970-01-01 in the installation's zone.
    "CREATE TABLE run_hits (
        run {int} NOT NULL,
        kind TEXT NOT NULL,
        link {int} NOT NULL,
        day {int} NOT NULL,
        agent TEXT NOT NULL,
        count {int} NOT NULL,
        PRIMARY KEY (run, kind, link, day, agent)
    ) {rewritten_clustered}",
    // Hits before this instant were purged: what was read from them stands.
    "INSERT INTO counters (name, value) VALUES ('hits_purged_until', 0)",
];

const DOWN: &[&str] = &[
    "DELETE FROM counters WHERE name = 'hits_purged_until'",
    "DROP TABLE run_hits",
    "DROP TABLE engagements",
    "DROP TABLE hits",
    "DROP TABLE spool_files",
];
