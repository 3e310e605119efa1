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

/// A mail that it took.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct TakenByAiosmtpd {
    pub(crate) recipient: String,
    pub(crate) sender: String,
    pub(crate) message_id: String,
    pub(crate) size: usize,
}

impl Aiosmtpd {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/aiosmtpd_server.py");
        let mut child = Command::new("python3")
            .arg(script)
            .arg(folder.path().join("taken.jsonl"))
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

    /// What it took so far.
    pub(crate) fn mails(&self) -> Vec<TakenByAiosmtpd> {
        let text = std::fs::read_to_string(self.folder.path().join("taken.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a mail as JSON")).collect()
    }
}

impl Drop for Aiosmtpd {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
