//! Incarnations: each start of a sender is one, and holds a lock that proves it is alive.
//!
//! On `SQLite` the lock is on a file beside the database, on `PostgreSQL` it belongs to the session of
//! a connection that is used for nothing else. Both are free the moment the process is gone, however
//! it went. A process that stands still holds its lock: so what it has in hand, and the lead, are leased besides, by the
//! clock of the database.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tokio::sync::Mutex;

use super::connection::SqliteFile;
use super::dialect::lease_clock;
use super::error::failed;
use super::statement::{execute, query, query_column, query_value, values};
use super::{Backend, Engine, Result, Store, StoreError};
use crate::domain::delivery::IncarnationId;
use crate::domain::time::Timestamp;

/// The class of this program's locks among a `PostgreSQL` database's advisory locks of two numbers
/// ("camp"); the second number is the incarnation's.
const LOCKS: i32 = 0x6361_6d70;

/// How long the lead is good for without a sign of life: as long as what a sender has in hand.
const LEAD: Duration = Duration::from_mins(1);

/// It is prolonged when it is this old.
const LEAD_STANDS: Duration = Duration::from_secs(5);

/// How often the lock of a file is tried, since somebody may just be looking whether it is held.
const TRIES: u32 = 10;

/// Between two tries.
const BETWEEN_TRIES: Duration = Duration::from_millis(30);

/// How long the server may take to say that a session is there.
const PATIENCE: Duration = Duration::from_secs(10);

/// A living sender. Its lock is free when this is dropped, or when the process ends in any way.
#[derive(Debug)]
pub struct Incarnation {
    id: IncarnationId,
    lock: Lock,
}

#[derive(Debug)]
enum Lock {
    File(#[expect(dead_code, reason = "the lock is held as long as the file is open")] File),
    Session { connection: Box<Mutex<PgConnection>>, leads: AtomicBool },
}

impl Incarnation {
    /// Registers this process. On `SQLite` there is one at a time: a second is refused with
    /// [`StoreError::Locked`].
    pub async fn begin(store: &Store, now: Timestamp) -> Result<Self> {
        let operation = "register this process as a sender";
        match &store.engine {
            Engine::Sqlite(file) => {
                let lock = lock_file(file).await?;
                let id = register(store, operation, now).await?;
                Ok(Self { id, lock: Lock::File(lock) })
            }
            Engine::Postgres(_, settings) => {
                let mut connection = PgConnection::connect_with(settings).await.map_err(failed(operation))?;
                let id = register(store, operation, now).await?;
                let lock = sqlx::query("SELECT pg_advisory_lock($1, $2)").bind(LOCKS).bind(id.0 as i32);
                sqlx::Executor::execute(&mut connection, lock).await.map_err(failed(operation))?;
                let connection = Box::new(Mutex::new(connection));
                Ok(Self { id, lock: Lock::Session { connection, leads: AtomicBool::new(false) } })
            }
        }
    }

    /// Its number: the fencing number of its leases.
    pub const fn id(&self) -> IncarnationId {
        self.id
    }

    /// Whether the lock is still held; on `PostgreSQL` it is lost with its connection.
    pub async fn is_alive(&self) -> bool {
        match &self.lock {
            Lock::File(_) => true,
            Lock::Session { connection, .. } => {
                let ping = async { connection.lock().await.ping().await };
                matches!(tokio::time::timeout(PATIENCE, ping).await, Ok(Ok(())))
            }
        }
    }

    /// Whether this sender leads: of several on one `PostgreSQL` one does, and it alone makes runs and
    /// evaluates segments. Takes the lead when it is free, or was not prolonged for a minute; prolongs it else. On
    /// `SQLite` always.
    pub async fn lead(&self) -> Result<bool> {
        let operation = "see which daemon leads";
        let Lock::Session { connection, leads } = &self.lock else { return Ok(true) };
        let clock = lease_clock(Backend::Postgres, "");
        let stands = format!("SELECT incarnation = $1 AND until > {clock} + $2 FROM leader");
        let take = format!(
            "UPDATE leader SET incarnation = $1, until = {clock} + $2
             WHERE incarnation = $1 OR until < {clock} OR incarnation NOT IN ({}) RETURNING TRUE",
            held_locks()
        );
        let ask = async |text: String, lead: Duration| {
            let ask = sqlx::query_scalar::<_, bool>(sqlx::AssertSqlSafe(text));
            let ask = ask.bind(self.id.0).bind(lead.as_micros() as i64);
            ask.fetch_optional(&mut *connection.lock().await).await
        };
        let lead = async {
            let stands = ask(stands, LEAD.saturating_sub(LEAD_STANDS)).await?;
            Ok(stands == Some(true) || ask(take, LEAD).await?.is_some())
        };
        let answer: Result<bool, sqlx::Error> = match tokio::time::timeout(PATIENCE, lead).await {
            Ok(answer) => answer,
            Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        };
        leads.store(matches!(answer, Ok(true)), Ordering::SeqCst);
        answer.map_err(failed(operation))
    }

    /// Whether this sender had the lead when it last asked.
    pub fn leads(&self) -> bool {
        match &self.lock {
            Lock::File(_) => true,
            Lock::Session { leads, .. } => leads.load(Ordering::SeqCst),
        }
    }

    /// Notes the end and gives the lock back.
    pub async fn end(self, store: &Store, now: Timestamp) -> Result<()> {
        let operation = "note the end of a sender";
        let update = "UPDATE incarnations SET ended_at = $2 WHERE id = $1";
        let transaction = store.begin_write(operation).await?;
        execute(&*transaction, operation, update, values![self.id.0, now.micros()]).await?;
        transaction.commit().await?;
        if let Lock::Session { connection, .. } = self.lock {
            // The server gives a closed session's locks back in its own time; the next daemon, started at
            // once, is to find them free. A session that was cut holds none.
            let mut session = connection.into_inner();
            if sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut session).await.is_ok() {
                session.close().await.map_err(failed(operation))?;
            }
        }
        Ok(())
    }
}

async fn register(store: &Store, operation: &'static str, now: Timestamp) -> Result<IncarnationId> {
    let insert = "INSERT INTO incarnations (host, process, started_at, heartbeat_at) VALUES ($1, $2, $3, $3)
        RETURNING id";
    let host = std::env::var("HOSTNAME").unwrap_or_default();
    let given = values![host, i64::from(std::process::id()), now.micros()];
    let transaction = store.begin_write(operation).await?;
    let id = query_value(&*transaction, operation, insert, given).await?;
    transaction.commit().await?;
    Ok(IncarnationId(id))
}

fn lock_path(file: &SqliteFile) -> PathBuf {
    let mut path = file.path.clone().into_os_string();
    path.push(".lock");
    PathBuf::from(path)
}

async fn lock_file(file: &SqliteFile) -> Result<File> {
    let operation = "lock the database for this process";
    let path = lock_path(file);
    let lock = File::options().create(true).truncate(false).write(true).open(&path);
    let lock = lock.map_err(failed(operation))?;
    for _ in 0..TRIES {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(BETWEEN_TRIES).await,
            Err(TryLockError::Error(error)) => return Err(failed(operation)(error)),
        }
    }
    Err(StoreError::Locked { lock: path.display().to_string() })
}

/// Daemons that are running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// Since when the first of them has been.
    pub since: Timestamp,
    /// The last sign of life of the one that has been silent longest; a daemon that can write gives four a minute.
    pub last_sign: Timestamp,
}

/// Whether a daemon is running on this database, and since when.
pub async fn running(store: &Store, now: Timestamp) -> Result<Option<Running>> {
    let operation = "see whether a daemon is running";
    let living = match &store.engine {
        Engine::Sqlite(file) => {
            let Ok(lock) = File::open(lock_path(file)) else { return Ok(None) };
            match lock.try_lock_shared() {
                Err(TryLockError::WouldBlock) => {}
                Ok(()) | Err(TryLockError::Error(_)) => return Ok(None),
            }
            let latest = "SELECT COALESCE(MAX(id), 0) FROM incarnations";
            vec![query_value::<i64>(&store.database, operation, latest, vec![]).await?]
        }
        Engine::Postgres(..) => living(store, operation).await?,
    };
    let mut running: Option<Running> = None;
    for id in living {
        // One that ended holds its lock no longer, or is about to give it back.
        let signs = "SELECT started_at, COALESCE(ended_at, heartbeat_at) FROM incarnations WHERE id = $1";
        for row in query(&store.database, operation, signs, values![id]).await? {
            let instant = |column: usize| -> Result<Timestamp> {
                let micros: i64 = row.try_get_by_index(column).map_err(failed(operation))?;
                Ok(Timestamp::from_micros(micros).min(now))
            };
            let (since, last_sign) = (instant(0)?, instant(1)?);
            running = Some(match running {
                Some(others) => {
                    Running { since: since.min(others.since), last_sign: last_sign.min(others.last_sign) }
                }
                None => Running { since, last_sign },
            });
        }
    }
    Ok(running)
}

/// On `PostgreSQL`: the incarnations whose lock is held.
fn held_locks() -> String {
    format!(
        "SELECT l.objid::bigint FROM pg_locks l JOIN pg_database b ON b.oid = l.database
         WHERE b.datname = current_database() AND l.locktype = 'advisory' AND l.classid::bigint = {LOCKS}
           AND l.objsubid = 2 AND l.granted"
    )
}

/// On `PostgreSQL`: the incarnations whose lock is held.
pub(super) async fn living(store: &Store, operation: &'static str) -> Result<Vec<i64>> {
    query_column(&store.database, operation, &held_locks(), vec![]).await
}

/// The last sign of life of any sender before `before`: what was due after it was due while no
/// daemon was up.
pub async fn last_alive(store: &Store, before: Option<IncarnationId>) -> Result<Option<Timestamp>> {
    let text = "SELECT MAX(COALESCE(ended_at, heartbeat_at)) FROM incarnations WHERE id < $1";
    let before = before.map_or(i64::MAX, |before| before.0);
    let operation = "see when a daemon was up";
    let last: Option<i64> = query_value(&store.database, operation, text, values![before]).await?;
    Ok(last.map(Timestamp::from_micros))
}
