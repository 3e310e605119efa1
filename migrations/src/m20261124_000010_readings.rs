//! What was read of a mail knows its event: who reads it anew need not look for it by its message id.

use crate::step::Step;

/// See the module.
pub(crate) const STEP: Step =
    Step { name: "m20261124_000010_readings", up: UP, up_postgres: &[], down: DOWN, down_postgres: &[] };

const UP: &[&str] = &[
    "ALTER TABLE engagements ADD COLUMN event {int}",
    "UPDATE engagements SET event = e.id FROM events e
        WHERE e.name IN (SELECT id FROM event_names WHERE name IN ('email_opened', 'email_clicked'))
          AND e.message_id = 'email_' || engagements.kind || ':' || engagements.delivery
              || CASE engagements.kind WHEN 'clicked' THEN ':' || engagements.link ELSE '' END",
];

const DOWN: &[&str] = &["ALTER TABLE engagements DROP COLUMN event"];
