//! The way from the spool into the database: each hit once, whatever happens on the way.

use std::fs;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use campaignd::domain::delivery::RunId;
use campaignd::links::Subject;
use campaignd::track;

use super::mails::{PERSON, SETTINGS, Sent};
use crate::support::database::on_both;

#[test]
fn a_file_that_comes_back_adds_nothing() {
    on_both(|database| async move {
        let sent = Sent::to(&database, 3).await;
        for delivery in [1, 2, 3, 1] {
            sent.open(delivery, 60, PERSON).await;
        }
        sent.get(&sent.served.links.open(Subject::Run(RunId(3))), 60, PERSON).await;
        let folder = sent.served.spool_folder();
        let files: Vec<_> =
            fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
        let copies: Vec<_> =
            files.iter().map(|path| (path.clone(), fs::read(path).expect("a file"))).collect();
        assert_eq!(copies.len(), 1);
        let counts = async || {
            let hits = database.rows("SELECT CAST(COUNT(*) AS TEXT) FROM hits").await;
            let counted = database.rows("SELECT CAST(SUM(count) AS TEXT) FROM run_hits").await;
            (hits[0].clone(), counted[0].clone())
        };
        sent.take_in().await;
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 0, "what is drained is removed");
        let once = ("4".to_owned(), "1".to_owned());
        assert_eq!(counts().await, once);
        // As if the process had died after the commit, before the file was removed.
        for (path, bytes) in &copies {
            fs::write(path, bytes).expect("the file is back");
        }
        sent.take_in().await;
        assert_eq!(counts().await, once);
        assert_eq!(sent.events().await.len(), 3);
        sent.served.stop().await;
    });
}

#[test]
fn hits_wait_while_the_store_is_away() {
    on_both(|database| async move {
        let sent = Sent::to(&database, 2).await;
        sent.open(1, 60, PERSON).await;
        database.execute("ALTER TABLE hits RENAME TO hits_elsewhere").await;
        let (store, spool) = (&database.store, &sent.served.spool);
        let error = track::take_in(store, spool, SETTINGS, sent.hand.now()).await.expect_err("it is away");
        assert_eq!(error.to_string(), "cannot write hits");
        sent.open(2, 70, PERSON).await;
        database.execute("ALTER TABLE hits_elsewhere RENAME TO hits").await;
        assert_eq!(sent.take_in().await.0.kept, 2);
        assert_eq!(sent.events().await, ["c1 email_opened 60 human", "c2 email_opened 70 human"]);
        sent.served.stop().await;
    });
}

/// Polls so many times at most, and goes away then.
async fn cut_off<F: Future>(polls: usize, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let mut left = polls;
    poll_fn(|context| match left.checked_sub(1) {
        Some(less) => {
            left = less;
            work.as_mut().poll(context).map(Some)
        }
        None => Poll::Ready(None),
    })
    .await
}

#[test]
fn a_stop_in_the_middle_loses_and_doubles_nothing() {
    on_both(|database| async move {
        let sent = Sent::to(&database, 3).await;
        let (store, spool) = (&database.store, &sent.served.spool);
        let mut asked = 0;
        for polls in 0.. {
            for delivery in [1, 2, 3] {
                sent.open(delivery, 60 + polls as u64, PERSON).await;
                asked += 1;
            }
            let taking_in = track::take_in(store, spool, SETTINGS, sent.hand.now());
            if cut_off(polls, taking_in).await.is_some_and(|taken| taken.is_ok()) {
                break;
            }
        }
        // What was cut off still holds its file for a moment.
        while fs::read_dir(sent.served.spool_folder()).expect("a folder").count() > 0 {
            sent.take_in().await;
        }
        assert_eq!(
            database.rows("SELECT CAST(COUNT(*) AS TEXT) FROM hits").await,
            [asked.to_string()],
            "each is there once"
        );
        assert_eq!(sent.events().await.len(), 3);
        sent.served.stop().await;
    });
}
