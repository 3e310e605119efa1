//! Members and reviews in finer rows, each on a page of its own.
//!
//! `id` of a row of members: the segment's number × 2³² + the block's, 512 contacts a block.

use crate::step::Step;

/// See the module.
pub(crate) const STEP: Step = Step {
    name: "m20261124_000003_kept",
    up: UP,
    up_postgres: UP_POSTGRES,
    down: DOWN,
    down_postgres: DOWN_POSTGRES,
};

/// Who is in is found out anew, by an evaluation that counts as the first.
const FORGET: &str =
    "UPDATE segments SET evaluated_at = NULL, fingerprint = NULL, contacts_mark = 0, events_mark = 0";

const UP: &[&str] = &[
    "DROP TABLE membership_blocks",
    "CREATE TABLE membership_blocks (id {id}, members {int} NOT NULL, payload {packed}) {rewritten_packed}",
    "DROP TABLE review_blocks",
    "CREATE TABLE review_blocks (id {id}, earliest {int} NOT NULL, payload {packed}) {rewritten_packed}",
    // Who is due is found without walking the rows.
    "CREATE INDEX review_blocks_earliest ON review_blocks (earliest)",
    FORGET,
];

const UP_POSTGRES: &[&str] = &[
    "ALTER TABLE membership_blocks ALTER COLUMN payload SET STORAGE EXTERNAL",
    "ALTER TABLE review_blocks ALTER COLUMN payload SET STORAGE EXTERNAL",
];

const DOWN: &[&str] = &[
    "DROP TABLE review_blocks",
    "DROP TABLE membership_blocks",
    "CREATE TABLE membership_blocks (
        segment {int} NOT NULL,
        block {int} NOT NULL,
        members {int} NOT NULL,
        payload {packed},
        PRIMARY KEY (segment, block)
    ) {rewritten_clustered}",
    "CREATE TABLE review_blocks (
        block {int} NOT NULL PRIMARY KEY,
        earliest {int} NOT NULL,
        payload {packed}
    ) {rewritten_clustered}",
    FORGET,
];

const DOWN_POSTGRES: &[&str] = UP_POSTGRES;
