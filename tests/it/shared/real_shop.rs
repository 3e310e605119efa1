//! A real shop's year, from invoice lines to mails at a server that others wrote: everybody who should
//! be mailed is, once; held against SQL written by hand over the same file (`online_retail_by_hand.py`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use campaignd::clock::Clock;
use campaignd::declare;
use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::domain::delivery::DeliveryState;
use campaignd::domain::name::CampaignName;
use campaignd::domain::time::Timestamp;
use campaignd::engine::{Declared, Engine, EngineParts, EngineSettings};
use campaignd::links::{Links, Signer, SigningKey};
use campaignd::render::{self, RenderSettings, Renderer, Templates};
use campaignd::report;
use campaignd::send::{SmtpOptions, SmtpTimeouts, SmtpTls, Transport};

use super::online_retail::{DECLARATIONS, NOW, convert, import, whole};
use crate::ingest::Folder;
use crate::support::aiosmtpd::{Aiosmtpd, Answer};
use crate::support::database::{TestDatabase, on_both};

const ZONE: chrono_tz::Tz = chrono_tz::Europe::London;

const CAMPAIGNS: &str = "\
defaults: { from: The Shop <orders@shop.example> }

traits:
  orders_ever: { of: purchase, distinct: order }
  orders_12m: { of: purchase, distinct: order, within: 12 months }

segments:
  best_customers:
    description: At least 2,000 spent within 12 months, in at least 5 orders
    match:
      did: purchase
      per: order
      within: 12 months
      times: { at_least: 5 }
      total: { amount: { at_least: 2000 } }
  lapsed:
    description: Bought before, but nothing within 90 days
    match:
      all:
        - did: purchase
        - did_not: purchase
          within: 90 days

campaigns:
  best:
    audience: best_customers
    schedule: { cron: \"0 9 10 12 *\", time_zone: Europe/London }
    template: best
  lapsed:
    audience: lapsed
    schedule: { at: 2011-12-10T09:00, time_zone: Europe/London }
    template: lapsed
";

const TEMPLATES: [(&str, &str); 6] = [
    ("templates/best/subject.txt", "Thank you for {{ traits.orders_12m }} orders"),
    ("templates/best/body.html", "<p>Thank you, {{ contact.country }}!</p>"),
    ("templates/best/body.txt", "Thank you, {{ contact.country }}!"),
    ("templates/lapsed/subject.txt", "After {{ traits.orders_ever }} orders, we miss you"),
    ("templates/lapsed/body.html", "<p>We miss you.</p>"),
    ("templates/lapsed/body.txt", "We miss you."),
];

const FOOTER: &str =
    "\n<p><a href=\"{{ links.unsubscribe }}\">Unsubscribe</a> {{ sender.postal_address }}</p>\n";

/// What the server does, by the number of the customer.
const RULES: [&str; 3] = ["refused-at-rcpt=7/50", "refused-at-end=23/50", "deferred-once=4/20"];

/// What becomes of a customer's mail under [`RULES`]: state, tries, the last reply.
fn fate(customer: &str) -> (&'static str, u32, u16) {
    let number: u32 = customer.parse().expect("customers are numbers");
    match (number % 50, number % 20) {
        (7 | 23, _) => ("refused", 1, 550),
        (_, 4) => ("accepted", 2, 250),
        _ => ("accepted", 1, 250),
    }
}

/// What the script says.
#[derive(Debug, Clone, serde::Deserialize)]
struct ByHand {
    lines: u64,
    cancelled: u64,
    without_customer: u64,
    purchases: u64,
    thousandths: u64,
    customers: u64,
    /// Customer: orders, thousandths spent.
    best: BTreeMap<String, (u64, u64)>,
    lapsed: BTreeMap<String, (u64, u64)>,
}

impl ByHand {
    fn count(shared: &Path) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/online_retail_by_hand.py");
        let output = Command::new("python3")
            .arg(script)
            .arg(shared.join("data/online-retail/online-retail.csv.gz"))
            .stderr(Stdio::inherit())
            .output()
            .expect("python3 runs");
        assert!(output.status.success(), "the script fails");
        serde_json::from_slice(&output.stdout).expect("the script prints JSON")
    }

    fn audience(&self, campaign: &str) -> &BTreeMap<String, (u64, u64)> {
        if campaign == "best" { &self.best } else { &self.lapsed }
    }
}

#[test]
fn every_customer_who_is_meant_is_mailed_once() {
    let Some(shared) = super::shared_folder() else { return };
    let folder = Folder::new();
    let converted = convert(whole(&shared), folder.path());
    let by_hand = ByHand::count(&shared);
    let figures = (by_hand.lines, by_hand.cancelled, by_hand.without_customer, by_hand.purchases);
    assert_eq!(figures, (541_909, 9_288, 134_697, 397_924));
    assert_eq!((by_hand.customers, by_hand.thousandths), (4_372, 8_911_407_904));
    assert_eq!((by_hand.best.len(), by_hand.lapsed.len()), (699, 1_449));
    on_both(|database| {
        let (converted, by_hand) = (converted.clone(), by_hand.clone());
        async move {
            let started = Instant::now();
            let (contacts, orders) = import(&database.store, &converted, NOW).await;
            println!(
                "{} contacts and {} of {} lines imported in {:.1?}; rejected: {:?}",
                contacts.contacts_created,
                orders.events_added,
                orders.rows,
                started.elapsed(),
                orders.rejected
            );
            assert_eq!(
                (contacts.contacts_created, contacts.rejected_rows()),
                (by_hand.customers, 0),
                "{contacts:?}"
            );
            let kinds: Vec<_> = orders.rejected.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
            assert_eq!(
                kinds,
                [
                    ("`order` is rejected by --reject-where C*", by_hand.cancelled),
                    ("the row names no contact: it has neither `id` nor `email`", by_hand.without_customer)
                ]
            );
            assert_eq!(
                (orders.rows, orders.events_added, orders.events_known),
                (by_hand.lines, by_hand.purchases, 0)
            );
            // 10:35 in London: summer time.
            let first = "SELECT MIN(at) FROM event_log WHERE at > '2011-09-11'";
            assert_eq!(database.rows(first).await, ["2011-09-11T09:35:00.000Z"]);

            let server = Aiosmtpd::start_with(&RULES);
            let before = NOW.minus(Duration::from_mins(10));
            let engine = start(&database, server.port(), before).await;
            let (_, clock) = Clock::set_at(before);
            engine.run_until(&clock, NOW.minus(Duration::from_millis(1))).await.expect("the time passes");
            assert_eq!(database.rows("SELECT state FROM runs").await, [""; 0], "nothing is due before nine");

            let sending = Instant::now();
            engine.run_until(&clock, NOW).await.expect("the runs are sent");
            let deferred = "SELECT c.external_id, d.wait, CAST(d.reply_code AS TEXT) FROM deliveries d
                JOIN contacts c ON c.id = d.contact WHERE d.state = 'deferred' ORDER BY c.external_id";
            let waiting = database.rows(deferred).await;
            let at_first = [&by_hand.best, &by_hand.lapsed].into_iter().flat_map(BTreeMap::keys);
            let mut at_first: Vec<_> = at_first
                .filter(|customer| fate(customer).1 == 2)
                .map(|customer| format!("{customer} | server | 451"))
                .collect();
            at_first.sort();
            assert_eq!(waiting, at_first, "those that the server defers wait");

            engine.run_until(&clock, NOW.plus(Duration::from_hours(2))).await.expect("the time passes");
            println!("sent in {:.1?}, {} mails deferred once", sending.elapsed(), waiting.len());
            let runs = database.rows("SELECT campaign, state FROM runs ORDER BY campaign").await;
            assert_eq!(runs, ["best | finished", "lapsed | finished"]);
            for campaign in ["best", "lapsed"] {
                the_ledger_says_what_was_meant(&database, campaign, by_hand.audience(campaign)).await;
                the_report_says_the_same(&database, campaign, by_hand.audience(campaign)).await;
            }
            server_and_ledger_agree(&server.answers(), &database, &by_hand).await;
        }
    });
}

/// An engine over the declarations as a project of files.
async fn start(database: &TestDatabase, port: u16, now: Timestamp) -> Engine {
    let project = Folder::new();
    for folder in ["campaigns", "templates/best", "templates/lapsed"] {
        std::fs::create_dir_all(project.path().join(folder)).expect("folders can be made");
    }
    project.write("campaigns/shop.yaml", DECLARATIONS);
    project.write("campaigns/winter.yaml", CAMPAIGNS);
    for (name, text) in TEMPLATES {
        let footer = if name.ends_with("subject.txt") { "" } else { FOOTER };
        project.write(name, format!("{text}{footer}"));
    }
    let loaded = declare::load(project.path(), ZONE);
    let catalogue = loaded.catalogue.unwrap_or_else(|| panic!("{:#?}", loaded.problems));
    let templates = Templates::load(project.path());
    let settings = RenderSettings {
        postal_address: "1 High Street, London".to_owned(),
        bounces: None,
        time_zone: ZONE,
        signers: Vec::new(),
    };
    let problems = render::check(&templates.templates, &catalogue, &settings, &|_| None);
    assert!(templates.problems.is_empty() && problems.is_empty(), "{:#?} {problems:#?}", templates.problems);
    let signer = Signer::new(&SigningKey { id: 0, secret: vec![7; 32] }, &[]);
    let links = Links::new(signer, "https://mail.shop.example");
    let renderer = Renderer::new(templates.templates, &catalogue, links, settings);
    let transport = Transport::smtp(SmtpOptions {
        host: "127.0.0.1".to_owned(),
        port,
        tls: SmtpTls::None,
        credentials: None,
        connections: 4,
        ca_file: None,
        hello_name: None,
        timeouts: SmtpTimeouts::default(),
    });
    let parts = EngineParts {
        store: database.store.clone(),
        transport: transport.expect("a usable server"),
        declared: Declared { catalogue: Arc::new(catalogue), renderer },
        settings: EngineSettings::new(EvaluationSettings { time_zone: ZONE }),
    };
    Engine::start(parts, now).await.expect("the engine starts")
}

/// The audience is the very set of customers that SQL finds, each with one row in the state, after the
/// tries, and with the reply that the server's rules give.
async fn the_ledger_says_what_was_meant(
    database: &TestDatabase,
    campaign: &str,
    meant: &BTreeMap<String, (u64, u64)>,
) {
    let rows = database
        .rows(&format!(
            "SELECT c.external_id, d.state, CAST(d.attempts AS TEXT), CAST(d.reply_code AS TEXT)
             FROM deliveries d JOIN runs r ON r.id = d.run JOIN contacts c ON c.id = d.contact
             WHERE r.campaign = '{campaign}' ORDER BY c.external_id"
        ))
        .await;
    let expected: Vec<_> = meant
        .keys()
        .map(|customer| {
            let (state, tries, code) = fate(customer);
            format!("{customer} | {state} | {tries} | {code}")
        })
        .collect();
    let ours: BTreeSet<_> = rows.iter().collect();
    let theirs: BTreeSet<_> = expected.iter().collect();
    let missing: Vec<_> = theirs.difference(&ours).take(10).collect();
    let unexpected: Vec<_> = ours.difference(&theirs).take(10).collect();
    assert_eq!((missing, unexpected), (vec![], vec![]), "{campaign}: missing, and not meant");
    assert_eq!(rows, expected, "{campaign}");
}

async fn the_report_says_the_same(
    database: &TestDatabase,
    campaign: &str,
    meant: &BTreeMap<String, (u64, u64)>,
) {
    let name = CampaignName::parse(campaign).expect("a name");
    let report =
        report::read(&database.store, Some(&name), chrono_tz::UTC).await.expect("the report is made");
    let counts = &report.campaigns[0].outcome.deliveries;
    let of = |wanted: &str| meant.keys().filter(|customer| fate(customer).0 == wanted).count() as u64;
    let (accepted, refused) = (of("accepted"), of("refused"));
    assert_eq!(
        (counts.audience(), counts.of(DeliveryState::Accepted), counts.of(DeliveryState::Refused)),
        (meant.len() as u64, accepted, refused)
    );
    let known = match campaign {
        "best" => (671, 28),
        _ => (1_388, 61),
    };
    assert_eq!((accepted, refused), known, "{campaign}");
    println!("{campaign}: {} customers: {accepted} accepted, {refused} refused", meant.len());
}

/// The server took what the ledger calls accepted, once each and with the words that were meant, and
/// decided about nothing else than what the ledger knows of.
async fn server_and_ledger_agree(answers: &[Answer], database: &TestDatabase, by_hand: &ByHand) {
    let (mut taken, mut later, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for answer in answers {
        let of = format!("{} | {}", answer.recipient, answer.message_id);
        match answer.code {
            250 => taken.push(format!("{of} | {}", answer.subject)),
            451 => later.push(of),
            _ => refused.push(format!("{} | {} at {}", answer.recipient, answer.code, answer.step)),
        }
    }
    taken.sort();
    later.sort();
    refused.sort();

    let noted = database
        .rows(
            "SELECT c.external_id, r.campaign, d.address, d.message_id, d.state, CAST(d.attempts AS TEXT)
             FROM deliveries d JOIN runs r ON r.id = d.run JOIN contacts c ON c.id = d.contact",
        )
        .await;
    let (mut accepted, mut tried_twice, mut turned_away) = (Vec::new(), Vec::new(), Vec::new());
    for row in &noted {
        let [customer, campaign, address, message_id, state, tries] =
            row.split(" | ").collect::<Vec<_>>().try_into().expect("six columns");
        assert_eq!(address, format!("customer-{customer}@shop.example"));
        let orders = by_hand.audience(campaign)[customer].0;
        let subject = match campaign {
            "best" => format!("Thank you for {orders} orders"),
            _ => format!("After {orders} orders, we miss you"),
        };
        if state == "accepted" {
            accepted.push(format!("{address} | {message_id} | {subject}"));
        } else {
            let step = if customer.ends_with('7') { "rcpt" } else { "end" };
            turned_away.push(format!("{address} | 550 at {step}"));
        }
        if tries == "2" {
            tried_twice.push(format!("{address} | {message_id}"));
        }
    }
    accepted.sort();
    tried_twice.sort();
    turned_away.sort();
    assert_eq!(taken, accepted, "mails at the server, and accepted rows");
    assert_eq!(later, tried_twice, "mails that the server deferred, and rows that were tried again");
    assert_eq!(refused, turned_away, "what the server refused, and refused rows");
    let ids: BTreeSet<_> = taken.iter().filter_map(|mail| mail.split(" | ").nth(1)).collect();
    assert_eq!(ids.len(), taken.len(), "each mail has an id of its own");
    println!("server: {} mails, {} refusals, {} deferrals", taken.len(), refused.len(), later.len());
}
