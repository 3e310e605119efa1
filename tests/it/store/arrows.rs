//! The arrows of the ledger, walked: from every state, everything that the store can do to a delivery.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use campaignd::domain::arrow::Arrow;
use campaignd::domain::campaign::Tracking;
use campaignd::domain::consent::OwnAnswer;
use campaignd::domain::contact::{ContactId, ContactUpdate};
use campaignd::domain::delivery::{
    DeliveryId, DeliveryState, Fault, IncarnationId, RefusalReason, Reply, RunId, RunState, RunTrigger,
    SkipReason, WaitReason,
};
use campaignd::domain::name::CampaignName;
use campaignd::domain::time::Timestamp;
use campaignd::store::ledger::{self, LedgerStep, Step};
use campaignd::store::recipients::{self, Recipient, RecipientPlan};
use campaignd::store::runs::{self, NewRun};
use campaignd::store::uncertain::{self, Verdict, Which};
use campaignd::store::{Store, consents, contacts, deliveries, forget};

use crate::support::database::{TestDatabase, on_both};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const LATER: Timestamp = Timestamp::from_seconds(1_800_003_600);
const ME: IncarnationId = IncarnationId(7);
const OTHER: IncarnationId = IncarnationId(8);

/// What is done to a delivery, by name; beside it, contacts become others and are erased.
const DOINGS: [&str; 16] = [
    "claim",
    "postpone",
    "transmit",
    "accept",
    "defer",
    "refuse",
    "doubt",
    "doubt, again",
    "skip",
    "release",
    "its sender dies",
    "its sender dies, again",
    "cancel",
    "by hand: accepted",
    "by hand: refused",
    "unsubscribe",
];

fn campaign() -> CampaignName {
    CampaignName::parse("vip").expect("it is a name")
}

/// A run in sending. Contact 2n-1 has an id and no address; contact 2n has an address and no id.
async fn sending(store: &Store, pairs: i64) -> RunId {
    let id = |n| ContactUpdate { external_id: Some(format!("x{n}")), ..ContactUpdate::default() };
    let address = |n| ContactUpdate { email: Some(format!("c{n}@x.example")), ..ContactUpdate::default() };
    let people: Vec<_> = (1..=pairs).flat_map(|n| [id(n), address(n)]).collect();
    contacts::apply(store, &people, NOW).await.expect("contacts are stored");
    let new = NewRun {
        campaign: campaign(),
        due_at: NOW,
        zone: None,
        state: RunState::Due,
        trigger: RunTrigger::Schedule,
        note: None,
    };
    let (run, _) = runs::create(store, &new, NOW).await.expect("the run is noted");
    let fixing = recipients::begin_fixing(store, run.id).await.expect("it is asked").expect("it is due");
    let with_address = (1..=pairs).map(|n| Recipient {
        contact: ContactId(2 * n),
        address: Some(format!("c{n}@x.example")),
        version: Some("default".to_owned()),
        plan: RecipientPlan::Mail { not_before: NOW },
    });
    let without = (1..=pairs).map(|n| Recipient {
        contact: ContactId(2 * n - 1),
        address: None,
        version: None,
        plan: RecipientPlan::Skip(SkipReason::NoAddress),
    });
    let people: Vec<_> = with_address.chain(without).collect();
    recipients::add_recipients(store, fixing, &people, NOW).await.expect("they are added");
    let completed = recipients::complete_fixing(store, fixing, RunState::Sending, None, NOW).await;
    assert!(completed.expect("it is sending"));
    run.id
}

fn reply() -> Reply {
    Reply { code: Some(450), enhanced: None, text: "so it is".to_owned(), fault: Fault::Mail, at: NOW }
}

async fn step(store: &Store, delivery: DeliveryId, step: Step) {
    ledger::write(store, ME, &[LedgerStep { delivery, step }], NOW).await.expect("the step is tried");
}

async fn do_to(store: &Store, run: RunId, delivery: DeliveryId, doing: &str) {
    let tracking = Tracking::None;
    let (message_id, content_hash) = ("<a@b>".to_owned(), "00".to_owned());
    match doing {
        "claim" => {
            deliveries::claim(store, ME, &[run], 1, Duration::from_mins(1), NOW).await.expect("a claim");
        }
        "postpone" => {
            let row = (delivery, WaitReason::QuietHours, LATER);
            deliveries::postpone(store, &[row]).await.expect("it is tried");
        }
        "transmit" => {
            step(store, delivery, Step::Transmit { message_id, content_hash, tracking, last_look: None })
                .await;
        }
        "accept" => step(store, delivery, Step::Accept(reply())).await,
        "defer" => step(store, delivery, Step::Defer { not_before: LATER, wait: None, reply: reply() }).await,
        "refuse" => {
            let reason = RefusalReason::Rejected;
            step(store, delivery, Step::Refuse { reason, reply: reply() }).await;
        }
        "doubt" => step(store, delivery, Step::Doubt { reply: reply(), again: None }).await,
        "doubt, again" => step(store, delivery, Step::Doubt { reply: reply(), again: Some(LATER) }).await,
        "skip" => {
            let reason = SkipReason::TemplateFailed;
            step(store, delivery, Step::Skip { reason, error: None }).await;
        }
        "release" => {
            step(store, delivery, Step::Release { wait: None, not_before: NOW, reply: None }).await;
        }
        "its sender dies" => {
            deliveries::recover(store, OTHER, &[], NOW).await.expect("it is looked for");
        }
        "its sender dies, again" => {
            deliveries::recover(store, OTHER, &[&campaign()], NOW).await.expect("it is looked for");
        }
        "cancel" => {
            runs::cancel(store, run, None, NOW).await.expect("it is cancelled");
        }
        "by hand: accepted" | "by hand: refused" => {
            let verdict = if doing.ends_with("accepted") { Verdict::Accepted } else { Verdict::Refused };
            uncertain::resolve(store, &Which::All, verdict).await.expect("it is settled");
        }
        "unsubscribe" => {
            let how = OwnAnswer::OneClick;
            consents::unsubscribe(store, delivery, how, None, NOW).await.expect("they unsubscribe");
        }
        other => panic!("{other}?"),
    }
}

/// The delivery stands in this state, in the hands of [`ME`], its run in sending.
async fn set(database: &TestDatabase, delivery: DeliveryId, state: DeliveryState) {
    let (id, state) = (delivery.0, state.word());
    let statement = format!(
        "UPDATE deliveries SET state = 'skipped' WHERE id <> {id};
         UPDATE deliveries SET state = '{state}', incarnation = {}, reason = NULL, not_before = {}, sent_again = 0,
             address = 'c{id}@x.example' WHERE id = {id};
         UPDATE runs SET state = 'sending', finished_at = NULL",
        ME.0,
        NOW.micros()
    );
    database.execute(&statement).await;
}

async fn state(database: &TestDatabase, delivery: DeliveryId) -> DeliveryState {
    let words = database.rows(&format!("SELECT state FROM deliveries WHERE id = {}", delivery.0)).await;
    DeliveryState::from_word(&words[0]).expect("it is a state")
}

/// From every state by every doing: nothing but arrows, and every pair that has an arrow is reached.
#[test]
fn nothing_but_arrows_happens_and_every_arrow_does() {
    on_both(|database| async move {
        let store = &database.store;
        let states = DeliveryState::ALL;
        let run = sending(store, states.len() as i64).await;
        let first = DeliveryId(1);
        let mut taken: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut pairs = BTreeSet::new();
        let mut note = |doing: &'static str, from: DeliveryState, to: DeliveryState| {
            if from == to {
                return;
            }
            taken.entry(doing).or_default().push(format!("{} to {}", from.word(), to.word()));
            // Two arrows in one transaction.
            let between =
                (doing.ends_with(", again") && to == DeliveryState::Planned && !from.may_become(to))
                    .then_some(DeliveryState::Uncertain);
            let steps: Vec<_> = std::iter::once(from).chain(between).chain([to]).collect();
            for step in steps.windows(2) {
                assert!(step[0].may_become(step[1]), "{doing}: from {from:?} to {to:?}");
                pairs.insert((step[0], step[1]));
            }
        };
        for doing in DOINGS {
            for from in states {
                set(&database, first, *from).await;
                do_to(store, run, first, doing).await;
                note(doing, *from, state(&database, first).await);
            }
        }
        // Two who become one: of those who are in the run both, the one who goes is skipped.
        for (from, number) in states.iter().zip(1..) {
            set(&database, DeliveryId(number), *from).await;
            let same = ContactUpdate {
                external_id: Some(format!("x{number}")),
                email: Some(format!("c{number}@x.example")),
                ..ContactUpdate::default()
            };
            contacts::apply(store, &[same], NOW).await.expect("they become one");
            note("merge", *from, state(&database, DeliveryId(number)).await);
        }
        for (from, number) in states.iter().zip(1..) {
            set(&database, DeliveryId(number), *from).await;
            let erased = forget::forget(store, ContactId(2 * number - 1), NOW).await;
            assert!(erased.expect("they are erased").is_some());
            note("forget", *from, state(&database, DeliveryId(number)).await);
        }
        let all = Arrow::ALL.iter().flat_map(|arrow| arrow.origins().iter().map(|from| (*from, arrow.end())));
        assert_eq!(all.filter(|pair| !pairs.contains(pair)).collect::<Vec<_>>(), []);
        let lines: Vec<String> =
            taken.iter().map(|(doing, steps)| format!("{doing}: {}", steps.join(", "))).collect();
        insta::allow_duplicates! {
            insta::assert_snapshot!(lines.join("\n"), @r"
            accept: transmitting to accepted, uncertain to accepted
            by hand: accepted: uncertain to accepted
            by hand: refused: uncertain to refused
            cancel: planned to skipped, deferred to skipped
            claim: planned to claimed, deferred to claimed
            defer: claimed to deferred, transmitting to deferred
            doubt: transmitting to uncertain
            doubt, again: transmitting to planned
            forget: planned to skipped, claimed to skipped, deferred to skipped
            its sender dies: claimed to planned, transmitting to uncertain
            its sender dies, again: claimed to planned, transmitting to planned
            merge: planned to skipped, claimed to skipped, deferred to skipped
            postpone: claimed to planned
            refuse: claimed to refused, transmitting to refused, uncertain to refused
            release: claimed to planned, transmitting to deferred
            skip: claimed to skipped
            transmit: claimed to transmitting
            unsubscribe: uncertain to accepted
            ");
        }
    });
}
