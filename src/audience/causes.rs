//! Why contacts entered and left, and who did not leave but became somebody else.

use std::collections::HashSet;

use crate::domain::contact::ContactId;
use crate::domain::roster::Roster;
use crate::store::contacts::{self, ChangeMark};
use crate::store::memberships::EntryCause;
use crate::store::{Result, Store, backfills};

/// What happened to contacts between evaluations, read when it is asked for.
pub(super) struct Causes<'s> {
    store: &'s Store,
    /// The data that the present evaluation saw.
    mark: ChangeMark,
    news: Option<News>,
}

/// What happened after a mark.
struct News {
    since: ChangeMark,
    imported: Option<HashSet<ContactId>>,
    /// Of whom something new is known; in order.
    known: Option<Vec<ContactId>>,
    /// Who became others; in order.
    formers: Option<Vec<ContactId>>,
}

impl<'s> Causes<'s> {
    /// `with_news`: who has something new after which mark, where that is known already.
    pub(super) fn new(
        store: &'s Store,
        mark: ChangeMark,
        with_news: Option<(ChangeMark, Vec<ContactId>)>,
    ) -> Self {
        let news =
            with_news.map(|(since, known)| News { since, imported: None, known: Some(known), formers: None });
        Self { store, mark, news }
    }

    fn since(&mut self, mark: ChangeMark) -> &mut News {
        let news = self.news.take().filter(|news| news.since == mark);
        self.news.insert(news.unwrap_or(News { since: mark, imported: None, known: None, formers: None }))
    }

    /// Of those who entered, or left, since the last evaluation: whom another cause than this one moved. An import did,
    /// where it touched them, and what became known of them, where something did; where nothing did, time, unless
    /// there are other thresholds: then these.
    pub(super) async fn other_than(
        &mut self,
        usual: EntryCause,
        moved: &Roster,
        last: ChangeMark,
    ) -> Result<Vec<(ContactId, EntryCause)>> {
        if moved.is_empty() {
            return Ok(Vec::new());
        }
        let (store, mark) = (self.store, self.mark);
        let news = self.since(last);
        let imported = match news.imported.take() {
            Some(imported) => imported,
            None => backfills::touched(store, last, mark).await?,
        };
        let known = match news.known.take() {
            Some(known) => known,
            None => {
                contacts::changed_since(store, last, usize::MAX).await?.news.unwrap_or_default().contacts()
            }
        };
        let without_news =
            if usual == EntryCause::Population { EntryCause::Population } else { EntryCause::Time };
        let cause = |contact: &ContactId| match known.binary_search(contact) {
            _ if imported.contains(contact) => EntryCause::Import,
            Ok(_) => EntryCause::Data,
            Err(_) => without_news,
        };
        let causes = moved.iter().map(|contact| (contact, cause(&contact)));
        let causes = causes.filter(|(_, cause)| *cause != usual).collect();
        (news.imported, news.known) = (Some(imported), Some(known));
        Ok(causes)
    }

    /// Of those who are no members any more: who left, and who became somebody else.
    pub(super) async fn left_or_gone(
        &mut self,
        former_members: Roster,
        last: Option<ChangeMark>,
    ) -> Result<(Roster, Roster)> {
        let (false, Some(last)) = (former_members.is_empty(), last) else {
            return Ok((former_members, Roster::default()));
        };
        let store = self.store;
        let news = self.since(last);
        let formers = match news.formers.take() {
            Some(formers) => formers,
            None => contacts::merged_since(store, last).await?,
        };
        let is_gone = |contact: &ContactId| formers.binary_search(contact).is_ok();
        let (gone, left) = former_members.iter().partition(is_gone);
        news.formers = Some(formers);
        Ok((left, gone))
    }
}
