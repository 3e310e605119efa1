//! A mail server that others wrote: aiosmtpd, in a process of its own (`aiosmtpd_server.py` says
//! what it does with whom).

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A running server; it ends when it is dropped.
pub(crate) struct Aiosmtpd {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

/// How it decided about a mail.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct Answer {
    /// To what it answered: `rcpt` or `end`.
    pub(crate) step: String,
    pub(crate) code: u16,
    pub(crate) recipient: String,
    pub(crate) sender: String,
    /// Empty at `rcpt`, as what follows.
    #[serde(default)]
    pub(crate) message_id: String,
    #[serde(default)]
    pub(crate) subject: String,
    #[serde(default)]
    pub(crate) size: usize,
}

impl Aiosmtpd {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With rules for customers by number, such as `refused-at-rcpt=7/50`.
    pub(crate) fn start_with(rules: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/aiosmtpd_server.py");
        let mut child = Command::new("python3")
            .arg(script)
            .arg(folder.path().join("answers.jsonl"))
            .args(rules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let mut port = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut port).expect("its first line");
        let port = port
            .trim()
            .parse()
            .expect("aiosmtpd_server.py prints its port; python3 needs aiosmtpd (Debian: python3-aiosmtpd)");
        Self { child, port, folder }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How it decided so far, in order.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        let text = std::fs::read_to_string(self.folder.path().join("answers.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("an answer as JSON")).collect()
    }

    /// What it took so far.
    pub(crate) fn mails(&self) -> Vec<Answer> {
        self.answers().into_iter().filter(|answer| answer.code == 250).collect()
    }
}

impl Drop for Aiosmtpd {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
