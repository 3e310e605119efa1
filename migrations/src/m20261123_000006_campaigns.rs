//! Campaigns that look at entries, zones and each other: why somebody entered, runs of a zone, what
//! caps count, pauses, and which rows came with an import.

use crate::step::Step;

/// See the module.
pub(crate) const STEP: Step =
    Step { name: "m20261123_000006_campaigns", up: UP, up_postgres: &[], down: DOWN, down_postgres: &[] };

const UP: &[&str] = &[
    // data, time, declaration, first, import; NULL: from before this column, or somebody who left.
    "ALTER TABLE membership_changes ADD COLUMN cause TEXT",
    // One contact's passages.
    "CREATE INDEX membership_changes_contact ON membership_changes (contact, segment, at)",
    // Runs of a zone: the local time of their schedule, as if it were UTC.
    "ALTER TABLE runs ADD COLUMN local_due {int}",
    // What caps count.
    "ALTER TABLE runs ADD COLUMN marketing {int} NOT NULL DEFAULT 1",
    "ALTER TABLE runs ADD COLUMN resumed_at {int}",
    // What a campaign is like, to find it again under another name.
    "ALTER TABLE campaigns ADD COLUMN templates TEXT",
    "ALTER TABLE campaigns ADD COLUMN audience TEXT",
    // When `include_current` had its run.
    "ALTER TABLE campaigns ADD COLUMN current_included_at {int}",
    "CREATE TABLE campaign_pauses (campaign TEXT NOT NULL PRIMARY KEY, at {int} NOT NULL) {clustered}",
    // Numbers of batches of contacts, and of events, that came by import: first and last.
    "CREATE TABLE backfills (
        kind TEXT NOT NULL,
        first {int} NOT NULL,
        last {int} NOT NULL,
        PRIMARY KEY (kind, first)
    ) {clustered}",
];

const DOWN: &[&str] = &[
    "DROP TABLE backfills",
    "DROP TABLE campaign_pauses",
    "ALTER TABLE campaigns DROP COLUMN current_included_at",
    "ALTER TABLE campaigns DROP COLUMN audience",
    "ALTER TABLE campaigns DROP COLUMN templates",
    "ALTER TABLE runs DROP COLUMN resumed_at",
    "ALTER TABLE runs DROP COLUMN marketing",
    "ALTER TABLE runs DROP COLUMN local_due",
    "DROP INDEX membership_changes_contact",
    "ALTER TABLE membership_changes DROP COLUMN cause",
];
