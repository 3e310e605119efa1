//! Two daemons on one PostgreSQL: they share a run, die, stop, and stand still for longer than their lease.

use std::time::Duration;

use super::checker::agree;
use super::daemon::{Daemon, Project, add_people, is_finished, is_over, until};
use super::server::FaultyServer;
use super::times;
use crate::support::database::{TestDatabase, on_postgres};

const CONNECTIONS: usize = 4;
const PEOPLE: usize = 240;

/// So long that the second daemon comes to its share before the first has mailed everybody.
const A_MAIL: Duration = Duration::from_millis(60);

/// Runs at the same time: mostly they wait.
const BESIDE: usize = 5;

/// What happens to one of two daemons in the middle of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accident {
    None,
    Kill,
    Stop,
}

const ACCIDENTS: [Accident; 5] =
    [Accident::None, Accident::Kill, Accident::Stop, Accident::Kill, Accident::Stop];

/// The senders whose mails were taken.
async fn senders(database: &TestDatabase) -> usize {
    let senders = "SELECT DISTINCT CAST(incarnation AS TEXT) FROM deliveries WHERE state = 'accepted'
        AND run = (SELECT MAX(id) FROM runs)";
    database.rows(senders).await.len()
}

/// Waits until a run is over while daemons live.
async fn over(case: &str, database: &TestDatabase, campaign: &str, daemons: &mut [(&Project, &mut Daemon)]) {
    until(case, "the end of the run", async || {
        for (project, daemon) in &mut *daemons {
            assert_eq!(daemon.ended(), None, "{case}: {}", project.log());
        }
        is_over(database, campaign).await
    })
    .await;
}

async fn share(database: &TestDatabase, number: usize, accident: Accident) {
    let case = format!("{accident:?}, {number}");
    let campaign = format!("news_{number}");
    let folder = tempfile::tempdir().expect("a folder");
    let server = FaultyServer::slow(folder.path(), A_MAIL).await;
    let here = Project::new(database, server.port(), CONNECTIONS, &campaign);
    let there = here.twin();
    let (one, mut other) = (here.daemon(None), there.daemon(None));
    until(&case, "mails of both", async || senders(database).await == 2).await;
    assert!(!is_over(database, &campaign).await, "{case}: the run was over too soon");
    let mut one = match accident {
        Accident::None => one,
        Accident::Kill => {
            one.kill(&case).await;
            here.daemon(None)
        }
        Accident::Stop => {
            one.stop(&case).await;
            here.daemon(None)
        }
    };
    over(&case, database, &campaign, &mut [(&here, &mut one), (&there, &mut other)]).await;
    one.stop(&case).await;
    other.stop(&case).await;
    let most = if accident == Accident::Kill { CONNECTIONS } else { 0 };
    let states = agree(&case, database, &server.journal(), most).await;
    assert_eq!(states.values().sum::<usize>(), PEOPLE, "{case}: {states:?}");
    assert!(states.get("accepted").is_some_and(|accepted| accepted + most >= PEOPLE), "{case}: {states:?}");
}

#[test]
fn two_daemons_share_a_run_whatever_becomes_of_one() {
    std::thread::scope(|threads| {
        for accident in ACCIDENTS.iter().take(BESIDE) {
            threads.spawn(|| {
                on_postgres(|database| async {
                    let database = database;
                    add_people(&database, PEOPLE).await;
                    for number in 0..times(2) {
                        share(&database, number, *accident).await;
                    }
                });
            });
        }
    });
}

/// Where a daemon stands still: with rows in hand, or in the middle of a transaction, whose locks hold others up.
#[cfg(debug_assertions)]
const STANDS: [&str; 8] = [
    "before: claim deliveries",
    "behind: claim deliveries",
    "before: note the steps of deliveries",
    "the server waits for the message",
    "the message may go",
    "half of the message is out",
    "the message is out",
    "the message is answered",
];

/// To how many a run goes then.
#[cfg(debug_assertions)]
const FEW: usize = 40;

/// The sessions at the database that are there, of daemons and of others.
#[cfg(debug_assertions)]
async fn sessions(database: &TestDatabase) -> Vec<String> {
    database.rows("SELECT CAST(pid AS TEXT) FROM pg_stat_activity WHERE datname = current_database()").await
}

/// A minute of the database goes by: leases are over, and those of these sessions that stand in a transaction are ended, as
/// the server does by `idle_in_transaction_session_timeout`. How many that were.
#[cfg(debug_assertions)]
async fn a_minute_goes_by(database: &TestDatabase, sessions: &[String]) -> usize {
    let ended = format!(
        "SELECT CAST(pg_terminate_backend(pid) AS TEXT) FROM pg_stat_activity
         WHERE state LIKE 'idle in transaction%' AND pid IN ({})",
        sessions.join(", ")
    );
    let ended = database.rows(&ended).await.len();
    let leases =
        "UPDATE deliveries SET lease_until = 1 WHERE lease_until IS NOT NULL; UPDATE leader SET until = 1";
    database.execute(leases).await;
    ended
}

/// One daemon stands still for longer than its lease, another takes its rows over, and it goes on.
#[cfg(debug_assertions)]
async fn oversleep(database: &TestDatabase, number: usize, stands: &str) {
    let case = format!("stands at {stands}, {number}");
    let campaign = format!("news_{number}");
    let folder = tempfile::tempdir().expect("a folder");
    let server = FaultyServer::well(folder.path()).await;
    let here = Project::new(database, server.port(), 1, &campaign);
    let there = here.twin();
    let mut one = here.daemon(Some(&format!("stand {stands}")));
    until(&case, "a daemon that stands still", async || {
        assert_eq!(one.ended(), None, "{case}: {}", here.log());
        one.stands()
    })
    .await;
    let of_one = sessions(database).await;
    let in_hand = "SELECT CAST(id AS TEXT) FROM deliveries WHERE state IN ('claimed', 'transmitting')";
    let has_rows = !database.rows(in_hand).await.is_empty();
    let holds_locks = a_minute_goes_by(database, &of_one).await > 0;
    assert!(has_rows || holds_locks, "{case}: it has nothing in hand");
    let mut other = there.daemon(None);
    let open = "SELECT CAST(id AS TEXT) FROM deliveries WHERE state IN ('planned', 'claimed', 'transmitting', 'deferred')";
    until(&case, "somebody else who mails the rest", async || {
        assert_eq!(other.ended(), None, "{case}: {}", there.log());
        database.rows(open).await.is_empty()
    })
    .await;
    one.signal("-CONT");
    until(&case, "the end of the run", async || {
        assert_eq!((one.ended(), other.ended()), (None, None), "{case}: {} {}", here.log(), there.log());
        is_finished(database, &campaign).await
    })
    .await;
    one.stop(&case).await;
    other.stop(&case).await;
    let states = agree(&case, database, &server.journal(), 1).await;
    assert_eq!(states.values().sum::<usize>(), FEW, "{case}: {states:?}");
    assert!(states.get("accepted").is_some_and(|accepted| accepted + 1 >= FEW), "{case}: {states:?}");
}

#[test]
#[cfg(debug_assertions)]
fn who_stands_still_past_its_lease_mails_nobody_again() {
    std::thread::scope(|threads| {
        for stands in STANDS {
            threads.spawn(move || {
                on_postgres(|database| async move {
                    add_people(&database, FEW).await;
                    for number in 0..times(1) {
                        oversleep(&database, number, stands).await;
                    }
                });
            });
        }
    });
}
