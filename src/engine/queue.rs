//! Rows in hand that wait for a lane: which comes next, and which would only stand in the way of others.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::parts::Declared;
use super::providers::{Place, Providers, Room};
use crate::domain::address::EmailAddress;
use crate::domain::campaign::{MailPurpose, Tracking};
use crate::domain::contact::Contact;
use crate::domain::delivery::{DeliveryId, Reply};
use crate::domain::name::{ScoreName, TraitName};
use crate::domain::provider;
use crate::domain::score::ScoreValue;
use crate::domain::time::Timestamp;
use crate::domain::value::Value;
use crate::store::deliveries::Claimed;

/// A claim takes this many rows for each lane at first …
const FIRST_BATCH: usize = 4;

/// … and at most: as many as lanes can send in about half a second, so that a stop, a pause or a
/// withdrawn consent does not find many in hand.
const LARGEST_BATCH: usize = 64;

/// So many rows of a slow provider are kept in hand …
const KEPT_OF_SLOW: usize = 16;

/// … and the others wait for so long.
const SLOW_ROWS_WAIT: Duration = Duration::from_secs(10);

/// A row in hand, with all that its mail is made of.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) claimed: Claimed,
    pub(super) contact: Contact,
    pub(super) recipient: EmailAddress,
    /// What of its opens and clicks may be recorded, as the contact wants it now.
    pub(super) tracking: Tracking,
    pub(super) trait_names: Arc<[TraitName]>,
    pub(super) traits: Vec<Option<Value>>,
    pub(super) score_names: Arc<[ScoreName]>,
    pub(super) scores: Vec<Option<ScoreValue>>,
    pub(super) declared: Arc<Declared>,
    /// What the mail is for.
    pub(super) purpose: MailPurpose,
    /// When its gates were asked.
    pub(super) asked_at: Instant,
    /// Its place at its provider, from when a lane takes it in hand.
    pub(super) place: Option<Place>,
    /// Notes it when its lane breaks.
    #[expect(dead_code, reason = "it speaks when it is dropped")]
    pub(super) held: Held,
}

/// Says so when a row is dropped by a lane that breaks off: nobody else would ever settle it.
#[derive(Debug)]
pub(super) struct Held {
    delivery: DeliveryId,
    lost: Arc<Mutex<Vec<DeliveryId>>>,
}

impl Held {
    pub(super) fn new(delivery: DeliveryId, lost: Arc<Mutex<Vec<DeliveryId>>>) -> Self {
        Self { delivery, lost }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.lost.lock().unwrap_or_else(PoisonError::into_inner).push(self.delivery);
        }
    }
}

/// What a lane finds when it looks for work.
#[derive(Debug)]
pub(super) enum Next {
    /// A row to be sent.
    Work(Box<Work>),
    /// Rows whose providers have as many mails in hand as they may: soon.
    Soon,
    /// Nothing now.
    Nothing,
}

impl Work {
    /// The domain of its address.
    fn provider(&self) -> &str {
        provider::of_address(&self.claimed.address)
    }
}

/// The rows in hand that no lane has taken yet.
#[derive(Debug)]
pub(super) struct Queue {
    /// By provider, each with its number in the order of all; none is empty.
    ready: BTreeMap<String, VecDeque<(u64, Work)>>,
    /// How many there are.
    count: usize,
    /// The number of the next one.
    next: u64,
    batch: usize,
    claimed_at: Option<Instant>,
    /// The look at which there was nothing.
    pub(super) empty_at: Option<u64>,
    /// The look at which there was nothing but for providers that were full.
    pub(super) no_others_at: Option<u64>,
}

/// What was found among the rows in hand.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) work: Option<Work>,
    /// Rows that were taken out: until when they wait, and what their provider said.
    pub(super) wait: Vec<(DeliveryId, Timestamp, Option<Reply>)>,
    /// Providers that have all that they may have, and rows in hand besides: others are looked for.
    pub(super) full: Vec<String>,
}

impl Queue {
    pub(super) fn new(lanes: usize) -> Self {
        Self {
            ready: BTreeMap::new(),
            count: 0,
            next: 0,
            batch: lanes * FIRST_BATCH,
            claimed_at: None,
            empty_at: None,
            no_others_at: None,
        }
    }

    /// Rows that were claimed, behind all others.
    pub(super) fn push(&mut self, rows: impl IntoIterator<Item = Work>) {
        for work in rows {
            let of_provider = match self.ready.get_mut(work.provider()) {
                Some(rows) => rows,
                None => self.ready.entry(work.provider().to_owned()).or_default(),
            };
            of_provider.push_back((self.next, work));
            self.next += 1;
            self.count += 1;
        }
    }

    /// All of them, which are not in it any more.
    pub(super) fn take_all(&mut self) -> Vec<Work> {
        self.count = 0;
        let rows = std::mem::take(&mut self.ready).into_values().flatten();
        rows.map(|(_, work)| work).collect()
    }

    /// The first row whose provider may be handed a mail. Takes out those whose providers rest, and all but a few of
    /// those whose providers are slow: they would be in hand for long.
    pub(super) fn find(&mut self, providers: &Providers, now: Timestamp) -> Found {
        let mut found = Found::default();
        while let Some(domain) = self.first_but(&found.full) {
            match providers.enter(&domain, now) {
                Room::Place(place) => {
                    let mut first = self.take_behind(&domain, 0, 1);
                    found.work = first.pop().map(|work| Work { place: Some(place), ..work });
                    return found;
                }
                Room::Rests(until, reply) => {
                    let rows = self.take_behind(&domain, 0, usize::MAX);
                    found.wait.extend(rows.iter().map(|work| (work.claimed.id, until, Some(reply.clone()))));
                }
                Room::Full { is_slow } => {
                    if is_slow {
                        let until = now.plus(SLOW_ROWS_WAIT);
                        let rows = self.take_behind(&domain, KEPT_OF_SLOW, usize::MAX);
                        found.wait.extend(rows.iter().map(|work| (work.claimed.id, until, None)));
                    }
                    found.full.push(domain);
                }
            }
        }
        found
    }

    /// The provider of the first row, but not one of these. (No more are full than there are lanes.)
    fn first_but(&self, full: &[String]) -> Option<String> {
        let others = self.ready.iter().filter(|(domain, _)| !full.contains(domain));
        let first = others.min_by_key(|(_, rows)| rows.front().map(|(number, _)| *number));
        first.map(|(domain, _)| domain.clone())
    }

    /// Takes so many rows of a provider out, those behind its first `kept`.
    fn take_behind(&mut self, domain: &str, kept: usize, count: usize) -> Vec<Work> {
        let Some(rows) = self.ready.get_mut(domain) else { return Vec::new() };
        let from = kept.min(rows.len());
        let to = from.saturating_add(count).min(rows.len());
        let taken: Vec<Work> = rows.drain(from..to).map(|(_, work)| work).collect();
        if rows.is_empty() {
            self.ready.remove(domain);
        }
        self.count -= taken.len();
        taken
    }

    /// Whether so many are in hand that no more are looked for.
    pub(super) fn is_long(&self, lanes: usize) -> bool {
        self.count >= 2 * lanes * LARGEST_BATCH
    }

    /// How many rows to claim: twice as many when the last ones were gone in a quarter of a second, half
    /// as many when they lasted for more than one; a single one to see whether the server is back.
    pub(super) fn next_limit(&mut self, lanes: usize, healthy: usize) -> usize {
        let lasted = self.claimed_at.replace(Instant::now()).map(|at| at.elapsed());
        match lasted {
            Some(lasted) if lasted < Duration::from_millis(250) => self.batch *= 2,
            Some(lasted) if lasted > Duration::from_secs(1) => self.batch /= 2,
            _ => {}
        }
        self.batch = self.batch.clamp(lanes * FIRST_BATCH, lanes * LARGEST_BATCH);
        if healthy == 0 { 1 } else { self.batch }
    }
}
