//! The command line: words to use cases, results to text, failures to exit codes.
//!
//! | file | what |
//! |---|---|
//! | [`arguments`] | what may be typed |
//! | [`terminal`] | where results and messages go |
//! | `shown` | how times, shares and tables look |
//! | `signals` | SIGTERM and Ctrl-C |
//! | [`exit`] | what the process says when it ends |
//! | [`commands`] | one file a command |

use std::ffi::OsString;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::app::Failure;
use crate::diagnostic;

pub mod arguments;
pub mod commands;
pub mod exit;
mod shown;
mod signals;
pub mod terminal;

pub use exit::Exit;

use arguments::Arguments;
use terminal::Terminal;

/// Commands that are planned and not there: to type one is no misspelling.
const LATER: &[&str] = &["test", "plan", "simulate", "schema", "user"];

/// Runs the command that `words` (with the program's name first) spell.
pub fn main(words: impl IntoIterator<Item = OsString>) -> Exit {
    let terminal = Terminal::of_process();
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => return refuse(terminal, &error),
    };
    match commands::dispatch(&arguments, terminal) {
        Ok(exit) => exit,
        Err(failure) => tell(terminal, &failure),
    }
}

/// Help and version are results; anything else that the parser says is a wrong call.
fn refuse(terminal: Terminal, error: &clap::Error) -> Exit {
    if let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(word))) =
        (error.kind(), error.get(ContextKind::InvalidSubcommand))
        && LATER.contains(&word.as_str())
    {
        terminal.message(&format!("error: `campaignd {word}` is not available in this version"));
        return Exit::Wrong;
    }
    // A closed pipe is the only way in which this can fail; then nobody reads.
    let _ = error.print();
    if error.use_stderr() { Exit::Wrong } else { Exit::Fine }
}

/// Says what failed, whole, once.
fn tell(terminal: Terminal, failure: &Failure) -> Exit {
    match failure {
        Failure::Files { problems, sources } => {
            let text = diagnostic::text::render(problems, sources, terminal.colour_err);
            terminal.message(text.trim_end());
            let summary = diagnostic::text::summary(problems).unwrap_or_default();
            terminal.message(&format!("error: {summary}; nothing was changed"));
            Exit::Wrong
        }
        Failure::Call { message, hint } => {
            terminal.message(&harmless(&format!("error: {message}")));
            if let Some(hint) = hint {
                terminal.message(&harmless(&format!("hint: {hint}")));
            }
            Exit::Wrong
        }
        Failure::Outside(error) => {
            terminal.message(&harmless(&format!("error: {}", chained(error))));
            Exit::Failed
        }
    }
}

/// An error with its causes; one that only repeats what was said before is left out.
fn chained(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| {
        if said.is_empty() {
            cause
        } else if said.ends_with(&cause) {
            said
        } else {
            format!("{said}: {cause}")
        }
    })
}

/// Messages quote what was typed, and what servers and files say: that must not steer the terminal.
fn harmless(message: &str) -> String {
    message.lines().map(shown::printable).collect::<Vec<_>>().join("\n")
}
