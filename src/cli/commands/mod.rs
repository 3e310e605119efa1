//! One file a command: calls a use case of `app`, shows what it gives.

use crate::app::Failure;

use super::arguments::{Arguments, Command};
use super::exit::Exit;
use super::terminal::Terminal;

mod check;

/// Runs the command.
pub fn run(arguments: &Arguments, terminal: Terminal) -> Result<Exit, Failure> {
    let project = &arguments.project;
    match &arguments.command {
        Command::Check(call) => check::run(project, call, terminal),
    }
}
