//! The report over a ledger, on both databases.

use chrono_tz::UTC;

use campaignd::domain::contact::ContactId;
use campaignd::domain::delivery::{RunState, RunTrigger, SkipReason};
use campaignd::domain::name::CampaignName;
use campaignd::domain::time::Timestamp;
use campaignd::report::{self, TextStyle};
use campaignd::store::Store;
use campaignd::store::recipients::{self as fixing, Recipient, RecipientPlan};
use campaignd::store::runs::{self, NewRun};

use crate::ingest::{import_text, options};
use crate::support::database::on_both;

/// 2026-12-07T08:00:00Z.
const DUE: Timestamp = Timestamp::from_seconds(1_796_630_400);

fn name(name: &str) -> CampaignName {
    CampaignName::parse(name).expect("a name")
}

async fn run(store: &Store, campaign: &str, state: RunState) -> campaignd::domain::delivery::RunId {
    let run = NewRun {
        campaign: name(campaign),
        due_at: DUE,
        zone: None,
        state,
        trigger: RunTrigger::Schedule,
        note: None,
    };
    runs::create(store, &run, DUE).await.expect("the run is noted").0.id
}

#[test]
fn every_contact_of_an_audience_is_counted_once() {
    on_both(|database| async move {
        let store = &database.store;
        import_text(store, "contacts.csv", "id\n1\n2\n3\n4\n5\n", &options()).await;
        let vip = run(store, "vip", RunState::Due).await;
        run(store, "launch", RunState::Missed).await;
        let recipient = |contact: i64, plan| Recipient {
            contact: ContactId(contact),
            address: Some(format!("{contact}@shop.example")),
            version: matches!(plan, RecipientPlan::Mail { .. }).then(|| "default".to_owned()),
            plan,
        };
        let mail = RecipientPlan::Mail { not_before: DUE };
        let recipients = [
            recipient(1, mail),
            recipient(2, mail),
            recipient(3, mail),
            recipient(4, RecipientPlan::Skip(SkipReason::NotConsented)),
            recipient(5, RecipientPlan::Skip(SkipReason::AlreadySent)),
        ];
        let begun = fixing::begin_fixing(store, vip).await.expect("it is asked").expect("it begins");
        fixing::add_recipients(store, begun, &recipients, DUE).await.expect("they are added");

        let all = report::read(store, None, UTC).await.expect("it is read");
        assert_eq!(
            all.campaigns.iter().map(|campaign| campaign.name.as_str()).collect::<Vec<_>>(),
            ["launch", "vip"]
        );
        let one = report::read(store, Some(&name("vip")), UTC).await.expect("it is read");
        let style = TextStyle::plain(UTC);
        insta::allow_duplicates! {
            insta::assert_snapshot!(one.to_text(style), @"
            vip: 1 run, 5 deliveries
              accepted         0   0.0 %
              waiting          3  60.0 %  ████████████████████████
              deferred         0   0.0 %
              refused          0   0.0 %
              uncertain        0   0.0 %
              skipped          2  40.0 %  ████████████████
                already sent   1  20.0 %  ████████
                not consented  1  20.0 %  ████████

              run  due (UTC)             state   audience  accepted  waiting  deferred  refused  uncertain  skipped
                1  Mon 2026-12-07 08:00  fixing         5         0        3         0        0          0        2
            ");
        }
        let none = report::read(store, Some(&name("other")), UTC).await.expect("it is read");
        assert_eq!(none.to_text(style), "No runs yet.\n");
    });
}

/// What came back, as `track` and `consent` keep it: five mails to one person each, tracked one by one but
/// for the fourth and the fifth (whose answer was lost).
#[test]
fn what_came_back_is_counted_by_the_most_human_reading() {
    on_both(|database| async move {
        let store = &database.store;
        import_text(store, "contacts.csv", "id\n1\n2\n3\n4\n5\n", &options()).await;
        let run = run(store, "news", RunState::Due).await;
        let minute = |minutes: i64| DUE.micros() + minutes * 60_000_000;
        for (delivery, version, state, tracking) in [
            (1, "a", "accepted", "individual"),
            (2, "a", "accepted", "individual"),
            (3, "b", "accepted", "individual"),
            (4, "b", "accepted", "none"),
            (5, "b", "uncertain", "individual"),
        ] {
            let run = run.0;
            database
                .execute(&format!(
                    "INSERT INTO deliveries (id, run, contact, address, version, state, not_before, tracking)
                     VALUES ({delivery}, {run}, {delivery}, '{delivery}@shop.example', '{version}', '{state}', 0, '{tracking}')"
                ))
                .await;
        }
        let other_run = run.0 + 1;
        database
            .execute(&format!(
                "INSERT INTO links (number, run, url) VALUES (7, {run}, 'https://shop.example/?a=1&b=2'), (8, {run}, 'https://shop.example/b')",
                run = run.0
            ))
            .await;
        let (sent, next_day) = (minute(0), minute(24 * 60));
        database
            .execute(&format!(
                "INSERT INTO engagements (delivery, kind, link, agent, rule, at, rules) VALUES
                 (1, 'opened', 0, 'human', 'browser', {sent}, 1),
                 (1, 'clicked', 7, 'machine', 'scanner', {sent}, 1),
                 (1, 'clicked', 8, 'human', 'browser', {next_day}, 1),
                 (2, 'opened', 0, 'machine', 'prefetch', {sent}, 1),
                 (3, 'clicked', 7, 'unknown', 'nothing', {sent}, 1),
                 (5, 'opened', 0, 'human', 'browser', {sent}, 1)"
            ))
            .await;
        database
            .execute(&format!(
                "INSERT INTO hits (file, place, delivery, kind, link, at, head, accept_encoding, agent) VALUES
                 (1, 1, 1, 'opened', 0, {sent}, 0, 1, 'machine'), (1, 2, 1, 'opened', 0, {next_day}, 0, 1, 'human'),
                 (1, 3, 1, 'clicked', 7, {sent}, 0, 1, 'machine'), (1, 4, 1, 'clicked', 8, {next_day}, 0, 1, 'human'),
                 (1, 5, 3, 'clicked', 7, {sent}, 0, 1, NULL)"
            ))
            .await;
        database
            .execute(&format!(
                "INSERT INTO unsubscribes (delivery, run, at, source) VALUES (4, {run}, {next_day}, 'one-click')",
                run = run.0
            ))
            .await;
        database
            .execute(&format!(
                "INSERT INTO run_hits (run, kind, link, day, agent, count) VALUES
                 ({run}, 'opened', 0, 20794, 'human', 40), ({run}, 'clicked', 8, 20795, 'machine', 2),
                 ({other_run}, 'opened', 0, 20794, 'human', 1000)",
                run = run.0
            ))
            .await;

        let report = report::read(store, None, UTC).await.expect("it is read");
        let json = report.to_json();
        let runs = &json["campaigns"][0]["runs"][0];
        insta::allow_duplicates! {
            insta::assert_snapshot!(short(&json["campaigns"][0]["engagement"]), @r#"{"mails":{"individual":3,"none":1},"opened":{"deliveries":{"human":1,"machine":1},"hits":{"human":1,"machine":1}},"clicked":{"deliveries":{"human":1,"unknown":1},"hits":{"human":1,"unknown":1,"machine":1}},"unsubscribed":{"deliveries":1},"counted":{"opens":{"human":40},"clicks":{"machine":2}},"links":[{"link":"https://shop.example/b","deliveries":{"human":1},"hits":{"human":1,"machine":2}},{"link":"https://shop.example/?a=1&b=2","deliveries":{"unknown":1,"machine":1},"hits":{"unknown":1,"machine":1}}],"days":[{"day":"2026-12-07","opened":{"human":1,"machine":1},"clicked":{"unknown":1},"counted":{"opens":{"human":40}}},{"day":"2026-12-08","clicked":{"human":1},"unsubscribed":1,"counted":{"clicks":{"machine":2}}}]}"#);
            insta::assert_snapshot!(short(&runs["versions"]["a"]["engagement"]["clicked"]), @r#"{"deliveries":{"human":1},"hits":{"human":1,"machine":1}}"#);
            insta::assert_snapshot!(runs["versions"]["b"]["engagement"]["mails"], @r#"{"individual":1,"aggregate":0,"none":1}"#);
        }
    });
}

/// Without what is 0 or empty, and without rates.
fn short(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    let worth = |value: &Value| match value {
        Value::Number(number) => number.as_u64() != Some(0),
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| *name != "rate")
            .map(|(name, value)| (name.clone(), short(value)))
            .filter(|(_, value)| worth(value))
            .collect::<serde_json::Map<String, Value>>()
            .into(),
        Value::Array(items) => items.iter().map(short).collect(),
        other => other.clone(),
    }
}
