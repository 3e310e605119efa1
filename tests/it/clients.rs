//! The real clients of Segment and `RudderStack`, unmodified and from their registries, against the real
//! daemon: every call is one event, whatever happens on the way. `tests/clients/install` puts them into
//! target/clients.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cli::{NewProject, command};
use crate::support::database::{TestDatabase, on_both};
use crate::support::front::Front;
use crate::support::http::request;

/// Every client, and whether it is told to pack with gzip.
const CLIENTS: [(&str, bool); 7] = [
    ("segment.analytics", false),
    ("segment.analytics", true),
    ("rudderstack.analytics", false),
    ("rudderstack.analytics", true),
    ("@segment/analytics-node", false),
    ("@rudderstack/rudder-sdk-node", false),
    ("@rudderstack/rudder-sdk-node", true),
];

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn every_call_is_one_event() {
    on_both(|database| async move {
        let shop = Shop::create(database).await;
        let mut daemon = shop.run().await;

        let direct = [shop.address; CLIENTS.len()];
        shop.settle("plain", direct, 40, 0.0, async |_| {}).await;

        let fronts: [Front; CLIENTS.len()] =
            futures_util::future::join_all(CLIENTS.map(|_| Front::before(shop.address)))
                .await
                .try_into()
                .unwrap_or_else(|_| panic!("a front for each client"));
        let addresses = std::array::from_fn(|place| fronts[place].address);
        shop.settle("front", addresses, 70, 0.0, async |_| {}).await;
        for (front, client) in fronts.iter().zip(CLIENTS) {
            assert!(front.rounds() >= 1, "not every fate befell {client:?}");
        }

        // In the middle of it, kill -9; a while later it is there again, at the same address.
        shop.settle("killed", direct, 150, 0.02, async |shop| {
            for kills in 1..=2 {
                shop.until_events("killed", CLIENTS.len() * 25 * kills).await;
                daemon.kill().expect("the daemon is killed");
                daemon.wait().expect("it is gone");
                daemon = shop.run().await;
            }
        })
        .await;
        daemon.kill().expect("the daemon is killed");
        daemon.wait().expect("it is gone");

        let joined = "SELECT CAST(COUNT(*) AS TEXT) FROM anonymous_events";
        assert_eq!(shop.database.rows(joined).await, ["0"], "every visit was joined");
        let refused = "SELECT reason FROM ingest_rejects";
        assert_eq!(shop.database.rows(refused).await, [""; 0]);
        let contacts = "SELECT CAST(COUNT(*) AS TEXT) FROM contacts WHERE email IS NOT NULL";
        assert_eq!(shop.database.rows(contacts).await, [(CLIENTS.len() * 3).to_string()]);
    });
}

/// A project on a test's database, with a key and a port that stays.
struct Shop {
    database: TestDatabase,
    project: NewProject,
    address: SocketAddr,
    key: String,
}

impl Shop {
    async fn create(database: TestDatabase) -> Self {
        let project = NewProject::on(&database.address);
        let key = project.fine(["key", "create", "clients"]).out.trim().to_owned();
        let free = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = free.local_addr().expect("an address");
        Self { database, project, address, key }
    }

    /// Starts the daemon and waits until it answers.
    async fn run(&self) -> Child {
        let child = command(self.project.folder())
            .arg("run")
            .env("CAMPAIGND_HTTP_LISTEN", self.address.to_string())
            .env("CAMPAIGND_HTTP_REPORT", "off")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the daemon starts");
        let start = Instant::now();
        while tokio::net::TcpStream::connect(self.address).await.is_err() {
            assert!(start.elapsed() < PATIENCE, "the daemon does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(request(self.address, "GET", "/health", "", b"").await.status, 200);
        child
    }

    /// Lets all clients make their calls at once, and looks at what is stored.
    async fn settle(
        &self,
        phase: &str,
        at: [SocketAddr; CLIENTS.len()],
        calls: usize,
        pause: f64,
        mut meanwhile: impl AsyncFnMut(&Self),
    ) {
        let clients: Vec<(String, Child)> = CLIENTS
            .iter()
            .enumerate()
            .map(|(place, (module, gzip))| {
                let tag = format!("{phase}-{place}");
                (tag.clone(), self.client(module, *gzip, at[place], &tag, calls, pause))
            })
            .collect();
        meanwhile(self).await;
        for ((tag, mut client), (module, gzip)) in clients.into_iter().zip(CLIENTS) {
            let start = Instant::now();
            while client.try_wait().expect("it can be asked").is_none() {
                if start.elapsed() > PATIENCE {
                    client.kill().expect("it is killed");
                    panic!("{module} (gzip: {gzip}) does not end: {tag}");
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let output = client.wait_with_output().expect("it has ended");
            let (out, err) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{module} (gzip: {gzip}), {phase}: {out}{err}");
            assert_eq!(out.lines().last(), Some("[]"), "{module} (gzip: {gzip}), {phase} gave up: {err}");
        }
        let stored = self.stored(phase).await;
        for (place, client) in CLIENTS.iter().enumerate() {
            for number in 0..=calls {
                let mark = format!("{phase}-{place}-{number}");
                let count = stored.get(&mark).copied().unwrap_or(0);
                assert_eq!(count, 1, "{mark} of {client:?}");
            }
        }
        assert_eq!(stored.values().sum::<usize>(), CLIENTS.len() * (calls + 1), "{phase}");
    }

    fn client(&self, module: &str, gzip: bool, at: SocketAddr, tag: &str, calls: usize, pause: f64) -> Child {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        let installed = installed();
        let mut command = if module.ends_with(".analytics") {
            let mut command = Command::new(installed.join("python/bin/python3"));
            command.arg(scripts.join("calls.py"));
            command
        } else {
            let mut command = Command::new(installed.join("node"));
            command.arg(scripts.join("calls.js")).arg(&installed);
            command
        };
        command
            .args([module, &format!("http://{at}"), &self.key, tag, &calls.to_string()])
            .args([if gzip { "gzip" } else { "plain" }, &pause.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the client starts")
    }

    /// How often each mark of a phase is stored.
    async fn stored(&self, phase: &str) -> BTreeMap<String, usize> {
        let mut stored = BTreeMap::new();
        let text = "SELECT properties FROM events UNION ALL SELECT properties FROM anonymous_events";
        for properties in self.database.rows(text).await {
            let properties: Value = serde_json::from_str(&properties).expect("JSON");
            let mark = properties["mark"].as_str().or_else(|| properties["previousId"].as_str());
            let mark = mark.expect("each call has a mark").trim_start_matches("old-").to_owned();
            if mark.starts_with(phase) {
                *stored.entry(mark).or_insert(0) += 1;
            }
        }
        stored
    }

    async fn until_events(&self, phase: &str, count: usize) {
        let start = Instant::now();
        while self.stored(phase).await.len() < count {
            assert!(start.elapsed() < PATIENCE, "never {count} events of {phase}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Where the clients are.
fn installed() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients");
    assert!(
        folder.join("installed").is_file(),
        "the clients are not in {}: run tests/clients/install",
        folder.display()
    );
    folder
}
