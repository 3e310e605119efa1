//! What is known of a delivery of which nobody knows whether the server took it.

use crate::step::Step;

/// See the module.
pub(crate) const STEP: Step =
    Step { name: "m20261124_000002_delivery", up: UP, up_postgres: &[], down: DOWN, down_postgres: &[] };

const UP: &[&str] = &[
    // When its message was about to go out: the instant before which the server cannot have had it.
    "ALTER TABLE deliveries ADD COLUMN transmitting_at {int}",
    // How often it was sent once more although it may have been taken.
    "ALTER TABLE deliveries ADD COLUMN sent_again {int} NOT NULL DEFAULT 0",
    // By what an uncertain row was settled: hand, opened, clicked, unsubscribed.
    "ALTER TABLE deliveries ADD COLUMN settled_by TEXT",
    "CREATE INDEX deliveries_uncertain ON deliveries (run, id) WHERE state = 'uncertain'",
];

const DOWN: &[&str] = &[
    "DROP INDEX deliveries_uncertain",
    "ALTER TABLE deliveries DROP COLUMN settled_by",
    "ALTER TABLE deliveries DROP COLUMN sent_again",
    "ALTER TABLE deliveries DROP COLUMN transmitting_at",
];
