//! The numbers of links: known by heart, or noted in the store before the mail that has them goes out.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::delivery::RunId;
use crate::domain::link::LinkNumber;
use crate::store::{self, Store, links};

/// How many addresses are known by heart: those of some campaigns. Where every contact has addresses of
/// their own, older ones are forgotten, not looked for again.
const KNOWN: usize = 20_000;

/// The numbers of addresses of runs that are being sent.
#[derive(Debug, Default)]
pub(super) struct LinkNumbers {
    known: Mutex<Known>,
    /// What lanes wait for: whose turn it is to write notes all of it.
    wanted: Mutex<Vec<(RunId, Vec<String>)>>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    /// Those that were asked for lately …
    recent: HashMap<RunId, HashMap<String, LinkNumber>>,
    entries: usize,
    /// … and those that were before them.
    before: HashMap<RunId, HashMap<String, LinkNumber>>,
}

impl LinkNumbers {
    /// The numbers of a run's addresses, in their order. All of them are in the store when this returns.
    pub(super) async fn of(
        &self,
        store: &Store,
        run: RunId,
        urls: &[String],
    ) -> store::Result<Vec<LinkNumber>> {
        if let Some(numbers) = self.known(run, urls) {
            return Ok(numbers);
        }
        lock(&self.wanted).push((run, urls.to_vec()));
        let _turn = self.turn.lock().await;
        // Somebody may have noted them meanwhile; or failed to, and then they are not wanted any more.
        if let Some(numbers) = self.known(run, urls) {
            return Ok(numbers);
        }
        let mut wanted: BTreeMap<RunId, Vec<String>> = BTreeMap::from([(run, urls.to_vec())]);
        for (run, urls) in lock(&self.wanted).drain(..) {
            wanted.entry(run).or_default().extend(urls);
        }
        let mut own = Vec::new();
        for (of, wanted) in &wanted {
            let numbers = links::intern(store, *of, wanted).await?;
            let mut known = lock(&self.known);
            for (url, number) in wanted.iter().zip(&numbers) {
                known.keep(*of, url, *number);
            }
            if *of == run {
                // The caller's come first.
                own = numbers.into_iter().take(urls.len()).collect();
            }
        }
        Ok(own)
    }

    /// All of them by heart, or none.
    fn known(&self, run: RunId, urls: &[String]) -> Option<Vec<LinkNumber>> {
        let mut known = lock(&self.known);
        urls.iter().map(|url| known.number(run, url)).collect()
    }
}

/// A panic elsewhere leaves what is kept usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Known {
    fn number(&mut self, run: RunId, url: &str) -> Option<LinkNumber> {
        let find = |of: &HashMap<RunId, HashMap<String, LinkNumber>>| of.get(&run)?.get(url).copied();
        if let Some(number) = find(&self.recent) {
            return Some(number);
        }
        let number = find(&self.before)?;
        self.keep(run, url, number);
        Some(number)
    }

    fn keep(&mut self, run: RunId, url: &str, number: LinkNumber) {
        if self.entries >= KNOWN / 2 {
            self.before = std::mem::take(&mut self.recent);
            self.entries = 0;
        }
        if self.recent.entry(run).or_default().insert(url.to_owned(), number).is_none() {
            self.entries += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_often_stays_known() {
        let mut known = Known::default();
        known.keep(RunId(1), "often", LinkNumber(1));
        for index in 0..3 * KNOWN as i64 {
            known.keep(RunId(1), &index.to_string(), LinkNumber(index));
            assert_eq!(known.number(RunId(1), "often"), Some(LinkNumber(1)));
            assert!(known.entries <= KNOWN / 2);
        }
        assert_eq!(known.number(RunId(2), "often"), None);
        assert_eq!(known.number(RunId(1), "0"), None);
    }
}
