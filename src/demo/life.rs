//! The days of the made-up shop, in order of time: what people do anyway, what the engine sends, and what
//! readers do with it. The clock is set to each thing before it is done.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use crate::app::{Failure, Installation};
use crate::clock::SetClock;
use crate::domain::time::Timestamp;
use crate::engine::Engine;
use crate::store::events::Appender;
use crate::track::{self, Spool, TrackSettings};

use super::inbox::{Mail, new_mails};
use super::readers::{Action, Deed, Reader};
use super::shop::Shop;
use super::visits::Visitor;

/// Everything that lives while the clock runs.
pub(super) struct Life<'a> {
    pub(super) installation: &'a Installation,
    pub(super) engine: &'a Engine,
    pub(super) hand: &'a SetClock,
    pub(super) spool: Spool,
    pub(super) tracking: TrackSettings,
    pub(super) shop: &'a mut Shop,
    pub(super) appender: Appender,
    pub(super) visitor: Visitor,
    pub(super) outbox: PathBuf,
    readers: HashMap<String, (usize, Reader)>,
    /// What is going to happen, by time; of one instant in the order in which it was planned.
    coming: BTreeMap<(Timestamp, u64), (usize, Deed)>,
    planned: u64,
    /// The name of the last mail that readers know of.
    last_mail: String,
    /// How many mails were sent.
    pub(super) mails: u64,
    /// How many orders followed a click.
    pub(super) orders: u64,
}

/// What [`Life`] begins with.
pub(super) struct Beginning<'a> {
    pub(super) installation: &'a Installation,
    pub(super) engine: &'a Engine,
    pub(super) hand: &'a SetClock,
    pub(super) spool: Spool,
    pub(super) tracking: TrackSettings,
    pub(super) shop: &'a mut Shop,
    pub(super) appender: Appender,
    pub(super) visitor: Visitor,
    pub(super) outbox: PathBuf,
}

impl<'a> Life<'a> {
    pub(super) fn new(beginning: Beginning<'a>) -> Self {
        let Beginning { installation, engine, hand, spool, tracking, shop, appender, visitor, outbox } =
            beginning;
        let readers = shop.readers();
        Self {
            installation,
            engine,
            hand,
            spool,
            tracking,
            shop,
            appender,
            visitor,
            outbox,
            readers,
            coming: BTreeMap::new(),
            planned: 0,
            last_mail: String::new(),
            mails: 0,
            orders: 0,
        }
    }

    /// Lives up to `end`.
    pub(super) async fn until(&mut self, end: Timestamp) -> Result<(), Failure> {
        loop {
            let now = self.hand.now();
            let wake =
                self.engine.next_wake(now).await.map_err(|error| self.installation.engine_failed(error))?;
            // What is due at once is done before anybody reads on.
            let wake = wake.map_or(end, |wake| wake.max(now)).min(end);
            while let Some(next) = self.coming.first_entry().filter(|next| next.key().0 < wake) {
                let (at, _) = *next.key();
                let (person, deed) = next.remove();
                self.hand.set(at.max(self.hand.now()));
                self.happen(person, deed).await?;
            }
            self.hand.set(wake.max(self.hand.now()));
            self.work().await?;
            if wake >= end {
                return Ok(());
            }
        }
    }

    /// What came in is taken in, the engine does what is due, and readers find their mails.
    async fn work(&mut self) -> Result<(), Failure> {
        let now = self.hand.now();
        self.shop.live(self.installation, &mut self.appender).await?;
        track::take_in(&self.installation.store, &self.spool, self.tracking, now)
            .await
            .map_err(|error| Failure::outside("could not take in what the demo's readers did", error))?;
        self.engine
            .run_until(self.hand, now)
            .await
            .map_err(|error| self.installation.engine_failed(error))?;
        let failed = |error| Failure::outside("could not read the demo's mails", error);
        let public_url = self.installation.project.settings.public_url.trim_end_matches('/');
        for (name, message) in new_mails(&self.outbox, &self.last_mail).map_err(failed)? {
            self.mails += 1;
            let mail = Mail::read(&message, public_url);
            if let Some((person, reader)) = self.readers.get_mut(&mail.to) {
                for Action { at, deed } in reader.read(&mail, now) {
                    self.coming.insert((at, self.planned), (*person, deed));
                    self.planned += 1;
                }
            }
            self.last_mail = name;
        }
        Ok(())
    }

    async fn happen(&mut self, person: usize, deed: Deed) -> Result<(), Failure> {
        match deed {
            Deed::Visit { request: (method, path), program, network } => {
                self.visitor.visit(method, &path, program, network).await
            }
            Deed::Buy => {
                self.orders += 1;
                self.shop.buy(self.installation, &mut self.appender, person, self.orders).await
            }
        }
    }
}
