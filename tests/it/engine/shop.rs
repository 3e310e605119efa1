//! A small shop for tests: declarations, people, an engine on a set clock, and a mailbox.

use std::sync::Arc;

use campaignd::clock::{Clock, SetClock};
use campaignd::declare::{self, SourceFile};
use campaignd::domain::catalogue::{Catalogue, EvaluationSettings};
use campaignd::domain::consent::{ConsentState, Purpose};
use campaignd::domain::contact::{ConsentUpdate, ContactUpdate};
use campaignd::domain::delivery::RunId;
use campaignd::domain::name::CampaignName;
use campaignd::domain::provider::TransportLimits;
use campaignd::domain::schedule::Cadence;
use campaignd::domain::time::Timestamp;
use campaignd::engine::{self, Declared, Engine, EngineParts, EngineSettings};
use campaignd::links::{Links, Signer, SigningKey};
use campaignd::render::{RenderSettings, Renderer, TemplateFile, Templates};
use campaignd::send::{MemoryTransport, Transport};
use campaignd::store::Store;
use campaignd::store::contacts::{self, Arrival};
use campaignd::store::events::{Appender, EventOutcome, IncomingEvent};

use crate::support::database::TestDatabase;

/// Where all times of these tests are read.
pub(crate) const ZONE: chrono_tz::Tz = chrono_tz::Europe::Paris;

/// What every test declares beside its own.
const COMMON: &str = "
attributes:
  first_name: text
  city: text
events:
  purchase:
    properties: { amount: number }
defaults:
  from: Maison <bonjour@maison.example>
";

/// Templates: `letter` for everybody, `poem` for who has a first name, `offer` with links.
const TEMPLATES: [(&str, &str); 8] = [
    ("letter/subject.txt", "News"),
    ("letter/body.html", "<p>Hello</p><p><a href=\"{{ links.unsubscribe }}\">unsubscribe</a></p>"),
    ("letter/body.txt", "Hello {{ links.unsubscribe }}"),
    ("poem/subject.txt", "For {{ contact.first_name }}"),
    (
        "poem/body.html",
        "<p>{{ contact.first_name }}</p><p><a href=\"{{ links.unsubscribe }}\">unsubscribe</a></p>",
    ),
    ("poem/body.txt", "{{ contact.first_name }} {{ links.unsubscribe }}"),
    ("offer/subject.txt", "An offer"),
    (
        "offer/body.html",
        "<a href=\"https://maison.example/\">home</a> <a href='https://maison.example/new'>new</a>
         <a href=\"https://maison.example/{{ contact.city or '' }}?a=1&amp;b=2\">yours</a>
         <a href=\"{{ links.unsubscribe }}\">unsubscribe</a> <a href=\"{{ links.preferences }}\">choose</a>",
    ),
];

/// A shop with an engine.
pub(crate) struct Shop {
    pub(crate) database: TestDatabase,
    pub(crate) engine: Engine,
    pub(crate) clock: SetClock,
    pub(crate) mailbox: MemoryTransport,
}

impl Shop {
    /// Opens with these people and declarations; no tick yet.
    pub(crate) async fn open(
        database: TestDatabase,
        declarations: &str,
        people: &[Person],
        now: &str,
    ) -> Self {
        let (transport, mailbox) = Transport::memory();
        add(&database.store, people, at(now)).await;
        let engine = start(&database.store, declarations, transport, at(now)).await;
        let (_, clock) = Clock::set_at(at(now));
        Self { database, engine, clock, mailbox }
    }

    /// Sets the clock, ticks, hands everything over, finishes.
    pub(crate) async fn at(&self, now: &str) {
        let now = at(now);
        self.clock.set(now);
        self.engine.tick(now).await.expect("the tick is done");
        self.engine.drain(now).await.expect("the mails are handed over");
        self.engine.finish(now).await.expect("runs are finished");
    }

    /// Lives until then.
    pub(crate) async fn until(&self, end: &str) {
        self.engine.run_until(&self.clock, at(end)).await.expect("the time passes");
    }

    /// Asks for a run by hand.
    pub(crate) async fn send(&self, campaign: &str) -> RunId {
        let campaign = CampaignName::parse(campaign).expect("a name");
        let catalogue = self.engine.declarations().current().catalogue;
        let run = engine::request_run(&self.database.store, &catalogue, &campaign, self.clock.now()).await;
        run.expect("the run is noted")
    }

    /// The engine ends, and another starts over the same database and mailbox.
    pub(crate) async fn restart(self, declarations: &str, now: &str) -> Self {
        let Self { database, engine, clock, mailbox } = self;
        engine.stop(clock.now()).await.expect("the engine stops");
        clock.set(at(now));
        let transport = Transport::Memory(mailbox.clone());
        let engine = start(&database.store, declarations, transport, at(now)).await;
        Self { database, engine, clock, mailbox }
    }

    /// Somebody buys something, now.
    pub(crate) async fn buys(&self, name: &str) {
        self.bought(name, self.clock.now(), Arrival::News).await;
    }

    /// It becomes known that somebody bought something.
    pub(crate) async fn bought(&self, name: &str, when: Timestamp, arrival: Arrival) {
        let event = IncomingEvent {
            external_id: Some(name.to_owned()),
            name: "purchase".to_owned(),
            at: Some(when),
            properties: r#"{"amount":10}"#.to_owned(),
            ..IncomingEvent::default()
        };
        let mut appender = Appender::new(&self.database.store).arriving_as(arrival);
        let outcomes = appender.append(&[event], "test", self.clock.now()).await;
        assert_eq!(outcomes.expect("it is stored"), [EventOutcome::Appended]);
    }

    /// What is new of people, now.
    pub(crate) async fn learns(&self, people: &[Person]) {
        add(&self.database.store, people, self.clock.now()).await;
    }

    /// From now on these declarations hold.
    pub(crate) fn declare(&self, declarations: &str) {
        self.engine.declarations().replace(declared(declarations));
    }

    /// Runs in the order of their due times, a line each: local due time, campaign, state.
    pub(crate) async fn runs(&self) -> Vec<String> {
        runs(&self.database).await
    }

    /// Rows of the ledger in the order of runs and people, a line each: local due time of the run, who,
    /// state, and the reason or wait if there is one.
    pub(crate) async fn ledger(&self) -> Vec<String> {
        ledger(&self.database).await
    }

    /// To whom mails went since the last call, in order.
    pub(crate) fn mailed(&self) -> Vec<String> {
        self.mailbox.take().iter().map(|mail| name_of(mail.recipient.as_str())).collect()
    }
}

/// The part before the `@`.
fn name_of(address: &str) -> String {
    address.split('@').next().unwrap_or_default().to_owned()
}

pub(crate) async fn runs(database: &TestDatabase) -> Vec<String> {
    let rows = database
        .rows("SELECT CAST(due_at AS TEXT), campaign, state FROM runs ORDER BY due_at, campaign")
        .await;
    rows.iter().map(|row| with_local_time(row)).collect()
}

pub(crate) async fn ledger(database: &TestDatabase) -> Vec<String> {
    let rows = database
        .rows(
            "SELECT CAST(r.due_at AS TEXT), c.external_id, d.state || COALESCE(' ' || d.reason, ' ' || d.wait, '')
             FROM deliveries d JOIN runs r ON r.id = d.run JOIN contacts c ON c.id = d.contact
             ORDER BY r.due_at, r.campaign, c.external_id",
        )
        .await;
    rows.iter().map(|row| with_local_time(row)).collect()
}

/// Microseconds at the beginning of a line become the local time of [`ZONE`].
fn with_local_time(row: &str) -> String {
    let (micros, rest) = row.split_once(" | ").expect("columns");
    let instant = Timestamp::from_micros(micros.parse().expect("a number"));
    let local = instant.to_utc().with_timezone(&ZONE).format("%a %Y-%m-%d %H:%M");
    format!("{local} {}", rest.replace(" | ", " "))
}

/// Somebody to be mailed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Person(ContactUpdate);

/// Somebody with an address who agreed to marketing.
pub(crate) fn person(name: &str) -> Person {
    let mut person = Person::default();
    person.0.external_id = Some(name.to_owned());
    person.0.email = Some(format!("{name}@shop.example"));
    person.consents("yes")
}

impl Person {
    pub(crate) fn without_id(mut self) -> Self {
        self.0.external_id = None;
        self
    }

    pub(crate) fn of_domain(mut self, domain: &str) -> Self {
        let name = self.0.external_id.as_deref().expect("somebody with an id");
        self.0.email = Some(format!("{name}@{domain}"));
        self
    }

    pub(crate) fn without_address(mut self) -> Self {
        self.0.email = None;
        self
    }

    pub(crate) fn consents(mut self, answer: &str) -> Self {
        let state = ConsentState::parse(answer).expect("an answer");
        let (at, source) = (at("2020-01-01 00:00"), "test".to_owned());
        self.0.consents = vec![ConsentUpdate {
            purpose: Purpose::Marketing,
            state,
            at,
            source,
            words: None,
            gives_way: false,
        }];
        self
    }

    /// Answers to tracking: after [`consents`](Self::consents).
    pub(crate) fn agrees_to_tracking(mut self, answer: &str) -> Self {
        let marketing = self.0.consents.first().expect("marketing was asked for").clone();
        let state = ConsentState::parse(answer).expect("an answer");
        self.0.consents.push(ConsentUpdate { purpose: Purpose::Tracking, state, ..marketing });
        self
    }

    pub(crate) fn in_language(mut self, tag: &str) -> Self {
        self.0.language = Some(tag.to_owned());
        self
    }

    /// The answers of [`consents`](Self::consents) were given then: a later one counts.
    pub(crate) fn consented_at(mut self, when: &str) -> Self {
        for consent in &mut self.0.consents {
            consent.at = at(when);
        }
        self
    }

    pub(crate) fn in_zone(mut self, zone: &str) -> Self {
        self.0.time_zone = Some(zone.to_owned());
        self
    }

    pub(crate) fn with(mut self, attribute: &str, value: &str) -> Self {
        self.0.attributes.insert(attribute.to_owned(), value.into());
        self
    }
}

/// Stores people, or what is new of them.
pub(crate) async fn add(store: &Store, people: &[Person], now: Timestamp) {
    let updates: Vec<_> = people.iter().map(|person| person.0.clone()).collect();
    contacts::apply(store, &updates, now).await.expect("people are stored");
}

/// An instant by its local time in [`ZONE`].
pub(crate) fn at(local: &str) -> Timestamp {
    let format = if local.len() > 16 { "%Y-%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M" };
    let local = chrono::NaiveDateTime::parse_from_str(local, format).expect("a local time");
    Timestamp::from(local.and_local_timezone(ZONE).earliest().expect("a time that exists"))
}

/// An engine over a store.
pub(crate) async fn start(store: &Store, declarations: &str, transport: Transport, now: Timestamp) -> Engine {
    try_start(store, declarations, transport, now).await.expect("the engine starts")
}

pub(crate) async fn try_start(
    store: &Store,
    declarations: &str,
    transport: Transport,
    now: Timestamp,
) -> Result<Engine, campaignd::engine::EngineError> {
    let (declared, settings) = (declared(declarations), settings());
    let parts = EngineParts { store: store.clone(), transport, declared, settings };
    Engine::start(parts, now).await
}

/// An engine whose mails leave within limits.
pub(crate) async fn start_within(
    store: &Store,
    declarations: &str,
    transport: Transport,
    limits: Arc<TransportLimits>,
    now: Timestamp,
) -> Engine {
    let settings = EngineSettings { limits, ..settings() };
    let parts = EngineParts { store: store.clone(), transport, declared: declared(declarations), settings };
    Engine::start(parts, now).await.expect("the engine starts")
}

fn settings() -> EngineSettings {
    let refresh = Cadence::Every(std::time::Duration::from_hours(24));
    EngineSettings { refresh, ..EngineSettings::new(EvaluationSettings { time_zone: ZONE }) }
}

/// Declarations and their renderer.
pub(crate) fn declared(declarations: &str) -> Declared {
    let catalogue = catalogue(declarations);
    let files = TEMPLATES.map(|(name, text)| TemplateFile { name: name.into(), bytes: text.into() });
    let loaded = Templates::read(&files);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let settings = RenderSettings {
        postal_address: "12 rue des Courts, Paris".to_owned(),
        bounces: None,
        time_zone: ZONE,
        signers: Vec::new(),
    };
    let renderer = Renderer::new(loaded.templates, &catalogue, signed(), settings);
    Declared { catalogue: Arc::new(catalogue), renderer }
}

/// The addresses that are minted here.
pub(crate) fn signed() -> Links {
    let signer = Signer::new(&SigningKey { id: 0, secret: vec![7; 32] }, &[]);
    Links::new(signer, "https://mail.maison.example")
}

fn catalogue(declarations: &str) -> Catalogue {
    let file = |name: &str, text: &str| SourceFile { name: name.into(), bytes: text.into() };
    let files = [file("campaigns/common.yaml", COMMON), file("campaigns/test.yaml", declarations)];
    let loaded = declare::read(&files, ZONE);
    loaded.catalogue.unwrap_or_else(|| panic!("the declarations are wrong: {:#?}", loaded.problems))
}
