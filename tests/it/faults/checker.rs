//! Holds the ledger of a run against the journal of a server.

use std::collections::BTreeMap;

use super::server::Taken;
use crate::support::database::TestDatabase;

/// A row of the ledger.
#[derive(Debug)]
struct Row {
    recipient: String,
    state: String,
    sent_again: bool,
    hash: String,
}

/// How the rows of the latest run ended, `state: count` in the order of words. Panics where the two disagree:
/// `connections` is how many mails may be uncertain.
pub(super) async fn agree(
    case: &str,
    database: &TestDatabase,
    journal: &[Taken],
    connections: usize,
) -> BTreeMap<String, usize> {
    let rows = database
        .rows(
            "SELECT COALESCE(message_id, 'never ' || id), address, state, CAST(sent_again AS TEXT), content_hash
             FROM deliveries WHERE run = (SELECT MAX(id) FROM runs)",
        )
        .await;
    let rows: BTreeMap<String, Row> = rows
        .iter()
        .map(|row| {
            let mut cells = row.split(" | ").map(str::to_owned);
            let mut cell = || cells.next().unwrap_or_default();
            let (message_id, recipient, state) = (cell(), cell(), cell());
            (message_id, Row { recipient, state, sent_again: cell() != "0", hash: cell() })
        })
        .collect();
    let mut copies: BTreeMap<&str, usize> = BTreeMap::new();
    for taken in journal {
        *copies.entry(&taken.message_id).or_default() += 1;
        let Some(row) = rows.get(&taken.message_id) else { panic!("{case}: a phantom: {taken:?}") };
        assert_eq!(row.recipient, taken.recipient, "{case}: somebody else's mail");
        assert_eq!(row.hash, taken.hash, "{case}: another content");
        assert!(
            matches!(row.state.as_str(), "accepted" | "uncertain"),
            "{case}: taken, but the ledger says {row:?}"
        );
    }
    let mut states = BTreeMap::new();
    for (message_id, row) in &rows {
        let count = copies.get(message_id.as_str()).copied().unwrap_or_default();
        assert!(count <= 1 || row.sent_again, "{case}: {count} copies without a name: {row:?}");
        assert!(row.state != "accepted" || count >= 1, "{case}: lost: {row:?}");
        *states.entry(row.state.clone()).or_default() += 1;
    }
    let uncertain = states.get("uncertain").copied().unwrap_or_default();
    assert!(uncertain <= connections, "{case}: {uncertain} are uncertain over {connections} connections");
    states
}
