//! Two daemons on one PostgreSQL: they share a run, one of them dies or stops in its middle and is started again.

use std::time::Duration;

use super::checker::agree;
use super::daemon::{Daemon, Project, add_people, is_over, until};
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
