//! Who withdraws consent to tracking: later mails have no pixel and no rewritten link, and what old mails still
//! send leads on, but is recorded nowhere.

use std::time::Duration;

use campaignd::clock::Clock;
use campaignd::domain::email::Email;
use campaignd::track;

use crate::engine::shop::{Shop, person};
use crate::support::database::{TestDatabase, on_both};
use crate::support::http::{Served, request};
use crate::track::mails::{PERSON, SETTINGS};

const OFFER: &str = "
campaigns:
  offer: { audience: everyone, template: offer, repeat: every_run, tracking: individual }
";

/// The paths of our own addresses in the HTML part that begin so.
fn paths(mail: &Email, begin: &str) -> Vec<String> {
    let parsed = mail_parser::MessageParser::default().parse(&mail.bytes).expect("a mail");
    let html = parsed.body_html(0).expect("an HTML part").into_owned();
    let mark = format!("https://mail.maison.example{begin}");
    let path =
        |rest: &str| format!("{begin}{}", rest.split(['"', '\'', ' ', '>']).next().unwrap_or_default());
    html.split(mark.as_str()).skip(1).map(path).collect()
}

#[test]
fn after_a_withdrawal_nothing_is_recorded_any_more() {
    on_both(|database: TestDatabase| async move {
        let anna = person("anna").agrees_to_tracking("yes");
        let shop = Shop::open(database, OFFER, &[anna], "2026-03-02 09:00").await;
        let (clock, hand) = Clock::set_at(shop.clock.now());
        let served = Served::start(&shop.database, clock).await;
        shop.send("offer").await;
        shop.at("2026-03-02 09:00").await;
        let first = shop.mailbox.take().pop().expect("a mail");
        let (pixels, clicks) = (paths(&first, "/o/"), paths(&first, "/c/"));
        assert_eq!((pixels.len(), clicks.len()), (1, 3));
        let preferences = paths(&first, "/p/").pop().expect("the page of preferences");
        let recorded = async || {
            let now = shop.clock.now();
            hand.set(now);
            track::take_in(&shop.database.store, &served.spool, SETTINGS, now)
                .await
                .expect("hits are taken in");
            shop.database
                .rows(
                    "SELECT 'hits', CAST(COUNT(*) AS TEXT) FROM hits UNION ALL
                     SELECT 'events', CAST(COUNT(*) AS TEXT) FROM events e JOIN event_names n ON n.id = e.name
                       WHERE n.name IN ('email_opened', 'email_clicked') UNION ALL
                     SELECT 'counts', CAST(COALESCE(SUM(count), 0) AS TEXT) FROM run_hits",
                )
                .await
        };
        let reads = async |minutes: u64| {
            hand.set(shop.clock.now().plus(Duration::from_mins(minutes)));
            assert_eq!(request(served.public, "GET", &pixels[0], PERSON, b"").await.status, 200);
            let answer = request(served.public, "GET", &clicks[0], PERSON, b"").await;
            assert_eq!((answer.status, answer.header("location")), (302, Some("https://maison.example/")));
        };
        reads(1).await;
        shop.at("2026-03-02 09:10").await;
        let with_consent = ["hits | 2", "events | 2", "counts | 0"];
        assert_eq!(recorded().await, with_consent);

        let form = "content-type: application/x-www-form-urlencoded";
        let saved = request(served.public, "POST", &preferences, form, b"tracking=no").await;
        assert_eq!(saved.status, 200);
        reads(5).await;
        shop.at("2026-03-02 09:20").await;
        assert_eq!(recorded().await, with_consent, "the links lead on; nothing is recorded");

        shop.send("offer").await;
        shop.at("2026-03-02 09:30").await;
        let second = shop.mailbox.take().pop().expect("marketing is still agreed to");
        assert_eq!((paths(&second, "/o/").len(), paths(&second, "/c/").len()), (0, 0));
        let modes = shop.database.rows("SELECT tracking FROM deliveries ORDER BY id").await;
        assert_eq!(modes, ["individual", "none"]);

        // Links that are erased lead nowhere as soon as the database is asked again.
        reads(0).await;
        shop.database.execute("DELETE FROM links").await;
        reads(0).await;
        hand.set(shop.clock.now().plus(Duration::from_secs(10)));
        assert_eq!(request(served.public, "GET", &clicks[0], PERSON, b"").await.status, 404);
        served.stop().await;
    });
}
