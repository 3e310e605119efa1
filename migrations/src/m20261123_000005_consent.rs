//! Who unsubscribed by which mail, the words that somebody agreed to, and who was erased.

use crate::step::Step;

/// See the module.
pub(crate) const STEP: Step =
    Step { name: "m20261123_000005_consent", up: UP, up_postgres: &[], down: DOWN, down_postgres: &[] };

const UP: &[&str] = &[
    // The first time that somebody unsubscribed by this mail. It holds no person, so it stays when one is erased.
    "CREATE TABLE unsubscribes (
        delivery {int} NOT NULL PRIMARY KEY,
        run {int} NOT NULL,
        at {int} NOT NULL,
        source TEXT NOT NULL
    ) {clustered}",
    // The words that were agreed to, where they are known.
    "ALTER TABLE consent_changes ADD COLUMN words TEXT",
    // Numbers of contacts that were erased: what still arrives for them is dropped.
    "CREATE TABLE forgotten_contacts (contact {int} NOT NULL PRIMARY KEY, at {int} NOT NULL) {clustered}",
    "INSERT INTO counters (name, value) VALUES ('contact_forgotten', 0), ('event_removed', 0)",
];

const DOWN: &[&str] = &[
    "DELETE FROM counters WHERE name IN ('contact_forgotten', 'event_removed')",
    "DROP TABLE forgotten_contacts",
    "ALTER TABLE consent_changes DROP COLUMN words",
    "DROP TABLE unsubscribes",
];
