//! A large run in which daemon after daemon is killed, or told to stop.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::checker::agree;
use super::daemon::{Daemon, Project, add_people, is_over, until};
use super::server::FaultyServer;
use super::times;
use crate::support::database::{TestDatabase, on_both};

const MAILS: usize = 5_000;
const CONNECTIONS: usize = 16;
const ENDS: usize = 20;

/// How a daemon comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Killed,
    ToldToStop,
}

/// After how many mails each daemon ends.
fn ends(chance: &mut StdRng) -> Vec<usize> {
    let mut ends: Vec<_> = (0..ENDS).map(|_| chance.random_range(1..MAILS * 9 / 10)).collect();
    ends.sort_unstable();
    ends
}

async fn run(database: &TestDatabase, number: usize, end: End) {
    let seed = 0x6b69_6c6c + number as u64;
    let case = format!("{end:?}, seed {seed}");
    let campaign = format!("news_{number}");
    let folder = tempfile::tempdir().expect("a folder");
    let server = FaultyServer::well(folder.path()).await;
    let project = Project::new(database, server.port(), CONNECTIONS, &campaign);
    for mails in ends(&mut StdRng::seed_from_u64(seed)) {
        let mut daemon = project.daemon(None);
        taken(&case, &server, server.taken() + 1, &mut daemon).await;
        // A mail is out: what the one before had in hand was taken back before.
        let senders = "SELECT DISTINCT CAST(incarnation AS TEXT) FROM deliveries
            WHERE state IN ('claimed', 'transmitting')";
        assert!(database.rows(senders).await.len() <= 1, "{case}: rows of a dead sender are in hand");
        taken(&case, &server, mails, &mut daemon).await;
        match end {
            End::Killed => daemon.kill(&case).await,
            End::ToldToStop => daemon.stop(&case).await,
        }
        assert!(!is_over(database, &campaign).await, "{case}: it hit no open run");
    }
    let mut daemon = project.daemon(None);
    until(&case, "the end of the run", async || {
        assert_eq!(daemon.ended(), None, "{case}: {}", project.log());
        is_over(database, &campaign).await
    })
    .await;
    daemon.stop(&case).await;

    // For whoever reads of a failure.
    eprintln!("{case}: {}", project.log());
    let most = if end == End::Killed { ENDS * CONNECTIONS } else { 0 };
    let states = agree(&case, database, &server.journal(), most).await;
    eprintln!("{case}: {states:?}");
    assert_eq!(states.values().sum::<usize>(), MAILS, "{case}: {states:?}");
    assert!(
        states.keys().all(|state| ["accepted", "uncertain"].contains(&state.as_str())),
        "{case}: {states:?}"
    );
}

/// Waits until the server took so many mails.
async fn taken(case: &str, server: &FaultyServer, count: usize, daemon: &mut Daemon) {
    until(case, &format!("{count} mails"), async || {
        assert_eq!(daemon.ended(), None, "{case}: it ended by itself");
        server.taken() >= count
    })
    .await;
}

fn check(end: End) {
    on_both(|database| async move {
        add_people(&database, MAILS).await;
        for number in 0..times(1) {
            run(&database, number, end).await;
        }
    });
}

#[test]
fn of_a_daemon_that_is_killed_at_most_the_open_connections_are_uncertain() {
    check(End::Killed);
}

#[test]
fn of_a_daemon_that_is_told_to_stop_nothing_is_uncertain() {
    check(End::ToldToStop);
}
