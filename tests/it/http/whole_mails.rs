//! Every address of 500 mails, asked for as scanners and prefetchers do: nobody is unsubscribed by it, and
//! nobody is led anywhere that the mail did not.

use std::collections::{BTreeMap, BTreeSet};

use campaignd::clock::Clock;
use futures_util::StreamExt as _;
use mail_parser::MessageParser;

use crate::engine::shop::{Shop, person};
use crate::support::database::{TestDatabase, on_both};
use crate::support::http::{Served, request};

const DECLARATIONS: &str = "campaigns: { offer: { audience: everyone, template: offer } }";
const MAILS: usize = 500;
const OURS: &str = "https://mail.maison.example/";

/// All tables but those that requests are for, each with its rows as text.
async fn contents(database: &TestDatabase) -> BTreeMap<String, Vec<String>> {
    let sqlite = database.address.starts_with("sqlite://");
    let tables = if sqlite {
        "SELECT name FROM sqlite_schema WHERE type = 'table'"
    } else {
        "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()"
    };
    let mut contents = BTreeMap::new();
    for table in database.rows(tables).await {
        let row = if sqlite {
            let columns = database.rows(&format!("SELECT name FROM pragma_table_info('{table}')")).await;
            columns.iter().map(|column| format!("quote({column})")).collect::<Vec<_>>().join(" || ' ' || ")
        } else {
            format!("{table}::text")
        };
        let rows = database.rows(&format!("SELECT {row} FROM {table} ORDER BY 1")).await;
        contents.insert(table, rows);
    }
    contents
}

/// All addresses of the web in a text: they end at white space, quotation marks or brackets.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("https://").map(|(start, _)| {
        let rest = &text[start..];
        let end = rest.find(|end: char| end.is_whitespace() || "\"'<>,".contains(end));
        &rest[..end.unwrap_or(rest.len())]
    })
}

#[test]
fn asking_for_every_address_of_500_mails_changes_nothing_and_leads_nowhere_else() {
    on_both(|database| async move {
        let people: Vec<_> = (0..MAILS)
            .map(|number| format!("p{number:03}"))
            .map(|name| person(&name).with("city", &name).agrees_to_tracking("yes"))
            .collect();
        let shop = Shop::open(database, DECLARATIONS, &people, "2026-03-02 09:00").await;
        shop.send("offer").await;
        shop.at("2026-03-02 09:00").await;
        // What mails were is recorded behind them.
        shop.at("2026-03-02 09:01").await;

        let mails = shop.mailbox.take();
        assert_eq!(mails.len(), MAILS);
        let mut asked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for mail in &mails {
            let name = mail.recipient.as_str().split('@').next().expect("a name");
            let led = BTreeSet::from([
                "https://maison.example/".to_owned(),
                "https://maison.example/new".to_owned(),
                format!("https://maison.example/{name}?a=1&b=2"),
            ]);
            let message = MessageParser::default().parse(&mail.bytes).expect("a message");
            let html = message.body_html(0).expect("an HTML part").into_owned();
            let text = message.body_text(0).expect("a text part").into_owned();
            let headers = String::from_utf8_lossy(message.raw_message()).into_owned();
            let mut own = 0;
            for address in addresses(&html).chain(addresses(&text)).chain(addresses(&headers)) {
                if let Some(path) = address.strip_prefix(OURS).filter(|path| path.len() == 45) {
                    own += usize::from(asked.insert(format!("/{path}"), led.clone()).is_none());
                }
            }
            assert_eq!(own, 6, "three links, the pixel, a way out, preferences: {html}");
        }

        let served = Served::start(&shop.database, Clock::Set(shop.clock.clone())).await;
        let before = contents(&shop.database).await;
        assert!(before.len() > 20 && before["deliveries"].len() == MAILS);
        let requests = asked.iter().flat_map(|one| ["GET", "HEAD"].map(|method| (method, one)));
        let answers = futures_util::stream::iter(requests).map(|(method, (path, led))| {
            let public = served.public;
            async move {
                let answer = request(public, method, path, "user-agent: scanner/1.0", b"").await;
                let to = answer.header("location").map(str::to_owned);
                match &path[..3] {
                    "/c/" => {
                        let to = to.expect("a link leads on");
                        assert!(answer.status == 302 && led.contains(&to), "{path} leads to {to}");
                        return Some((path, to));
                    }
                    _ => assert_eq!((answer.status, to), (200, None), "{path}"),
                }
                None
            }
        });
        let leads: BTreeSet<_> = answers.buffer_unordered(16).filter_map(async |lead| lead).collect().await;
        assert_eq!(leads.len(), 3 * MAILS, "each link leads to one address, and all of them are reached");
        let reached: BTreeSet<_> = leads.iter().map(|(_, to)| to.as_str()).collect();
        assert_eq!(reached.len(), MAILS + 2);

        let after = contents(&shop.database).await;
        for (table, rows) in &before {
            assert!(after[table] == *rows, "{table} changed");
        }
        let files = served.spool.take().expect("files");
        let hits: usize = files.iter().map(|file| file.read(0, 10_000).expect("it is read").hits.len()).sum();
        assert_eq!(hits, 4 * 2 * MAILS, "three links and the pixel, by GET and by HEAD");
        served.stop().await;
    });
}
