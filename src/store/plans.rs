//! The plans of hot statements on `SQLite`: a statement that begins to walk a whole table fails here,
//! and not in the night of the first large campaign.

use super::{
    Backend, Store, StoreOptions, caps, deliveries, figures, leases, ledger, providers, recipients, runs,
    sent, uncertain,
};

/// Tables that grow with use. The few rows that are given with a statement may be walked.
const LARGE: [&str; 8] = [
    "contacts",
    "deliveries",
    "events",
    "event_messages",
    "history_chunks",
    "contact_fact_blocks",
    "membership_blocks",
    "consent_changes",
];

#[test]
fn no_hot_statement_walks_a_large_table() {
    let sqlite = Backend::Sqlite;
    // (what it is for, text, an index that it must use)
    let statements = [
        ("claim", deliveries::take(sqlite, false), "deliveries_open"),
        ("claim but", deliveries::take(sqlite, true), "deliveries_open"),
        ("let a provider rest", providers::let_rest(sqlite), "deliveries_open"),
        ("wait for a provider", providers::wait_for(sqlite), "deliveries_open"),
        ("read what was claimed", deliveries::claimed(sqlite), "INTEGER PRIMARY KEY"),
        ("prolong leases", leases::prolong(sqlite), "deliveries_in_hand"),
        ("find the dead", leases::OTHERS.to_owned(), "deliveries_in_hand"),
        ("plan again", leases::replan(&leases::whose_lease_is_over(sqlite)), "deliveries_in_hand"),
        ("call uncertain", leases::give_up(&leases::whose_lease_is_over(sqlite)), "deliveries_in_hand"),
        ("settle by what is known", uncertain::known(sqlite), "INTEGER PRIMARY KEY"),
        ("next try", deliveries::next_in_run(), "deliveries_open"),
        ("look once more", ledger::look(sqlite), "INTEGER PRIMARY KEY"),
        ("begin to hand over", ledger::begin(sqlite), "INTEGER PRIMARY KEY"),
        ("settle", ledger::settle(sqlite), "INTEGER PRIMARY KEY"),
        ("repeat", recipients::prior(sqlite), "deliveries_mailed"),
        ("caps", caps::marketing(sqlite), "deliveries_mailed"),
        ("what waits", figures::WAITING.to_owned(), "deliveries_open"),
        ("record sent mail", sent::UNRECORDED.to_owned(), "deliveries_unrecorded"),
        ("finish a run", runs::settled(), "deliveries_open"),
        (
            "a contact by id",
            "SELECT * FROM contacts WHERE external_id = $1".to_owned(),
            "contacts_external_id",
        ),
        (
            "a contact by address",
            "SELECT * FROM contacts WHERE email_folded = $1".to_owned(),
            "contacts_email_folded",
        ),
    ];
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("plans.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let address = format!("sqlite://{}", path.display());
        let store = Store::connect(&address, &StoreOptions::default()).await.expect("the file is made");
        store.migrate().await.expect("the tables are made");
    });
    let connection = rusqlite::Connection::open(&path).expect("the file opens");
    for (name, text, index) in statements {
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}")).expect(name);
        let parameters = vec![rusqlite::types::Null; plan.parameter_count()];
        let steps: Vec<String> = plan
            .query_map(rusqlite::params_from_iter(parameters), |row| row.get(3))
            .and_then(Iterator::collect)
            .expect(name);
        for step in &steps {
            let walked = step.strip_prefix("SCAN ").filter(|_| !step.contains("deliveries_"));
            let table = walked.and_then(|walked| walked.split(' ').next()).unwrap_or_default();
            let aliased = table == "d" && !step.contains("USING");
            assert!(!LARGE.contains(&table) && !aliased, "{name} walks a table: {steps:#?}");
        }
        assert!(steps.iter().any(|step| step.contains(index)), "{name} does not use {index}: {steps:#?}");
    }
}
