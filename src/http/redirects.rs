//! Where links lead, as far as somebody asked lately: a click then needs no database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderValue;

use crate::domain::delivery::RunId;
use crate::domain::link::{Link, LinkNumber};
use crate::domain::time::Timestamp;

/// So many links are remembered at least, twice as many at most: a few megabytes.
const REMEMBERED: usize = 8_192;

/// For so long it is not asked again: the links of somebody who is erased lead nowhere soon after.
const FRESH: Duration = Duration::from_secs(10);

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redirect {
    /// The run in whose mails it stands.
    pub(super) run: RunId,
    /// The value of `Location`.
    pub(super) location: HeaderValue,
    /// When the database said so.
    asked_at: Timestamp,
}

impl Redirect {
    /// Whether it was asked so lately that it still holds.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.asked_at <= now && now.since(self.asked_at) < FRESH
    }
}

/// See the module. Clones share it. What an address leads to never changes, but those of somebody who is erased are
/// removed.
#[derive(Debug, Clone, Default)]
pub struct Redirects {
    links: Arc<Mutex<Generations>>,
}

/// When the young ones are many, the old ones that nobody asked for are forgotten.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<LinkNumber, Redirect>,
    old: HashMap<LinkNumber, Redirect>,
}

impl Redirects {
    /// Where a link leads, if that is remembered.
    pub(super) fn get(&self, number: LinkNumber) -> Option<Redirect> {
        let mut links = self.links();
        if let Some(redirect) = links.young.get(&number) {
            return Some(redirect.clone());
        }
        let redirect = links.old.remove(&number)?;
        links.insert(number, redirect.clone());
        Some(redirect)
    }

    /// Remembers where a link leads. `None`: it cannot stand in a header; nobody is led anywhere.
    pub(super) fn insert(&self, number: LinkNumber, link: &Link, now: Timestamp) -> Option<Redirect> {
        let location = HeaderValue::from_str(&link.location()).ok()?;
        let redirect = Redirect { run: link.run, location, asked_at: now };
        self.links().insert(number, redirect.clone());
        Some(redirect)
    }

    /// It leads nowhere any more.
    pub(super) fn remove(&self, number: LinkNumber) {
        let mut links = self.links();
        links.young.remove(&number);
        links.old.remove(&number);
    }

    fn links(&self) -> MutexGuard<'_, Generations> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn insert(&mut self, number: LinkNumber, redirect: Redirect) {
        if self.young.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(number, redirect);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_bounded() {
        let (redirects, now) = (Redirects::default(), Timestamp::from_seconds(100));
        let link = Link { run: RunId(1), url: "https://maison.example/é".to_owned() };
        for number in 0..50_000 {
            redirects.insert(LinkNumber(number), &link, now).expect("an address");
            assert!(redirects.get(LinkNumber(7)).is_some() || number < 7, "{number}");
        }
        let links = redirects.links();
        assert!(links.young.len() + links.old.len() <= 2 * REMEMBERED);
        drop(links);
        assert_eq!(redirects.get(LinkNumber(8)), None);
        let found = redirects.get(LinkNumber(49_999)).expect("it is remembered");
        assert_eq!(found.location, "https://maison.example/%C3%A9");
        let fresh = [99, 100, 109, 110].map(|second| found.is_fresh(Timestamp::from_seconds(second)));
        assert_eq!(fresh, [false, true, true, false]);
        redirects.remove(LinkNumber(49_999));
        assert_eq!(redirects.get(LinkNumber(49_999)), None);
    }
}
