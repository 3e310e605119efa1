//! What is kept is right after whatever happens in whatever order: random sequences of imports, late events,
//! changes, merges, erasures, clock steps and declarations, a refresh after each step, and then every
//! membership, the time of entering and its cause are what the plain evaluator says of the rows that are stored.
//! `CAMPAIGND_SEQUENCES` asks for more of them.

use std::collections::{BTreeMap, BTreeSet};

use campaignd::audience::{self, Refreshed};
use campaignd::domain::catalogue::{Catalogue, EvaluationSettings, Segment};
use campaignd::domain::condition::Condition;
use campaignd::domain::consent::Purpose;
use campaignd::domain::contact::{ConsentUpdate, Contact, ContactId, ContactUpdate};
use campaignd::domain::event::NewEvent;
use campaignd::domain::name::SegmentName;
use campaignd::domain::population::Population;
use campaignd::domain::time::{Span, Timestamp};
use campaignd::store::contacts::{self, Arrival};
use campaignd::store::events::{self, Anew, Appender, IncomingEvent};
use campaignd::store::reviews::{self, ReviewGroup};
use campaignd::store::write_keys::WriteKeyId;
use campaignd::store::{Store, arrivals, checkup, forget, histories, memberships, ranks};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value as Json;

use super::plain::{Happening, World};
use super::random::{Sequence, Step, places, segment_name, sequence, trait_name};
use crate::support::database::{TestDatabase, on_postgres, on_sqlite};

/// Sequences on each database.
const SEQUENCES: usize = 60;

#[test]
fn whatever_happens_on_sqlite() {
    in_a_large_stack(|| on_sqlite(live_through));
}

#[test]
fn whatever_happens_on_postgresql() {
    in_a_large_stack(|| on_postgres(live_through));
}

/// What proptest keeps of a whole grammar is larger than a test's stack.
fn in_a_large_stack(test: fn()) {
    let tried = std::thread::Builder::new().stack_size(64 << 20).spawn(test).expect("a thread").join();
    tried.unwrap_or_else(|failure| std::panic::resume_unwind(failure));
}

async fn live_through(database: TestDatabase) {
    let asked = std::env::var("CAMPAIGND_SEQUENCES").ok().and_then(|count| count.parse().ok());
    let only: Option<usize> = std::env::var("CAMPAIGND_SEQUENCE").ok().and_then(|number| number.parse().ok());
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut moved: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..asked.unwrap_or(SEQUENCES) {
        let drawn = sequence().new_tree(&mut runner).expect("a sequence is drawn").current();
        if only.is_none_or(|only| only == number) {
            let mut life = Life::begin(&database, drawn, number);
            life.lead(&mut moved).await;
            life.end().await;
        }
    }
    if only.is_none() {
        // Else the sequences would show nothing.
        for cause in ["data", "time", "declaration", "import"] {
            for (what, least) in [("entered", 5), ("left", 1)] {
                let what = format!("{what} by {cause}");
                assert!(moved.get(&what).is_some_and(|count| *count >= least), "{what}: {moved:?}");
            }
        }
    }
}

/// Who entered or left, and why: as it is logged.
type Passages = BTreeSet<(String, i64, i64, &'static str)>;

/// One sequence on its way.
struct Life<'d> {
    database: &'d TestDatabase,
    number: usize,
    sequence: Sequence,
    now: Timestamp,
    /// Since when who is where, as the plain evaluator says.
    members: BTreeMap<SegmentName, BTreeMap<ContactId, Timestamp>>,
    /// Fingerprints of the last refresh.
    declared: BTreeMap<SegmentName, String>,
    /// Of whom something became known since the last refresh, and whether by an import.
    touched: BTreeMap<ContactId, bool>,
    /// The events that are readings, by whom they are of.
    readings: BTreeMap<ContactId, i64>,
    /// Who is no more since the last refresh.
    merged: BTreeSet<ContactId>,
    messages: u32,
}

impl<'d> Life<'d> {
    fn begin(database: &'d TestDatabase, sequence: Sequence, number: usize) -> Self {
        let now = sequence.now;
        Self {
            database,
            number,
            sequence,
            now,
            members: BTreeMap::new(),
            declared: BTreeMap::new(),
            touched: BTreeMap::new(),
            readings: BTreeMap::new(),
            merged: BTreeSet::new(),
            messages: 0,
        }
    }

    fn store(&self) -> &'d Store {
        &self.database.store
    }

    fn catalogue(&self) -> &Catalogue {
        &self.sequence.catalogue
    }

    fn settings(&self) -> EvaluationSettings {
        EvaluationSettings { time_zone: self.sequence.installation }
    }

    async fn lead(&mut self, moved: &mut BTreeMap<String, usize>) {
        for (place, step) in self.sequence.steps.clone().into_iter().enumerate() {
            let what = format!("sequence {} after step {place}, {step:?}", self.number);
            // No two refreshes are at one instant: both would be logged under it.
            if !matches!(step, Step::Reviewed(_)) {
                self.now = later(self.now, Span::Seconds(1));
            }
            self.take(step).await;
            let due =
                reviews::due_for_review(self.store(), ReviewGroup::SHARED, self.now).await.expect("reviews");
            let asked = self.touched.keys().copied().chain(due).collect::<BTreeSet<_>>().len();
            let gone = self.merged.len();
            let refreshed = audience::refresh(self.store(), self.catalogue(), self.settings(), self.now)
                .await
                .expect("segments are refreshed");
            let (expected, stale) = self.expect().await;
            self.compare(&what, &expected).await;
            self.looked_at(&what, &refreshed, &stale, asked + gone).await;
            for (_, has_entered, _, cause) in expected {
                let what = if has_entered == 1 { "entered" } else { "left" };
                *moved.entry(format!("{what} by {cause}")).or_default() += 1;
            }
            self.touched.clear();
            self.merged.clear();
        }
        let compared =
            audience::verify(self.store(), self.catalogue(), self.settings()).await.expect("compared");
        assert_eq!(compared.differences, [], "sequence {}", self.number);
        assert_eq!(
            checkup::broken(self.store()).await.expect("rows are read"),
            [],
            "sequence {}",
            self.number
        );
        let different = histories::verify(self.store()).await.expect("histories are read");
        assert_eq!(different, [], "sequence {}", self.number);
    }

    /// What the plain evaluator says now of what is stored; gives who must have entered and left, and which
    /// segments had to be asked of everybody.
    async fn expect(&mut self) -> (Passages, BTreeSet<SegmentName>) {
        let people = contacts::page(self.store(), None, 1_000).await.expect("people are read");
        let events = self.events().await;
        let population = self.population().await;
        let (mut passages, mut stale) = (Passages::new(), BTreeSet::new());
        let mut kept = std::mem::take(&mut self.members);
        let mut declared = std::mem::take(&mut self.declared);
        for (name, segment) in &self.sequence.catalogue.segments {
            let fingerprint = audience::fingerprint(self.catalogue(), self.settings(), &segment.condition);
            let former = declared.remove(name);
            // What was not declared for a while is known, but what it was is not.
            let is_known = kept.contains_key(name);
            let before = kept.remove(name).unwrap_or_default();
            let is_anew = former.as_ref() != Some(&fingerprint);
            let mut now = BTreeMap::new();
            for contact in &people {
                let world = World {
                    catalogue: self.catalogue(),
                    contact,
                    events: events.get(&contact.id.0).map_or(&[][..], Vec::as_slice),
                    installation: self.sequence.installation,
                    population: &population,
                    now: self.now,
                };
                if !world.holds(&segment.condition) {
                    continue;
                }
                now.insert(contact.id, before.get(&contact.id).copied().unwrap_or(self.now));
                if is_known && !before.contains_key(&contact.id) {
                    passages.insert((name.to_string(), 1, contact.id.0, self.cause(contact.id, is_anew)));
                }
            }
            let is_there = |contact: &ContactId| people.iter().any(|one| one.id == *contact);
            for contact in before.keys().filter(|contact| !now.contains_key(contact) && is_there(contact)) {
                passages.insert((name.to_string(), 0, contact.0, self.cause(*contact, is_anew)));
            }
            if is_anew {
                stale.insert(name.clone());
            }
            self.declared.insert(name.clone(), fingerprint);
            self.members.insert(name.clone(), now);
        }
        // Who was in when a segment was declared last stays kept, but for those who are no more.
        for (name, members) in kept {
            self.members.insert(name, members);
        }
        (passages, stale)
    }

    /// What moved somebody into or out of a segment.
    fn cause(&self, contact: ContactId, is_anew: bool) -> &'static str {
        match self.touched.get(&contact) {
            _ if is_anew => "declaration",
            Some(true) => "import",
            Some(false) => "data",
            None => "time",
        }
    }

    async fn compare(&self, what: &str, expected: &Passages) {
        let names: Vec<SegmentName> = self.catalogue().segments.keys().cloned().collect();
        let known = memberships::ensure_segments(self.store(), &names).await.expect("segments are known");
        for (name, segment) in names.iter().zip(&known) {
            let members = memberships::members(self.store(), segment.id).await.expect("members are read");
            let members: BTreeMap<_, _> = members.iter().map(|one| (one.contact, one.entered_at)).collect();
            assert_eq!(members, self.members[name], "{name} in {what}");
        }
        let logged = format!(
            "SELECT s.name, CAST(p.entered AS TEXT), CAST(p.contact AS TEXT), p.cause
             FROM membership_changes p JOIN segments s ON s.id = p.segment WHERE p.at = {}",
            self.now.micros()
        );
        let mut logged: BTreeSet<String> = self.database.rows(&logged).await.into_iter().collect();
        for (name, entered, contact, cause) in expected {
            let row = format!("{name} | {entered} | {contact} | {cause}");
            assert!(logged.remove(&row), "{row} is missing in {what}: {logged:?}");
        }
        assert_eq!(logged, BTreeSet::new(), "{what}");
    }

    /// A changed segment is asked of everybody, others of those alone whose answer can have changed.
    async fn looked_at(
        &self,
        what: &str,
        refreshed: &Refreshed,
        stale: &BTreeSet<SegmentName>,
        asked: usize,
    ) {
        let everybody = contacts::count(self.store()).await.expect("contacts are counted");
        for moves in &refreshed.segments {
            if stale.contains(&moves.segment) {
                assert_eq!(moves.looked_at, everybody, "{} in {what}", moves.segment);
            } else if !refreshed.full {
                assert!(moves.looked_at <= asked as u64, "{moves:?}, {asked} expected, in {what}");
            }
        }
        let all = refreshed.segments.len();
        assert_eq!(refreshed.full, all == stale.len() && all > 0, "{what}");
    }

    /// The thresholds that stand of rankings as they are declared.
    async fn population(&self) -> Population {
        let stored = ranks::all(self.store()).await.expect("thresholds are read");
        let standing = (0..2).flat_map(places).filter_map(|ranked| {
            let condition = Condition::Ranked(ranked.clone());
            let fingerprint = audience::fingerprint(self.catalogue(), self.settings(), &condition);
            Some((ranked.clone(), *stored.get(&(ranked.to_string(), fingerprint))?))
        });
        standing.collect()
    }

    /// Everybody's events in the order of arrival.
    async fn events(&self) -> BTreeMap<i64, Vec<Happening>> {
        let rows = self
            .database
            .rows(
                "SELECT CAST(COALESCE(m.contact, e.contact) AS TEXT), n.name, CAST(e.at AS TEXT), e.properties
                 FROM events e JOIN event_names n ON n.id = e.name
                 LEFT JOIN contact_merges m ON m.former = e.contact ORDER BY e.id",
            )
            .await;
        let mut events: BTreeMap<i64, Vec<Happening>> = BTreeMap::new();
        for row in rows {
            let mut cells = row.splitn(4, " | ");
            let mut cell = || cells.next().expect("four cells");
            let contact = cell().parse().expect("a number");
            let name = cell().to_owned();
            let at = Timestamp::from_micros(cell().parse().expect("an instant"));
            let properties = Some(cell()).filter(|text| !text.is_empty()).unwrap_or("{}");
            let properties: Json = serde_json::from_str(properties).expect("an object");
            events.entry(contact).or_default().push(Happening { name, at, properties });
        }
        events
    }

    async fn take(&mut self, step: Step) {
        let store = self.store();
        match step {
            Step::Rows { rows, imported } => {
                let updates: Vec<_> = rows.iter().map(|(who, contact)| Self::row(*who, contact)).collect();
                let arrival = if imported { Arrival::BackFill } else { Arrival::News };
                let outcomes =
                    contacts::apply_as(store, &updates, arrival, self.now).await.expect("rows are applied");
                for outcome in outcomes {
                    let is_new = !matches!(outcome, contacts::ContactOutcome::Unchanged(_));
                    if let Some(contact) = outcome.contact().filter(|_| is_new) {
                        self.touch(contact, imported);
                    }
                }
            }
            Step::Removed(who, names) => {
                let Some(contact) = self.find(who).await else { return };
                let attributes = names.iter().map(|name| ((*name).to_owned(), Json::Null)).collect();
                let update = ContactUpdate { attributes, ..identity(who) };
                let outcomes = contacts::apply(store, &[update], self.now).await.expect("they are removed");
                if outcomes != [contacts::ContactOutcome::Unchanged(contact.id)] {
                    self.touch(contact.id, false);
                }
            }
            Step::Events { events, again, imported } => {
                let mut rows: Vec<_> = events.iter().map(|(who, event)| self.incoming(*who, event)).collect();
                if again {
                    rows.extend(rows.clone());
                }
                let arrival = if imported { Arrival::BackFill } else { Arrival::News };
                let mut appender = Appender::new(store).arriving_as(arrival);
                appender.append(&rows, "test", self.now).await.expect("events are appended");
                for (who, _) in events {
                    let contact = self.find(who).await.expect("whoever did something is known");
                    self.touch(contact.id, imported);
                }
            }
            Step::Replaced(who, event) => {
                let Some(contact) = self.find(who).await else { return };
                let event = NewEvent {
                    contact: contact.id,
                    name: event.name,
                    at: event.at,
                    message_id: Some(format!("read-{}", contact.id.0)),
                    properties: event.properties.to_string(),
                };
                let before = self.readings.get(&contact.id).copied();
                let anew = Anew { event, before };
                let number = events::replace(store, &[anew], "test", self.now).await.expect("it is written");
                let number = number[0].expect("whoever is found was not erased");
                if before != Some(number) {
                    self.readings.insert(contact.id, number);
                    self.touch(contact.id, false);
                }
            }
            Step::Merged(to, of) => self.merge(to, of).await,
            Step::Joined(who, event) => self.join(who, event).await,
            Step::Forgotten(who) => {
                let Some(contact) = self.find(who).await else { return };
                forget::forget(store, contact.id, self.now).await.expect("they are erased");
                self.touched.remove(&contact.id);
                for members in self.members.values_mut() {
                    members.remove(&contact.id);
                }
            }
            Step::Passed(span) => self.now = later(self.now, span),
            Step::Reviewed(more) => {
                let next = "SELECT CAST(MIN(earliest) AS TEXT) FROM review_blocks";
                let next: Option<i64> = self.database.rows(next).await[0].parse().ok();
                let next = next.map(|next| next + more).filter(|next| *next > self.now.micros());
                self.now = next.map_or(later(self.now, Span::Seconds(1)), Timestamp::from_micros);
            }
            Step::Segment(place, condition) => {
                let segments = &mut self.sequence.catalogue.segments;
                let name = segment_name(place);
                match condition {
                    Some(condition) => {
                        segments.insert(name, Segment { condition, refresh: None, description: None });
                    }
                    // The first two are named by others.
                    None if place >= 2 => drop(segments.remove(&name)),
                    None => {}
                }
            }
            Step::Trait(place, declared) => {
                self.sequence.catalogue.traits.insert(trait_name(place), *declared);
            }
            Step::Zone(zone) => self.sequence.installation = zone,
        }
    }

    fn touch(&mut self, contact: ContactId, imported: bool) {
        *self.touched.entry(contact).or_default() |= imported;
    }

    async fn find(&self, who: usize) -> Option<Contact> {
        let ContactUpdate { external_id, email, .. } = identity(who);
        let name = external_id.or(email).expect("an id or an address");
        contacts::find(self.store(), &name).await.expect("people are looked up")
    }

    /// A row that says of `who` what is said of this contact.
    fn row(who: usize, contact: &Contact) -> ContactUpdate {
        let Json::Object(attributes) = serde_json::from_str(&contact.attributes).expect("it is JSON") else {
            panic!("no object")
        };
        let answers = [(Purpose::Marketing, contact.marketing), (Purpose::Tracking, contact.tracking)];
        let consents = answers.into_iter().filter_map(|(purpose, answer)| {
            Some(ConsentUpdate {
                purpose,
                state: answer.state,
                at: answer.since?,
                source: "test".to_owned(),
                words: None,
                gives_way: false,
            })
        });
        ContactUpdate {
            time_zone: contact.time_zone.clone(),
            language: contact.language.clone(),
            created_at: Some(contact.created_at),
            attributes,
            consents: consents.collect(),
            ..identity(who)
        }
    }

    fn incoming(&mut self, who: usize, event: &Happening) -> IncomingEvent {
        self.messages += 1;
        let ContactUpdate { external_id, email, .. } = identity(who);
        IncomingEvent {
            external_id,
            email,
            name: event.name.clone(),
            at: Some(event.at),
            message_id: Some(format!("m{}", self.messages)),
            properties: event.properties.to_string(),
        }
    }

    /// Somebody with an id says an address that another has, who has no id.
    async fn merge(&mut self, to: usize, of: usize) {
        let (to, of) = (to & !1, of | 1);
        let (Some(former), Some(_)) = (self.find(of).await, self.find(to).await) else { return };
        let update = ContactUpdate { email: identity(of).email, ..identity(to) };
        let outcomes = contacts::apply(self.store(), &[update], self.now).await.expect("they become one");
        let Some(contact) = outcomes[0].contact() else { return };
        self.touch(contact, false);
        let successor = contacts::by_number(self.store(), former.id).await.expect("people are looked up");
        if successor.is_none() {
            let imported = self.touched.remove(&former.id).unwrap_or(false);
            self.touch(contact, imported);
            self.merged.insert(former.id);
        }
    }

    /// A device does something; then a call says whose it is.
    async fn join(&mut self, who: usize, event: Happening) {
        self.messages += 1;
        let device = Some(format!("device-{}", self.messages));
        let arrival = |external_id: Option<String>, name: &str, number: u32| arrivals::Arrival {
            external_id,
            email: None,
            anonymous_id: device.clone(),
            previous_id: None,
            name: name.to_owned(),
            at: event.at,
            message_id: Some(format!("a{number}")),
            properties: event.properties.to_string(),
            facts: None,
            payload: "{}".to_owned(),
        };
        let who = who & !1;
        let calls = vec![
            arrival(None, &event.name, 2 * self.messages),
            arrival(identity(who).external_id, &event.name, 2 * self.messages + 1),
        ];
        let parcel = arrivals::Parcel { arrivals: calls, refusals: Vec::new() };
        arrivals::store(self.store(), &parcel, WriteKeyId(1), "test", self.now).await.expect("it is stored");
        let contact = self.find(who).await.expect("they are known now");
        self.touch(contact.id, false);
    }

    /// Leaves nothing for the next.
    async fn end(self) {
        let tables = [
            "contacts",
            "contact_merges",
            "consent_changes",
            "events",
            "event_messages",
            "history_chunks",
            "contact_fact_blocks",
            "segments",
            "membership_blocks",
            "membership_changes",
            "review_blocks",
            "backfills",
            "forgotten_contacts",
            "anonymous_ids",
            "anonymous_events",
            "contact_said",
            "suppressions",
        ];
        let mut statements = tables.map(|table| format!("DELETE FROM {table};")).concat();
        statements += "UPDATE counters SET value = 0;";
        self.database.execute(&statements).await;
    }
}

/// Even numbers have an id, odd ones only an address.
fn identity(who: usize) -> ContactUpdate {
    let id = who.is_multiple_of(2).then(|| format!("c{who}"));
    let email = (!who.is_multiple_of(2)).then(|| format!("p{who}@x.example"));
    ContactUpdate { external_id: id, email, ..ContactUpdate::default() }
}

fn later(now: Timestamp, span: Span) -> Timestamp {
    let seconds = match span {
        Span::Seconds(seconds) => seconds as i64,
        Span::Months(months) => i64::from(months) * 30 * 86_400 + 43_200,
    };
    Timestamp::from_micros(now.micros() + seconds * 1_000_000)
}
