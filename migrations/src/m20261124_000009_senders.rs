//! Who leads, and who fixes a run's recipients: so that one who stood still for a while does not go on beside another.

use crate::step::Step;

/// See the module.
pub(crate) const STEP: Step =
    Step { name: "m20261124_000009_senders", up: UP, up_postgres: &[], down: DOWN, down_postgres: &[] };

const UP: &[&str] = &[
    // One row: which incarnation leads, and until when by the database's clock.
    "CREATE TABLE leader (incarnation {int} NOT NULL, until {int} NOT NULL) {strict}",
    "INSERT INTO leader (incarnation, until) VALUES (0, 0)",
    // How often the fixing of a run's recipients was begun: whoever began it before the latest adds nobody.
    "ALTER TABLE runs ADD COLUMN fixing {int} NOT NULL DEFAULT 0",
];

const DOWN: &[&str] = &["ALTER TABLE runs DROP COLUMN fixing", "DROP TABLE leader"];
