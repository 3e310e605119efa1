//! Opening, migrating, and what is refused.

use campaignd::store::{Store, StoreError, StoreOptions};

use crate::support::database::{on_both, on_sqlite};

#[test]
fn migrating_twice_changes_nothing() {
    on_both(|database| async move {
        assert_eq!(database.store.migrate().await.expect("nothing is to be done"), 0);
        database.store.require_migrated().await.expect("all tables are there");
        database.store.tidy().await.expect("it can be tidied");
        database.open_again().await.close().await.expect("it closes");
    });
}

#[test]
fn a_newer_database_is_refused() {
    on_both(|database| async move {
        database.execute("INSERT INTO seaql_migrations VALUES ('m20990101_000001_future', 0)").await;
        for refusal in [database.store.migrate().await.err(), database.store.require_migrated().await.err()] {
            insta::allow_duplicates! {
                insta::assert_snapshot!(
                    refusal.expect("it is refused"),
                    @"the database was migrated by a newer campaignd (`m20990101_000001_future`); use that version or a copy made before"
                );
            }
        }
    });
}

#[test]
fn an_empty_database_says_what_to_do() {
    on_sqlite(|database| async move {
        let empty = Store::connect(&format!("{}.empty", database.address), &StoreOptions::default()).await;
        let refusal = empty.expect("the file is made").require_migrated().await.expect_err("it is empty");
        assert!(!refusal.is_unavailable());
        let told = refusal.to_string().replace(char::is_numeric, "N").replace("NN", "N");
        insta::assert_snapshot!(told, @"the database lacks N migration(s); run `campaignd migrate`");
    });
}

#[test]
fn addresses_that_name_no_database_are_refused() {
    on_sqlite(|_| async move {
        for address in ["sqlite://", "sqlite::memory:", "sqlite://a.db?mode=ro", "mysql://host/name", ""] {
            let refusal = Store::connect(address, &StoreOptions::default()).await.expect_err(address);
            assert!(matches!(refusal, StoreError::InvalidAddress { .. }), "{address}: {refusal}");
        }
        let refusal = Store::connect("sqlite:///no/such/folder/a.db", &StoreOptions::default())
            .await
            .expect_err("no folder");
        assert!(refusal.is_unavailable(), "{refusal:?}");
    });
}
