//! The send ledger: claims, steps, fences; what becomes of a dead sender's rows; figures.

use std::time::Duration;

use campaignd::domain::campaign::Tracking;
use campaignd::domain::contact::{ContactId, ContactUpdate};
use campaignd::domain::delivery::{
    DeliveryId, DeliveryState, Fault, IncarnationId, RefusalReason, Reply, RunId, RunState, RunTrigger,
    SkipReason, WaitReason,
};
use campaignd::domain::name::CampaignName;
use campaignd::domain::time::Timestamp;
use campaignd::store::deliveries::{self, Recovered};
use campaignd::store::ledger::{self, LedgerStep, Step};
use campaignd::store::recipients::{self, Recipient, RecipientPlan};
use campaignd::store::runs::{self, NewRun};
use campaignd::store::{Store, contacts, figures, histories};

use crate::support::database::{TestDatabase, on_both, on_postgres};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const LATER: Timestamp = Timestamp::from_seconds(1_800_003_600);
const LEASE: Duration = Duration::from_mins(1);
const ME: IncarnationId = IncarnationId(7);
const OTHER: IncarnationId = IncarnationId(8);

/// A run in sending with a planned row for each of `count` contacts.
async fn sending(store: &Store, count: i64) -> RunId {
    let row =
        |number| ContactUpdate { email: Some(format!("c{number}@x.example")), ..ContactUpdate::default() };
    let rows: Vec<_> = (1..=count).map(row).collect();
    contacts::apply(store, &rows, NOW).await.expect("contacts are stored");
    let new = NewRun {
        campaign: CampaignName::parse("vip").expect("it is a name"),
        due_at: NOW,
        zone: None,
        state: RunState::Due,
        trigger: RunTrigger::Schedule,
        note: None,
    };
    let (run, is_new) = runs::create(store, &new, NOW).await.expect("the run is noted");
    assert!(is_new);
    assert!(recipients::begin_fixing(store, run.id).await.expect("it is due"));
    let recipient = |number| Recipient {
        contact: ContactId(number),
        address: Some(format!("c{number}@x.example")),
        version: Some("default".to_owned()),
        plan: RecipientPlan::Mail { not_before: NOW },
    };
    let recipients: Vec<_> = (1..=count).map(recipient).collect();
    recipients::add_recipients(store, run.id, &recipients, NOW).await.expect("they are added");
    assert!(
        recipients::complete_fixing(store, run.id, RunState::Sending, None, NOW)
            .await
            .expect("it is sending")
    );
    run.id
}

fn reply(text: &str) -> Reply {
    Reply {
        code: Some(250),
        enhanced: Some("2.0.0".to_owned()),
        text: text.to_owned(),
        fault: Fault::Mail,
        at: NOW,
    }
}

fn steps() -> Vec<Step> {
    vec![
        Step::Transmit {
            message_id: "<a@b>".to_owned(),
            content_hash: "00".to_owned(),
            tracking: Tracking::None,
            last_look: None,
        },
        Step::Accept(reply("ok\0, queued")),
        Step::Defer { not_before: LATER, wait: Some(WaitReason::Server), reply: reply("busy") },
        Step::Refuse { reason: RefusalReason::Rejected, reply: reply("no") },
        Step::Doubt { reply: reply("gone"), again: None },
        Step::Skip { reason: SkipReason::TemplateFailed, error: Some("no\0thing".to_owned()) },
        Step::Release { wait: None, not_before: NOW, reply: None },
    ]
}

async fn take(store: &Store, sender: IncarnationId, step: Step) -> bool {
    let step = LedgerStep { delivery: DeliveryId(1), step };
    ledger::write(store, sender, &[step], NOW).await.expect("the step is tried").is_empty()
}

async fn set(database: &TestDatabase, state: DeliveryState) {
    let state = state.word();
    database
        .execute(&format!("UPDATE deliveries SET state = '{state}', incarnation = {}, reason = NULL", ME.0))
        .await;
}

async fn state(database: &TestDatabase) -> DeliveryState {
    let words = database.rows("SELECT state FROM deliveries WHERE id = 1").await;
    DeliveryState::from_word(&words[0]).expect("it is a state")
}

#[test]
fn every_step_obeys_the_arrows_of_the_ledger() {
    on_both(|database| async move {
        sending(&database.store, 1).await;
        let mut applied = Vec::new();
        for from in DeliveryState::ALL {
            for step in steps() {
                set(&database, *from).await;
                let name = format!("{step:?}");
                let name = name.split([' ', '(']).next().unwrap_or_default().to_owned();
                assert!(!take(&database.store, OTHER, step.clone()).await, "{name} by another sender");
                assert_eq!(state(&database).await, *from);
                let took = take(&database.store, ME, step).await;
                let to = state(&database).await;
                assert_eq!(took, to != *from, "{name} from {from:?} to {to:?}");
                assert!(!took || from.may_become(to), "{name} from {from:?} to {to:?}");
                if took {
                    applied.push(format!("{name}: {} to {}", from.word(), to.word()));
                }
            }
        }
        insta::allow_duplicates! {
            insta::assert_snapshot!(applied.join("\n"), @r"
            Transmit: claimed to transmitting
            Defer: claimed to deferred
            Refuse: claimed to refused
            Skip: claimed to skipped
            Release: claimed to planned
            Accept: transmitting to accepted
            Defer: transmitting to deferred
            Refuse: transmitting to refused
            Doubt: transmitting to uncertain
            Release: transmitting to deferred
            ");
        }
    });
}

#[test]
fn many_senders_claim_each_row_once() {
    on_both(|database| async move {
        let run = sending(&database.store, 400).await;
        let sender = |number: i64| {
            let store = database.store.clone();
            tokio::spawn(async move {
                let mut claimed = Vec::new();
                loop {
                    let sender = IncarnationId(number);
                    let some =
                        deliveries::claim(&store, sender, &[run], 25, LEASE, NOW).await.expect("a claim");
                    if some.is_empty() {
                        return claimed;
                    }
                    claimed.extend(some.into_iter().map(|row| row.id.0));
                }
            })
        };
        let senders: Vec<_> = (1..=4).map(sender).collect();
        let mut all = Vec::new();
        for sender in senders {
            all.extend(sender.await.expect("the sender ends"));
        }
        all.sort_unstable();
        assert_eq!(all, (1..=400).collect::<Vec<_>>());
    });
}

#[test]
fn the_rows_of_the_dead_are_taken_back_and_those_of_the_living_are_not() {
    on_postgres(|database| async move {
        use campaignd::store::incarnations::Incarnation;
        let store = &database.store;
        let run = sending(store, 3).await;
        let dead = Incarnation::begin(store, NOW).await.expect("it begins");
        let living = Incarnation::begin(store, NOW).await.expect("it begins");
        let me = Incarnation::begin(store, NOW).await.expect("it begins");
        for (sender, count) in [(dead.id(), 2), (living.id(), 1)] {
            let claimed = deliveries::claim(store, sender, &[run], count, LEASE, NOW).await.expect("a claim");
            assert_eq!(claimed.len(), count as usize);
        }
        let step = Step::Transmit {
            message_id: "<a@b>".to_owned(),
            content_hash: "00".to_owned(),
            tracking: Tracking::None,
            last_look: None,
        };
        assert!(take(store, dead.id(), step).await);
        let number = dead.id();
        drop(dead); // its connection closes, as when its process is killed
        let mut recovered = Recovered::default();
        for _ in 0..200 {
            // The server may need a moment to see it.
            recovered = deliveries::recover(store, me.id(), &[], NOW).await.expect("it is looked for");
            if recovered != Recovered::default() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(recovered, Recovered { planned: 1, uncertain: 1, sent_again: 0 });
        let rows = database.rows("SELECT state, CAST(incarnation AS TEXT) FROM deliveries ORDER BY id").await;
        let expected = [
            format!("uncertain | {}", number.0),
            "planned | -".to_owned(),
            format!("claimed | {}", living.id().0),
        ];
        assert_eq!(rows, expected);
        assert!(
            !deliveries::renew(store, number, LEASE, NOW).await.expect("it is asked"),
            "the dead stay dead"
        );
        assert!(deliveries::renew(store, living.id(), LEASE, NOW).await.expect("it is asked"));
    });
}

#[test]
fn accepted_mail_becomes_one_event_and_is_counted() {
    on_both(|database| async move {
        let store = &database.store;
        let run = sending(store, 3).await;
        let claimed = deliveries::claim(store, ME, &[run], 3, LEASE, NOW).await.expect("a claim");
        let transmit = |id| LedgerStep {
            delivery: id,
            step: Step::Transmit {
                message_id: format!("<{}@b>", id.0),
                content_hash: "00".to_owned(),
                tracking: Tracking::None,
                last_look: None,
            },
        };
        let begin: Vec<_> = claimed[..2].iter().map(|row| transmit(row.id)).collect();
        assert_eq!(ledger::write(store, ME, &begin, NOW).await.expect("they are noted"), []);
        let end: Vec<_> = begin
            .iter()
            .map(|step| LedgerStep { delivery: step.delivery, step: Step::Accept(reply("ok")) })
            .collect();
        assert_eq!(ledger::write(store, ME, &end, NOW).await.expect("they are noted"), []);
        let wait = Step::Defer { not_before: LATER, wait: Some(WaitReason::Server), reply: reply("busy\0") };
        let wait = LedgerStep { delivery: claimed[2].id, step: wait };
        assert_eq!(ledger::write(store, ME, &[wait], NOW).await.expect("it is noted"), []);

        for expected in [2, 0] {
            assert_eq!(deliveries::record_sent(store, LATER).await.expect("it is recorded"), expected);
        }
        let log = "SELECT email, name, properties FROM event_log ORDER BY id LIMIT 1";
        let logged = database.rows(log).await.concat();
        insta::allow_duplicates! {
            insta::assert_snapshot!(
                logged,
                @r#"c1@x.example | email_sent | {"campaign":"vip","run":"1","delivery":"1","version":"default","tracked":false}"#
            );
        }
        assert_eq!(histories::verify(store).await.expect("it is verified"), []);

        let figures = figures::runs(store, None).await.expect("figures");
        let counts: Vec<_> =
            figures[0].deliveries.iter().map(|count| (count.state.word(), count.count)).collect();
        assert_eq!(counts, [("accepted", 2), ("deferred", 1)]);
        let waiting = figures::waiting(store, NOW).await.expect("what waits");
        assert_eq!(waiting.len(), 1);
        assert_eq!(
            (waiting[0].wait, waiting[0].count, waiting[0].next_try, waiting[0].last_reply.as_deref()),
            (Some(WaitReason::Server), 1, LATER, Some("busy\u{fffd}"))
        );
        assert!(runs::pause(store, run).await.expect("it is paused"));
        let waiting = figures::waiting(store, NOW).await.expect("what waits");
        assert_eq!(waiting[0].wait, Some(WaitReason::Paused));
        let totals = figures::totals(store).await.expect("totals");
        assert_eq!((totals.contacts, totals.events, totals.runs, totals.deliveries), (3, 2, 1, 3));
    });
}

#[test]
fn recipients_are_fixed_anew_after_a_crash_and_an_address_gets_one_mail() {
    on_both(|database| async move {
        let store = &database.store;
        let run = sending(store, 1).await;
        // As a crash leaves it: in fixing, with some rows.
        database.execute("UPDATE runs SET state = 'fixing'").await;
        assert!(recipients::begin_fixing(store, run).await.expect("it is begun anew"));
        assert_eq!(database.rows("SELECT state FROM deliveries").await, Vec::<String>::new());
        let recipient = |number| Recipient {
            contact: ContactId(number),
            address: Some("same@x.example".to_owned()),
            version: None,
            plan: RecipientPlan::Mail { not_before: NOW },
        };
        recipients::add_recipients(store, run, &[recipient(1), recipient(2)], NOW)
            .await
            .expect("they are added");
        assert_eq!(
            database
                .rows("SELECT CAST(contact AS TEXT), address, state, reason FROM deliveries ORDER BY contact")
                .await,
            ["1 | same@x.example | planned | -", "2 | - | skipped | already_sent"]
        );
        assert!(!runs::approve(store, run, NOW).await.expect("it is not held"));
        assert_eq!(runs::cancel(store, run, Some("wrong"), NOW).await.expect("it is cancelled"), Some(1));
        assert_eq!(runs::cancel(store, run, None, NOW).await.expect("it was cancelled"), None);
        assert!(!recipients::begin_fixing(store, run).await.expect("it is cancelled"));
    });
}
