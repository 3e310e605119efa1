//! The group commit: notes of all lanes, one transaction after the other.
//!
//! A lane notes two things of a mail: that it is about to go out (and waits for that note to be in
//! the store), and how it ended (and does not wait). What ended is committed with the next note of
//! any lane, or after [`LINGER`]; so four lanes cost one commit a round, and no lane ever has two
//! rows in `transmitting`.
//!
//! While the store fails, nothing new goes out: marks are answered with an error at once. What has
//! ended is kept and tried again until it is in.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::domain::delivery::IncarnationId;
use crate::send::HandoverStopped;
use crate::store::Store;
use crate::store::deliveries::{self, Mark, Settlement};

/// How long an ended row may wait for a commit to share.
const LINGER: Duration = Duration::from_millis(25);

/// Between two tries of a store that failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Notes in one transaction at most.
const LARGEST_COMMIT: usize = 512;

/// A lane's end of the group commit. Clones write to the same.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    requests: mpsc::Sender<Request>,
}

#[derive(Debug)]
enum Request {
    Settle(Settlement),
    Mark(Mark, oneshot::Sender<Result<(), HandoverStopped>>),
    Flush(oneshot::Sender<()>),
}

/// The writer is gone: the engine is being dropped.
const GONE: &str = "the ledger's writer has stopped";

impl Ledger {
    /// Starts a writer; it ends when the last clone is dropped.
    pub(super) fn open(store: Store, incarnation: IncarnationId) -> Self {
        let (requests, inbox) = mpsc::channel(LARGEST_COMMIT);
        tokio::spawn(Writer { store, incarnation, inbox, settlements: Vec::new(), flushes: Vec::new() }.run());
        Self { requests }
    }

    /// Notes how a row ended. It is in the store before any later mark of anybody is answered.
    pub(super) async fn settle(&self, settlement: Settlement) {
        if self.requests.send(Request::Settle(settlement)).await.is_err() {
            tracing::error!("a settled delivery could not be noted: {GONE}");
        }
    }

    /// Notes that a mail is about to go out. It must not when this fails.
    pub(super) async fn mark(&self, mark: Mark) -> Result<(), HandoverStopped> {
        let (answer, answered) = oneshot::channel();
        let gone = || HandoverStopped { reason: GONE.to_owned() };
        self.requests.send(Request::Mark(mark, answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Waits until everything that was settled before is in the store.
    pub(super) async fn flush(&self) {
        let (answer, answered) = oneshot::channel();
        if self.requests.send(Request::Flush(answer)).await.is_ok() {
            let _ = answered.await;
        }
    }
}

struct Writer {
    store: Store,
    incarnation: IncarnationId,
    inbox: mpsc::Receiver<Request>,
    settlements: Vec<Settlement>,
    flushes: Vec<oneshot::Sender<()>>,
}

impl Writer {
    async fn run(mut self) {
        let mut requests = Vec::with_capacity(LARGEST_COMMIT);
        let mut failing = false;
        let mut deadline = None;
        loop {
            let open = match deadline {
                None => self.inbox.recv_many(&mut requests, LARGEST_COMMIT).await > 0,
                Some(deadline) => tokio::select! {
                    biased;
                    received = self.inbox.recv_many(&mut requests, LARGEST_COMMIT) => received > 0,
                    () = tokio::time::sleep_until(deadline) => true,
                },
            };
            let mut marks = Vec::new();
            let mut answers = Vec::new();
            for request in requests.drain(..) {
                match request {
                    Request::Settle(settlement) => self.settlements.push(settlement),
                    Request::Flush(answer) => self.flushes.push(answer),
                    Request::Mark(mark, answer) => {
                        marks.push(mark);
                        answers.push(answer);
                    }
                }
            }
            let due = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            let wanted = !marks.is_empty() || (!self.flushes.is_empty() && !failing) || due || !open;
            if wanted {
                failing = !self.commit(&marks, answers, failing).await;
                deadline = None;
            }
            if self.settlements.is_empty() {
                if !open {
                    return;
                }
            } else if deadline.is_none() {
                deadline = Some(Instant::now() + if failing { STORE_PAUSE } else { LINGER });
            }
            if !open && failing {
                // Nobody waits for an answer any more; the rows are recovered as `uncertain`.
                tracing::error!(
                    deliveries.unsettled = self.settlements.len(),
                    "the store failed until the end: some deliveries could not be settled"
                );
                return;
            }
        }
    }

    /// One transaction; whether the store took it.
    async fn commit(
        &mut self,
        marks: &[Mark],
        answers: Vec<oneshot::Sender<Result<(), HandoverStopped>>>,
        was_failing: bool,
    ) -> bool {
        match deliveries::note(&self.store, self.incarnation, &self.settlements, marks).await {
            Ok(marked) => {
                if was_failing {
                    tracing::info!("the store takes notes of deliveries again");
                }
                self.settlements.clear();
                for (answer, marked) in answers.into_iter().zip(marked) {
                    let reason = "another sender has taken the delivery over";
                    let _ = answer.send(if marked {
                        Ok(())
                    } else {
                        Err(HandoverStopped { reason: reason.to_owned() })
                    });
                }
                for flush in self.flushes.drain(..) {
                    let _ = flush.send(());
                }
                true
            }
            Err(error) => {
                if !was_failing {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the store does not take notes of deliveries: nothing is handed over until it does"
                    );
                }
                for answer in answers {
                    let _ = answer.send(Err(HandoverStopped { reason: error.to_string() }));
                }
                false
            }
        }
    }
}
