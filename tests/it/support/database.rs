//! Fresh databases: each test runs on a `SQLite` file and on a `PostgreSQL` database of its own.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use campaignd::store::{Durability, Store, StoreOptions};
use tempfile::TempDir;

/// A migrated database that goes away with the test.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    /// The open store.
    pub(crate) store: Store,
    /// What it can be opened with again.
    pub(crate) address: String,
}

impl TestDatabase {
    /// Opens it once more, as another process would.
    pub(crate) async fn open_again(&self) -> Store {
        Store::connect(&self.address, &options()).await.expect("the database opens again")
    }

    /// Runs a statement of the test's own.
    pub(crate) async fn execute(&self, statement: &str) {
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        if let Some(path) = self.address.strip_prefix("sqlite://") {
            let pool = sqlx::SqlitePool::connect(path).await.expect("the file opens");
            sqlx::raw_sql(statement).execute(&pool).await.expect("the statement runs");
            pool.close().await;
        } else {
            let pool = sqlx::PgPool::connect(&self.address).await.expect("the server answers");
            sqlx::raw_sql(statement).execute(&pool).await.expect("the statement runs");
            pool.close().await;
        }
    }

    /// From now on this table cannot be changed: the database says that its disk is full.
    pub(crate) async fn fill_up(&self, table: &str) {
        let full = "No space left on device";
        let trigger = if self.address.starts_with("sqlite://") {
            format!(
                "CREATE TRIGGER full_{table} BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{full}'); END"
            )
        } else {
            format!(
                "CREATE FUNCTION full_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN RAISE EXCEPTION '{full}' USING ERRCODE = '53100'; END $$;
                 CREATE TRIGGER full_{table} BEFORE UPDATE ON {table} EXECUTE FUNCTION full_{table}()"
            )
        };
        self.execute(&trigger).await;
    }

    /// There is room again.
    pub(crate) async fn make_room(&self, table: &str) {
        let trigger = if self.address.starts_with("sqlite://") {
            format!("DROP TRIGGER full_{table}")
        } else {
            format!("DROP FUNCTION full_{table}() CASCADE")
        };
        self.execute(&trigger).await;
    }

    /// The rows of a query of the test's own, as text: columns joined by ` | `, NULL as `-`. Every
    /// column must be text in `SQL` already (`CAST(… AS TEXT)`).
    pub(crate) async fn rows(&self, query: &str) -> Vec<String> {
        use sqlx::Row as _;
        let query = sqlx::AssertSqlSafe(query.to_owned());
        macro_rules! texts {
            ($pool:expr) => {{
                let pool = $pool.expect("the database opens");
                let rows = sqlx::query(query).fetch_all(&pool).await.expect("the query runs");
                pool.close().await;
                let cell = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
                rows.iter()
                    .map(|row| (0..row.len()).map(|i| cell(row.get(i))).collect::<Vec<_>>().join(" | "))
                    .collect()
            }};
        }
        if let Some(path) = self.address.strip_prefix("sqlite://") {
            texts!(sqlx::SqlitePool::connect(path).await)
        } else {
            texts!(sqlx::PgPool::connect(&self.address).await)
        }
    }
}

/// Runs a test on both databases; a failure names the one on which it happened.
pub(crate) fn on_both<F, Fut>(body: F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()>,
{
    on_sqlite(&body);
    on_postgres(&body);
}

/// Runs a test on a `SQLite` file.
pub(crate) fn on_sqlite<F, Fut>(body: F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()>,
{
    let folder = TempDir::new().expect("a temporary folder can be made");
    let address = format!("sqlite://{}", folder.path().join("test.db").display());
    run("SQLite", address, &body);
}

/// Runs a test on a `PostgreSQL` database.
pub(crate) fn on_postgres<F, Fut>(body: F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()>,
{
    let server = std::env::var("CAMPAIGND_TEST_POSTGRES").expect(
        "CAMPAIGND_TEST_POSTGRES names a server for tests (postgres://USER@HOST:PORT); `tests/run` starts one",
    );
    let server = server.trim_end_matches('/').to_owned();
    let database = format!("campaignd_test_{:016x}", rand::random::<u64>());
    administer(&server, format!("CREATE DATABASE {database}"));
    let result = catch_unwind(AssertUnwindSafe(|| run("PostgreSQL", format!("{server}/{database}"), &body)));
    administer(&server, format!("DROP DATABASE {database} WITH (FORCE)"));
    if let Err(panic) = result {
        resume_unwind(panic);
    }
}

fn options() -> StoreOptions {
    StoreOptions { durability: Durability::Process, ..StoreOptions::default() }
}

fn run<F, Fut>(name: &'static str, address: String, body: &F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()>,
{
    let test = async {
        let store = Store::connect(&address, &options()).await.expect("the database opens");
        store.migrate().await.expect("the tables are made");
        body(TestDatabase { store, address }).await;
    };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| runtime().block_on(test))) {
        eprintln!("the failure above happened on {name}");
        resume_unwind(panic);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime can be made")
}

fn administer(server: &str, statement: String) {
    runtime().block_on(async {
        let address = format!("{server}/postgres");
        let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&address)
            .await
            .expect("the server in CAMPAIGND_TEST_POSTGRES answers");
        let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement));
        statement.execute(&mut connection).await.expect("test databases can be made and dropped");
    });
}
