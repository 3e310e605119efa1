//! One file a command: calls a use case of `app`, shows what it gives.

use std::future::Future;
use std::path::Path;

use crate::app::project::{Checked, environment};
use crate::app::{Failure, Installation, Project};
use crate::clock::Clock;

use super::arguments::{Arguments, Command};
use super::exit::Exit;
use super::terminal::Terminal;

mod check;
mod contact;
mod decide;
mod demo;
mod dkim;
mod doctor;
mod explain;
mod forget;
mod import;
mod init;
mod key;
mod migrate;
mod pause;
mod preview;
mod reclassify;
mod report;
mod run;
mod segment;
mod send;
mod status;
mod suppress;
mod uncertain;

/// Runs the command.
pub fn dispatch(arguments: &Arguments, terminal: Terminal) -> Result<Exit, Failure> {
    let folder = &arguments.project;
    match &arguments.command {
        Command::Init(call) => init::run(folder, call, terminal),
        Command::Check(call) => wait_for(check::run(folder, call, terminal)),
        Command::Import(call) => wait_for(import::run(folder, call, terminal)),
        Command::Segment(call) => wait_for(segment::run(folder, call, terminal)),
        Command::Explain(call) => wait_for(explain::run(folder, call, terminal)),
        Command::Preview(call) => wait_for(preview::run(folder, call, terminal)),
        Command::Run(call) => runtime()?.block_on(run::run(folder, call, terminal)),
        Command::Send(call) => runtime()?.block_on(send::run(folder, call, terminal)),
        Command::Status(call) => wait_for(status::run(folder, call, terminal)),
        Command::Approve(call) => wait_for(decide::run_approve(folder, call, terminal)),
        Command::Pause(call) => wait_for(pause::run_pause(folder, call, terminal)),
        Command::Resume(call) => wait_for(pause::run_resume(folder, call, terminal)),
        Command::Cancel(call) => wait_for(decide::run_cancel(folder, call, terminal)),
        Command::Uncertain(call) => wait_for(uncertain::run(folder, call, terminal)),
        Command::Report(call) => wait_for(report::run(folder, call, terminal)),
        Command::Contact(call) => wait_for(contact::run(folder, call, terminal)),
        Command::Suppress(call) => wait_for(suppress::run(folder, call, terminal)),
        // To its end: what was erased is wiped, too.
        Command::Forget(call) => runtime()?.block_on(forget::run(folder, call, terminal)),
        Command::Key(call) => wait_for(key::run(folder, call, terminal)),
        Command::Dkim(call) => dkim::run(folder, call, terminal),
        Command::Demo(call) => wait_for(demo::run(folder, call, terminal)),
        Command::Reclassify(call) => wait_for(reclassify::run(folder, call, terminal)),
        Command::Doctor(call) => wait_for(doctor::run(folder, call, terminal)),
        Command::Migrate(call) => wait_for(migrate::run(folder, call, terminal)),
    }
}

/// Reads the project, or fails with all that is wrong with it.
fn project(folder: &Path) -> Result<Project, Failure> {
    Checked::read(folder, &environment()).into_project()
}

/// Reads the project and opens its database.
async fn installation(folder: &Path) -> Result<Installation, Failure> {
    Installation::open(project(folder)?, Clock::System).await
}

/// As [`installation`], for what holds mails back or shows what goes on: mistakes in declarations and
/// templates do not prevent it, since a daemon goes on by the files of before.
async fn installation_at_once(folder: &Path, terminal: Terminal) -> Result<Installation, Failure> {
    let (project, errors) = Checked::read(folder, &environment()).into_draft()?;
    if errors > 0 {
        let errors = counted(errors as u64, "error", "errors");
        terminal.message(&format!("warning: {errors} in the project's files; `campaignd check` shows them"));
    }
    Installation::open(project, Clock::System).await
}

/// Runs a future to its end; Ctrl-C ends it where it waits. What it had in a transaction is undone,
/// what it had committed stays.
fn wait_for(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    runtime()?.block_on(async {
        tokio::select! {
            result = command => result,
            _ = tokio::signal::ctrl_c() => Ok(Exit::Interrupted),
        }
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::outside("could not start threads", error))
}

/// `1 contact`, `2,000 contacts`.
pub(in crate::cli::commands) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// `2,000`.
fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
