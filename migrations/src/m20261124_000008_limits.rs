//! How fast mails leave, and why a campaign was paused.

use crate::step::Step;

/// See the module.
pub(crate) const STEP: Step =
    Step { name: "m20261124_000008_limits", up: UP, up_postgres: &[], down: DOWN, down_postgres: &[] };

const UP: &[&str] = &[
    // Until when the pace of a campaign is used up, and when its next mail may leave.
    "CREATE TABLE campaign_paces (
        campaign TEXT NOT NULL PRIMARY KEY,
        used_until {int} NOT NULL,
        next_at {int} NOT NULL
    ) {clustered}",
    // What stopped it; NULL: somebody did.
    "ALTER TABLE campaign_pauses ADD COLUMN reason TEXT",
];

const DOWN: &[&str] = &["ALTER TABLE campaign_pauses DROP COLUMN reason", "DROP TABLE campaign_paces"];
