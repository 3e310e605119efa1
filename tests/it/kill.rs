//! kill -9 of `campaignd run` in the middle of a run, ten times: nobody is lost, nobody is mailed twice.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use campaignd::clock::Clock;
use campaignd::declare;
use campaignd::domain::consent::{ConsentState, Purpose};
use campaignd::domain::contact::{ConsentUpdate, ContactUpdate};
use campaignd::domain::name::CampaignName;
use campaignd::engine;
use campaignd::store::contacts;
use tempfile::TempDir;

use crate::support::database::{TestDatabase, on_both};
use crate::support::smtp::{SmtpServer, SmtpServerOptions};

const CONTACTS: usize = 2_000;
const CONNECTIONS: usize = 4;
const KILLS: usize = 10;

/// Between two kills, at least: 11 of them are the whole run.
const MAILS_BETWEEN_KILLS: usize = 160;

/// What the server takes for a mail.
const A_MAIL: Duration = Duration::from_millis(5);

#[test]
fn a_killed_daemon_loses_nobody_and_mails_nobody_twice() {
    on_both(|database: TestDatabase| async move {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let options = SmtpServerOptions { a_message_takes: A_MAIL, ..SmtpServerOptions::default() };
        let server = SmtpServer::start_on(listener, options);
        let project = project(&database, server.port());
        prepare(&database, project.path()).await;

        let mut slowest_recovery = Duration::ZERO;
        for kill in 1..=KILLS {
            let before = server.mails().len();
            let started = Instant::now();
            let mut daemon = run(project.path());
            taken(&server, before + 1, &mut daemon).await;
            // A new mail is out: what the one before had in hand was taken back before.
            slowest_recovery = slowest_recovery.max(started.elapsed());
            let senders = "SELECT DISTINCT CAST(incarnation AS TEXT) FROM deliveries
                WHERE state IN ('claimed', 'transmitting')";
            assert!(
                database.rows(senders).await.len() <= 1,
                "kill {kill}: rows of a dead sender are in hand"
            );
            taken(&server, before + MAILS_BETWEEN_KILLS, &mut daemon).await;
            daemon.kill().expect("the daemon is killed");
            daemon.wait().expect("the daemon is gone");
            let open = database.rows("SELECT state FROM runs").await;
            assert_eq!(open, ["sending"], "kill {kill} hit no open run");
        }
        let mut daemon = run(project.path());
        finished(&database, &mut daemon).await;
        daemon.kill().expect("the daemon is killed");
        daemon.wait().expect("the daemon is gone");

        let states = database
            .rows("SELECT state, CAST(COUNT(*) AS TEXT) FROM deliveries GROUP BY state ORDER BY state")
            .await;
        eprintln!("after {KILLS} kills: {states:?}; slowest restart to the next mail: {slowest_recovery:?}");
        let rows = database.rows("SELECT message_id, state FROM deliveries").await;
        assert_eq!(rows.len(), CONTACTS, "nobody is missing");
        let noted: BTreeMap<_, _> = rows.iter().filter_map(|row| row.split_once(" | ")).collect();
        let copies = server.copies();
        for (message_id, count) in &copies {
            assert_eq!(*count, 1, "{message_id} was mailed {count} times");
            let state = noted.get(message_id.as_str()).copied();
            assert!(
                matches!(state, Some("accepted" | "uncertain")),
                "{message_id} was mailed but is {state:?}"
            );
        }
        let uncertain = noted.values().filter(|state| **state == "uncertain").count();
        assert!(uncertain <= KILLS * CONNECTIONS, "{uncertain} are uncertain");
        for (message_id, state) in &noted {
            let mailed = copies.contains_key(*message_id);
            assert!(mailed || *state == "uncertain", "{message_id} is {state} but was not mailed");
        }
        assert!(copies.len() * 100 >= CONTACTS * 95, "only {} of {CONTACTS} were mailed", copies.len());
    });
}

/// A project folder over the test's database and server.
fn project(database: &TestDatabase, port: u16) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let settings = format!(
        "public_url: https://mail.maison.example
sender: {{ postal_address: \"12 rue des Courts, Paris\" }}
database: {}
durability: process
transport: {{ smtp: {{ host: 127.0.0.1, port: {port}, tls: none, connections: {CONNECTIONS} }} }}
",
        database.address
    );
    let campaign = "
defaults: { from: Maison <bonjour@maison.example> }
campaigns:
  news: { audience: everyone, template: news }
";
    for (name, text) in [
        ("campaignd.yaml", settings.as_str()),
        ("campaigns/news.yaml", campaign),
        ("templates/news/subject.txt", "News"),
        (
            "templates/news/body.html",
            "<p>News. <a href=\"{{ links.unsubscribe }}\">unsubscribe</a> {{ sender.postal_address }}</p>",
        ),
        ("templates/news/body.txt", "News. {{ links.unsubscribe }} {{ sender.postal_address }}"),
    ] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders can be made");
        std::fs::write(path, text).expect("files can be written");
    }
    folder
}

/// Contacts, and a run of them that is due now.
async fn prepare(database: &TestDatabase, project: &Path) {
    let now = Clock::System.now();
    let consent = ConsentUpdate {
        purpose: Purpose::Marketing,
        state: ConsentState::Yes,
        at: now,
        source: "test".to_owned(),
        words: None,
        gives_way: false,
    };
    let people: Vec<_> = (0..CONTACTS)
        .map(|number| ContactUpdate {
            email: Some(format!("customer-{number}@shop.example")),
            consents: vec![consent.clone()],
            ..ContactUpdate::default()
        })
        .collect();
    contacts::apply(&database.store, &people, now).await.expect("contacts are stored");
    let catalogue = declare::load(project, chrono_tz::UTC).catalogue.expect("valid declarations");
    let news = CampaignName::parse("news").expect("a name");
    engine::request_run(&database.store, &catalogue, &news, now).await.expect("the run is noted");
}

/// Starts the daemon. What it has to say goes into a file, to be read when a test fails.
fn run(project: &Path) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(project.join("daemon.log"));
    Command::new(env!("CARGO_BIN_EXE_campaignd"))
        .args(["run", "--project"])
        .arg(project)
        .env("CAMPAIGND_LOG", "error")
        .envs([("CAMPAIGND_HTTP_LISTEN", "127.0.0.1:0"), ("CAMPAIGND_HTTP_REPORT", "127.0.0.1:0")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.expect("a log file"))
        .spawn()
        .expect("the daemon starts")
}

/// Waits until the server took `count` mails in all.
async fn taken(server: &SmtpServer, count: usize, daemon: &mut Child) {
    wait(&format!("{count} mails"), daemon, async || server.mails().len() >= count).await;
}

/// Waits until there is no open run.
async fn finished(database: &TestDatabase, daemon: &mut Child) {
    wait("the end of the run", daemon, async || {
        database.rows("SELECT state FROM runs").await == ["finished"]
    })
    .await;
}

async fn wait(what: &str, daemon: &mut Child, mut done: impl AsyncFnMut() -> bool) {
    let patience = async {
        while !done().await {
            let ended = daemon.try_wait().expect("the daemon can be asked");
            assert!(ended.is_none(), "the daemon ended by itself before {what}: {ended:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), patience).await.unwrap_or_else(|_| panic!("never: {what}"));
}
