//! What a lane does when there is nothing to send.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::watch::Receiver;

/// What a lane does when there is nothing to send.
#[derive(Debug, Clone)]
pub(super) enum WhenIdle {
    /// It comes to its end; it is told to stop before, perhaps.
    End(Receiver<bool>),
    /// It waits for news, until it is told to stop.
    Wait(Receiver<bool>),
}

/// How long a lane waits at most for a place at a provider before it looks again.
const SOON: Duration = Duration::from_millis(50);

/// How long a lane sleeps at most when nobody has news.
pub(super) const IDLE: Duration = Duration::from_secs(1);

impl WhenIdle {
    pub(super) fn is_told_to_stop(&self) -> bool {
        match self {
            Self::End(stop) | Self::Wait(stop) => *stop.borrow(),
        }
    }

    /// Waits until some mail is handed over; false: the lane is told to stop.
    pub(super) async fn wait_for_a_place(&mut self, place: &Notify) -> bool {
        let (Self::End(stop) | Self::Wait(stop)) = self;
        tokio::select! {
            () = tokio::time::sleep(SOON) => true,
            () = place.notified() => true,
            told = stop.wait_for(|stop| *stop) => { drop(told); false }
        }
    }

    /// Waits for news; false: the lane has come to its end.
    pub(super) async fn wait(&mut self, idle: Duration, news: &Notify) -> bool {
        match self {
            Self::End(_) => false,
            Self::Wait(stop) => {
                tokio::select! {
                    () = tokio::time::sleep(idle) => true,
                    () = news.notified() => true,
                    // An error means that nobody is left to tell: the same as being told.
                    told = stop.wait_for(|stop| *stop) => { drop(told); false }
                }
            }
        }
    }
}
