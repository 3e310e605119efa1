//! `campaignd init`: a new project folder.

use std::path::Path;

use crate::app::Failure;
use crate::app::init::init;
use crate::cli::arguments::Init;
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;
use crate::clock::Clock;

pub(super) fn run(project: &Path, call: &Init, terminal: Terminal) -> Result<Exit, Failure> {
    let here = call.folder.as_os_str() == ".";
    let folder = if here { project.to_path_buf() } else { project.join(&call.folder) };
    let files = init(&folder, Clock::System.now())?;
    let lines: Vec<String> = files.iter().map(|file| format!("wrote {}\n", file.display())).collect();
    terminal.result(&lines.concat())?;
    let inside = if here { String::new() } else { format!("cd {} && ", folder.display()) };
    terminal.message(&format!("next: {inside}campaignd check && campaignd import contacts.csv"));
    Ok(Exit::Fine)
}
