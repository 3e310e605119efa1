//! What evaluating costs beside reading: six segments over made-up contacts whose events are
//! distributed like a shop's, from packed blocks in memory. Prints nanoseconds a contact, the median
//! of five passes: `cargo bench --bench evaluate`.

use std::time::Instant;

use campaignd::declare::{self, SourceFile};
use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::domain::condition::Condition;
use campaignd::domain::consent::{Consent, ConsentState};
use campaignd::domain::contact::{Contact, ContactId};
use campaignd::domain::event::EventNameId;
use campaignd::domain::history::{
    BlockHistory, BlockId, CONTACTS_PER_BLOCK, Chunk, ChunkBuffer, Needs, PackedEvent,
};
use campaignd::domain::population::Population;
use campaignd::domain::time::{Timestamp, Zone};
use campaignd::evaluate::{Asked, Program, Scratch};

const CONTACTS: i64 = 200_000;
const NOW: i64 = 1_793_491_200; // 2026-11-01T00:00:00Z
const TWO_YEARS: u64 = 730 * 86_400;
const EVENTS: [&str; 4] = ["purchase", "page_view", "click", "sent"];

const DECLARATIONS: &str = "
attributes: { interests: list, lead_score: number }
events:
  purchase: { properties: { amount: number, product: text } }
  page_view: { properties: { category: number, url: text } }
  click: {}
segments:
  best:
    match: { did: purchase, within: 12 months, total: { amount: { more_than: 1000 } }, times: { at_least: 5 } }
  quiet:
    match: { did: purchase, last_at: { within: 180 days, older_than: 90 days } }
  clicked:
    match: { all: [{ did: click, within: 30 days }, { did_not: purchase, within: 30 days }] }
  browsing:
    match: { did: page_view, where: { category: 0 }, within: 7 days, times: { at_least: 3 } }
  big_baskets:
    match: { did: purchase, average: { amount: { more_than: 80 } } }
  never_bought:
    match: { all: [{ consent: { marketing: yes } }, { did_not: purchase }] }
  tennis:
    match: { attribute: { interests: tennis, lead_score: { at_least: 50 } } }
";

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
}

/// The chunks of one block.
type Block = Vec<(EventNameId, ChunkBuffer)>;

fn main() {
    let file = SourceFile { name: "bench.yaml".into(), bytes: DECLARATIONS.as_bytes().to_vec() };
    let loaded = declare::read(&[file], Zone::UTC);
    let Some(catalogue) = loaded.catalogue else { panic!("{:?}", loaded.problems) };
    let settings = EvaluationSettings { time_zone: Zone::UTC };
    let event_id =
        |name: &str| EVENTS.iter().position(|known| *known == name).map(|place| EventNameId(place as u32));
    let (contacts, blocks) = world();
    let now = Timestamp::from_seconds(NOW);
    let six = ["best", "quiet", "clicked", "browsing", "big_baskets", "never_bought"];
    for names in [&six[..], &["tennis"][..]] {
        let conditions: Vec<&Condition> = catalogue
            .segments
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .map(|(_, segment)| &segment.condition)
            .collect();
        let asked = Asked { conditions: &conditions, ..Asked::default() };
        let program = Program::compile(&catalogue, settings, &asked, &event_id);
        let needs = program.needs(now);
        let reading = median(|| pass(&contacts, &blocks, &needs, None, now).0);
        let both = median(|| pass(&contacts, &blocks, &needs, Some(&program), now).0);
        let (_, members) = pass(&contacts, &blocks, &needs, Some(&program), now);
        println!(
            "{}: {both} ns a contact, {reading} of them for reading; {members} members",
            names.join(", ")
        );
    }
}

/// One pass over all contacts: nanoseconds a contact, and how many memberships there are.
fn pass(
    contacts: &[Contact],
    blocks: &[Block],
    needs: &Needs,
    program: Option<&Program>,
    now: Timestamp,
) -> (u128, usize) {
    let started = Instant::now();
    let mut scratch = Scratch::default();
    let population = Population::default();
    let mut history = BlockHistory::default();
    let mut members = 0;
    for (number, block) in blocks.iter().enumerate() {
        history.begin(needs);
        for (name, chunk) in block {
            let block = BlockId(number as i64);
            let chunk = Chunk { block, name: *name, heads: &chunk.heads, properties: &chunk.properties };
            history.add(chunk, needs).expect("the chunk is whole");
        }
        history.finish();
        let first = number * CONTACTS_PER_BLOCK as usize;
        for (slot, contact) in contacts[first..].iter().take(CONTACTS_PER_BLOCK as usize).enumerate() {
            let Some(program) = program else { continue };
            let events = history.contact(slot as u8);
            let evaluation = program.evaluate(&mut scratch, &contact.view(), &events, &population, now);
            members += evaluation.outcomes.iter().filter(|outcome| outcome.holds).count();
        }
    }
    (started.elapsed().as_nanos() / contacts.len() as u128, members)
}

fn median(measure: impl Fn() -> u128) -> u128 {
    let mut measured = [(); 5].map(|()| measure());
    measured.sort_unstable();
    measured[2]
}

fn world() -> (Vec<Contact>, Vec<Block>) {
    let mut dice = Dice(42);
    let zones = ["Europe/Paris", "Europe/Berlin", "America/New_York", "Europe/London"];
    let contacts: Vec<Contact> = (0..CONTACTS)
        .map(|id| Contact {
            id: ContactId(id),
            key: format!("user-{id}"),
            external_id: None,
            email: Some(format!("user{id}@example.com")),
            time_zone: Some(zones[dice.below(4) as usize].to_owned()),
            language: None,
            created_at: Timestamp::from_seconds(NOW - 100_000_000),
            marketing: Consent {
                state: if dice.below(100) < 85 { ConsentState::Yes } else { ConsentState::No },
                since: None,
            },
            tracking: Consent::default(),
            attributes: format!(
                r#"{{"first_name":"Name {id}","city":"FR-{}","interests":["football","tennis"],"lead_score":{},"plan":"team","source":"web","profession":"engineer"}}"#,
                dice.below(40),
                dice.below(100)
            ),
        })
        .collect();
    let mut blocks = Vec::new();
    for _ in 0..CONTACTS / CONTACTS_PER_BLOCK {
        let mut block: Block = (0..4).map(|name| (EventNameId(name), ChunkBuffer::default())).collect();
        let mut events: Vec<(i64, usize, u8)> = Vec::new();
        for slot in 0..CONTACTS_PER_BLOCK as u8 {
            // Few contacts do much, most do little: 10 on the average.
            let most = [3, 6, 10, 20, 60][dice.below(5) as usize];
            for _ in 0..dice.below(most) {
                let name = match dice.below(100) {
                    0..5 => 0,
                    5..50 => 1,
                    50..54 => 2,
                    _ => 3,
                };
                events.push((NOW - dice.below(TWO_YEARS) as i64, name, slot));
            }
        }
        events.sort_unstable();
        for (arrival, (at, name, slot)) in events.into_iter().enumerate() {
            let properties = match name {
                0 => format!(
                    r#"{{"product":"sku-{}","amount":{}.{:02}}}"#,
                    dice.below(5_000),
                    dice.below(200),
                    dice.below(100)
                ),
                1 => format!(r#"{{"url":"https://shop.example.com/c/p","category":{}}}"#, dice.below(20)),
                _ => String::new(),
            };
            let at = Timestamp::from_seconds(at);
            block[name].1.push(PackedEvent { slot, at, arrival: arrival as i64, properties: &properties });
        }
        blocks.push(block);
    }
    (contacts, blocks)
}
