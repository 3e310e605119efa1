//! Many requests, one transaction: what came in while the last one was written is written together.
//! A request is answered when its calls are committed.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::domain::time::Timestamp;
use crate::store::arrivals::{self, Parcel};
use crate::store::write_keys::WriteKey;
use crate::store::{Store, StoreError};

/// Requests that wait for their turn, at most: 16 MB of bodies.
const WAITING: usize = 32;
/// So long a request waits for a place among them before the client is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);
/// A transaction takes no further request when it has this many calls.
const TOGETHER: usize = 2_500;

/// Hands parcels to the one who writes them. Clones share it; the writing ends with the last of them.
#[derive(Debug, Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

/// The calls are not stored; the same request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the calls are not stored")]
pub struct NotWritten;

#[derive(Debug)]
struct Job {
    parcel: Parcel,
    key: WriteKey,
    received: Timestamp,
    answer: oneshot::Sender<Result<(), NotWritten>>,
}

impl Writer {
    /// Starts writing, on the runtime of the caller.
    pub fn start(store: Store) -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING);
        tokio::spawn(write(store, waiting));
        Self { jobs }
    }

    /// Stores what came in with `key` at `received`. Returns when it is committed, or not stored.
    pub async fn store(&self, parcel: Parcel, key: WriteKey, received: Timestamp) -> Result<(), NotWritten> {
        let (answer, answered) = oneshot::channel();
        let job = Job { parcel, key, received, answer };
        self.jobs.send_timeout(job, PATIENCE).await.map_err(|_| NotWritten)?;
        answered.await.unwrap_or(Err(NotWritten))
    }
}

async fn write(store: Store, mut waiting: mpsc::Receiver<Job>) {
    let mut queue = VecDeque::new();
    loop {
        if queue.is_empty() {
            let Some(job) = waiting.recv().await else { return };
            queue.push_back(job);
        }
        while let Ok(job) = waiting.try_recv() {
            queue.push_back(job);
        }
        write_together(&store, next(&mut queue)).await;
    }
}

/// The first job, and those of the same key behind it, as many as go together.
fn next(queue: &mut VecDeque<Job>) -> Vec<Job> {
    let mut taken: Vec<Job> = Vec::new();
    let mut calls = 0;
    let mut left = VecDeque::with_capacity(queue.len());
    for job in queue.drain(..) {
        let fits = taken.first().is_none_or(|first| first.key.id == job.key.id && calls < TOGETHER);
        if fits {
            calls += job.parcel.arrivals.len();
            taken.push(job);
        } else {
            left.push_back(job);
        }
    }
    *queue = left;
    taken
}

async fn write_together(store: &Store, jobs: Vec<Job>) {
    let Some(first) = jobs.first() else { return };
    let key = first.key.clone();
    let now = jobs.iter().map(|job| job.received).max().unwrap_or(first.received);
    let mut together = Parcel::default();
    let mut parts = Vec::with_capacity(jobs.len());
    for job in jobs {
        parts.push((job.parcel.arrivals.len(), job.parcel.refusals.len(), job.answer));
        together.arrivals.extend(job.parcel.arrivals);
        together.refusals.extend(job.parcel.refusals);
    }
    let result = one(store, &together, &key, now).await;
    if result.is_ok() || parts.len() == 1 || result.as_ref().is_err_and(StoreError::is_unavailable) {
        let result = result.map_err(|error| log(&error));
        for (_, _, answer) in parts {
            // Whoever went away does not hear it.
            let _ = answer.send(result);
        }
        return;
    }
    // One of them cannot be written: it must not keep the others from it.
    let mut arrivals = together.arrivals.into_iter();
    let mut refusals = together.refusals.into_iter();
    for (count, refused, answer) in parts {
        let parcel = Parcel {
            arrivals: arrivals.by_ref().take(count).collect(),
            refusals: refusals.by_ref().take(refused).collect(),
        };
        let _ = answer.send(one(store, &parcel, &key, now).await.map_err(|error| log(&error)));
    }
}

async fn one(store: &Store, parcel: &Parcel, key: &WriteKey, now: Timestamp) -> Result<(), StoreError> {
    arrivals::store(store, parcel, key.id, &format!("api: {}", key.name), now).await.map(drop)
}

fn log(error: &StoreError) -> NotWritten {
    tracing::error!(error = error as &dyn std::error::Error, "calls of the API were not stored");
    NotWritten
}
