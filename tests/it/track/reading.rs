//! From requests to opens and clicks, and what changes them later.

use std::time::Duration;

use campaignd::audience;
use campaignd::domain::campaign::Tracking;
use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::domain::consent::ConsentState;
use campaignd::domain::contact::ContactUpdate;
use campaignd::domain::delivery::RunId;
use campaignd::domain::name::SegmentName;
use campaignd::links::Subject;
use campaignd::store::{contacts, events, histories, hits, memberships};
use campaignd::track::{Drained, Read, TrackSettings, reclassify};

use super::mails::{ACCEPTED, PERSON, SCANNER, SETTINGS, Sent, consent};
use crate::support::database::on_both;

#[test]
fn one_open_a_mail_and_one_click_a_link_by_the_first_person() {
    on_both(|database| async move {
        let sent = Sent::to(&database, 2).await;
        sent.open(1, 60, PERSON).await;
        sent.open(1, 90, PERSON).await;
        sent.click(1, 0, 100, PERSON).await;
        sent.click(1, 0, 110, PERSON).await;
        sent.click(1, 1, 120, PERSON).await;
        sent.open(2, 1, SCANNER).await;
        let (drained, read) = sent.take_in().await;
        assert_eq!(drained, Drained { kept: 6, counted: 0, dropped: 0 });
        assert_eq!(read, Read { hits: 6, changed_hits: 0, new: 4, changed: 0 });
        let expected = [
            "c1 email_clicked 100 human https://maison.example/a",
            "c1 email_clicked 120 human https://maison.example/b",
            "c1 email_opened 60 human",
            "c2 email_opened 1 machine",
        ];
        assert_eq!(sent.events().await, expected);

        // Nothing new: nothing is written. More of the same is evidence only.
        assert_eq!(sent.take_in().await.1, Read::default());
        sent.open(1, 200, PERSON).await;
        assert_eq!(sent.take_in().await.1, Read { hits: 7 - 1, ..Read::default() });
        assert_eq!(sent.events().await, expected);
        sent.served.stop().await;
    });
}

#[test]
fn a_person_after_a_machine_takes_its_place() {
    on_both(|database| async move {
        let sent = Sent::to(&database, 100).await;
        for delivery in 1..=100 {
            sent.open(delivery, 1, SCANNER).await;
        }
        sent.take_in().await;
        let by_machine = sent.events().await;
        assert!(by_machine.iter().all(|event| event.ends_with("email_opened 1 machine")), "{by_machine:?}");
        for delivery in (1..=100).step_by(3) {
            sent.open(delivery, 500, PERSON).await;
        }
        let (_, read) = sent.take_in().await;
        assert_eq!((read.new, read.changed), (0, 34));
        let events = sent.events().await;
        assert_eq!(events.len(), 100, "one open a mail");
        assert_eq!(events.iter().filter(|event| event.ends_with(" 500 human")).count(), 34);
        assert_eq!(events::count(&database.store).await.expect("a count"), 100);
        assert_eq!(histories::verify(&database.store).await.expect("it is verified"), []);
        assert_eq!(
            database
                .rows("SELECT CAST(COUNT(*) AS TEXT) FROM engagements g JOIN events e ON e.id = g.event")
                .await,
            ["100"],
            "each reading knows its event"
        );
        sent.served.stop().await;
    });
}

#[test]
fn segments_see_what_was_read_anew() {
    on_both(|database| async move {
        let sent = Sent::to(&database, 3).await;
        let declarations = "
segments:
  readers: { match: { did: email_opened, within: 30 days } }
  clickers: { match: { did: email_clicked, within: 30 days } }
";
        let catalogue = crate::declare::load(&[("a.yaml", declarations)]).catalogue.expect("it is right");
        let settings = EvaluationSettings { time_zone: chrono_tz::UTC };
        let readers = async || {
            let now = sent.hand.now();
            let refreshed =
                audience::refresh(&database.store, &catalogue, settings, now).await.expect("refreshed");
            let name = SegmentName::parse("readers").expect("a name");
            let segments = memberships::ensure_segments(&database.store, &[name]).await.expect("segments");
            let members = memberships::members(&database.store, segments[0].id).await.expect("members");
            let members: Vec<i64> = members.iter().map(|member| member.contact.0).collect();
            let asked: Vec<u64> = refreshed.segments.iter().map(|moves| moves.looked_at).collect();
            (asked, members)
        };
        // Clickers come first.
        assert_eq!(readers().await, (vec![3, 3], vec![]));
        sent.open(2, 1, SCANNER).await;
        sent.take_in().await;
        assert_eq!(readers().await, (vec![0, 1], vec![]), "machines do not read");
        sent.open(2, 60, PERSON).await;
        sent.take_in().await;
        assert_eq!(readers().await, (vec![0, 1], vec![2]), "and whom it concerns is asked what it concerns");
        sent.served.stop().await;
    });
}

#[test]
fn three_links_at_once_are_a_scanner_also_when_the_third_comes_in_the_next_batch() {
    on_both(|database| async move {
        let sent = Sent::to(&database, 1).await;
        sent.click(1, 0, 60, PERSON).await;
        sent.click(1, 1, 61, PERSON).await;
        sent.take_in().await;
        let human = [
            "c1 email_clicked 60 human https://maison.example/a",
            "c1 email_clicked 61 human https://maison.example/b",
        ];
        assert_eq!(sent.events().await, human);
        sent.click(1, 2, 62, PERSON).await;
        let (_, read) = sent.take_in().await;
        assert_eq!((read.new, read.changed, read.changed_hits), (1, 2, 2));
        let by: Vec<_> = sent.events().await.iter().map(|event| event.contains(" machine ")).collect();
        assert_eq!(by, [true; 3]);
        sent.served.stop().await;
    });
}

#[test]
fn who_does_not_agree_leaves_no_trace_and_aggregate_mails_name_nobody() {
    on_both(|database| async move {
        let sent = Sent::to(&database, 3).await;
        let withdrawn = ContactUpdate {
            external_id: Some("c1".to_owned()),
            consents: vec![consent(ConsentState::No, ACCEPTED)],
            ..ContactUpdate::default()
        };
        contacts::apply(&database.store, &[withdrawn], ACCEPTED).await.expect("the withdrawal is stored");
        database.execute("UPDATE deliveries SET contact = -2 WHERE contact = 2").await;
        for delivery in [1, 2, 3, 77] {
            sent.open(delivery, 60, PERSON).await;
        }
        let run = Subject::Run(RunId(3));
        for headers in [PERSON, PERSON, SCANNER] {
            sent.get(&sent.served.links.open(run), 3_600 * 15, headers).await;
            sent.get(&sent.served.links.click(run, sent.links[1]), 3_600 * 16, headers).await;
        }
        let (drained, read) = sent.take_in().await;
        assert_eq!(drained, Drained { kept: 1, counted: 6, dropped: 3 });
        assert_eq!(read.new, 1);
        assert_eq!(sent.events().await, ["c3 email_opened 60 human"]);
        assert_eq!(database.rows("SELECT CAST(delivery AS TEXT) FROM hits").await, ["3"]);
        // 23:00 UTC on the 15th is the 16th in Paris.
        let day = 20_833;
        let counts =
            "SELECT kind, CAST(link AS TEXT), CAST(day AS TEXT), agent, CAST(count AS TEXT) FROM run_hits
            ORDER BY kind, agent";
        assert_eq!(
            database.rows(counts).await,
            [
                format!("clicked | {} | {} | human | 2", sent.links[1].0, day + 1),
                format!("clicked | {} | {} | machine | 1", sent.links[1].0, day + 1),
                format!("opened | 0 | {} | human | 2", day + 1),
                format!("opened | 0 | {} | machine | 1", day + 1),
            ]
        );

        // The installation records less than before.
        sent.open(3, 100, PERSON).await;
        let less = TrackSettings { ceiling: Tracking::Aggregate, ..SETTINGS };
        assert_eq!(sent.take_in_with(less).await.0, Drained { kept: 0, counted: 1, dropped: 0 });
        sent.open(3, 100, PERSON).await;
        let nothing = TrackSettings { ceiling: Tracking::None, ..SETTINGS };
        assert_eq!(sent.take_in_with(nothing).await.0, Drained { kept: 0, counted: 0, dropped: 1 });
        sent.served.stop().await;
    });
}

#[test]
fn mails_that_are_being_handed_over_are_read_when_they_are_settled() {
    on_both(|database| async move {
        let sent = Sent::to(&database, 1).await;
        database.execute("UPDATE deliveries SET state = 'transmitting', settled_at = NULL").await;
        sent.open(1, 60, PERSON).await;
        assert_eq!(sent.take_in().await, (Drained { kept: 1, ..Drained::default() }, Read::default()));
        let at = ACCEPTED.plus(Duration::from_secs(59)).micros();
        database.execute(&format!("UPDATE deliveries SET state = 'accepted', settled_at = {at}")).await;
        sent.take_in().await;
        assert_eq!(sent.events().await, ["c1 email_opened 60 machine"], "a second after it was accepted");
        sent.served.stop().await;
    });
}

#[test]
fn reclassify_applies_the_rules_to_the_past() {
    on_both(|database| async move {
        let sent = Sent::to(&database, 50).await;
        for delivery in 1..=50 {
            sent.open(delivery, 60, if delivery % 2 == 0 { PERSON } else { SCANNER }).await;
        }
        sent.take_in().await;
        let right = sent.events().await;
        // As if rules of another edition had read: everybody is a machine.
        database
            .execute(
                "UPDATE hits SET agent = 'machine', rule = 'program';
                 UPDATE engagements SET agent = 'machine', rule = 'program', rules = 0;",
            )
            .await;
        // The person of delivery 4 was erased: what was read stands.
        database.execute("UPDATE hits SET user_agent = NULL, network = NULL WHERE delivery = 4").await;
        let now = sent.hand.now();
        let again = async || reclassify(&database.store, now, &|_| {}).await.expect("it is read anew");
        assert_eq!(again().await, Read { hits: 50, changed_hits: 24, new: 0, changed: 24 });
        assert_eq!(again().await, Read { hits: 50, ..Read::default() });
        assert_eq!(sent.events().await, right);
        assert_eq!(histories::verify(&database.store).await.expect("it is verified"), []);
        let of_edition = "SELECT CAST(COUNT(*) AS TEXT) FROM engagements WHERE rules = 1 AND agent = 'human'";
        assert_eq!(database.rows(of_edition).await, ["24"]);
        sent.served.stop().await;
    });
}

#[test]
fn purged_evidence_leaves_what_was_read_from_it() {
    on_both(|database| async move {
        let sent = Sent::to(&database, 2).await;
        sent.open(1, 60, PERSON).await;
        sent.open(2, 1, SCANNER).await;
        sent.take_in().await;
        let before = ACCEPTED.plus(Duration::from_hours(1));
        assert_eq!(hits::purge(&database.store, before, 1).await.expect("it is purged"), 1);
        assert_eq!(hits::purge(&database.store, before, 10).await.expect("it is purged"), 1);
        assert_eq!(hits::purge(&database.store, before, 10).await.expect("it is purged"), 0);
        sent.open(1, 7_200, SCANNER).await;
        sent.open(1, 7_300, PERSON).await;
        sent.open(2, 7_400, PERSON).await;
        sent.take_in().await;
        assert_eq!(sent.events().await, ["c1 email_opened 60 human", "c2 email_opened 7400 human"]);
        sent.served.stop().await;
    });
}

#[test]
fn a_program_that_went_mad_is_evidence_and_nothing_more() {
    on_both(|database| async move {
        let sent = Sent::to(&database, 1).await;
        sent.open(1, 60, PERSON).await;
        sent.take_in().await;
        let many = "INSERT INTO hits (file, place, delivery, kind, link, at, head, accept_encoding)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
            SELECT 1, i, 1, 'opened', 0, 1800000100000000 + i, 0, 0 FROM n";
        database.execute(many).await;
        assert_eq!(sent.take_in().await.1.hits, 1_000);
        let rules = "SELECT rule, CAST(COUNT(*) AS TEXT) FROM hits GROUP BY rule ORDER BY rule";
        assert_eq!(database.rows(rules).await, ["browser | 1", "many | 501", "unclear | 999"]);
        assert_eq!(sent.events().await, ["c1 email_opened 60 human"]);
        sent.served.stop().await;
    });
}
