//! Real daemons over a project of their own, which die, stand still and go on.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use campaignd::clock::Clock;
use campaignd::domain::consent::{ConsentState, Purpose};
use campaignd::domain::contact::{ConsentUpdate, ContactUpdate};
use campaignd::domain::time::Timestamp;
use campaignd::edge;
use campaignd::store::contacts;
use tempfile::TempDir;

use super::lock;
use crate::support::database::TestDatabase;

/// How long to wait for anything; machines may be busy.
const PATIENCE: Duration = Duration::from_mins(3);

/// Between two looks at something that another process does.
const LOOK: Duration = Duration::from_millis(10);

/// The signal with which a process ends that was killed, or that died at an edge.
pub(super) const KILLED: i32 = 9;
pub(super) const ABORTED: i32 = 6;

/// What a daemon says when it works, and knows what signals mean.
pub(super) const READY: &str = "ready: ";

/// The folder of a project with one campaign, `NAME`, for everybody, that is due now.
pub(super) struct Project {
    folder: TempDir,
    files: Vec<(&'static str, String)>,
    log: Arc<Mutex<String>>,
}

impl Project {
    pub(super) fn new(database: &TestDatabase, port: u16, connections: usize, campaign: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let settings = format!(
            "public_url: https://mail.maison.example
sender: {{ postal_address: \"12 rue des Courts, Paris\" }}
time_zone: UTC
database: {}
durability: process
transport: {{ smtp: {{ host: 127.0.0.1, port: {port}, tls: none, connections: {connections} }} }}
",
            database.address
        );
        // Of the minute before, so that it is due; and never again.
        let due = Clock::System.now().minus(Duration::from_mins(1)).to_utc().format("%Y-%m-%dT%H:%M");
        let campaign = format!(
            "
defaults: {{ from: Maison <bonjour@maison.example>, tracking: individual }}
campaigns:
  {campaign}:
    audience: everyone
    schedule: {{ at: {due} }}
    missed: {{ send_within: 2 hours }}
    template: news
"
        );
        let body = "<p><a href=\"https://maison.example/{{ contact.email }}\">News</a>
            <a href=\"{{ links.unsubscribe }}\">unsubscribe</a> {{ sender.postal_address }}</p>";
        let files = vec![
            ("campaignd.yaml", settings),
            ("campaigns/news.yaml", campaign),
            ("templates/news/subject.txt", "News".to_owned()),
            ("templates/news/body.html", body.to_owned()),
        ];
        for (name, text) in &files {
            write(folder.path(), name, text);
        }
        Self { folder, files, log: Arc::default() }
    }

    /// Another folder of the same project, for a second daemon at the same database.
    pub(super) fn twin(&self) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        for (name, text) in &self.files {
            write(folder.path(), name, text);
        }
        Self { folder, files: self.files.clone(), log: Arc::default() }
    }

    /// Starts a daemon, which may have an order what to do at an edge.
    pub(super) fn daemon(&self, order: Option<&str>) -> Daemon {
        // Whoever writes more to a file than it may gets a signal that ends it, unless it is ignored: then the write fails.
        let mut process = Command::new("sh")
            .args([
                "-c",
                "trap '' XFSZ; exec \"$0\" \"$@\"",
                env!("CARGO_BIN_EXE_campaignd"),
                "run",
                "--project",
            ])
            .arg(self.folder.path())
            .envs([("CAMPAIGND_HTTP_LISTEN", "127.0.0.1:0"), ("CAMPAIGND_HTTP_REPORT", "127.0.0.1:0")])
            .env("CAMPAIGND_LOG", "warn")
            .env_remove(edge::ORDER)
            .envs(order.map(|order| (edge::ORDER, order)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let (log, before) = (Arc::clone(&self.log), self.log().len());
        let mut said = BufReader::new(process.stderr.take().expect("what it says"));
        std::thread::spawn(move || {
            let mut line = String::new();
            while said.read_line(&mut line).is_ok_and(|count| count > 0) {
                lock(&log).push_str(&std::mem::take(&mut line));
            }
        });
        Daemon { process, log: Arc::clone(&self.log), before }
    }

    /// What its daemons had to say.
    pub(super) fn log(&self) -> String {
        lock(&self.log).clone()
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders can be made");
    std::fs::write(path, text).expect("files can be written");
}

/// A daemon; it is killed when this is dropped.
pub(super) struct Daemon {
    process: Child,
    log: Arc<Mutex<String>>,
    /// Where in the log it begins to speak.
    before: usize,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has ended already where the test did not fail.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Daemon {
    pub(super) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.process.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill {name} works");
    }

    /// Whether it has said this, since it started.
    pub(super) fn has_said(&self, text: &str) -> bool {
        lock(&self.log).get(self.before..).is_some_and(|said| said.contains(text))
    }

    /// How it ended, if it did.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().expect("the daemon can be asked")
    }

    /// Waits until it has ended by itself or by a signal that it was sent.
    pub(super) async fn end(&mut self, case: &str) -> ExitStatus {
        let mut status = None;
        until(case, "the daemon's end", async || {
            status = self.ended();
            status.is_some()
        })
        .await;
        status.expect("it ended")
    }

    /// Whether it stands still (SIGSTOP).
    pub(super) fn stands(&self) -> bool {
        let state = Command::new("ps").args(["-o", "stat=", "-p", &self.process.id().to_string()]).output();
        state.is_ok_and(|state| state.stdout.starts_with(b"T"))
    }

    /// From now on it can write nothing to any file, or everything again.
    pub(super) fn may_write(&self, may: bool) {
        let limit = if may { "--fsize=unlimited:" } else { "--fsize=0:" };
        let set = Command::new("prlimit").args(["--pid", &self.process.id().to_string(), limit]).status();
        assert!(set.is_ok_and(|status| status.success()), "prlimit {limit} works");
    }

    /// Kills it (SIGKILL).
    pub(super) async fn kill(mut self, case: &str) {
        self.process.kill().expect("the daemon is killed");
        assert_eq!(self.end(case).await.signal(), Some(KILLED), "{case}: it ended otherwise");
    }

    /// Tells it to stop (SIGTERM), and waits until it has, clean.
    pub(super) async fn stop(mut self, case: &str) {
        // Earlier it might not know the signal yet.
        until(case, "a daemon that is ready", async || self.has_said(READY)).await;
        self.signal("-TERM");
        assert_eq!(self.end(case).await.code(), Some(0), "{case}: it did not stop clean");
    }
}

/// Waits until something is so.
pub(super) async fn until(case: &str, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{case}: never: {what}"));
}

/// People who agreed to everything.
pub(super) async fn add_people(database: &TestDatabase, count: usize) {
    let now = Clock::System.now();
    let consent = |purpose| ConsentUpdate {
        purpose,
        state: ConsentState::Yes,
        at: Timestamp::from_micros(0),
        source: "test".to_owned(),
        words: None,
        gives_way: false,
    };
    let people: Vec<_> = (0..count)
        .map(|number| ContactUpdate {
            email: Some(format!("customer-{number}@shop.example")),
            consents: vec![consent(Purpose::Marketing), consent(Purpose::Tracking)],
            ..ContactUpdate::default()
        })
        .collect();
    contacts::apply(&database.store, &people, now).await.expect("contacts are stored");
}

/// Whether the run of a campaign is over, with everything that is noted behind it.
pub(super) async fn is_over(database: &TestDatabase, campaign: &str) -> bool {
    let open =
        "SELECT 1 FROM deliveries d WHERE d.run = r.id AND d.state = 'accepted' AND d.recorded_at IS NULL";
    let over = format!(
        "SELECT r.state FROM runs r WHERE r.campaign = '{campaign}' AND r.state = 'finished' AND NOT EXISTS ({open})"
    );
    !database.rows(&over).await.is_empty()
}

/// Whether a run is over; events of its mails may be noted later.
pub(super) async fn is_finished(database: &TestDatabase, campaign: &str) -> bool {
    let over = format!("SELECT state FROM runs WHERE campaign = '{campaign}' AND state = 'finished'");
    !database.rows(&over).await.is_empty()
}
