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
    let fixing = recipients::begin_fixing(store, run.id).await.expect("it is asked").expect("it is due");
    let recipient = |number| Recipient {
        contact: ContactId(number),
        address: Some(format!("c{number}@x.example")),
        version: Some("default".to_owned()),
        plan: RecipientPlan::Mail { not_before: NOW },
    };
    let recipients: Vec<_> = (1..=count).map(recipient).collect();
    recipients::add_recipients(store, fixing, &recipients, NOW).await.expect("they are added");
    assert!(
        recipients::complete_fixing(store, fixing, RunState::Sending, None, NOW)
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
            Accept: uncertain to accepted
            Refuse: uncertain to refused
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
        let begin = async || recipients::begin_fixing(store, run).await.expect("it is asked");
        let before = begin().await.expect("it is begun anew");
        let fixing = begin().await.expect("and once more, by another");
        assert_eq!(database.rows("SELECT state FROM deliveries").await, Vec::<String>::new());
        let recipient = |number| Recipient {
            contact: ContactId(number),
            address: Some("same@x.example".to_owned()),
            version: None,
            plan: RecipientPlan::Mail { not_before: NOW },
        };
        let two = [recipient(1), recipient(2)];
        let added = recipients::add_recipients(store, before, &two, NOW).await;
        assert!(!added.expect("it is tried"), "whoever began before adds nobody");
        let completed = recipients::complete_fixing(store, before, RunState::Finished, None, NOW).await;
        assert!(!completed.expect("it is tried"), "and ends nothing");
        assert!(recipients::add_recipients(store, fixing, &two, NOW).await.expect("they are added"));
        assert_eq!(
            database
                .rows("SELECT CAST(contact AS TEXT), address, state, reason FROM deliveries ORDER BY contact")
                .await,
            ["1 | same@x.example | planned | -", "2 | - | skipped | already_sent"]
        );
        assert!(!runs::approve(store, run, NOW).await.expect("it is not held"));
        assert_eq!(runs::cancel(store, run, Some("wrong"), NOW).await.expect("it is cancelled"), Some(1));
        assert_eq!(runs::cancel(store, run, None, NOW).await.expect("it was cancelled"), None);
        assert_eq!(begin().await, None, "it is cancelled");
    });
}

/// The first delivery of a run is being handed over by [`ME`].
async fn handed_over(store: &Store) -> DeliveryId {
    let run = sending(store, 1).await;
    let claimed = deliveries::claim(store, ME, &[run], 1, LEASE, NOW).await.expect("a claim");
    assert!(take(store, ME, steps().remove(0)).await);
    claimed[0].id
}

#[test]
fn what_is_known_of_a_mail_when_it_becomes_uncertain_settles_it() {
    on_both(|database| async move {
        let store = &database.store;
        let delivery = handed_over(store).await;
        let hit = |kind: &str| {
            format!(
                "INSERT INTO hits (file, place, delivery, kind, link, at, head, accept_encoding)
                 VALUES (1, 1, {}, '{kind}', 0, 0, 0, 0)",
                delivery.0
            )
        };
        let vip = CampaignName::parse("vip").expect("a name");
        for (evidence, expected) in [
            (hit("opened"), "accepted | opened | 0 | 1"),
            (hit("clicked"), "accepted | clicked | 0 | 1"),
            (
                format!(
                    "INSERT INTO unsubscribes (delivery, run, at, source) VALUES ({}, 1, 0, 'page')",
                    delivery.0
                ),
                "accepted | unsubscribed | 0 | 1",
            ),
            ("SELECT 1".to_owned(), "planned | - | 1 | 1"),
        ] {
            for dies in [false, true] {
                database.execute("DELETE FROM hits; DELETE FROM unsubscribes").await;
                set(&database, DeliveryState::Transmitting).await;
                database
                    .execute("UPDATE deliveries SET attempts = 0, sent_again = 0, settled_by = NULL")
                    .await;
                database.execute(&evidence).await;
                if dies {
                    deliveries::recover(store, OTHER, &[&vip], NOW).await.expect("it is looked for");
                } else {
                    assert!(take(store, ME, Step::Doubt { reply: reply("gone"), again: Some(LATER) }).await);
                }
                let row = "SELECT state, settled_by, CAST(sent_again AS TEXT), CAST(attempts AS TEXT) FROM deliveries";
                assert_eq!(database.rows(row).await, [expected], "{evidence}, its sender dies: {dies}");
            }
        }
    });
}

#[test]
fn an_answer_that_comes_after_the_row_was_called_uncertain_is_noted() {
    on_both(|database| async move {
        let store = &database.store;
        handed_over(store).await;
        for (answer, expected) in [
            (Step::Accept(reply("queued")), "accepted | - | 1 | queued"),
            (
                Step::Refuse { reason: RefusalReason::Rejected, reply: reply("no") },
                "refused | rejected | 1 | no",
            ),
        ] {
            set(&database, DeliveryState::Transmitting).await;
            database.execute("UPDATE deliveries SET attempts = 0").await;
            let taken = deliveries::recover(store, OTHER, &[], NOW).await.expect("it is looked for");
            assert_eq!(taken.uncertain, 1, "somebody takes its sender for dead");
            assert!(!take(store, OTHER, answer.clone()).await, "nobody else has an answer");
            assert!(take(store, ME, answer).await);
            let row = "SELECT state, reason, CAST(attempts AS TEXT), reply_text FROM deliveries";
            assert_eq!(database.rows(row).await, [expected]);
        }
    });
}

#[test]
fn leases_and_the_lead_run_by_the_clock_of_the_database() {
    on_postgres(|database| async move {
        use campaignd::store::incarnations::Incarnation;
        let store = &database.store;
        let run = sending(store, 1).await;
        let one = Incarnation::begin(store, NOW).await.expect("it begins");
        let two = Incarnation::begin(store, NOW).await.expect("it begins");
        assert!(one.lead().await.expect("it is asked"));
        assert!(!two.lead().await.expect("it is asked"), "one leads");
        deliveries::claim(store, one.id(), &[run], 1, LEASE, NOW).await.expect("a claim");

        // The other machine's clock is a year ahead.
        let ahead = NOW.plus(Duration::from_hours(24 * 365));
        let recovered = deliveries::recover(store, two.id(), &[], ahead).await.expect("it is looked for");
        assert_eq!(recovered, Recovered::default());

        // The first stands still for two minutes: it lives, and gives no sign of it.
        let later = "UPDATE leader SET until = until - 120000000;
            UPDATE deliveries SET lease_until = lease_until - 120000000";
        database.execute(later).await;
        let recovered = deliveries::recover(store, two.id(), &[], NOW).await.expect("it is looked for");
        assert_eq!(recovered.planned, 1);
        assert!(two.lead().await.expect("it is asked"), "the other leads");
        assert!(!one.lead().await.expect("it is asked"), "and the first does not when it wakes");

        // A leader that ends, or dies, leaves the lead at once.
        two.end(store, NOW).await.expect("it ends");
        assert!(one.lead().await.expect("it is asked"));
    });
}
