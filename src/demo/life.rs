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

/// What the shop lives with.
pub(super) struct World<'a> {
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

/// Everything that happens while the clock runs.
pub(super) struct Life<'a> {
    pub(super) world: World<'a>,
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

impl<'a> Life<'a> {
    pub(super) fn new(world: World<'a>) -> Self {
        let readers = world.shop.readers();
        Self {
            world,
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
            let now = self.world.hand.now();
            let wake = self
                .world
                .engine
                .next_wake(now)
                .await
                .map_err(|error| self.world.installation.engine_failed(error))?;
            // What is due at once is done before anybody reads on.
            let wake = wake.map_or(end, |wake| wake.max(now)).min(end);
            while let Some(next) = self.coming.first_entry().filter(|next| next.key().0 < wake) {
                let (at, _) = *next.key();
                let (person, deed) = next.remove();
                self.world.hand.set(at.max(self.world.hand.now()));
                self.happen(person, deed).await?;
            }
            self.world.hand.set(wake.max(self.world.hand.now()));
            self.work().await?;
            if wake >= end {
                return Ok(());
            }
        }
    }

    /// What came in is taken in, the engine does what is due, and readers find their mails.
    async fn work(&mut self) -> Result<(), Failure> {
        let now = self.world.hand.now();
        self.world.shop.live(self.world.installation, &mut self.world.appender).await?;
        track::take_in(&self.world.installation.store, &self.world.spool, self.world.tracking, now)
            .await
            .map_err(|error| Failure::outside("could not take in what the demo's readers did", error))?;
        self.world
            .engine
            .run_until(self.world.hand, now)
            .await
            .map_err(|error| self.world.installation.engine_failed(error))?;
        let failed = |error| Failure::outside("could not read the demo's mails", error);
        let public_url = self.world.installation.project.settings.public_url.trim_end_matches('/');
        for (name, message) in new_mails(&self.world.outbox, &self.last_mail).map_err(failed)? {
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
                self.world.visitor.visit(method, &path, program, network).await
            }
            Deed::Buy => {
                self.orders += 1;
                self.world
                    .shop
                    .buy(self.world.installation, &mut self.world.appender, person, self.orders)
                    .await
            }
        }
    }
}
