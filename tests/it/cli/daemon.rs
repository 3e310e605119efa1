//! `campaignd run`: ready, sending, reloading, stopping clean.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::{NewProject, Said, campaignd, command};
use crate::support::database::{on_both, on_sqlite};

/// A daemon of a project; it is killed when this is dropped.
pub(super) struct Daemon {
    process: Child,
    messages: Receiver<String>,
    said: Vec<String>,
}

impl Daemon {
    pub(super) fn start(project: &NewProject) -> Self {
        let mut process =
            command(project.folder()).arg("run").stderr(Stdio::piped()).spawn().expect("the daemon starts");
        let lines = BufReader::new(process.stderr.take().expect("its messages")).lines();
        let (sender, messages) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { process, messages, said: Vec::new() }
    }

    /// Reads what it says until a line has this in it.
    fn says(&mut self, text: &str) {
        while let Ok(line) = self.messages.recv_timeout(Duration::from_mins(1)) {
            let found = line.contains(text);
            self.said.push(line);
            if found {
                return;
            }
        }
        panic!("it never said `{text}`, but:\n{}", self.said.join("\n"));
    }

    /// Sends a signal; gives the exit code.
    pub(super) fn stop(mut self, signal: &str) -> Option<i32> {
        let id = self.process.id().to_string();
        let sent = std::process::Command::new("kill").args([signal, &id]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        self.says("stopped");
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
