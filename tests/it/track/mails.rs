//! Mails that were sent, for tests of what comes back.

use std::time::Duration;

use campaignd::clock::{Clock, SetClock};
use campaignd::domain::campaign::Tracking;
use campaignd::domain::consent::{ConsentState, Purpose};
use campaignd::domain::contact::{ConsentUpdate, ContactUpdate};
use campaignd::domain::delivery::{DeliveryId, RunId};
use campaignd::domain::link::LinkNumber;
use campaignd::domain::time::Timestamp;
use campaignd::links::Subject;
use campaignd::store::{contacts, links};
use campaignd::track::{self, Drained, Read, TrackSettings};

use crate::support::database::TestDatabase;
use crate::support::http::{Served, request};

/// When all mails were accepted: 2027-01-15 08:00 UTC.
pub(crate) const ACCEPTED: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub(crate) const SETTINGS: TrackSettings = TrackSettings {
    ceiling: Tracking::Individual,
    unknown_is_yes: false,
    time_zone: chrono_tz::Europe::Paris,
};

/// A common browser.
pub(crate) const PERSON: &str =
    "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
    accept: text/html,image/webp,*/*;q=0.8
    accept-language: fr
    accept-encoding: gzip
    x-forwarded-for: 203.0.113.77";

/// A program that says so.
pub(crate) const SCANNER: &str = "user-agent: LinkScanner/1.0
    x-forwarded-for: 198.51.100.1";

/// A run of mails to contacts 1 to n, delivery by delivery, and servers that await their readers.
pub(crate) struct Sent<'d> {
    pub(crate) database: &'d TestDatabase,
    pub(crate) served: Served,
    pub(crate) hand: SetClock,
    /// Numbers of three links.
    pub(crate) links: Vec<LinkNumber>,
}

pub(crate) fn consent(state: ConsentState, at: Timestamp) -> ConsentUpdate {
    let source = "test".to_owned();
    ConsentUpdate { purpose: Purpose::Tracking, state, at, source, words: None, gives_way: false }
}

impl<'d> Sent<'d> {
    pub(crate) async fn to(database: &'d TestDatabase, people: usize) -> Sent<'d> {
        let before = ACCEPTED.minus(Duration::from_hours(1));
        let updates: Vec<_> = (1..=people)
            .map(|number| ContactUpdate {
                external_id: Some(format!("c{number}")),
                consents: vec![consent(ConsentState::Yes, before)],
                ..ContactUpdate::default()
            })
            .collect();
        contacts::apply(&database.store, &updates, before).await.expect("contacts are stored");
        let accepted = ACCEPTED.micros();
        database
            .execute(&format!(
                "INSERT INTO runs (id, campaign, due_at, state, made_by, created_at)
                 VALUES (3, 'news', {accepted}, 'finished', 'schedule', {accepted});
                 INSERT INTO deliveries (run, contact, version, state, not_before, settled_at, tracking)
                 SELECT 3, id, 'default', 'accepted', {accepted}, {accepted}, 'individual' FROM contacts ORDER BY id"
            ))
            .await;
        let urls = ["a", "b", "c"].map(|page| format!("https://maison.example/{page}"));
        let links = links::intern(&database.store, RunId(3), &urls).await.expect("links are noted");
        let (clock, hand) = Clock::set_at(ACCEPTED);
        let served = Served::start(database, clock).await;
        Self { database, served, hand, links }
    }

    /// Somebody fetches the pixel, so many seconds after the mail was accepted.
    pub(crate) async fn open(&self, delivery: i64, after: u64, headers: &str) {
        self.get(&self.served.links.open(Subject::Delivery(DeliveryId(delivery))), after, headers).await;
    }

    /// Somebody follows a link (0 to 2).
    pub(crate) async fn click(&self, delivery: i64, link: usize, after: u64, headers: &str) {
        let subject = Subject::Delivery(DeliveryId(delivery));
        self.get(&self.served.links.click(subject, self.links[link]), after, headers).await;
    }

    pub(crate) async fn get(&self, address: &str, after: u64, headers: &str) {
        self.hand.set(ACCEPTED.plus(Duration::from_secs(after)));
        let path = address.strip_prefix("https://mail.maison.example").expect("an address of ours");
        let answer = request(self.served.public, "GET", path, headers, b"").await;
        assert!(matches!(answer.status, 200 | 302), "{answer:?}");
    }

    pub(crate) async fn take_in(&self) -> (Drained, Read) {
        self.take_in_with(SETTINGS).await
    }

    pub(crate) async fn take_in_with(&self, settings: TrackSettings) -> (Drained, Read) {
        let (store, spool) = (&self.database.store, &self.served.spool);
        track::take_in(store, spool, settings, self.hand.now()).await.expect("hits are taken in")
    }

    /// What the log says of opens and clicks: contact, event, when (seconds after), by whom, link.
    pub(crate) async fn events(&self) -> Vec<String> {
        let rows = self
            .database
            .rows(&format!(
                "SELECT l.external_id, l.name, CAST((e.at - {}) / 1000000 AS TEXT), l.properties
                 FROM event_log l JOIN events e ON e.id = l.id ORDER BY l.external_id, l.name, e.message_id",
                ACCEPTED.micros()
            ))
            .await;
        let mut events: Vec<String> = rows
            .iter()
            .map(|row| {
                let mut cells = row.splitn(4, " | ");
                let mut next = || cells.next().expect("a cell");
                let (contact, name, after) = (next(), next(), next());
                let properties: serde_json::Value = serde_json::from_str(next()).expect("JSON");
                assert_eq!((&properties["campaign"], &properties["run"]), (&"news".into(), &"3".into()));
                assert_eq!(properties["version"], "default");
                let link = properties["link"].as_str().unwrap_or_default();
                let by = properties["by"].as_str().expect("by whom");
                format!("{contact} {name} {after} {by} {link}").trim_end().to_owned()
            })
            .collect();
        events.sort_unstable();
        events
    }
}
