//! Hits that arrive together are written together: under load a call of the system costs more than a hit.
//!
//! The first of a group waits for one turn of the scheduler, in which others may join, and writes for all;
//! nobody is answered before. If whoever asked goes away meanwhile, it writes all the same.

use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use super::record;
use crate::domain::engagement::Hit;

/// Where hits gather.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    waiting: Mutex<Waiting>,
}

/// The group that has not been written yet.
#[derive(Debug, Default)]
struct Waiting {
    records: Vec<u8>,
    hits: u64,
    outcome: Arc<Outcome>,
}

/// What became of a group; shared by those who wait for it.
#[derive(Debug, Default)]
struct Outcome {
    /// `None`: written.
    failure: OnceLock<Option<io::ErrorKind>>,
    /// Who is to hear of it.
    others: Mutex<Vec<Waker>>,
}

impl Outcome {
    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let is_known = || self.failure.get().is_some();
        if !is_known() {
            self.others().push(context.waker().clone());
            // Else it became known before, and nobody wakes us.
            if !is_known() {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    fn tell(&self, failure: Option<io::ErrorKind>) {
        let _ = self.failure.set(failure);
        let others = std::mem::take(&mut *self.others());
        others.into_iter().for_each(Waker::wake);
    }

    fn others(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records that are written at once.
pub(super) struct Group {
    pub(super) records: Vec<u8>,
    pub(super) hits: u64,
}

impl Gathering {
    /// Has a hit written by `write`, with those that arrive at the same time.
    pub(super) async fn append(
        &self,
        hit: &Hit<impl AsRef<str>>,
        write: impl Fn(&Group) -> io::Result<()>,
    ) -> Result<(), io::Error> {
        let (outcome, is_first) = {
            let mut waiting = self.waiting();
            record::encode(hit, &mut waiting.records);
            waiting.hits += 1;
            (Arc::clone(&waiting.outcome), waiting.hits == 1)
        };
        if is_first {
            let turn = Turn { gathering: self, write };
            tokio::task::yield_now().await;
            drop(turn);
        } else {
            poll_fn(|context| outcome.poll(context)).await;
        }
        match outcome.failure.get() {
            Some(None) => Ok(()),
            Some(Some(failure)) => Err((*failure).into()),
            // Who is told has an outcome.
            None => Err(io::ErrorKind::Interrupted.into()),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A panic elsewhere leaves it usable: at worst a group is written by the next.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The duty to write a group; done when this is dropped, however that comes.
struct Turn<'g, W: Fn(&Group) -> io::Result<()>> {
    gathering: &'g Gathering,
    write: W,
}

impl<W: Fn(&Group) -> io::Result<()>> Drop for Turn<'_, W> {
    fn drop(&mut self) {
        let mut waiting = self.gathering.waiting();
        let Waiting { records, hits, outcome } = std::mem::take(&mut *waiting);
        // Groups are about equally large: the next one need not grow again.
        waiting.records.reserve(records.len());
        drop(waiting);
        let written = (self.write)(&Group { records, hits });
        outcome.tell(written.err().map(|error| error.kind()));
    }
}
