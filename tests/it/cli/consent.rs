//! Consent from the outside: a daemon that sends while somebody unsubscribes; `suppress`, `forget`, `contact`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::daemon::Daemon;
use super::{NewProject, campaignd};
use crate::support::database::{TestDatabase, on_both, on_sqlite};
use crate::support::http::request;
use crate::support::smtp::{SmtpServer, SmtpServerOptions, TakenMail};

/// How long to wait for what is to come soon; machines may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// Everybody, at every run.
const NEWS: &str = "
campaigns:
  news:
    audience: everyone
    repeat: every_run
    from: Maison <hello@shop.example>
    template: thank_you
    data: { percent: 10 }
";

#[test]
fn nobody_is_mailed_a_second_after_the_answer() {
    on_both(|database: TestDatabase| async move {
        let project = NewProject::on(&database.address);
        let people: Vec<String> = (10..26).map(|n| format!("{n},p{n}@shop.example,yes\n")).collect();
        project.write("people.csv", &format!("id,email,consent.marketing\n{}", people.concat()));
        project.fine(["import", "people.csv"]);
        project.write("campaigns/news.yaml", NEWS);
        // Four connections, one mail in 0.7 seconds each: of 16 rows in hand the last wait for two seconds.
        let options =
            SmtpServerOptions { a_message_takes: Duration::from_millis(700), ..SmtpServerOptions::default() };
        let server = SmtpServer::start_with(options).await;
        let transport =
            format!("transport: {{ smtp: {{ host: 127.0.0.1, port: {}, tls: none }} }}\n", server.port());
        project.write("campaignd.yaml", &format!("{}\n{transport}", project.read("campaignd.yaml")));
        let mut daemon = Daemon::start(&project);
        let pages = daemon.says_where("pages: http://");
        daemon.says("ready");

        project.fine(["send", "news", "--yes"]);
        let first = until(&server, 16).await;
        let links: BTreeMap<String, String> =
            first.iter().map(|mail| (mail.recipient.clone(), unsubscribe_path(mail))).collect();
        assert_eq!(links.len(), 16);
        // The second run is under way, all of it in hand, when the last eight unsubscribe.
        project.fine(["send", "news", "--yes"]);
        until(&server, 17).await;
        let mut answered = BTreeMap::new();
        for (address, path) in links.iter().rev().take(8) {
            let form = "content-type: application/x-www-form-urlencoded";
            let answer = request(pages, "POST", path, form, b"List-Unsubscribe=One-Click").await;
            assert_eq!(answer.status, 200);
            answered.insert(address.clone(), (Instant::now(), server.mails().len()));
        }
        let status = |status: &str| {
            let status: Value = serde_json::from_str(status).expect("JSON");
            status["open"].as_array().is_some_and(Vec::is_empty)
        };
        let mut late = Vec::new();
        let mut seen = 0;
        let start = Instant::now();
        loop {
            let mails = server.mails();
            for mail in &mails[seen.max(17).min(mails.len())..] {
                late.extend(answered.get(&mail.recipient).map(|(at, _)| at.elapsed()));
            }
            seen = mails.len();
            if status(&project.fine(["status", "--json"]).out) && server.mails().len() == seen {
                break;
            }
            assert!(start.elapsed() < PATIENCE, "the run comes to its end");
        }
        // Looked at now and then, so a mail seems later than it was; a mail from before the answer may come in.
        assert!(late.iter().all(|after| *after < Duration::from_secs(1)), "{late:?}");
        let rows = database
            .rows("SELECT CAST(COUNT(*) AS TEXT), state, reason FROM deliveries WHERE run = 2 GROUP BY state, reason ORDER BY 2")
            .await;
        let total: usize =
            rows.iter().map(|row| row.split(' ').next().unwrap_or("0").parse::<usize>().unwrap_or(0)).sum();
        assert_eq!(total, 16, "{rows:?}");
        assert!(rows.iter().any(|row| row.ends_with("skipped | suppressed_unsubscribe")), "{rows:?}");
        assert_eq!(daemon.stop("-TERM"), Some(0));
    });
}

/// Waits until the server took so many mails.
async fn until(server: &SmtpServer, count: usize) -> Vec<TakenMail> {
    let start = Instant::now();
    loop {
        let mails = server.mails();
        if mails.len() >= count {
            return mails;
        }
        assert!(start.elapsed() < PATIENCE, "{} of {count} mails", mails.len());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The path of the address in `List-Unsubscribe`.
fn unsubscribe_path(mail: &TakenMail) -> String {
    let text = String::from_utf8_lossy(&mail.bytes);
    let (_, rest) = text.split_once("List-Unsubscribe: <https://mail.shop.example").expect("the header");
    rest.split('>').next().expect("its end").to_owned()
}

const NAME: &str = "Adelheid-Quirinus";
const ADDRESS: &str = "Adelheid.Q@geheim.example";
const ID: &str = "kundin-4711-q";
const ORDER: &str = "bestellung-0815-q";

#[test]
fn a_person_is_erased_everywhere_and_stays_unmailed() {
    on_both(|database: TestDatabase| async move {
        let project = NewProject::with_data_on(&database.address);
        project.write("campaigns/news.yaml", NEWS);
        let contacts = format!("id,email,first_name,consent.marketing\n{ID},{ADDRESS},{NAME},yes\n");
        project.write("adelheid.csv", &contacts);
        project.write(
            "adelheid.jsonl",
            &format!(
                "{{\"event\":\"purchase\",\"id\":\"{ID}\",\"at\":\"2026-11-01T10:00:00Z\",\"message_id\":\"{ORDER}\",\"properties\":{{\"order\":\"{ORDER}\",\"amount\":250}}}}\n"
            ),
        );
        project.fine(["import", "adelheid.csv"]);
        project.fine(["import", "adelheid.jsonl"]);
        project.fine(["segment", "regulars"]);
        project.fine(["send", "news", "--yes"]);
        // What readers, other calls and servers leave.
        let delivery = format!("(SELECT id FROM deliveries WHERE address = '{}')", ADDRESS.to_lowercase());
        let contact = format!("(SELECT id FROM contacts WHERE external_id = '{ID}')");
        for statement in [
            format!(
                "INSERT INTO links (number, run, url) VALUES (5, 1, 'https://x.example/?mail=adelheid.q%40geheim.example'), (6, 1, 'https://x.example/all'), (7, 1, 'https://x.example/{ID}/basket')"
            ),
            format!(
                "INSERT INTO hits (file, place, delivery, kind, link, at, head, user_agent, network, accept_encoding, agent, rule) SELECT 1, 1, {delivery}, 'opened', 0, 5, 0, 'Adelheid-Quirinus-Phone', '203.0.113.0/24', 1, 'human', 'browser'"
            ),
            format!(
                "INSERT INTO engagements (delivery, kind, link, agent, rule, at, rules) SELECT {delivery}, 'opened', 0, 'human', 'browser', 5, 1"
            ),
            format!("UPDATE deliveries SET reply_text = 'thanks, {ADDRESS}' WHERE id = {delivery}"),
            format!(
                "INSERT INTO anonymous_ids (anonymous_id, contact, joined_at) SELECT 'device-of-Adelheid-Quirinus', {contact}, 5"
            ),
            format!("INSERT INTO contact_said (contact, said) SELECT {contact}, '{{}}'"),
        ] {
            database.execute(&statement).await;
        }
        let before = project.fine(["report", "news", "--json"]).out;
        let story: Value =
            serde_json::from_str(&project.fine(["contact", ADDRESS, "--export"]).out).expect("JSON");
        assert_eq!(story["contact"]["id"], ID);
        assert_eq!(story["contact"]["attributes"]["first_name"], NAME);
        assert_eq!(story["events"][0]["properties"]["campaign"], "news");
        assert_eq!(story["events"][1]["properties"]["order"], ORDER);
        assert_eq!(story["mails"][0]["state"], "accepted");
        assert_eq!(story["engagements"][0]["by"], "human");
        assert_eq!(story["requests"][0]["user_agent"], "Adelheid-Quirinus-Phone");
        assert_eq!(story["anonymous_ids"][0], "device-of-Adelheid-Quirinus");
        assert_eq!(story["consents"][0]["answer"], "yes");
        assert!(!found(&database).await.is_empty(), "the search finds what is there");

        let asked = campaignd(project.folder(), ["forget", ADDRESS]);
        assert_eq!(asked.exit, 2, "{}", asked.err);
        assert!(asked.err.contains("--yes"), "{}", asked.err);
        let said = project.fine(["forget", ADDRESS, ADDRESS, "--yes", "--json"]);
        let said: Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(
            (&said["contacts"], &said["events"], &said["deliveries"]),
            (&1.into(), &2.into(), &1.into())
        );
        assert_eq!((&said["addresses_as_hashes"], &said["links"]), (&1.into(), &2.into()));

        assert_eq!(found(&database).await, [""; 0], "nothing of her is left");
        assert_eq!(project.fine(["report", "news", "--json"]).out, before, "the counts stay true");
        assert_eq!(project.fine(["migrate"]).exit, 0);
        let different = campaignd::store::histories::verify(&database.store).await;
        assert_eq!(different.expect("histories are verified"), []);
        let gone = campaignd(project.folder(), ["contact", ADDRESS]);
        assert_eq!(gone.exit, 2, "{}", gone.out);

        // She comes back by an import of the same file: known by the hash, she is not mailed.
        project.fine(["import", "adelheid.csv"]);
        project.fine(["send", "news", "--yes"]);
        let rows = database
            .rows("SELECT state, reason FROM deliveries d JOIN contacts c ON c.id = d.contact WHERE c.external_id LIKE 'kundin%'")
            .await;
        assert_eq!(rows, ["skipped | suppressed_import"]);
    });
}

/// Where the database's files, or the server's tables, still hold a trace.
async fn found(database: &TestDatabase) -> Vec<String> {
    let needles = [NAME, ADDRESS, ID, ORDER, "adelheid.q"];
    let is_in = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        needles.iter().find(|needle| text.contains(&needle.to_lowercase())).copied()
    };
    let mut places = Vec::new();
    if let Some(path) = database.address.strip_prefix("sqlite://") {
        for suffix in ["", "-wal", "-journal"] {
            let file = format!("{path}{suffix}");
            if let Ok(bytes) = std::fs::read(Path::new(&file)) {
                places.extend(is_in(&bytes).map(|needle| format!("{needle} in {suffix}")));
            }
        }
        return places;
    }
    let tables = "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    for table in database.rows(tables).await {
        // Bytes are searched as text: what is packed is not compressed.
        let rows = database
            .rows(&format!(
                "SELECT COALESCE(string_agg(encode(convert_to(CAST(t AS TEXT), 'UTF8'), 'escape'), ' '), '') FROM {table} t"
            ))
            .await;
        let bytes: Vec<u8> = rows.concat().into_bytes();
        places.extend(is_in(&bytes).map(|needle| format!("{needle} in {table}")));
    }
    for column in ["heads", "properties"] {
        let rows = database.rows(&format!("SELECT encode({column}, 'escape') FROM history_chunks")).await;
        places.extend(is_in(rows.concat().as_bytes()).map(|needle| format!("{needle} in {column}")));
    }
    places
}

#[test]
fn suppressions_are_added_listed_and_removed() {
    on_both(|database: TestDatabase| async move {
        let project = NewProject::with_data_on(&database.address);
        let out = |said: super::Said| said.out;
        assert_eq!(
            out(project.fine(["suppress", "Ada@Shop.example", "@rival.example"])),
            "2 suppressions added, 0 known already\n"
        );
        assert_eq!(
            out(project.fine(["suppress", "ada@shop.example"])),
            "0 suppressions added, 1 known already\n"
        );
        project
            .write("bounced.txt", "# from the relay\nbruno@shop.example\n\nnobody\nada@shop.example # too\n");
        let said = campaignd(
            project.folder(),
            ["suppress", "--file", "bounced.txt", "--cause", "bounce", "--source", "relay"],
        );
        assert_eq!(
            (said.exit, said.out.as_str()),
            (1, "2 suppressions added, 0 known already\n"),
            "{}",
            said.err
        );
        assert!(said.err.contains("bounced.txt:4: `nobody` is not an e-mail address"), "{}", said.err);
        let listed: Value =
            serde_json::from_str(&out(project.fine(["suppress", "--list", "--json"]))).expect("JSON");
        let rows: Vec<String> = listed["suppressions"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|row| {
                format!("{} {} {} {}", row["address"], row["cause"], row["scope"], row["source"])
                    .replace('"', "")
            })
            .collect();
        assert_eq!(
            rows,
            [
                "@rival.example import marketing by hand",
                "ada@shop.example bounce all relay",
                "ada@shop.example import marketing by hand",
                "bruno@shop.example bounce all relay",
            ]
        );
        let of_one = out(project.fine(["suppress", "--list", "x@rival.example"]));
        assert!(of_one.contains("@rival.example") && !of_one.contains("ada@"), "{of_one}");
        let noted = project.fine(["suppress", "eve@shop.example", "--scope", "all"]);
        assert!(
            noted.err.contains("only a bounce or complaint holds back transactional mail"),
            "{}",
            noted.err
        );
        assert_eq!(
            out(project.fine(["suppress", "ada@shop.example", "--remove", "--cause", "import"])),
            "1 suppression removed\n"
        );
        assert_eq!(
            out(project.fine(["suppress", "ada@shop.example", "--remove"])),
            "1 suppression removed\n"
        );
        assert_eq!(
            out(project.fine(["suppress", "ada@shop.example", "--remove"])),
            "0 suppressions removed\n"
        );
        for (words, message) in [
            (&["suppress"][..], "nobody is named"),
            (&["suppress", "a@b.example", "--cause", "boredom"], "no cause is called `boredom`"),
            (&["suppress", "--file", "missing.txt"], "cannot read `missing.txt`"),
        ] {
            let said = campaignd(project.folder(), words);
            assert_eq!(said.exit, 2, "{words:?}: {}", said.err);
            assert!(said.err.contains(message), "{words:?}: {}", said.err);
        }
    });
}

#[test]
fn a_contacts_story_is_told() {
    on_both(|database: TestDatabase| async move {
        let project = NewProject::with_data_on(&database.address);
        project.fine(["send", "thank_you", "--yes"]);
        project.fine(["suppress", "@shop.example", "--cause", "complaint"]);
        let text = project.fine(["contact", "1", "--events", "1"]).out;
        for part in [
            "id         1\n",
            "e-mail     ada@shop.example\n",
            "marketing  yes since ",
            "first_name  Ada",
            "spend_12m",
            "@shop.example  complaint  all",
            "thank_you",
            "accepted",
            "email_sent",
            "earlier event",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let json: Value =
            serde_json::from_str(&project.fine(["contact", "ada@shop.example", "--json"]).out).expect("JSON");
        assert_eq!(json["version"], 1);
        assert!(json["traits"]["spend_12m"].is_number(), "{json}");
        assert_eq!(json["mails"][0]["campaign"], "thank_you");
        assert!(json.get("requests").is_none());
        let nobody = campaignd(project.folder(), ["contact", "nobody@shop.example"]);
        assert_eq!(nobody.exit, 2);
        assert!(nobody.err.contains("no contact has the id or address"), "{}", nobody.err);
    });
}

#[test]
fn everyone_is_a_segment_and_a_file_is_no_folder() {
    on_sqlite(|database: TestDatabase| async move {
        let project = NewProject::with_data_on(&database.address);
        let said = project.fine(["segment", "everyone", "--json"]).out;
        let said: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!((&said["segment"]["members"], &said["segment"]["contacts"]), (&5.into(), &5.into()));
        let slip = campaignd(project.folder(), ["segment", "everyon"]);
        assert_eq!(slip.exit, 2);
        assert!(slip.err.contains("did you mean `everyone`"), "{}", slip.err);
        for folder in ["contacts.csv", "contacts.csv/deeper"] {
            let said = campaignd(project.folder(), ["init", folder]);
            assert_eq!(said.exit, 2, "{folder}: {}", said.err);
            assert!(said.err.contains("contacts.csv is a file"), "{}", said.err);
        }
    });
}
