//! Thresholds of rankings, which stand until they are computed anew.

use crate::step::Step;

/// See the module.
pub(crate) const STEP: Step =
    Step { name: "m20261124_000001_ranks", up: UP, up_postgres: &[], down: DOWN, down_postgres: &[] };

const UP: &[&str] = &[
    // The values that are in, in millionths of a number or microseconds of an instant, both ends included;
    // without them nobody is. Of one name there may be several, by what its declaration rests on: a
    // daemon and a command may know different declarations.
    "CREATE TABLE rank_thresholds (
        name TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        at {int} NOT NULL,
        contacts {int} NOT NULL,
        from_value {int},
        to_value {int},
        PRIMARY KEY (name, fingerprint)
    ) {clustered}",
];

const DOWN: &[&str] = &["DROP TABLE rank_thresholds"];
