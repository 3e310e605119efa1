//! SIGTERM and Ctrl-C: the first stops clean, the second at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use crate::app::Failure;

use super::exit::Exit;

const RUNNING: u8 = 0;
const TERMINATED: u8 = 1;
const INTERRUPTED: u8 = 2;

/// Whether a signal came, and which.
#[derive(Debug, Clone, Default)]
pub(super) struct Stopped(Arc<AtomicU8>);

impl Stopped {
    /// How a command ends that stopped clean: told to by SIGTERM, all is well.
    pub(super) fn exit(&self) -> Exit {
        if self.0.load(Ordering::SeqCst) == INTERRUPTED { Exit::Interrupted } else { Exit::Fine }
    }

    /// Whether a signal came.
    pub(super) fn is_stopped(&self) -> bool {
        self.0.load(Ordering::SeqCst) != RUNNING
    }
}

/// A future that is ready at the first SIGTERM or Ctrl-C, and which it was. A second one ends the process
/// at once. Call it within a runtime.
pub(super) fn shutdown() -> Result<(impl Future<Output = ()> + Send, Stopped), Failure> {
    let failed = |error| Failure::outside("could not listen to signals", error);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let stopped = Stopped::default();
    let noted = stopped.clone();
    let (stop, told) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let which = tokio::select! {
            _ = terminate.recv() => TERMINATED,
            _ = interrupt.recv() => INTERRUPTED,
        };
        noted.0.store(which, Ordering::SeqCst);
        // Nobody listens any more when the command ended by itself.
        let _ = stop.send(());
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(130);
    });
    let shutdown = async move {
        let _ = told.await;
    };
    Ok((shutdown, stopped))
}
