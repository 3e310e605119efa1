//! The pages behind the links of a mail, over real HTTP: GET asks, POST acts.

use campaignd::clock::Clock;
use campaignd::domain::delivery::{DeliveryId, RunId};
use campaignd::links::{Claims, Subject};

use crate::engine::shop::{Shop, person};
use crate::support::database::{TestDatabase, on_both, on_sqlite};
use crate::support::http::{Answer, Served, request};

const SALE: &str = "campaigns: { sale: { audience: everyone, template: letter, repeat: every_run } }";
const FORM: &str = "content-type: application/x-www-form-urlencoded";

struct Site {
    shop: Shop,
    served: Served,
}

impl Site {
    /// Anna and Bert were mailed, by deliveries 1 and 2.
    async fn open(database: TestDatabase) -> Self {
        let people = [person("anna").in_language("fr"), person("bert")];
        let shop = Shop::open(database, SALE, &people, "2026-03-02 09:00").await;
        shop.send("sale").await;
        shop.at("2026-03-02 09:00").await;
        assert_eq!(shop.mailed(), ["anna", "bert"]);
        let (clock, _) = Clock::set_at(shop.clock.now());
        let served = Served::start(&shop.database, clock).await;
        Self { shop, served }
    }

    fn path(&self, claims: Claims) -> String {
        format!("/{}/{}", claims.purpose().path(), self.served.links.signer().mint(claims))
    }

    async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        request(self.served.public, method, path, headers, body.as_bytes()).await
    }

    /// All that answers may change.
    async fn standing(&self) -> Vec<String> {
        self.shop
            .database
            .rows(
                "SELECT 'contact', external_id, CAST(marketing AS TEXT), CAST(tracking AS TEXT) FROM contacts
                 UNION ALL SELECT 'suppressed', address, cause, source FROM suppressions
                 UNION ALL SELECT 'event', n.name, e.message_id, e.source
                   FROM events e JOIN event_names n ON n.id = e.name WHERE n.name = 'email_unsubscribed'
                 ORDER BY 1, 2",
            )
            .await
    }
}

#[test]
fn looking_changes_nothing_and_a_post_acts_once() {
    on_both(|database: TestDatabase| async move {
        let site = Site::open(database).await;
        let before = site.standing().await;
        let anna = site.path(Claims::Unsubscribe(DeliveryId(1)));
        for method in ["GET", "HEAD", "GET"] {
            let answer = site.ask(method, &anna, "", "").await;
            assert_eq!(answer.status, 200, "{method}");
            assert_eq!(answer.body.is_empty(), method == "HEAD", "{method}");
            assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
            assert_eq!(answer.header("content-language"), Some("fr"));
        }
        let page = site.ask("GET", &anna, "", "").await.text();
        assert!(page.contains("<html lang=\"fr\">") && page.contains("a…@shop.example"), "{page}");
        assert!(page.contains("<form method=\"post\">") && !page.contains("<script"), "{page}");
        assert!(!page.contains("anna@"), "the address is masked: {page}");
        assert_eq!(site.standing().await, before);

        let answer = site.ask("POST", &anna, FORM, "from=page").await;
        assert_eq!(
            (answer.status, answer.header("location"), answer.header("set-cookie")),
            (200, None, None)
        );
        assert!(answer.text().contains("Le désabonnement est fait"), "{}", answer.text());
        let after = site.standing().await;
        assert_eq!(
            after,
            [
                "contact | anna | 2 | 0",
                "contact | bert | 1 | 0",
                "event | email_unsubscribed | email_unsubscribed:1 | campaignd",
                "suppressed | anna@shop.example | unsubscribe | unsubscribe page",
            ]
        );
        // The same again: the same answer, and nothing more in the store.
        let again = site.ask("POST", &anna, FORM, "from=page").await;
        assert_eq!((again.status, &again.body), (200, &answer.body));
        assert_eq!(site.standing().await, after);
        site.served.stop().await;
    });
}

#[test]
fn one_click_works_in_both_encodings_without_a_cookie_or_a_redirect() {
    on_both(|database: TestDatabase| async move {
        let site = Site::open(database).await;
        let (anna, bert) =
            (site.path(Claims::Unsubscribe(DeliveryId(1))), site.path(Claims::Unsubscribe(DeliveryId(2))));
        let urlencoded = site.ask("POST", &anna, FORM, "List-Unsubscribe=One-Click").await;
        let multipart = "--b7\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b7--\r\n";
        let multipart =
            site.ask("POST", &bert, "content-type: multipart/form-data; boundary=b7", multipart).await;
        for answer in [&urlencoded, &multipart] {
            assert_eq!(
                (answer.status, answer.header("location"), answer.header("set-cookie")),
                (200, None, None)
            );
        }
        let sources =
            site.shop.database.rows("SELECT address, source FROM suppressions ORDER BY address").await;
        assert_eq!(sources, ["anna@shop.example | one-click", "bert@shop.example | one-click"]);
        // What is no form at all was sent by somebody all the same.
        let answer = site.ask("POST", &bert, "content-type: multipart/form-data", "\u{0}").await;
        assert_eq!((answer.status, &answer.body), (200, &multipart.body));
        site.shop.at("2026-03-02 09:05").await;
        site.shop.send("sale").await;
        site.shop.at("2026-03-02 09:10").await;
        assert_eq!(site.shop.mailed(), [""; 0]);
        site.served.stop().await;
    });
}

#[test]
fn links_that_are_not_known_all_get_the_same_page() {
    on_both(|database: TestDatabase| async move {
        let site = Site::open(database).await;
        let before = site.standing().await;
        let good = site.path(Claims::Unsubscribe(DeliveryId(1)));
        let token = |claims| site.path(claims).split_off(3);
        let mut paths = vec![
            "/u/x".to_owned(),
            good[..good.len() - 1].to_owned(),
            format!("{good}A"),
            format!("/u/{}", token(Claims::Preferences(DeliveryId(1)))),
            format!("/p/{}", token(Claims::Unsubscribe(DeliveryId(1)))),
            format!("/u/{}", token(Claims::Open(Subject::Delivery(DeliveryId(1))))),
            format!("/u/{}", token(Claims::Open(Subject::Run(RunId(1))))),
            site.path(Claims::Unsubscribe(DeliveryId(0))),
            site.path(Claims::Preferences(DeliveryId(99))),
        ];
        for place in [3, 20, 44] {
            let mut altered = good.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            paths.push(String::from_utf8(altered).expect("ASCII"));
        }
        let first = site.ask("GET", &paths[0], "", "").await;
        assert_eq!(first.status, 404);
        for path in &paths {
            for (method, body) in
                [("GET", ""), ("POST", "List-Unsubscribe=One-Click"), ("POST", "marketing=no")]
            {
                let answer = site.ask(method, path, FORM, body).await;
                assert_eq!((answer.status, &answer.body), (404, &first.body), "{method} {path}");
            }
            let head = site.ask("HEAD", path, "", "").await;
            assert_eq!((head.status, head.body.len()), (404, 0));
        }
        assert_eq!(site.standing().await, before);

        for path in [&good, &site.path(Claims::Preferences(DeliveryId(1)))] {
            for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
                let answer = site.ask(method, path, "", "").await;
                assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD,POST")), "{method}");
            }
        }
        assert_eq!(site.standing().await, before);
        site.served.stop().await;
    });
}

#[test]
fn preferences_are_shown_saved_and_taken_back() {
    on_both(|database: TestDatabase| async move {
        let site = Site::open(database).await;
        let page = site.path(Claims::Preferences(DeliveryId(2)));
        let shown = async |headers: &str| site.ask("GET", &page, headers, "").await.text();
        let text = shown("accept-language: pt-BR, de;q=0.8, en").await;
        assert!(text.contains("<html lang=\"de\">") && text.contains("Ihre Einstellungen"), "{text}");
        assert!(text.contains("name=\"marketing\" value=\"yes\" checked"), "{text}");
        assert_eq!(text.matches(" checked").count(), 1, "tracking is not known: {text}");

        let saved = site.ask("POST", &page, FORM, "marketing=no&tracking=no").await;
        assert_eq!((saved.status, saved.header("location")), (200, None));
        assert!(saved.text().contains("Your choice is saved."), "{}", saved.text());
        let again = site.ask("POST", &page, FORM, "marketing=no&tracking=no").await;
        assert_eq!((again.status, &again.body), (200, &saved.body));
        let standing = site.standing().await;
        assert!(standing.contains(&"contact | bert | 2 | 2".to_owned()), "{standing:?}");
        assert!(
            standing.contains(&"suppressed | bert@shop.example | unsubscribe | preferences page".to_owned())
        );
        // What is not said stays; what is no answer is none.
        for nothing in ["", "marketing=maybe", "x=y"] {
            let answer = site.ask("POST", &page, FORM, nothing).await;
            assert!(!answer.text().contains("Your choice is saved."), "{nothing}");
            assert_eq!(site.standing().await, standing, "{nothing}");
        }
        // Never by looking.
        site.ask("GET", &format!("{page}?marketing=yes"), "", "").await;
        assert_eq!(site.standing().await, standing);
        let back = site.ask("POST", &page, FORM, "marketing=yes").await;
        assert!(back.text().contains("name=\"marketing\" value=\"yes\" checked"), "{}", back.text());
        let standing = site.standing().await;
        assert!(standing.contains(&"contact | bert | 1 | 2".to_owned()), "{standing:?}");
        assert!(!standing.iter().any(|row| row.starts_with("suppressed")), "{standing:?}");
        let words =
            site.shop.database.rows("SELECT words FROM consent_changes WHERE purpose = 'tracking'").await;
        assert_eq!(words.len(), 1);
        assert!(words[0].contains("may record whether I open these mails"), "{words:?}");
        site.shop.at("2026-03-02 09:05").await;
        site.shop.send("sale").await;
        site.shop.at("2026-03-02 09:10").await;
        assert_eq!(site.shop.mailed(), ["anna", "bert"]);
        site.served.stop().await;
    });
}

#[test]
fn what_cannot_be_stored_is_not_confirmed() {
    on_sqlite(|database: TestDatabase| async move {
        let site = Site::open(database).await;
        let anna = site.path(Claims::Unsubscribe(DeliveryId(1)));
        site.shop.database.execute("ALTER TABLE unsubscribes RENAME TO away").await;
        let answer = site.ask("POST", &anna, FORM, "List-Unsubscribe=One-Click").await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
        assert!(answer.text().contains("Rien n’a changé"), "{}", answer.text());
        let standing = site.standing().await;
        assert_eq!(standing, ["contact | anna | 1 | 0", "contact | bert | 1 | 0"], "all of it or nothing");
        site.shop.database.execute("ALTER TABLE away RENAME TO unsubscribes").await;
        assert_eq!(site.ask("POST", &anna, FORM, "List-Unsubscribe=One-Click").await.status, 200);
        site.served.stop().await;
    });
}
