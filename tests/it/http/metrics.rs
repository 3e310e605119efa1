//! `/metrics`: on the report's listener only, in the text format of Prometheus, also of a store that cannot be written.

use std::time::Duration;

use campaignd::clock::Clock;
use campaignd::domain::delivery::{RunState, RunTrigger};
use campaignd::domain::name::CampaignName;
use campaignd::domain::time::Timestamp;
use campaignd::store::deliveries;
use campaignd::store::incarnations::Incarnation;
use campaignd::store::runs::{self, NewRun};

use crate::ingest::{import_text, options};
use crate::support::database::{TestDatabase, on_both};
use crate::support::http::{Served, request};

/// 2023-11-14T22:13:20.25Z.
const START: Timestamp = Timestamp::from_micros(1_700_000_000_250_000);

const LEASE: Duration = Duration::from_mins(1);

async fn metrics(served: &Served) -> String {
    let answer = request(served.report, "GET", "/metrics", "", b"").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.text()
}

/// The samples of metrics whose names begin so.
fn samples(page: &str, name: &str) -> Vec<String> {
    page.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
}

#[test]
fn metrics_are_on_the_reports_listener_and_say_what_waits() {
    on_both(|database: TestDatabase| async move {
        let served = Served::start(&database, Clock::System).await;
        assert_eq!(request(served.public, "GET", "/metrics", "", b"").await.status, 404);
        let store = &database.store;
        import_text(store, "contacts.csv", "id\n1\n2\n3\n", &options()).await;
        let campaign = CampaignName::parse("news").expect("a name");
        let (state, trigger) = (RunState::Sending, RunTrigger::Schedule);
        let new = NewRun { campaign, due_at: START, zone: None, state, trigger, note: None };
        let (run, _) = runs::create(store, &new, START).await.expect("the run is noted");
        let run = run.id.0;
        for (contact, state, wait) in
            [(1, "planned", "NULL"), (2, "planned", "'rate'"), (3, "uncertain", "NULL")]
        {
            let row = format!(
                "INSERT INTO deliveries (run, contact, version, state, wait, not_before)
                 VALUES ({run}, {contact}, '', '{state}', {wait}, 0)"
            );
            database.execute(&row).await;
        }
        let page = metrics(&served).await;
        let of = |name: &str| samples(&page, name);
        assert_eq!(of("campaignd_contacts"), ["campaignd_contacts 3"]);
        assert_eq!(of("campaignd_deliveries "), ["campaignd_deliveries 3"]);
        assert_eq!(of("campaignd_deliveries_uncertain"), ["campaignd_deliveries_uncertain 1"]);
        let mut waiting = of("campaignd_deliveries_waiting");
        waiting.sort();
        let one = |reason| format!("campaignd_deliveries_waiting{{run=\"{run}\",for=\"{reason}\"}} 1");
        assert_eq!(waiting, [one("rate"), one("turn")]);
        assert_eq!(of("campaignd_store_"), ["campaignd_store_writable 1", "campaignd_store_answers 1"]);
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            let name = name.split('{').next().expect("a name");
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(
                page.contains(&format!("# HELP {name} ")) && page.contains(&format!("# TYPE {name} gauge")),
                "{line}"
            );
        }
        served.stop().await;
    });
}

#[test]
fn a_store_that_cannot_be_written_is_told_with_its_cause_until_it_can() {
    on_both(|database: TestDatabase| async move {
        let at = |minute: u64| START.plus(Duration::from_mins(minute));
        let served = Served::start(&database, Clock::System).await;
        let store = &database.store;
        let sender = Incarnation::begin(store, at(0)).await.expect("a sender");
        assert!(deliveries::renew(store, sender.id(), LEASE, at(1)).await.expect("it is written"));
        let written =
            ["campaignd_store_writable 1", "campaignd_store_last_write_timestamp_seconds 1700000060.250000"];
        assert_eq!(samples(&metrics(&served).await, "campaignd_store_")[..2], written);

        database.fill_up("incarnations").await;
        for minute in [2, 3] {
            deliveries::renew(store, sender.id(), LEASE, at(minute)).await.expect_err("there is no room");
        }
        let page = samples(&metrics(&served).await, "campaignd_store_");
        assert_eq!(page[0], "campaignd_store_writable 0");
        assert_eq!(page[1], written[1], "the last that was written");
        let (name, since) = page[2].rsplit_once(' ').expect("a value");
        assert!(name.starts_with("campaignd_store_unwritable_since_timestamp_seconds{cause=\""), "{page:?}");
        assert!(name.contains("prolong the leases") && name.contains("No space left on device"), "{page:?}");
        assert_eq!(since, "1700000120.250000", "the first try that failed");
        assert_eq!(page[3], "campaignd_store_answers 1");

        database.make_room("incarnations").await;
        deliveries::renew(store, sender.id(), LEASE, at(4)).await.expect("there is room again");
        let page = samples(&metrics(&served).await, "campaignd_store_");
        assert_eq!(
            page[..2],
            ["campaignd_store_writable 1", "campaignd_store_last_write_timestamp_seconds 1700000240.250000"]
        );
        served.stop().await;
    });
}
