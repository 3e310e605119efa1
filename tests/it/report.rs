//! The report over a ledger, on both databases.

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
    let run =
        NewRun { campaign: name(campaign), due_at: DUE, state, trigger: RunTrigger::Schedule, note: None };
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
        assert!(fixing::begin_fixing(store, vip).await.expect("it begins"));
        fixing::add_recipients(store, vip, &recipients, DUE).await.expect("they are added");

        let all = report::deliveries(store, None).await.expect("it is read");
        assert_eq!(
            all.campaigns.iter().map(|campaign| campaign.name.as_str()).collect::<Vec<_>>(),
            ["launch", "vip"]
        );
        let one = report::deliveries(store, Some(&name("vip"))).await.expect("it is read");
        let style = TextStyle { terminal: false, time_zone: chrono_tz::UTC };
        insta::allow_duplicates! {
            insta::assert_snapshot!(one.to_text(style), @r"
            vip: 1 run, 5 deliveries
              accepted         0   0.0 %
              waiting          3  60.0 %
              deferred         0   0.0 %
              refused          0   0.0 %
              uncertain        0   0.0 %
              skipped          2  40.0 %
                already sent   1  20.0 %
                not consented  1  20.0 %

              run  due (UTC)             state   audience  accepted  waiting  deferred  refused  uncertain  skipped
                1  Mon 2026-12-07 08:00  fixing         5         0        3         0        0          0        2
            ");
        }
        let none = report::deliveries(store, Some(&name("other"))).await.expect("it is read");
        assert_eq!(none.to_text(style), "No runs yet.\n");
    });
}
