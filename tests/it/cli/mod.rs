//! The built program as a user meets it: words in, text and exit codes out.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

mod bounces;
mod check;
mod consent;
mod daemon;
mod demo;
mod dkim;
mod doctor;
mod explain;
mod key;
mod limits;
mod page;
mod project;
mod readme;
mod rotate_links;
mod segment;
mod silent;
mod uncertain;

/// What a call said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The program in a folder, without terminal, input, or settings from the environment.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_campaignd"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CAMPAIGND_") {
            command.env_remove(name);
        }
    }
    // Many daemons run at once: each takes free ports.
    command.envs([("CAMPAIGND_HTTP_LISTEN", "127.0.0.1:0"), ("CAMPAIGND_HTTP_REPORT", "127.0.0.1:0")]);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Calls the program in a folder.
pub(crate) fn campaignd<S: AsRef<OsStr>>(folder: &Path, words: impl IntoIterator<Item = S>) -> Said {
    said(command(folder).args(words).output().expect("the program starts"))
}

pub(crate) fn said(output: Output) -> Said {
    Said {
        exit: output.status.code().expect("the program ends by itself"),
        out: String::from_utf8(output.stdout).expect("results are text"),
        err: String::from_utf8(output.stderr).expect("messages are text"),
    }
}

/// A folder with what `campaignd init` writes.
#[derive(Debug)]
pub(crate) struct NewProject {
    folder: tempfile::TempDir,
}

impl NewProject {
    pub(crate) fn create() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let said = campaignd(folder.path(), ["init"]);
        assert_eq!(said.exit, 0, "{}", said.err);
        Self { folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file is written");
    }

    /// Calls the program in the project; it must succeed.
    pub(crate) fn fine<const N: usize>(&self, words: [&str; N]) -> Said {
        let said = campaignd(self.folder(), words);
        assert_eq!(said.exit, 0, "{words:?}: {}{}", said.out, said.err);
        said
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(name)).expect("the file is there")
    }

    /// The files of the mails in the outbox.
    pub(crate) fn outbox(&self) -> Vec<std::path::PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.folder().join("outbox")) else { return Vec::new() };
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "eml")).collect()
    }

    /// How many mails lie in the outbox.
    pub(crate) fn mails(&self) -> usize {
        self.outbox().len()
    }

    /// Waits until so many mails lie in the outbox; a minute at most.
    pub(crate) fn until_mails(&self, count: usize) {
        let start = std::time::Instant::now();
        while self.mails() < count {
            assert!(start.elapsed().as_secs() < 60, "{} of {count} mails", self.mails());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// The text of one of them.
    pub(crate) fn a_mail(&self) -> String {
        let path = self.outbox().pop().expect("a mail");
        std::fs::read_to_string(path).expect("a mail is text")
    }

    /// The same on a database of the test's own.
    pub(crate) fn on(address: &str) -> Self {
        let project = Self::create();
        let settings = project.read("campaignd.yaml");
        let line = "# database: sqlite://campaignd.db";
        assert!(settings.contains(line), "{settings}");
        project.write("campaignd.yaml", &settings.replace(line, &format!("database: {address}")));
        project
    }

    /// The same with the sample data imported.
    pub(crate) fn with_data_on(address: &str) -> Self {
        let project = Self::on(address);
        project.fine(["import", "contacts.csv"]);
        project.fine(["import", "orders.csv", "--event", "purchase"]);
        project
    }
}

#[test]
fn help_is_a_result_and_a_wrong_call_a_message() {
    let folder = tempfile::tempdir().expect("a folder");
    for words in [&["--help"][..], &["help"], &["check", "--help"], &["--version"]] {
        let said = campaignd(folder.path(), words);
        assert_eq!((said.exit, said.err.as_str()), (0, ""), "{words:?}");
        assert!(said.out.contains("campaignd"), "{words:?}: {}", said.out);
    }
    for words in [&["chekc"][..], &["check", "--jsno"], &[], &["--project"]] {
        let said = campaignd(folder.path(), words);
        assert_eq!((said.exit, said.out.as_str()), (2, ""), "{words:?}");
        assert!(said.err.contains("--help"), "{words:?}: {}", said.err);
    }
}

#[test]
fn a_command_of_a_later_version_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    for word in ["simulate", "plan"] {
        let said = campaignd(folder.path(), [word, "x"]);
        let expected = format!("error: `campaignd {word}` is not available in this version\n");
        assert_eq!((said.exit, said.err), (2, expected));
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = command(folder.path())
        .arg("--help")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let said = said(child.wait_with_output().expect("the program ends"));
    assert_eq!((said.exit, said.err.as_str()), (0, ""));
}
