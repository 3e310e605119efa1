//! Pixels and links, as mail programs and browsers ask for them.

use campaignd::clock::Clock;
use campaignd::domain::delivery::{DeliveryId, RunId};
use campaignd::domain::engagement::{EngagementKind, Hit, HitSubject, RequestFacts};
use campaignd::domain::link::LinkNumber;
use campaignd::domain::time::Timestamp;
use campaignd::links::Subject;
use campaignd::store::links;

use crate::support::database::{TestDatabase, on_both};
use crate::support::http::{Answer, Served, request};

const SHOP: &str = "https://maison.example/rackets?utm_source=newsletter#top é";

const BROWSER: &str = "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
    accept: image/avif,image/webp,*/*
    accept-language: fr,en;q=0.5
    accept-encoding: gzip, deflate
    x-forwarded-for: 203.0.113.77";

fn clock() -> Clock {
    Clock::set_at(Timestamp::from_seconds(1_800_000_000)).0
}

async fn link(database: &TestDatabase, run: i64) -> LinkNumber {
    let numbers =
        links::intern(&database.store, RunId(run), &[SHOP.to_owned()]).await.expect("links are noted");
    numbers[0]
}

/// The path of an address of ours.
fn path(address: &str) -> &str {
    address.strip_prefix("https://mail.maison.example").expect("an address of ours")
}

async fn get(served: &Served, path: &str) -> Answer {
    request(served.public, "GET", path, BROWSER, b"").await
}

/// What lies in the spool.
fn hits(served: &Served) -> Vec<Hit> {
    let files = served.spool.take().expect("files");
    let batches = files.iter().map(|file| file.read(0, 1_000).expect("it is read"));
    batches.flat_map(|batch| batch.hits).map(|spooled| spooled.hit).collect()
}

#[test]
fn a_pixel_is_always_the_same_and_leaves_a_hit() {
    on_both(|database| async move {
        let served = Served::start(&database, clock()).await;
        let pixel = served.links.open(Subject::Delivery(DeliveryId(42)));
        let first = get(&served, path(&pixel)).await;
        assert_eq!((first.status, first.body.len()), (200, 43));
        assert!(first.body.starts_with(b"GIF89a") && first.body.ends_with(b";"));
        assert_eq!(first.header("content-type"), Some("image/gif"));
        assert_eq!(first.header("cache-control"), Some("no-store"));
        assert_eq!(first.header("set-cookie"), None);
        let head = request(served.public, "HEAD", path(&pixel), "", b"").await;
        assert_eq!((head.status, head.body.len(), head.header("content-length")), (200, 0, Some("43")));
        let of_run = served.links.open(Subject::Run(RunId(3)));
        assert_eq!(get(&served, path(&of_run)).await.body, first.body);

        let hits = hits(&served);
        assert_eq!(hits.len(), 3);
        assert_eq!(hits[0].subject, HitSubject::Delivery(DeliveryId(42)));
        assert_eq!((hits[0].kind, hits[0].link), (EngagementKind::Opened, 0));
        assert_eq!(hits[0].at, Timestamp::from_seconds(1_800_000_000));
        let expected = RequestFacts {
            head: false,
            user_agent: Some(
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
            ),
            network: Some("203.0.113.0/24".to_owned()),
            accept: Some("image/avif,image/webp,*/*".to_owned()),
            accept_language: Some("fr,en;q=0.5".to_owned()),
            accept_encoding: true,
            ..RequestFacts::default()
        };
        assert_eq!(hits[0].request, expected);
        assert!(hits[1].request.head && hits[1].request.user_agent.is_none());
        assert_eq!(hits[2].subject, HitSubject::Run(RunId(3)));
        served.stop().await;
    });
}

#[test]
fn a_link_leads_where_the_mail_said_and_nowhere_else() {
    on_both(|database| async move {
        let served = Served::start(&database, clock()).await;
        let number = link(&database, 3).await;
        for subject in [Subject::Delivery(DeliveryId(42)), Subject::Run(RunId(3))] {
            for method in ["GET", "HEAD"] {
                let address = served.links.click(subject, number);
                let answer = request(served.public, method, path(&address), BROWSER, b"").await;
                assert_eq!(answer.status, 302);
                let location = "https://maison.example/rackets?utm_source=newsletter#top%20%C3%A9";
                assert_eq!(answer.header("location"), Some(location));
                assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
                assert_eq!(answer.header("cache-control"), Some("no-store"));
            }
        }
        // Another run's link, a link that is not in the table, tokens of other purposes, no token at all.
        let links = &served.links;
        let of_other_run = links.click(Subject::Run(RunId(4)), number);
        let of_no_link = links.click(Subject::Delivery(DeliveryId(42)), LinkNumber(1));
        let open = links.open(Subject::Delivery(DeliveryId(42)));
        let unsubscribe = links.unsubscribe(DeliveryId(42));
        let token_of = |address: &str| address.rsplit('/').next().expect("a token").to_owned();
        let altered = path(&open).replace("/o/A", "/o/B");
        for path in [
            path(&of_other_run).to_owned(),
            path(&of_no_link).to_owned(),
            format!("/c/{}", token_of(&open)),
            format!("/c/{}", token_of(&unsubscribe)),
            format!("/o/{}", token_of(&of_other_run)),
            altered,
            format!("{}.gif", path(&open)),
            format!("{}/", path(&open)),
            format!("/o/x/{}", token_of(&open)),
            "/o/".to_owned(),
            "/c/%ff".to_owned(),
            "/c/https:%2f%2fevil.example".to_owned(),
        ] {
            let answer = get(&served, &path).await;
            assert_eq!((answer.status, answer.header("location")), (404, None), "{path}");
            assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"), "{path}");
        }
        let posted = request(served.public, "POST", path(&open), BROWSER, b"").await;
        assert_eq!((posted.status, posted.header("allow")), (405, Some("GET,HEAD")));
        served.stop().await;
    });
}

#[test]
fn without_the_store_known_links_lead_on_and_others_are_asked_to_wait() {
    on_both(|database| async move {
        let served = Served::start(&database, clock()).await;
        let (known, unknown) = (link(&database, 3).await, link(&database, 4).await);
        let subject = Subject::Delivery(DeliveryId(42));
        assert_eq!(get(&served, path(&served.links.click(subject, known))).await.status, 302);
        database.execute("ALTER TABLE links RENAME TO links_elsewhere").await;
        assert_eq!(get(&served, path(&served.links.click(subject, known))).await.status, 302);
        let answer = get(&served, path(&served.links.click(subject, unknown))).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
        assert!(answer.text().contains("try again"), "{}", answer.text());
        assert_eq!(hits(&served).len(), 3, "all of them are recorded");
        database.execute("ALTER TABLE links_elsewhere RENAME TO links").await;
        assert_eq!(get(&served, path(&served.links.click(subject, unknown))).await.status, 302);
        served.stop().await;
    });
}

#[test]
fn when_the_spool_cannot_be_written_links_still_lead_on() {
    on_both(|database| async move {
        let served = Served::start(&database, clock()).await;
        let number = link(&database, 3).await;
        let subject = Subject::Delivery(DeliveryId(42));
        served.break_the_spool();
        let pixel = get(&served, path(&served.links.open(subject))).await;
        assert_eq!((pixel.status, pixel.header("retry-after")), (503, Some("5")));
        assert_eq!(get(&served, path(&served.links.click(subject, number))).await.status, 302);
        served.mend_the_spool();
        assert_eq!(get(&served, path(&served.links.open(subject))).await.status, 200);
        assert_eq!(hits(&served).len(), 1);
        served.stop().await;
    });
}
