//! The report's pages.

use std::time::Duration;

use campaignd::clock::Clock;
use campaignd::domain::delivery::{RunState, RunTrigger};
use campaignd::domain::name::CampaignName;
use campaignd::domain::time::Timestamp;
use campaignd::store::Store;
use campaignd::store::runs::{self, NewRun};

use crate::support::database::on_both;
use crate::support::http::{Served, request};

/// 2026-12-07T08:00:00Z.
const DUE: Timestamp = Timestamp::from_seconds(1_796_630_400);

async fn ran(store: &Store, campaign: &str) {
    let campaign = CampaignName::parse(campaign).expect("a name");
    let (state, trigger) = (RunState::Missed, RunTrigger::Schedule);
    let run = NewRun { campaign, due_at: DUE, zone: None, state, trigger, note: None };
    runs::create(store, &run, DUE).await.expect("the run is noted");
}

#[test]
fn marketers_find_all_campaigns_and_each() {
    on_both(|database| async move {
        let (clock, hand) = Clock::set_at(DUE);
        let served = Served::start(&database, clock).await;
        let get = |path: &'static str| request(served.report, "GET", path, "", b"");
        let empty = get("/").await;
        assert_eq!((empty.status, empty.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert!(empty.text().contains("No campaign has run yet"), "{}", empty.text());
        assert!(empty.text().contains("Nobody is being mailed"), "{}", empty.text());
        let policy = empty.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none';"), "no script, nothing from elsewhere: {policy}");
        assert_eq!(empty.header("cache-control"), Some("no-store"));

        ran(&database.store, "news").await;
        assert_eq!(get("/").await, empty, "the page is some seconds old");
        hand.set(DUE.plus(Duration::from_secs(11)));
        let all = get("/").await.text();
        assert!(all.contains("<a href=\"campaigns/news\">"), "{all}");
        let one = get("/campaigns/news").await.text();
        assert!(one.contains("<h1>news</h1>") && one.contains("href=\"../\""), "{one}");
        for page in [&all, &one] {
            assert!(!page.contains("<script") && !page.contains("src="), "{page}");
        }
        for path in ["/campaigns/other", "/campaigns/%3Cscript%3E", "/campaigns/", "/campaigns/news/"] {
            assert_eq!(get(path).await.status, 404, "{path}");
        }
        assert_eq!(request(served.report, "POST", "/", "", b"").await.status, 405);
        assert_eq!(request(served.public, "GET", "/", "", b"").await.status, 404, "never for the world");
        assert_eq!(request(served.public, "GET", "/campaigns/news", "", b"").await.status, 404);
        served.stop().await;
    });
}
