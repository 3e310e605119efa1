//! kill -9 of `campaignd run` under 2,000 requests of pixels and links a second, twenty times: every one that
//! was answered is in the database, once.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use campaignd::clock::Clock;
use campaignd::domain::campaign::Tracking;
use campaignd::domain::consent::{ConsentState, Purpose};
use campaignd::domain::contact::{ConsentUpdate, ContactUpdate};
use campaignd::domain::delivery::{DeliveryId, RunId};
use campaignd::domain::link::LinkNumber;
use campaignd::links::{Links, Signer, SigningKey, Subject};
use campaignd::store::{contacts, links, secrets};
use campaignd::track::{self, Spool, TrackSettings};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::database::{TestDatabase, on_postgres, on_sqlite};

/// Mails whose pixel and link are asked for.
const MAILS: i64 = 2_000;
/// Requests a second.
const RATE: u64 = 2_000;
/// Connections that share them.
const CONNECTIONS: u64 = 16;

#[test]
fn answered_hits_survive_kills_of_a_daemon_on_sqlite() {
    on_sqlite(|database| async move { survive(&database, 20).await });
}

#[test]
fn answered_hits_survive_kills_of_a_daemon_on_postgres() {
    on_postgres(|database| async move { survive(&database, 20).await });
}

async fn survive(database: &TestDatabase, kills: usize) {
    let project = project(database);
    let addresses = Arc::new(prepare(database).await);
    let answered = Arc::new(Mutex::new(Vec::new()));
    let counter = Arc::new(AtomicU64::new(0));
    // When a kill comes is chance: while a file is written, drained, or both.
    let mut chance = StdRng::seed_from_u64(31);
    let mut under_load = Duration::ZERO;
    for _ in 0..kills {
        let mut daemon = Daemon::start(project.path());
        let load: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (addresses, answered) = (Arc::clone(&addresses), Arc::clone(&answered));
                tokio::spawn(ask(daemon.address, addresses, answered, Arc::clone(&counter)))
            })
            .collect();
        let lives = Duration::from_millis(chance.random_range(300..1_300));
        let started = Instant::now();
        tokio::time::sleep(lives).await;
        daemon.process.kill().expect("the daemon is killed");
        daemon.process.wait().expect("the daemon is gone");
        under_load += started.elapsed();
        for connection in load {
            connection.await.expect("a reader ends when its daemon is gone");
        }
    }
    // The next start takes in what was left; here without the daemon, so that its end is known.
    let spool = Spool::open(&project.path().join("spool"), [1; 32]).expect("the spool opens");
    let settings =
        TrackSettings { ceiling: Tracking::Individual, unknown_is_yes: false, time_zone: chrono_tz::UTC };
    track::take_in(&database.store, &spool, settings, Clock::System.now())
        .await
        .expect("the rest is taken in");

    let mut found: HashMap<String, usize> = HashMap::new();
    for row in database.rows("SELECT user_agent FROM hits").await {
        *found.entry(row).or_default() += 1;
    }
    let answered = std::mem::take(&mut *answered.lock().expect("no reader panicked"));
    let asked = counter.load(Ordering::SeqCst);
    let rate = answered.len() as f64 / under_load.as_secs_f64();
    eprintln!(
        "{kills} kills: {asked} asked, {} answered ({rate:.0} a second), {} in the database",
        answered.len(),
        found.len()
    );
    let lost: Vec<_> = answered.iter().filter(|hit| !found.contains_key(*hit)).take(10).collect();
    assert!(lost.is_empty(), "answered, but not there: {lost:?}");
    let twice: Vec<_> = found.iter().filter(|(_, count)| **count > 1).take(10).collect();
    assert!(twice.is_empty(), "there more than once: {twice:?}");
    let strangers = found.len() - answered.iter().collect::<HashSet<_>>().len();
    assert!(strangers as u64 <= kills as u64 * CONNECTIONS, "{strangers} are there without an answer");
    assert!(answered.len() as u64 > kills as u64 * RATE / 10, "only {} were answered", answered.len());
    let opened = database.rows("SELECT CAST(COUNT(*) AS TEXT) FROM events").await;
    let engaged = database.rows("SELECT CAST(COUNT(*) AS TEXT) FROM engagements").await;
    assert_eq!(opened, engaged, "each engagement has its event");
}

/// Asks for pixels and links at its share of the rate until the daemon is gone. Each request has a name of its
/// own, as its user agent; those that were answered whole are noted.
async fn ask(
    at: SocketAddr,
    addresses: Arc<Vec<String>>,
    answered: Arc<Mutex<Vec<String>>>,
    counter: Arc<AtomicU64>,
) {
    let Ok(stream) = TcpStream::connect(at).await else { return };
    let _ = stream.set_nodelay(true);
    let mut stream = tokio::io::BufReader::new(stream);
    let mut pace = tokio::time::interval(Duration::from_micros(1_000_000 * CONNECTIONS / RATE));
    loop {
        pace.tick().await;
        let number = counter.fetch_add(1, Ordering::SeqCst);
        let name = format!("Reader {number}");
        let path = &addresses[number as usize % addresses.len()];
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: {name}\r\n\r\n");
        if stream.write_all(request.as_bytes()).await.is_err() || answer(&mut stream).await.is_none() {
            return;
        }
        answered.lock().expect("no reader panicked").push(name);
    }
}

/// Reads an answer to its end; `None`: it broke off.
async fn answer(stream: &mut tokio::io::BufReader<TcpStream>) -> Option<()> {
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        assert!(!line.starts_with("HTTP/1.1") || line.contains(" 200 ") || line.contains(" 302 "), "{line}");
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(())
}

/// A running daemon and where it answers.
struct Daemon {
    process: Child,
    address: SocketAddr,
}

impl Daemon {
    fn start(project: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_campaignd"))
            .args(["run", "--project"])
            .arg(project)
            .env("CAMPAIGND_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let mut said = String::new();
        let mut lines = BufReader::new(process.stderr.take().expect("its messages")).lines();
        let address = loop {
            let line = lines.next().and_then(Result::ok).unwrap_or_else(|| panic!("it ended: {said}"));
            if let Some(address) = line.strip_prefix("pages: http://") {
                break address.parse().expect("an address");
            }
            said.push_str(&line);
        };
        // What it says later is nobody's business, but must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn project(database: &TestDatabase) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let settings = format!(
        "public_url: https://mail.maison.example
sender: {{ postal_address: \"12 rue des Courts, Paris\" }}
database: {}
durability: process
http: {{ listen: 127.0.0.1:0, report: off }}
",
        database.address
    );
    std::fs::write(folder.path().join("campaignd.yaml"), settings).expect("files can be written");
    for name in ["campaigns", "templates"] {
        std::fs::create_dir(folder.path().join(name)).expect("folders can be made");
    }
    folder
}

/// Mails that were sent; gives the paths of their pixels and links.
async fn prepare(database: &TestDatabase) -> Vec<String> {
    let now = Clock::System.now();
    let agrees = ConsentUpdate {
        purpose: Purpose::Tracking,
        state: ConsentState::Yes,
        at: now,
        source: "test".to_owned(),
        words: None,
        gives_way: false,
    };
    let people: Vec<_> = (0..MAILS)
        .map(|number| ContactUpdate {
            external_id: Some(number.to_string()),
            consents: vec![agrees.clone()],
            ..ContactUpdate::default()
        })
        .collect();
    contacts::apply(&database.store, &people, now).await.expect("contacts are stored");
    let at = now.micros();
    database
        .execute(&format!(
            "INSERT INTO runs (id, campaign, due_at, state, made_by, created_at)
             VALUES (1, 'news', {at}, 'finished', 'schedule', {at});
             INSERT INTO deliveries (run, contact, version, state, not_before, settled_at, recorded_at, tracking)
             SELECT 1, id, 'default', 'accepted', {at}, {at}, {at}, 'individual' FROM contacts ORDER BY id"
        ))
        .await;
    let url = "https://maison.example/".to_owned();
    let link: LinkNumber =
        links::intern(&database.store, RunId(1), &[url]).await.expect("a link is noted")[0];
    let secret = [7; 32];
    secrets::signing_secrets(&database.store, secret, now).await.expect("a secret is kept");
    let key = SigningKey { id: 0, secret: secret.to_vec() };
    let links = Links::new(Signer::new(&key, &[]), "");
    let subjects = (1..=MAILS).map(|delivery| Subject::Delivery(DeliveryId(delivery)));
    subjects.flat_map(|subject| [links.open(subject), links.click(subject, link)]).collect()
}
