//! The group commit: steps of all lanes, one transaction after the other.
//!
//! A lane notes two things of a mail: that it is about to go out (and waits until that is in the
//! store), and how it ended (and does not wait). What ended is committed with the next note of any
//! lane, or after [`LINGER`]; so four lanes cost one commit a round, and no lane ever has two rows in
//! `transmitting`.
//!
//! While the store fails nothing new goes out: notes are answered with an error at once. What has
//! ended is kept and tried again until it is in.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::domain::delivery::{DeliveryId, IncarnationId};
use crate::domain::time::Timestamp;
use crate::send::HandoverStopped;
use crate::store::ledger::{LedgerStep, Step};
use crate::store::{Store, ledger};

/// How long an ended row may wait for a commit to share.
const LINGER: Duration = Duration::from_millis(20);

/// Between two tries of a store that failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Steps in one transaction at most, about.
const LARGEST_COMMIT: usize = 512;

/// A lane's end of the group commit. Clones write to the same; the writer ends with the last of them.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    requests: mpsc::Sender<(Timestamp, Request)>,
}

#[derive(Debug)]
enum Request {
    Settle(LedgerStep),
    Mark(LedgerStep, Answer),
    Flush(oneshot::Sender<()>),
}

type Answer = oneshot::Sender<Result<(), HandoverStopped>>;

/// The writer is gone: the engine is being dropped.
fn gone() -> HandoverStopped {
    HandoverStopped { reason: "the ledger's writer has stopped".to_owned() }
}

impl Ledger {
    /// Starts a writer for one sender.
    pub(super) fn open(store: Store, incarnation: IncarnationId) -> Self {
        let (requests, inbox) = mpsc::channel(LARGEST_COMMIT);
        let now = Timestamp::from_micros(i64::MIN);
        let writer = Writer { store, incarnation, inbox, settled: Vec::new(), flushes: Vec::new(), now };
        tokio::spawn(writer.run());
        Self { requests }
    }

    /// Notes how a row ended. It is in the store before any later mark of anybody is answered.
    pub(super) async fn settle(&self, delivery: DeliveryId, step: Step, now: Timestamp) {
        let request = Request::Settle(LedgerStep { delivery, step });
        if self.requests.send((now, request)).await.is_err() {
            tracing::error!(delivery.id = delivery.0, "how a delivery ended cannot be noted: {}", gone());
        }
    }

    /// Notes that a mail is about to go out. It must not when this fails.
    pub(super) async fn mark(
        &self,
        delivery: DeliveryId,
        step: Step,
        now: Timestamp,
    ) -> Result<(), HandoverStopped> {
        let (answer, answered) = oneshot::channel();
        let request = Request::Mark(LedgerStep { delivery, step }, answer);
        self.requests.send((now, request)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Waits until everything that was settled before is in the store, however long that takes.
    pub(super) async fn flush(&self, now: Timestamp) {
        let (answer, answered) = oneshot::channel();
        if self.requests.send((now, Request::Flush(answer))).await.is_ok() {
            // An error means that the writer is gone; it has said what it could not note.
            let _ = answered.await;
        }
    }
}

struct Writer {
    store: Store,
    incarnation: IncarnationId,
    inbox: mpsc::Receiver<(Timestamp, Request)>,
    settled: Vec<LedgerStep>,
    flushes: Vec<oneshot::Sender<()>>,
    /// What the latest request was dated with. Not the greatest: a clock that was ahead for a moment must not date
    /// all that follows.
    now: Timestamp,
}

impl Writer {
    async fn run(mut self) {
        let mut requests = Vec::with_capacity(LARGEST_COMMIT);
        let mut failing = false;
        let mut deadline: Option<Instant> = None;
        loop {
            let open = match deadline {
                None => self.inbox.recv_many(&mut requests, LARGEST_COMMIT).await > 0,
                Some(at) => tokio::select! {
                    biased;
                    received = self.inbox.recv_many(&mut requests, LARGEST_COMMIT) => received > 0,
                    () = tokio::time::sleep_until(at) => true,
                },
            };
            let marks = self.sort(&mut requests);
            let waited = deadline.is_some_and(|at| at <= Instant::now());
            let asked = !marks.is_empty() || (!self.flushes.is_empty() && !failing);
            let full = self.settled.len() >= LARGEST_COMMIT && !failing;
            if asked || waited || full || !open {
                failing = !self.commit(marks, failing).await;
                deadline = None;
            }
            if !open {
                // Nobody is left who could try again; a later start finds these rows uncertain.
                if !self.settled.is_empty() {
                    let count = self.settled.len();
                    tracing::error!(deliveries.unsettled = count, "the store failed until the end");
                }
                return;
            }
            let pending = !self.settled.is_empty() || !self.flushes.is_empty();
            if pending && deadline.is_none() {
                deadline = Some(Instant::now() + if failing { STORE_PAUSE } else { LINGER });
            }
        }
    }

    /// Takes requests in; gives those that wait for their note.
    fn sort(&mut self, requests: &mut Vec<(Timestamp, Request)>) -> Vec<(LedgerStep, Answer)> {
        let mut marks = Vec::new();
        for (now, request) in requests.drain(..) {
            self.now = now;
            match request {
                Request::Settle(step) => self.settled.push(step),
                Request::Mark(step, answer) => marks.push((step, answer)),
                Request::Flush(answer) => self.flushes.push(answer),
            }
        }
        marks
    }

    /// One transaction; whether the store took it.
    async fn commit(&mut self, marks: Vec<(LedgerStep, Answer)>, was_failing: bool) -> bool {
        let settled = self.settled.len();
        let (steps, answers): (Vec<_>, Vec<_>) = marks.into_iter().unzip();
        let marked: Vec<_> = steps.iter().map(|step| step.delivery).collect();
        self.settled.extend(steps);
        if self.settled.is_empty() {
            self.answer_flushes();
            return true;
        }
        match ledger::write(&self.store, self.incarnation, &self.settled, self.now).await {
            Ok(refused) => {
                if was_failing {
                    tracing::info!("the store takes notes of deliveries again");
                }
                let settled = &self.settled[..settled];
                for delivery in refused.iter().filter(|id| settled.iter().any(|step| step.delivery == **id)) {
                    tracing::warn!(
                        delivery.id = delivery.0,
                        "how a delivery ended was not noted: another sender has taken it over, or it was noted before"
                    );
                }
                for (delivery, answer) in marked.iter().zip(answers) {
                    let reason = || "another sender has taken the delivery over".to_owned();
                    let taken = refused.contains(delivery);
                    // An error means that the lane was dropped; its row is recovered.
                    let _ =
                        answer.send(if taken { Err(HandoverStopped { reason: reason() }) } else { Ok(()) });
                }
                self.settled.clear();
                self.answer_flushes();
                true
            }
            Err(error) => {
                if !was_failing {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the store takes no notes of deliveries: nothing is handed over until it does"
                    );
                }
                self.settled.truncate(settled);
                for answer in answers {
                    let _ = answer.send(Err(HandoverStopped { reason: error.to_string() }));
                }
                false
            }
        }
    }

    fn answer_flushes(&mut self) {
        for flush in self.flushes.drain(..) {
            let _ = flush.send(());
        }
    }
}
