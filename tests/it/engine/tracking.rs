//! What may be recorded of whose mail, and where its links lead.

use campaignd::domain::delivery::DeliveryId;
use campaignd::domain::link::LinkNumber;
use campaignd::links::{Claims, Subject};
use campaignd::store::links;
use mail_parser::MessageParser;

use super::shop::{Shop, add, person, signed};
use crate::support::database::on_both;

const NOW: &str = "2026-03-02 09:00";

/// The mails since the last call: to whom, and what their addresses of this kind say.
fn mails(shop: &Shop, path: &str) -> Vec<(String, Vec<Claims>)> {
    let mut mails: Vec<_> = shop
        .mailbox
        .take()
        .iter()
        .map(|mail| {
            let message = MessageParser::default().parse(&mail.bytes).expect("a message");
            let html = message.body_html(0).expect("an HTML part");
            let base = format!("https://mail.maison.example/{path}/");
            let claims = html
                .split(&base)
                .skip(1)
                .map(|rest| signed().signer().verify(&rest[..43]).expect("it was minted here"));
            (mail.recipient.as_str().to_owned(), claims.collect())
        })
        .collect();
    mails.sort_by(|left, right| left.0.cmp(&right.0));
    mails
}

#[test]
fn the_strictest_of_campaign_and_contact_decides_when_the_mail_goes_out() {
    on_both(|database| async move {
        let declarations = "
campaigns:
  known: { audience: everyone, template: offer, repeat: every_run }
  counted: { audience: everyone, template: offer, tracking: aggregate }
  untracked: { audience: everyone, template: offer, tracking: none }
  owed: { audience: everyone, template: offer, purpose: transactional }
";
        let people = [
            person("anna").agrees_to_tracking("yes"),
            person("bert").agrees_to_tracking("no"),
            person("cleo"),
            person("dora").agrees_to_tracking("yes"),
        ];
        let shop = Shop::open(database, declarations, &people, NOW).await;
        let modes = async |shop: &Shop| {
            let rows = "SELECT r.campaign, c.external_id, d.tracking FROM deliveries d
                JOIN runs r ON r.id = d.run JOIN contacts c ON c.id = d.contact ORDER BY r.id, c.external_id";
            shop.database.rows(rows).await
        };
        shop.send("known").await;
        shop.engine.tick(shop.clock.now()).await.expect("recipients are fixed");
        // Between the plan and the mail.
        add(&shop.database.store, &[person("dora").agrees_to_tracking("no")], shop.clock.now()).await;
        shop.at(NOW).await;
        assert_eq!(
            modes(&shop).await,
            [
                "known | anna | individual",
                "known | bert | none",
                "known | cleo | none",
                "known | dora | none"
            ]
        );
        let sent = mails(&shop, "c");
        assert_eq!(sent.iter().map(|(_, links)| links.len()).collect::<Vec<_>>(), [3, 0, 0, 0]);

        for campaign in ["counted", "untracked", "owed"] {
            shop.send(campaign).await;
        }
        shop.at("2026-03-02 09:01").await;
        let modes = modes(&shop).await;
        let of_anna: Vec<_> = modes.iter().filter(|row| row.contains("anna")).collect();
        assert_eq!(
            of_anna,
            [
                "known | anna | individual",
                "counted | anna | aggregate",
                "untracked | anna | none",
                "owed | anna | none"
            ]
        );
        // What was tracked is said by the event.
        let tracked = "SELECT CAST(COUNT(*) AS TEXT) FROM events WHERE properties LIKE '%\"tracked\":true%'";
        shop.at("2026-03-02 09:02").await;
        assert_eq!(shop.database.rows(tracked).await, ["1"]);
    });
}

#[test]
fn links_stand_in_the_store_before_the_mail_goes_out() {
    on_both(|database| async move {
        let declarations = "campaigns: { known: { audience: everyone, template: offer }, counted: { audience: everyone, template: offer, tracking: aggregate } }";
        let names = ["anna", "bert", "cleo", "dora", "emil", "finn"];
        let people = names.map(|name| person(name).with("city", name).agrees_to_tracking("yes"));
        let shop = Shop::open(database, declarations, &people, NOW).await;
        let known = shop.send("known").await;
        let counted = shop.send("counted").await;
        shop.at(NOW).await;
        let store = &shop.database.store;
        let urls = async |run| {
            let links = links::of_run(store, run).await.expect("they are listed");
            let mut urls: Vec<_> = links.into_iter().map(|(_, url)| url).collect();
            urls.sort();
            urls
        };
        let own = names.map(|name| format!("https://maison.example/{name}?a=1&b=2"));
        let mut all = vec!["https://maison.example/".to_owned(), "https://maison.example/new".to_owned()];
        all.extend(own);
        all.sort();
        assert_eq!(urls(known).await, all);
        assert_eq!(urls(counted).await, ["https://maison.example/", "https://maison.example/new"]);

        let mut subjects = Vec::new();
        for (_, claims) in mails(&shop, "c") {
            for claims in claims {
                let Claims::Click(subject, number) = claims else { panic!("{claims:?}") };
                let link =
                    links::by_number(store, number).await.expect("it is looked up").expect("it is there");
                assert_eq!(LinkNumber::first_choice(link.run, &link.url), number);
                match subject {
                    Subject::Run(run) => assert_eq!((run, link.run), (counted, counted)),
                    Subject::Delivery(delivery) => {
                        assert_eq!(link.run, known);
                        subjects.push(delivery);
                    }
                }
            }
        }
        subjects.sort();
        subjects.dedup();
        assert_eq!(subjects.len(), names.len());
        assert!(subjects.iter().all(|delivery| *delivery > DeliveryId(0)));
    });
}
