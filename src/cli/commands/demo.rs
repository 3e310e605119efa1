//! `campaignd demo`: everything, end to end, on the project that ships.

use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::app::Failure;
use crate::cli::arguments::Demo;
use crate::cli::exit::Exit;
use crate::cli::shown;
use crate::cli::terminal::Terminal;
use crate::demo::{self, DAYS};

use super::counted;

pub(super) async fn run(folder: &Path, call: &Demo, terminal: Terminal) -> Result<Exit, Failure> {
    let folder = if folder == Path::new(".") { call.dir.clone() } else { folder.join(&call.dir) };
    let bar = bar(terminal);
    let made = demo::run(&folder, call.seed, &|days| bar.set_position(days)).await;
    bar.finish_and_clear();
    let made = made?;
    if call.json {
        terminal.json(&as_json(&made))?;
        return Ok(Exit::Fine);
    }
    let style = terminal.text_style(made.time_zone);
    let text = format!("{}\n{}\n{}", head(&made), made.report.to_text(style), foot(&made));
    terminal.result(&text)?;
    Ok(Exit::Fine)
}

fn bar(terminal: Terminal) -> ProgressBar {
    let target = if terminal.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(DAYS), target);
    if let Ok(style) = ProgressStyle::with_template("day {pos} of {len} {wide_bar} {elapsed}") {
        bar.set_style(style);
    }
    bar
}

fn head(made: &demo::Demo) -> String {
    let day = |at| shown::time(at, made.time_zone);
    let rows = made.segments.iter().map(|size| {
        let share = shown::share(size.members, size.contacts);
        vec![size.name.clone(), size.members.to_string(), share, size.description.clone().unwrap_or_default()]
    });
    format!(
        "A made-up shop: {}, {}; {DAYS} days from {} to {}.\n\n{}",
        counted(made.totals.contacts, "contact", "contacts"),
        counted(made.totals.events, "event", "events"),
        day(made.from),
        day(made.until),
        shown::table(&["segment", "#contacts", "#share", "meaning"], rows),
    )
}

fn foot(made: &demo::Demo) -> String {
    let folder = made.folder.display();
    format!(
        "{} in {}; nobody was mailed.\nThe folder is a project like any other:\n  campaignd --project {folder} status\n  campaignd --project {folder} segment vip\n",
        counted(made.mails, "mail lies", "mails lie"),
        made.outbox.display(),
    )
}

/// Figures alone: no path and no measured time, so that one seed gives one text.
fn as_json(made: &demo::Demo) -> Value {
    let segment = |size: &crate::app::segment::SegmentSize| json!({ "name": size.name, "contacts": size.contacts, "members": size.members });
    json!({
        "version": 1,
        "seed": made.seed,
        "from": made.from.to_string(),
        "until": made.until.to_string(),
        "contacts": made.totals.contacts,
        "events": made.totals.events,
        "mails": made.mails,
        "segments": made.segments.iter().map(segment).collect::<Vec<_>>(),
        "report": made.report.to_json(),
    })
}
