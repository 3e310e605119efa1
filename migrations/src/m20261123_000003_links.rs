//! Addresses that stand in mails, and how a mail was tracked.

use crate::step::Step;

/// See the module.
pub(crate) const STEP: Step =
    Step { name: "m20261123_000003_links", up: UP, up_postgres: &[], down: DOWN, down_postgres: &[] };

const UP: &[&str] = &[
    // The number is made from run and address, not drawn.
    "CREATE TABLE links (number {id}, run {int} NOT NULL, url TEXT NOT NULL) {strict}",
    "CREATE INDEX links_run ON links (run)",
    // How the mail was tracked: none, aggregate, individual. NULL before it was handed over.
    "ALTER TABLE deliveries ADD COLUMN tracking TEXT",
];

const DOWN: &[&str] = &["ALTER TABLE deliveries DROP COLUMN tracking", "DROP TABLE links"];
