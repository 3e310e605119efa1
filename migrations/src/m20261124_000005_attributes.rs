//! The attributes of contacts are packed beside their facts, for full passes.
//!
//! What is packed is made from the contacts: the old blocks are dropped, and the next pass packs all anew.

use crate::step::Step;

/// See the module.
pub(crate) const STEP: Step = Step {
    name: "m20261124_000005_attributes",
    up: &[
        "DROP TABLE contact_fact_blocks",
        "CREATE TABLE contact_fact_blocks (block {id}, payload {packed}, attributes {packed}) {rewritten_packed}",
    ],
    up_postgres: &[
        "ALTER TABLE contact_fact_blocks ALTER COLUMN payload SET STORAGE EXTERNAL",
        "ALTER TABLE contact_fact_blocks ALTER COLUMN attributes SET STORAGE EXTERNAL",
    ],
    down: &[
        "DROP TABLE contact_fact_blocks",
        "CREATE TABLE contact_fact_blocks (block {id}, payload {packed}) {rewritten_packed}",
    ],
    down_postgres: &["ALTER TABLE contact_fact_blocks ALTER COLUMN payload SET STORAGE EXTERNAL"],
};
