//! Two contacts become one: what was the one's is the other's.

use super::Result;
use super::arrows::{becomes, begins};
use super::bulk::{Bulk, Counter, pack, place, regroup, unpack};
use crate::domain::arrow::Arrow;
use crate::domain::contact::ContactId;
use crate::domain::delivery::SkipReason;
use crate::domain::time::Timestamp;

/// Who the addressee of a delivery `d` is now: where two who became one were both in a run, the row of who
/// was keeps their number.
pub(super) const ADDRESSEE: &str =
    "COALESCE((SELECT m.contact FROM contact_merges m WHERE m.former = d.contact), d.contact)";

/// What moves, in this order; `$1` is who was, `$2` who is.
const MOVES: &[&str] = &[
    "INSERT INTO consent_changes (contact, purpose, at, state, source, words)
     SELECT CAST($2 AS BIGINT), purpose, at, state, source, words FROM consent_changes WHERE contact = $1
     ON CONFLICT DO NOTHING",
    "DELETE FROM consent_changes WHERE contact = $1 AND contact <> $2",
    "UPDATE membership_changes SET contact = $2 WHERE contact = $1
       AND NOT EXISTS (SELECT 1 FROM membership_changes other WHERE other.segment = membership_changes.segment
         AND other.entered = membership_changes.entered AND other.at = membership_changes.at AND other.contact = $2)",
    "UPDATE deliveries SET contact = $2 WHERE id IN (
       SELECT d.id FROM runs r JOIN deliveries d ON d.run = r.id AND d.contact = $1
       WHERE NOT EXISTS (SELECT 1 FROM deliveries other WHERE other.run = r.id AND other.contact = $2))",
    "UPDATE contact_merges SET contact = $2 WHERE contact = $1",
    "UPDATE anonymous_ids SET contact = $2 WHERE contact = $1",
    "INSERT INTO contact_said (contact, said)
     SELECT CAST($2 AS BIGINT), said FROM contact_said WHERE contact = $1 ON CONFLICT DO NOTHING",
    "DELETE FROM contact_said WHERE contact = $1 AND contact <> $2",
    "DELETE FROM contacts WHERE id = $1 AND id <> $2",
];

/// In a run in which both are, the one who stays gets the mail. A row that is being handed over is settled by
/// its sender. Values as for [`MOVES`], after them.
fn skip() -> String {
    format!(
        "UPDATE deliveries SET {becomes}, reason = '{reason}', incarnation = NULL, lease_until = NULL
         WHERE id IN (SELECT d.id FROM runs r JOIN deliveries d ON d.run = r.id AND d.contact = $1)
           AND {begins} AND contact <> $2",
        becomes = becomes(Arrow::Merge),
        reason = SkipReason::AlreadySent.word(),
        begins = begins(Arrow::Merge, "state")
    )
}

/// `former` becomes `contact`: its history, consents, passages and deliveries move. Its packed
/// memberships go at the next evaluation, which finds it gone. The log stays as it is.
pub(super) async fn merge(
    bulk: &mut Bulk,
    former: ContactId,
    contact: ContactId,
    change: i64,
    now: Timestamp,
) -> Result<()> {
    // Nobody else may append to the histories that are rewritten.
    bulk.last(Counter::Event).await?;
    bulk.draw(Counter::ContactMerge, 1).await?;
    for text in MOVES {
        bulk.execute(text, &[former.0, contact.0]).await?;
    }
    bulk.execute_with(&skip(), vec![former.0.into(), contact.0.into()]).await?;
    let note = "INSERT INTO contact_merges (former, contact, change, at) VALUES ($1, $2, $3, $4)";
    bulk.execute(note, &[former.0, contact.0, change, now.micros()]).await?;
    move_history(bulk, former, contact).await
}

async fn move_history(bulk: &mut Bulk, former: ContactId, contact: ContactId) -> Result<()> {
    let mut blocks = vec![place(former.0).0, place(contact.0).0];
    blocks.sort_unstable();
    blocks.dedup();
    let mut rows = unpack(&bulk.read_blocks(blocks.clone()).await?)?;
    if !rows.iter().any(|row| row.contact == former.0) {
        return Ok(());
    }
    for row in rows.iter_mut().filter(|row| row.contact == former.0) {
        row.contact = contact.0;
    }
    let mut chunks = Vec::new();
    for group in regroup(&mut rows) {
        chunks.extend(pack(group.block, group.name, None, &rows[group.start..group.end])?);
    }
    bulk.replace_blocks(blocks, chunks).await
}
