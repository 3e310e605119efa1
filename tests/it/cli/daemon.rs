//! `campaignd run`: ready, sending, reloading, stopping clean.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::{NewProject, Said, campaignd, command};
use mail_parser::MessageParser;

use crate::support::database::{on_both, on_sqlite};
use crate::support::http::request;
use crate::support::smtp::{SmtpServer, SmtpServerOptions};

/// How long to wait for something that is to come at once; machines may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// A daemon of a project; it is killed when this is dropped.
pub(super) struct Daemon {
    process: Child,
    messages: Receiver<String>,
    said: Vec<String>,
}

impl Daemon {
    pub(super) fn start(project: &NewProject) -> Self {
        Self::start_as(project, &["run"])
    }

    /// Any command that goes on until it is told to stop.
    fn start_as(project: &NewProject, words: &[&str]) -> Self {
        Self::start_with(project, words, &[])
    }

    fn start_with(project: &NewProject, words: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut process = command(project.folder())
            .args(words)
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(process.stderr.take().expect("its messages")).lines();
        let (sender, messages) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { process, messages, said: Vec::new() }
    }

    /// Reads what it says until a line has this in it.
    pub(super) fn says(&mut self, text: &str) {
        let start = Instant::now();
        while let Ok(line) = self.messages.recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
            let found = line.contains(text);
            self.said.push(line);
            if found {
                return;
            }
        }
        panic!("it never said `{text}`, but:\n{}", self.said.join("\n"));
    }

    /// Waits for a line that begins so, and gives the address behind it.
    pub(super) fn says_where(&mut self, before: &str) -> std::net::SocketAddr {
        self.says(before);
        let line = self.said.last().and_then(|line| line.strip_prefix(before));
        line.and_then(|address| address.parse().ok()).expect("an address")
    }

    /// Sends a signal; gives the exit code.
    pub(super) fn stop(self, signal: &str) -> Option<i32> {
        self.stop_saying(signal, "stopped")
    }

    fn stop_saying(mut self, signal: &str, last_words: &str) -> Option<i32> {
        let id = self.process.id().to_string();
        let sent = std::process::Command::new("kill").args([signal, &id]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        self.says(last_words);
        self.process.wait().expect("the daemon ends").code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has ended already where the test did not fail.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn it_says_where_mails_go_and_stops_clean() {
    on_both(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        let mut daemon = Daemon::start(&project);
        daemon.says("nobody is mailed");
        daemon.says("ready: 1 campaign; next: thank_you at ");
        assert_eq!(daemon.stop("-TERM"), Some(0));
        let mut daemon = Daemon::start(&project);
        daemon.says("ready");
        assert_eq!(daemon.stop("-INT"), Some(130));
    });
}

#[test]
fn it_sends_what_send_asks_for_and_has_the_database_for_itself() {
    on_sqlite(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        let mut daemon = Daemon::start(&project);
        daemon.says("ready");
        let Said { exit, out, err } = campaignd(project.folder(), ["send", "thank_you", "--yes"]);
        assert_eq!((exit, out.as_str()), (0, "run 1 of thank_you: the daemon sends it\n"), "{err}");
        let status = project.fine(["status"]).out;
        assert!(status.contains("running since"), "{status}");
        let second = campaignd(project.folder(), ["run"]);
        assert_eq!(second.exit, 3, "{}", second.err);
        assert!(second.err.contains("another campaignd daemon"), "{}", second.err);
        project.until_mails(2);
        assert_eq!(daemon.stop("-TERM"), Some(0));
    });
}

#[test]
fn changed_files_hold_unless_they_are_wrong() {
    on_both(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        let good = project.read("campaigns/thank_you.yaml");
        let mut daemon = Daemon::start(&project);
        daemon.says("ready");
        project.write("campaigns/thank_you.yaml", &good.replace("audience: regulars", "audience: reglars"));
        daemon.says("did you mean `regulars`");
        daemon.says("the old ones still hold");
        project.write("campaigns/thank_you.yaml", &good.replace("percent: 10", "percent: 25"));
        daemon.says("1 segment and 1 campaign hold from now on");
        project.fine(["send", "thank_you", "--yes"]);
        project.until_mails(2);
        assert!(project.a_mail().contains("25"), "the new data are in the mail");
        project.write("campaignd.yaml", &format!("{}\n# changed\n", project.read("campaignd.yaml")));
        daemon.says("restart to apply");
        assert_eq!(daemon.stop("-TERM"), Some(0));
    });
}

#[test]
fn mails_wait_for_a_server_that_is_away_and_go_when_it_is_back() {
    on_both(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let settings = project.read("campaignd.yaml");
        let transport = format!("transport: {{ smtp: {{ host: 127.0.0.1, port: {port}, tls: none }} }}\n");
        project.write("campaignd.yaml", &format!("{settings}\n{transport}"));
        let mut daemon = Daemon::start(&project);
        daemon.says("ready");
        project.fine(["send", "thank_you", "--yes"]);

        let both_wait = |status: &str| {
            let status: serde_json::Value = serde_json::from_str(status).expect("JSON");
            let waiting = status["waiting"].as_array().expect("what waits");
            waiting.len() == 1
                && (&waiting[0]["for"], &waiting[0]["count"]) == (&"server".into(), &2.into())
                && waiting[0]["last_reply"].as_str().is_some_and(|reply| reply.contains("refused"))
        };
        status_until(&project, ["status", "--json"], both_wait).await;
        let says_why = |status: &str| status.contains(" server ") && status.contains("refused");
        status_until(&project, ["status"], says_why).await;

        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("the same port");
        let server = SmtpServer::start_on(listener, SmtpServerOptions::default());
        status_until(&project, ["status"], |status| status.contains("finished")).await;
        let people: BTreeSet<_> = server.mails().into_iter().map(|mail| mail.recipient).collect();
        assert_eq!((server.mails().len(), people.len()), (2, 2), "{people:?}");
        let report = project.fine(["report", "--json"]).out;
        let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        let counts = &report["campaigns"][0]["deliveries"];
        assert_eq!((&counts["accepted"], &counts["audience"]), (&2.into(), &4.into()), "{counts:#}");
        assert_eq!(daemon.stop("-TERM"), Some(0));
    });
}

/// Asks for the status until it is as it should be; a minute and a half at most, for a lane rests for
/// up to a minute.
async fn status_until<const N: usize>(project: &NewProject, words: [&str; N], right: impl Fn(&str) -> bool) {
    let started = std::time::Instant::now();
    loop {
        let status = project.fine(words).out;
        if right(&status) {
            return;
        }
        assert!(started.elapsed().as_secs() < 90, "{status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_mail_server_that_is_away_costs_nothing_and_send_is_interrupted_clean() {
    on_both(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        // Port 1 (tcpmux) is closed on any machine of today.
        let settings = project.read("campaignd.yaml");
        let server = "transport: { smtp: { host: 127.0.0.1, port: 1, tls: none } }";
        project.write("campaignd.yaml", &format!("{settings}\n{server}\n"));
        let mut sending = Daemon::start_as(&project, &["send", "thank_you", "--yes"]);
        sending.says("2 mails wait; next try at");
        let status = project.fine(["status"]).out;
        assert!(status.contains("sending") && status.contains("2 planned, 2 skipped"), "{status}");
        assert!(status.contains("server") && status.contains("refused"), "why they wait: {status}");
        assert_eq!(sending.stop_saying("-INT", "`campaignd run` sends the rest"), Some(130));

        project.write("campaignd.yaml", &settings);
        let daemon = Daemon::start(&project);
        project.until_mails(2);
        assert_eq!(daemon.stop("-TERM"), Some(0));
        let status = project.fine(["status"]).out;
        assert!(status.contains("finished") && status.contains("2 accepted, 2 skipped"), "{status}");
    });
}

#[test]
fn opens_and_clicks_come_in_while_it_runs_and_are_read_anew_by_hand() {
    on_both(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        project.write(
            "campaignd.yaml",
            &format!("{}\nconsent: {{ unknown: {{ tracking: yes }} }}\n", project.read("campaignd.yaml")),
        );
        let mut daemon = Daemon::start(&project);
        let pages = daemon.says_where("pages: http://");
        daemon.says_where("the report: http://");
        daemon.says("ready");
        project.fine(["send", "thank_you", "--yes"]);
        project.until_mails(2);
        let mail = MessageParser::default()
            .parse(project.a_mail().as_bytes())
            .expect("a mail")
            .body_html(0)
            .expect("HTML")
            .into_owned();
        let path = |kind: &str| {
            let address = format!("https://mail.shop.example/{kind}/");
            let start = mail.find(&address).unwrap_or_else(|| panic!("no {kind} in {mail}"));
            format!("/{kind}/{}", &mail[start + address.len()..][..43])
        };
        let browser = "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
            accept-language: en";
        let pixel = request(pages, "GET", &path("o"), browser, b"").await;
        assert_eq!((pixel.status, pixel.body.len()), (200, 43));
        let opened = "SELECT CAST(COUNT(*) AS TEXT) FROM event_log WHERE name = 'email_opened'";
        let started = Instant::now();
        while database.rows(opened).await != ["1"] {
            assert!(started.elapsed() < PATIENCE, "the open never came in");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let said = project.fine(["reclassify"]).out;
        assert_eq!(said, "rules 1: 1 hit read, 0 otherwise than before; 0 opens and clicks changed\n");
        let said: serde_json::Value =
            serde_json::from_str(&project.fine(["reclassify", "--json"]).out).expect("JSON");
        assert_eq!((&said["version"], &said["hits"], &said["rules"]), (&1.into(), &1.into(), &1.into()));
        // What is asked for last is taken in before it ends.
        request(pages, "GET", &path("o"), browser, b"").await;
        assert_eq!(daemon.stop("-TERM"), Some(0));
        assert_eq!(database.rows("SELECT CAST(COUNT(*) AS TEXT) FROM hits").await, ["2"]);
    });
}

#[test]
fn a_port_that_is_taken_is_said_and_nothing_is_served_where_it_is_off() {
    on_sqlite(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        let taken = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = taken.local_addr().expect("an address").port();
        let listen = format!("127.0.0.1:{port}");
        let said = command(project.folder()).arg("run").env("CAMPAIGND_HTTP_LISTEN", &listen).output();
        let said = super::said(said.expect("the program starts"));
        assert_eq!(said.exit, 3, "{}", said.err);
        assert!(
            said.err.contains(&format!("cannot listen on {listen}")) && said.err.contains("http: { listen"),
            "{}",
            said.err
        );
        let mut daemon = Daemon::start_with(&project, &["run"], &[("CAMPAIGND_HTTP_LISTEN", "off")]);
        daemon.says("pages: not served");
        daemon.says("ready");
        assert_eq!(daemon.stop("-TERM"), Some(0));
    });
}
