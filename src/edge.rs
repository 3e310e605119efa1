//! Edges: the instants between a commit and a socket at which it matters whether a process goes on. At each of
//! them tests let a daemon die or stand still, and look afterwards whether its ledger is true.
//!
//! Commits have two edges each, `before: OPERATION` and `behind: OPERATION`; those of a conversation with a
//! mail server have names of their own. A test's order comes in the environment, `ACT EDGE` or `ACT EDGE PASSAGE`
//! in [`ORDER`], and is read once:
//!
//! | act | what happens |
//! |---|---|
//! | `die` | the process ends at that passage as if it were killed: nothing is flushed, no destructor runs |
//! | `break` | what works there breaks off (a panic): one of several, as by a mistake of ours |
//! | `stand` | it stops (SIGSTOP) at that passage, until somebody lets it go on (SIGCONT) |
//! | `note` | instead of an edge there is a file: the name of each edge that is passed is appended to it |
//!
//! All of this is in builds with debug assertions only. In a program that is shipped an edge is nothing at all,
//! whatever the environment says.

/// The variable with a test's order.
pub const ORDER: &str = "CAMPAIGND_TEST_EDGE";

/// The process has come to an edge that has a name.
#[inline]
pub fn pass(name: &str) {
    #[cfg(debug_assertions)]
    ordered::pass("", name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// A transaction is about to be committed.
#[inline]
pub fn before_commit(operation: &str) {
    #[cfg(debug_assertions)]
    ordered::pass("before: ", operation);
    #[cfg(not(debug_assertions))]
    let _ = operation;
}

/// A transaction is committed, and nobody knows it yet.
#[inline]
pub fn behind_commit(operation: &str) {
    #[cfg(debug_assertions)]
    ordered::pass("behind: ", operation);
    #[cfg(not(debug_assertions))]
    let _ = operation;
}

/// What is to be written at once: all of it, unless a test is at the edge in its middle.
#[inline]
pub fn up_to<'a>(name: &str, bytes: &'a [u8]) -> &'a [u8] {
    #[cfg(debug_assertions)]
    if ordered::is_about(name) {
        return &bytes[..bytes.len().div_ceil(2)];
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
    bytes
}

#[cfg(debug_assertions)]
mod ordered {
    use std::fs::File;
    use std::io::Write as _;
    use std::process::Command;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Clone, Copy)]
    enum Act {
        Die,
        Break,
        Stand,
    }

    enum Order {
        Note(File),
        At { edge: String, passage: u64, act: Act, passed: AtomicU64 },
    }

    fn order() -> Option<&'static Order> {
        static ORDER: OnceLock<Option<Order>> = OnceLock::new();
        ORDER.get_or_init(|| read(&std::env::var(super::ORDER).ok()?)).as_ref()
    }

    fn read(order: &str) -> Option<Order> {
        let (act, what) = order.split_once(' ')?;
        if act == "note" {
            return File::options().create(true).append(true).open(what).ok().map(Order::Note);
        }
        let act = match act {
            "die" => Act::Die,
            "break" => Act::Break,
            "stand" => Act::Stand,
            _ => return None,
        };
        let numbered = what.rsplit_once(' ').and_then(|(edge, passage)| Some((edge, passage.parse().ok()?)));
        let (edge, passage) = numbered.unwrap_or((what, 1));
        Some(Order::At { edge: edge.to_owned(), passage, act, passed: AtomicU64::new(0) })
    }

    pub(super) fn is_about(name: &str) -> bool {
        match order() {
            Some(Order::At { edge, .. }) => edge == name,
            Some(Order::Note(_)) => true,
            None => false,
        }
    }

    pub(super) fn pass(side: &str, name: &str) {
        match order() {
            None => {}
            Some(Order::Note(file)) => {
                // One write, so that lines of several threads stay whole.
                let line = format!("{side}{name}\n");
                let mut file: &File = file;
                if let Err(error) = file.write_all(line.as_bytes()) {
                    tracing::error!(error = &error as &dyn std::error::Error, "an edge cannot be noted");
                }
            }
            Some(Order::At { edge, passage, act, passed }) => {
                let is_here = edge.strip_prefix(side) == Some(name);
                if is_here && passed.fetch_add(1, Ordering::SeqCst) + 1 == *passage {
                    match act {
                        Act::Die => std::process::abort(),
                        Act::Break => std::panic::panic_any("a test breaks this off"),
                        Act::Stand => stand(),
                    }
                }
            }
        }
    }

    fn stand() {
        let stopped = Command::new("kill").args(["-STOP", &std::process::id().to_string()]).status();
        if let Err(error) = stopped {
            tracing::error!(error = &error as &dyn std::error::Error, "no stop at an edge");
        }
    }
}
