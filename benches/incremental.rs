//! Ticks after little news, over a database that is full: what `benches/run incremental` sets beside SQL.
//!
//! usage: `incremental PROJECT DATABASE ROUNDS OUT [PEOPLE]`; DATABASE is a path of a filled SQLite file, or
//! `postgres://…`, and is written to. The first PEOPLE contacts do something; else all of them. After a full pass, ticks in turn after 1,000 and after 10,000 new events on
//! random contacts; then one after 2.4 days without any. Prints one JSON line with the seconds of each; OUT
//! receives the pairs `segment id` of the last tick before the 2.4 days, sorted, and OUT.events what was
//! added, as `contact,type,ts,amount,category`.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use campaignd::audience;
use campaignd::declare;
use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::domain::contact::ContactId;
use campaignd::domain::event::NewEvent;
use campaignd::domain::name::SegmentName;
use campaignd::domain::time::{Timestamp, Zone};
use campaignd::store::{Store, StoreOptions, contacts, events, histories, memberships};

/// The last instant of the data: 2026-11-01T00:00:00Z. The last tick is at it.
const NOW: i64 = 1_793_491_200;
const SETTINGS: EvaluationSettings = EvaluationSettings { time_zone: Zone::UTC };
const LATER: Duration = Duration::from_mins(3_456); // 2.4 days
/// Names with the numbers that the SQL has for them, and how many of a hundred events they are.
const KINDS: [(&str, u32, u64); 7] = [
    ("purchase", 1, 5),
    ("page_view", 2, 40),
    ("email_sent", 3, 35),
    ("email_opened", 4, 10),
    ("link_click", 5, 4),
    ("cart_add", 6, 4),
    ("form_submit", 7, 2),
];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [project, database, rounds, out, people @ ..] = &arguments[..] else {
        println!("incremental: not run: it needs PROJECT, DATABASE, ROUNDS and OUT");
        return Ok(());
    };
    let rounds: i64 = rounds.parse()?;
    let catalogue = declare::load(Path::new(project), SETTINGS.time_zone).catalogue;
    let catalogue = catalogue.ok_or("the declarations are wrong: run `campaignd check`")?;
    let address = if database.contains("://") { database.clone() } else { format!("sqlite://{database}") };
    let store = Store::connect(&address, &StoreOptions::default()).await?;
    store.migrate().await?;
    histories::pack(&store).await?;
    memberships::reset(&store).await?;
    let people = match people.first() {
        Some(people) => people.parse()?,
        None => contacts::count(&store).await?,
    };
    let names: Vec<SegmentName> = catalogue.segments.keys().cloned().collect();

    let mut now = Timestamp::from_seconds(NOW - 2 * rounds);
    let started = Instant::now();
    audience::refresh(&store, &catalogue, SETTINGS, now).await?;
    let full = started.elapsed().as_secs_f64();

    let mut dice = Dice(42);
    let mut added = String::new();
    let (mut after_thousand, mut after_ten_thousand) = (Vec::new(), Vec::new());
    for round in 0..2 * rounds {
        let thousands = if round % 2 == 0 { 1 } else { 10 };
        for _ in 0..thousands {
            let news: Vec<_> = (0..1_000).map(|_| dice.event(people, &mut added)).collect();
            events::append(&store, &news, "bench", now).await?;
        }
        now = now.plus(Duration::from_secs(1));
        let started = Instant::now();
        let refreshed = audience::refresh(&store, &catalogue, SETTINGS, now).await?;
        let seconds = started.elapsed().as_secs_f64();
        if refreshed.full || refreshed.looked_at > thousands * 1_100 {
            return Err(format!("more was looked at than there was news of: {refreshed:?}").into());
        }
        if thousands == 1 { &mut after_thousand } else { &mut after_ten_thousand }.push(seconds);
    }
    let before = members(&store, &names).await?;
    let pairs = before.iter().fold(String::new(), |mut pairs, (segment, contact)| {
        let _ = writeln!(pairs, "{segment} {}", contact.0);
        pairs
    });
    std::fs::write(out, pairs)?;
    std::fs::write(format!("{out}.events"), added)?;

    now = now.plus(LATER);
    let started = Instant::now();
    let refreshed = audience::refresh(&store, &catalogue, SETTINGS, now).await?;
    let seconds = started.elapsed().as_secs_f64();
    let after = members(&store, &names).await?;
    let changed: BTreeSet<ContactId> =
        before.symmetric_difference(&after).map(|(_, contact)| *contact).collect();
    let compared = audience::verify(&store, &catalogue, SETTINGS).await?;
    println!(
        "{}",
        serde_json::json!({
            "full": full,
            "after_1000": after_thousand,
            "after_10000": after_ten_thousand,
            "later": {
                "seconds": seconds,
                "looked_at": refreshed.looked_at,
                "changed": changed.len(),
                "differences": compared.differences.len(),
            },
        })
    );
    Ok(())
}

async fn members(
    store: &Store,
    names: &[SegmentName],
) -> Result<BTreeSet<(SegmentName, ContactId)>, Box<dyn Error>> {
    let mut pairs = BTreeSet::new();
    for (name, segment) in names.iter().zip(memberships::ensure_segments(store, names).await?) {
        let members = memberships::members(store, segment.id).await?;
        pairs.extend(members.into_iter().map(|member| (name.clone(), member.contact)));
    }
    Ok(pairs)
}

/// Numbers from a fixed seed (the generator `SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// An event of the last day before the ticks, by anybody; a line of it for the SQL.
    fn event(&mut self, people: u64, added: &mut String) -> NewEvent {
        let contact = 1 + self.below(people) as i64;
        let at = NOW - 100 - self.below(86_400) as i64;
        let mut rest = self.below(100);
        let (name, kind, _) = KINDS
            .into_iter()
            .find(|(_, _, share)| {
                let is_it = rest < *share;
                rest = rest.wrapping_sub(*share);
                is_it
            })
            .unwrap_or(KINDS[1]);
        let (cents, category) = (100 + self.below(20_000), self.below(20));
        let (properties, columns) = match kind {
            1 => {
                let amount = format!("{}.{:02}", cents / 100, cents % 100);
                (format!(r#"{{"amount":{amount},"category":"{category}"}}"#), format!("{cents},{category}"))
            }
            2 => (format!(r#"{{"category":"{category}"}}"#), format!(",{category}")),
            4 => (r#"{"by":"human"}"#.to_owned(), ",".to_owned()),
            _ => ("{}".to_owned(), ",".to_owned()),
        };
        let _ = writeln!(added, "{contact},{kind},{at},{columns}");
        NewEvent {
            contact: ContactId(contact),
            name: name.to_owned(),
            at: Timestamp::from_seconds(at),
            message_id: None,
            properties,
        }
    }
}
