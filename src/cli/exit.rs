//! What the process says to its caller when it ends.

use std::process::ExitCode;

/// The exit status; the same meaning for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or the answer is yes. Warnings do not change that.
    Fine,
    /// The answer is no: rows were rejected, a question was answered with no.
    No,
    /// The files or the call are wrong. Nothing was changed.
    Wrong,
    /// Something outside failed: database, network, disk.
    Failed,
    /// Ctrl-C.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::No => 1,
            Exit::Wrong => 2,
            Exit::Failed => 3,
            Exit::Interrupted => 130,
        })
    }
}
