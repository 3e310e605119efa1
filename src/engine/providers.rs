//! Which provider may be handed a mail now. One that is slow, dead, or asks for less holds up its own rows only.
//!
//! - A provider begins with one connection and has one more with each answer, as TCP's slow start does: one that never
//!   answers never has more than one of all lanes.
//! - While mails of others are about, no provider has all lanes: one that dies in the middle leaves some to them.
//! - One that asks for less (421, 4.7.x), or at which the conversation breaks, has one connection again. When it does so
//!   twice in a row it rests, longer each time; its rows wait, with the reason `provider`.
//! - Limits of the settings hold beside.
//!
//! What was learnt is forgotten with the process: a new one begins carefully, and rows that wait keep their instants.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::pause;
use crate::domain::delivery::Reply;
use crate::domain::provider::{self, TransportLimits};
use crate::domain::time::Timestamp;

/// A provider of whom nothing was heard for this long begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(1);

/// A provider that has not answered for this long is slow: few of its rows are kept in hand.
const SLOW_AFTER: Duration = Duration::from_millis(250);

/// A provider that has not answered for this long is what its mails wait for.
const SLOW_FOR_ALL: Duration = Duration::from_secs(1);

/// Others are about when a mail of theirs was handed over within this time.
const OTHERS_ABOUT: Duration = Duration::from_secs(10);

/// Of so many lanes one is left to others.
const LEFT_TO_OTHERS: usize = 8;

/// With more providers than this, those are forgotten of whom nothing was heard.
const MANY: usize = 4_096;

/// What is known of all providers. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Providers {
    lanes: usize,
    limits: Arc<TransportLimits>,
    known: Arc<Mutex<Known>>,
}

/// All providers of whom something was heard lately.
#[derive(Debug, Default)]
struct Known {
    by_domain: HashMap<String, Provider>,
    /// With so many more are forgotten next: so that not each new one looks through all of them.
    full_at: usize,
}

#[derive(Debug)]
struct Provider {
    /// Mails that are being handed over.
    in_hand: usize,
    /// How many may be, as far as is learnt.
    allowance: usize,
    /// How often in a row it asked for less.
    strikes: u32,
    /// Counts its demands: what was begun before the latest one says nothing new.
    round: u64,
    /// Not before this instant again, with what it said.
    rests: Option<(Timestamp, Reply)>,
    /// When it was last given a mail while it had none, or answered.
    moved_at: Instant,
    /// It was told that it is slow, since then.
    is_told: bool,
}

/// One mail's place at its provider; it is free again when this is dropped, however the handover ends.
#[derive(Debug)]
pub(super) struct Place {
    providers: Providers,
    domain: String,
    round: u64,
}

/// Whether a provider may be handed a mail.
#[derive(Debug)]
pub(super) enum Room {
    /// It may.
    Place(Place),
    /// It has as many as it may have.
    Full {
        /// It has not answered for a while.
        is_slow: bool,
    },
    /// It rests.
    Rests(Timestamp, Reply),
}

impl Providers {
    pub(super) fn new(lanes: usize, limits: Arc<TransportLimits>) -> Self {
        Self { lanes: lanes.max(1), limits, known: Arc::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a place for one mail.
    pub(super) fn enter(&self, domain: &str, now: Timestamp) -> Room {
        let Known { by_domain: known, full_at } = &mut *self.known();
        if known.len() > MANY.max(*full_at) && !known.contains_key(domain) {
            known.retain(|_, provider| !provider.can_be_forgotten());
            *full_at = 2 * known.len();
        }
        let is_about = |other: &Provider| other.in_hand > 0 || other.moved_at.elapsed() < OTHERS_ABOUT;
        let others = known.iter().any(|(name, other)| name != domain && is_about(other));
        let left = if others { (self.lanes / LEFT_TO_OTHERS).max(1) } else { 0 };
        let most = self.limits.of(domain).connections.unwrap_or(self.lanes);
        let most = most.min(self.lanes.saturating_sub(left)).max(1);
        let provider = known.entry(domain.to_owned()).or_insert_with(Provider::new);
        if let Some((until, reply)) = &provider.rests {
            // Not for longer than any rest: a clock that was set back holds nothing up.
            if *until > now && until.since(now) <= pause::LONGEST_REST {
                return Room::Rests(*until, reply.clone());
            }
            provider.rests = None;
        }
        if provider.in_hand == 0 {
            if provider.moved_at.elapsed() >= FORGOTTEN_AFTER {
                provider.allowance = 1;
            }
            provider.moved_at = Instant::now();
            provider.is_told = false;
        } else if provider.in_hand >= provider.allowance.min(most) {
            return Room::Full { is_slow: provider.moved_at.elapsed() >= SLOW_AFTER };
        }
        provider.in_hand += 1;
        Room::Place(Place { providers: self.clone(), domain: domain.to_owned(), round: provider.round })
    }

    /// Providers that have mails in hand, and have not answered for a while; each is told once.
    pub(super) fn newly_slow(&self) -> Vec<String> {
        let mut slow = Vec::new();
        for (domain, provider) in &mut self.known().by_domain {
            let is_slow = provider.in_hand > 0 && provider.moved_at.elapsed() >= SLOW_FOR_ALL;
            if is_slow && !std::mem::replace(&mut provider.is_told, true) {
                slow.push(domain.clone());
            }
        }
        slow
    }

    /// Until when a provider rests, and what it said.
    pub(super) fn rests(&self, domain: &str, now: Timestamp) -> Option<(Timestamp, Reply)> {
        let rests = self.known().by_domain.get(domain)?.rests.clone()?;
        (rests.0 > now && rests.0.since(now) <= pause::LONGEST_REST).then_some(rests)
    }
}

impl Provider {
    fn new() -> Self {
        let moved_at = Instant::now();
        Self { in_hand: 0, allowance: 1, strikes: 0, round: 0, rests: None, moved_at, is_told: false }
    }

    fn can_be_forgotten(&self) -> bool {
        self.in_hand == 0 && self.rests.is_none() && self.moved_at.elapsed() >= FORGOTTEN_AFTER
    }
}

impl Place {
    /// The provider answered, whatever it said of the mail. Until when it rests now, if it asked for less.
    pub(super) fn answered(&self, reply: &Reply, now: Timestamp) -> Option<Timestamp> {
        let mut known = self.providers.known();
        let provider = known.by_domain.get_mut(&self.domain)?;
        provider.moved_at = Instant::now();
        provider.is_told = false;
        if self.round != provider.round {
            return None;
        }
        if !provider::asks_for_less(reply) {
            provider.strikes = 0;
            provider.allowance = (provider.allowance + 1).min(self.providers.lanes);
            return None;
        }
        provider.round += 1;
        provider.allowance = 1;
        if provider::may_mean_one_recipient(reply) {
            return None;
        }
        provider.strikes = provider.strikes.saturating_add(1);
        let rest = pause::after_demands(provider.strikes)?;
        let until = now.plus(rest);
        provider.rests = Some((until, provider::demand(reply)));
        Some(until)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(provider) = self.providers.known().by_domain.get_mut(&self.domain) {
            provider.in_hand = provider.in_hand.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::Fault;
    use crate::domain::provider::ProviderLimits;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn reply(code: u16, enhanced: &str) -> Reply {
        Reply {
            code: Some(code),
            enhanced: Some(enhanced.to_owned()),
            text: enhanced.to_owned(),
            fault: Fault::Mail,
            at: NOW,
        }
    }

    /// As many places as a provider gives at once.
    fn places(providers: &Providers, domain: &str) -> Vec<Place> {
        let place = || match providers.enter(domain, NOW) {
            Room::Place(place) => Some(place),
            _ => None,
        };
        std::iter::from_fn(place).collect()
    }

    fn all(lanes: usize) -> Providers {
        Providers::new(lanes, Arc::default())
    }

    #[test]
    fn one_that_never_answers_has_one_connection() {
        let providers = all(16);
        let dead = places(&providers, "dead.example");
        assert_eq!(dead.len(), 1);
        // All others grow to all lanes but those that are left to others.
        for expected in [1, 2, 4, 8, 14, 14] {
            let some = places(&providers, "well.example");
            assert_eq!(some.len(), expected);
            for place in &some {
                assert_eq!(place.answered(&reply(250, "2.0.0"), NOW), None);
            }
        }
        assert!(matches!(providers.enter("dead.example", NOW), Room::Full { .. }));
        drop(dead);
        assert_eq!(places(&providers, "dead.example").len(), 1);
    }

    #[test]
    fn one_alone_has_all_lanes_in_the_end() {
        let providers = all(4);
        for expected in [1, 2, 4, 4] {
            let some = places(&providers, "well.example");
            assert_eq!(some.len(), expected);
            for place in &some {
                assert_eq!(place.answered(&reply(550, "5.1.1"), NOW), None);
            }
        }
        assert_eq!(places(&all(1), "well.example").len(), 1);
    }

    #[test]
    fn limits_of_the_settings_hold() {
        let limits = ProviderLimits { connections: Some(2), pace: None };
        let limits = TransportLimits { others: limits, ..TransportLimits::default() };
        let providers = Providers::new(8, Arc::new(limits));
        for expected in [1, 2, 2] {
            let some = places(&providers, "well.example");
            assert_eq!(some.len(), expected);
            for place in &some {
                assert_eq!(place.answered(&reply(250, "2.0.0"), NOW), None);
            }
        }
    }

    #[test]
    fn one_that_asks_for_less_rests_the_second_time_and_longer_each_time() {
        let providers = all(4);
        let mut rests = Vec::new();
        let mut now = NOW;
        for _ in 0..4 {
            let Room::Place(place) = providers.enter("busy.example", now) else { panic!("it rests") };
            let rest = place.answered(&reply(421, "4.7.0"), now);
            drop(place);
            rests.push(rest.map(|until| until.since(now).as_secs()));
            if let Some(until) = rest {
                assert!(matches!(providers.enter("busy.example", now), Room::Rests(..)));
                assert!(providers.rests("busy.example", now).is_some());
                now = until;
            }
        }
        assert_eq!(rests, [None, Some(5), Some(10), Some(20)]);
        assert!(matches!(providers.enter("well.example", now), Room::Place(_)), "others do not");
        let Room::Place(place) = providers.enter("busy.example", now) else { panic!("it rests") };
        assert_eq!(place.answered(&reply(250, "2.0.0"), now), None);
        drop(place);
        let Room::Place(place) = providers.enter("busy.example", now) else { panic!("it rests") };
        assert_eq!(place.answered(&reply(421, "4.7.0"), now), None, "it counts from the beginning");
    }

    #[test]
    fn what_was_said_to_many_at_once_is_one_demand_and_a_grey_list_is_none() {
        let providers = all(4);
        for _ in 0..2 {
            for place in places(&providers, "busy.example") {
                place.answered(&reply(250, "2.0.0"), NOW);
            }
        }
        let some = places(&providers, "busy.example");
        assert_eq!(some.len(), 4);
        assert!(some.iter().all(|place| place.answered(&reply(451, "4.7.650"), NOW).is_none()));
        drop(some);
        assert_eq!(places(&providers, "busy.example").len(), 1);
        for _ in 0..5 {
            let Room::Place(place) = providers.enter("grey.example", NOW) else { panic!("it rests") };
            assert_eq!(place.answered(&reply(450, "4.7.1"), NOW), None);
        }
    }
}
