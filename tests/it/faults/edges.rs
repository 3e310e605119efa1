//! A daemon dies at every edge between a commit and a socket, and another one goes on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::checker::agree;
use super::daemon::{ABORTED, Project, READY, add_people, is_over, until};
use super::server::FaultyServer;
use super::{Kind, lock, times};
use crate::support::database::TestDatabase;

/// To whom each run goes.
const PEOPLE: usize = 3;

/// Databases of each kind at which deaths are died at the same time: mostly they wait.
const WORKERS: usize = 4;

/// Where a daemon dies for another one to have something to take back.
const HALF_WAY: &str = "the message is out";

/// All edges of a run, and of the start after a death.
pub(super) const EDGES: [&str; 49] = [
    "MAIL, RCPT and DATA are out",
    "before: activate a campaign",
    "before: begin to fix the recipients of a run",
    "before: claim deliveries",
    "before: complete the recipients of a run",
    "before: finish runs",
    "before: fix recipients of a run",
    "before: forget campaigns that are not declared",
    "before: forget files of the spool that are gone",
    "before: note a run",
    "before: note the addresses of a mail's links",
    "before: note the due times of a campaign",
    "before: note the end of a sender",
    "before: note the steps of deliveries",
    "before: note what a campaign is like",
    "before: note what the mails of a run are",
    "before: prolong the leases of a sender",
    "before: purge old hits",
    "before: record sent mail as events",
    "before: register this process as a sender",
    "before: take back the deliveries of dead senders",
    "behind: activate a campaign",
    "behind: begin to fix the recipients of a run",
    "behind: claim deliveries",
    "behind: complete the recipients of a run",
    "behind: finish runs",
    "behind: fix recipients of a run",
    "behind: forget campaigns that are not declared",
    "behind: forget files of the spool that are gone",
    "behind: note a run",
    "behind: note the addresses of a mail's links",
    "behind: note the due times of a campaign",
    "behind: note the end of a sender",
    "behind: note the steps of deliveries",
    "behind: note what a campaign is like",
    "behind: note what the mails of a run are",
    "behind: prolong the leases of a sender",
    "behind: purge old hits",
    "behind: record sent mail as events",
    "behind: register this process as a sender",
    "behind: take back the deliveries of dead senders",
    "connected",
    "half of the message is out",
    "ready for mail",
    "said goodbye",
    "the message is answered",
    "the message is out",
    "the message may go",
    "the server waits for the message",
];

/// A daemon's deaths, one after the other; the last of them is what a case is about, at so many-th passage.
type Case = (Vec<String>, usize);

/// A database in which run after run is made.
struct Place<'d> {
    database: &'d TestDatabase,
    runs: usize,
}

impl Place<'_> {
    /// A run in which daemon after daemon dies, and one brings it to its end, which may note its edges. False: the last
    /// that was to die never came to its edge.
    async fn run(&mut self, deaths: &[String], note: Option<&Path>) -> bool {
        self.runs += 1;
        let campaign = format!("news_{}", self.runs);
        let case = format!("{deaths:?}");
        let folder = tempfile::tempdir().expect("a folder");
        let server = FaultyServer::well(folder.path()).await;
        let project = Project::new(self.database, server.port(), 1, &campaign);
        let mut has_died = true;
        for death in deaths {
            assert!(has_died, "{case}: not all of them happened");
            let mut daemon = project.daemon(Some(&format!("die {death}")));
            let (mut end, mut is_told) = (None, false);
            until(&case, "a death", async || {
                end = daemon.ended();
                // Some edges come when a daemon stops.
                if end.is_none()
                    && !is_told
                    && daemon.has_said(READY)
                    && is_over(self.database, &campaign).await
                {
                    daemon.signal("-TERM");
                    is_told = true;
                }
                end.is_some()
            })
            .await;
            has_died = end.and_then(|end| end.signal()) == Some(ABORTED);
            let stopped = end.and_then(|end| end.code()) == Some(0);
            assert!(has_died || stopped, "{case}: it ended otherwise ({end:?}): {}", project.log());
        }
        let order = note.map(|note| format!("note {}", note.display()));
        let mut daemon = project.daemon(order.as_deref());
        until(&case, "the end of the run", async || {
            assert_eq!(daemon.ended(), None, "{case}: the last daemon ended: {}", project.log());
            is_over(self.database, &campaign).await
        })
        .await;
        daemon.stop(&case).await;

        let states = agree(&case, self.database, &server.journal(), deaths.len()).await;
        assert_eq!(states.values().sum::<usize>(), PEOPLE, "{case}: {states:?}");
        let of_states: Vec<_> = states.keys().map(String::as_str).collect();
        assert!(
            of_states.iter().all(|state| ["accepted", "uncertain"].contains(state)),
            "{case}: {states:?}"
        );
        let events = format!(
            "SELECT CAST(COUNT(*) AS TEXT) FROM events e JOIN deliveries d ON e.message_id = 'email_sent:' || d.id
             JOIN runs r ON r.id = d.run WHERE r.campaign = '{campaign}'"
        );
        let accepted = states.get("accepted").copied().unwrap_or_default();
        assert_eq!(self.database.rows(&events).await, [accepted.to_string()], "{case}: an event for each");
        has_died
    }

    /// The edges that a daemon passes in a run, and how often.
    async fn edges(&mut self, deaths: &[String]) -> BTreeMap<String, usize> {
        let note = tempfile::NamedTempFile::new().expect("a file");
        self.run(deaths, Some(note.path())).await;
        let mut edges = BTreeMap::new();
        for edge in std::fs::read_to_string(note.path()).expect("the edges").lines() {
            *edges.entry(edge.to_owned()).or_default() += 1;
        }
        edges
    }
}

/// Every edge of a run, and of the start after a death; at the first three passages each.
async fn cases(place: &mut Place<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    // What is made once for a database is made in the first run.
    place.run(&[], None).await;
    let plain = place.edges(&[]).await;
    for (edge, count) in &plain {
        cases.extend((1..=PEOPLE.min(*count)).map(|passage| (vec![format!("{edge} {passage}")], passage)));
    }
    let again = place.edges(&[HALF_WAY.to_owned()]).await;
    for edge in again.keys().filter(|edge| !plain.contains_key(*edge)) {
        cases.push((vec![HALF_WAY.to_owned(), edge.clone()], 1));
    }
    cases
}

/// Dies at every edge, on several databases at a time; gives the edges.
fn die_everywhere(kind: Kind) -> BTreeSet<String> {
    let open = Mutex::new(VecDeque::new());
    kind.on(|database| async {
        let database = database;
        add_people(&database, PEOPLE).await;
        let cases = cases(&mut Place { database: &database, runs: 0 }).await;
        for _ in 0..times(1) {
            lock(&open).extend(cases.iter().cloned());
        }
    });
    let died = Mutex::new(BTreeSet::new());
    let work = || {
        kind.on(|database| async {
            let database = database;
            add_people(&database, PEOPLE).await;
            let mut place = Place { database: &database, runs: 0 };
            place.run(&[], None).await;
            while let Some((deaths, passage)) = { lock(&open).pop_front() } {
                let has_died = place.run(&deaths, None).await;
                // How often an edge is passed may be another number each time: steps share commits.
                assert!(has_died || passage > 1, "{deaths:?} did not happen");
                lock(&died)
                    .extend(deaths.last().map(|edge| edge.trim_end_matches([' ', '1', '2', '3']).to_owned()));
            }
        });
    };
    std::thread::scope(|threads| {
        for _ in 0..WORKERS {
            threads.spawn(work);
        }
    });
    died.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_daemon_may_die_at_every_edge() {
    let on_both = std::thread::scope(|threads| {
        let both = Kind::BOTH.map(|kind| threads.spawn(move || die_everywhere(kind)));
        both.map(|thread| thread.join().expect("every death ends well"))
    });
    for edges in on_both {
        assert_eq!(
            edges.iter().map(String::as_str).collect::<Vec<_>>(),
            EDGES,
            "edges on the left, the list on the right"
        );
    }
}
