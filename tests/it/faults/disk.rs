//! The disk is full at a commit: on `SQLite` the process may write nothing more to any file (`RLIMIT_FSIZE`), on `PostgreSQL`
//! every transaction that wrote ends as one does for which the server has no room.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Mutex;

use super::checker::agree;
use super::daemon::{Daemon, Project, READY, add_people, is_finished, until};
use super::edges::EDGES;
use super::server::FaultyServer;
use super::{Kind, lock, times};
use crate::support::database::TestDatabase;

const PEOPLE: usize = 3;

/// Databases of each kind at which it happens at the same time.
const WORKERS: usize = 3;

/// What a daemon says of a store that cannot be written.
const CAUSES: [&str; 3] = ["disk I/O error", "database or disk is full", "No space left on device"];

/// Lets transactions of a `PostgreSQL` database fail as if there were no room, when `is_full` is set.
const NO_ROOM: &str = "
    CREATE TABLE room (is_full BOOLEAN NOT NULL);
    INSERT INTO room VALUES (FALSE);
    CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT is_full FROM room) THEN
            RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
        END IF;
        RETURN NULL;
    END $$;
    DO $$
    DECLARE name TEXT;
    BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'room' LOOP
            EXECUTE format('CREATE CONSTRAINT TRIGGER no_room AFTER INSERT OR UPDATE OR DELETE ON %I
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION no_room()', name);
        END LOOP;
    END $$";

async fn set_full(database: &TestDatabase, daemon: &Daemon, kind: Kind, is_full: bool) {
    match kind {
        Kind::Sqlite => daemon.may_write(!is_full),
        Kind::Postgres => database.execute(&format!("UPDATE room SET is_full = {is_full}")).await,
    }
}

/// The disk is full at one commit of a run, and for as long as the daemon needs to say so. False: this run did without
/// that commit.
async fn full_at(database: &TestDatabase, kind: Kind, number: usize, edge: &str) -> bool {
    let case = format!("full {edge}");
    let campaign = format!("news_{number}");
    let folder = tempfile::tempdir().expect("a folder");
    let server = FaultyServer::well(folder.path()).await;
    let project = Project::new(database, server.port(), 1, &campaign);
    let mut daemon = project.daemon(Some(&format!("stand {edge}")));
    let mut is_told = false;
    until(&case, "a daemon at its edge", async || {
        // Some edges come when a daemon stops.
        let is_done = daemon.has_said(READY) && is_finished(database, &campaign).await;
        if !is_told && is_done && all_are_recorded(database).await {
            daemon.signal("-TERM");
            is_told = true;
        }
        daemon.stands() || daemon.ended().is_some()
    })
    .await;
    if let Some(end) = daemon.ended() {
        assert_eq!(end.code(), Some(0), "{case}: {}", project.log());
        return false;
    }
    let before = server.taken();
    set_full(database, &daemon, kind, true).await;
    daemon.signal("-CONT");
    let mut end = None;
    until(&case, "what it says", async || {
        end = daemon.ended();
        CAUSES.iter().any(|cause| daemon.has_said(cause))
    })
    .await;
    assert!(server.taken() <= before + 1, "{case}: mails go out although the store cannot be written");
    match end {
        None => set_full(database, &daemon, kind, false).await,
        Some(end) => {
            assert_eq!(end.signal(), None, "{case}: {}", project.log());
            if let Kind::Postgres = kind {
                set_full(database, &daemon, kind, false).await;
            }
            daemon = project.daemon(None);
        }
    }
    let mut is_restarted = end.is_some();
    until(&case, "the end of the run", async || {
        if daemon.ended().is_some() {
            assert!(!is_restarted, "{case}: {}", project.log());
            is_restarted = true;
            daemon = project.daemon(None);
        }
        is_finished(database, &campaign).await
    })
    .await;
    if is_told && !is_restarted {
        daemon.end(&case).await;
    } else {
        daemon.stop(&case).await;
    }
    let states = agree(&case, database, &server.journal(), 0).await;
    assert_eq!(states.get("accepted"), Some(&PEOPLE), "{case}: {states:?}");
    true
}

/// Whether each mail that was accepted has its event: a daemon that is told to stop before leaves that to the next.
async fn all_are_recorded(database: &TestDatabase) -> bool {
    let open =
        "SELECT CAST(COUNT(*) AS TEXT) FROM deliveries WHERE state = 'accepted' AND recorded_at IS NULL";
    database.rows(open).await == ["0"]
}

#[test]
fn the_disk_may_be_full_at_every_commit() {
    let check = |kind: Kind| {
        let commits =
            EDGES.iter().filter(|edge| edge.starts_with("before: ") && !edge.contains("dead senders"));
        let open: VecDeque<_> = (0..times(1)).flat_map(|_| commits.clone()).collect();
        let open = &Mutex::new(open);
        std::thread::scope(|threads| {
            for _ in 0..WORKERS {
                threads.spawn(move || {
                    kind.on(|database| async move {
                        add_people(&database, PEOPLE).await;
                        if let Kind::Postgres = kind {
                            database.execute(NO_ROOM).await;
                        }
                        let mut number = 0;
                        while let Some(edge) = { lock(open).pop_front() } {
                            let was_full = full_at(&database, kind, number, edge).await;
                            assert!(
                                was_full || edge.ends_with("note the due times of a campaign"),
                                "{edge} was not passed"
                            );
                            number += 1;
                        }
                    });
                });
            }
        });
    };
    std::thread::scope(|threads| {
        for kind in Kind::BOTH {
            threads.spawn(move || check(kind));
        }
    });
}
