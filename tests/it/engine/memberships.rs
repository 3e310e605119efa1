//! Segments are kept true: who enters and leaves, by data and by time, in full and in part.

use campaignd::audience;
use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::domain::contact::ContactId;
use campaignd::domain::event::NewEvent;
use campaignd::domain::name::SegmentName;
use campaignd::domain::time::Timestamp;
use campaignd::store::{Store, contacts, events, memberships};

use super::shop::{ZONE, add, at, declared, person};
use crate::support::database::{TestDatabase, on_both};

const SEGMENTS: &str = "
segments:
  buyers: { match: { did: purchase, within: 30 days } }
  locals: { match: { attribute: { city: Lyon } } }
";

const SETTINGS: EvaluationSettings = EvaluationSettings { time_zone: ZONE };

async fn buys(store: &Store, name: &str, when: Timestamp) {
    let contact = contacts::find(store, name).await.expect("people are read").expect("somebody").id;
    let event = NewEvent {
        contact,
        name: "purchase".to_owned(),
        at: when,
        message_id: None,
        properties: String::new(),
    };
    events::append(store, &[event], "test", when).await.expect("the purchase is stored");
}

/// Refreshes; gives how many were looked at, and by segment for how many and who is in.
async fn refresh(store: &Store, declarations: &str, now: Timestamp) -> String {
    let catalogue = declared(declarations).catalogue;
    let refreshed =
        audience::refresh(store, &catalogue, SETTINGS, now).await.expect("segments are refreshed");
    let names: Vec<SegmentName> = catalogue.segments.keys().cloned().collect();
    let segments = memberships::ensure_segments(store, &names).await.expect("segments are known");
    let mut words =
        vec![format!("{} of {}:", if refreshed.full { "all" } else { "some" }, refreshed.looked_at)];
    for (segment, moves) in segments.iter().zip(&refreshed.segments) {
        let members = memberships::members(store, segment.id).await.expect("members are read");
        let members: Vec<_> = members.iter().map(|member| member.contact).collect();
        let people = contacts::by_numbers(store, &members).await.expect("people are read");
        let people: Vec<_> = people.into_iter().filter_map(|one| one.external_id).collect();
        words.push(format!("{}({})={}", segment.kept, moves.looked_at, people.join(",")));
    }
    words.join(" ")
}

#[test]
fn memberships_follow_data_and_time() {
    on_both(|database: TestDatabase| async move {
        let store = &database.store;
        let start = at("2026-03-01 12:00");
        add(store, &[person("anna").with("city", "Lyon"), person("bert"), person("cleo")], start).await;
        buys(store, "anna", at("2026-02-10 12:00")).await;
        buys(store, "bert", at("2026-02-28 12:00")).await;
        let check = async |now: &str, expected: &str| {
            assert_eq!(refresh(store, SEGMENTS, at(now)).await, expected, "at {now}");
        };
        check("2026-03-01 12:00", "all of 3: buyers(3)=anna,bert locals(3)=anna").await;
        check("2026-03-01 12:05", "some of 0: buyers(0)=anna,bert locals(0)=anna").await;
        // By data: cleo moves, and buys.
        add(store, &[person("cleo").with("city", "Lyon")], at("2026-03-01 12:06")).await;
        buys(store, "cleo", at("2026-03-01 12:07")).await;
        check("2026-03-01 12:10", "some of 1: buyers(1)=anna,bert,cleo locals(1)=anna,cleo").await;
        // By time: thirty days after her purchase anna leaves, and nobody else is looked at.
        check("2026-03-12 11:59", "some of 0: buyers(0)=anna,bert,cleo locals(0)=anna,cleo").await;
        check("2026-03-12 12:00", "some of 1: buyers(1)=bert,cleo locals(1)=anna,cleo").await;
        // A late event of hers brings her back.
        buys(store, "anna", at("2026-03-01 10:00")).await;
        check("2026-03-12 12:05", "some of 1: buyers(1)=anna,bert,cleo locals(0)=anna,cleo").await;
        // Another declaration: everybody is looked at, but for that segment alone; for all of them after the
        // clock went far back.
        let weekly = SEGMENTS.replace("30 days", "7 days");
        assert_eq!(
            refresh(store, &weekly, at("2026-03-12 12:10")).await,
            "some of 3: buyers(3)= locals(0)=anna,cleo"
        );
        check("2026-03-12 12:15", "some of 3: buyers(3)=anna,bert,cleo locals(0)=anna,cleo").await;
        // A clock that is set back a little is waited for.
        check("2026-03-12 12:14", "some of 0: buyers(0)=anna,bert,cleo locals(0)=anna,cleo").await;
        check("2026-03-12 11:00", "all of 3: buyers(3)=anna,bert,cleo locals(3)=anna,cleo").await;

        let buyers = SegmentName::parse("buyers").expect("a name");
        let buyers = memberships::ensure_segments(store, &[buyers]).await.expect("segments are known")[0].id;
        let passages = |passages: Vec<memberships::Passage>| -> Vec<_> {
            passages.into_iter().map(|one| (one.contact, one.at)).collect()
        };
        let left = passages(memberships::lately_left(store, buyers, 10).await.expect("passages are read"));
        assert!(left.contains(&(ContactId(1), at("2026-03-12 12:00"))), "{left:?}");
        let entered =
            passages(memberships::lately_entered(store, buyers, 10).await.expect("passages are read"));
        assert!(entered.contains(&(ContactId(3), at("2026-03-01 12:10"))), "{entered:?}");
    });
}
