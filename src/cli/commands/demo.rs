//! `campaignd demo`: everything, end to end, on the project that ships.

use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::app::Failure;
use crate::cli::arguments::Demo;
use crate::cli::exit::Exit;
use crate::cli::shown;
use crate::cli::signals::shutdown;
use crate::cli::terminal::Terminal;
use crate::demo::{self, DAYS};
use crate::report::engagement::ByAgent;

use super::{counted, number};

pub(super) async fn run(folder: &Path, call: &Demo, terminal: Terminal) -> Result<Exit, Failure> {
    let folder = if folder == Path::new(".") { call.dir.clone() } else { folder.join(&call.dir) };
    // Pages are served where somebody is there to look at them, and to end it.
    let stays = !call.exit && !call.json && terminal.progress;
    let bar = bar(terminal);
    let made = demo::run(&folder, call.seed, stays, &|days| bar.set_position(days)).await;
    bar.finish_and_clear();
    let (made, pages) = made?;
    if call.json {
        terminal.json(&as_json(&made))?;
    } else {
        let style = terminal.text_style(made.time_zone);
        terminal.result(&format!("{}\n{}\n{}", head(&made), made.report.to_text(style), foot(&made)))?;
    }
    let exit = match pages.report {
        Some(address) => {
            let (shutdown, stopped) = shutdown()?;
            terminal.message(&format!("The report as a page: http://{address}   (Ctrl-C ends it)"));
            shutdown.await;
            stopped.exit()
        }
        None => Exit::Fine,
    };
    pages.close().await?;
    Ok(exit)
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
        "A made-up shop: {}, {}; {DAYS} days from {} to {}.\n\n{}\n{}",
        counted(made.totals.contacts, "contact", "contacts"),
        counted(made.totals.events, "event", "events"),
        day(made.from),
        day(made.until),
        shown::table(&["segment", "#contacts", "#share", "meaning"], rows),
        shown::lines(steps(made)),
    )
}

/// The loop from mails to scores, one line a step.
fn steps(made: &demo::Demo) -> Vec<String> {
    let back = made.report.outcome().engagement;
    let by = |by: &ByAgent| {
        format!("{} by people, {} by machines, {} unknown", number(by.human), number(by.machine), by.unknown)
    };
    let visits = made.visits;
    let moments = || made.report.levels.iter().flat_map(|history| &history.moments);
    let (rose, fell) = moments().fold((0, 0), |(rose, fell), one| (rose + one.rose, fell + one.fell));
    let runs = counted(made.report.runs().count() as u64, "run", "runs");
    let all = visits.pixels + visits.links + visits.consent;
    [
        ("mails", format!("{} sent in {runs}", number(made.mails))),
        (
            "requests",
            format!(
                "{} over HTTP: {} of pixels, {} of links, {} of pages to unsubscribe",
                number(all),
                number(visits.pixels),
                number(visits.links),
                visits.consent
            ),
        ),
        ("opened", by(&back.opened.deliveries)),
        ("clicked", by(&back.clicked.deliveries)),
        ("then", format!("{} orders after a click, {} unsubscribed", made.orders, back.unsubscribed)),
        ("scores", format!("a level up {rose} times, a level down {fell} times")),
    ]
    .map(|(step, text)| format!("{step:<9} {text}"))
    .to_vec()
}

fn foot(made: &demo::Demo) -> String {
    let folder = made.folder.display();
    format!(
        "{} in {}; nobody was mailed.\nThe report as a page: {}\nThe folder is a project like any other:\n  campaignd --project {folder} status\n  campaignd --project {folder} report aria_launch\n",
        counted(made.mails, "mail lies", "mails lie"),
        made.outbox.display(),
        made.page.display(),
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
        "requests": { "pixels": made.visits.pixels, "links": made.visits.links, "consent": made.visits.consent },
        "orders_after_a_click": made.orders,
        "segments": made.segments.iter().map(segment).collect::<Vec<_>>(),
        "report": made.report.to_json(),
    })
}
