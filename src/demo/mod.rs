//! A made-up shop, and 60 days of it in seconds: `campaignd demo`.
//!
//! Nothing here is a shortcut: the project that ships is laid out in a folder and read as any other,
//! the people and what they do go through the store, and the engine is the daemon's, on a clock that
//! is set. One seed gives one result, to the last Message-ID.
//!
//! | file | what |
//! |---|---|
//! | [`files`] | the project that ships, and the demo's folder |
//! | [`assortment`] | tables: what is sold, where people live, what they are called |
//! | [`people`] | who they are |
//! | [`story`] | what they do |
//! | [`shop`] | both, on their way into the database |
//! | [`inbox`] | what readers find in a mail as it was sent |
//! | [`readers`] | what they, and the machines around them, do with it |
//! | [`visits`] | the same, by real HTTP to the daemon's own server |
//! | [`life`] | all of it in order of time |

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::app::daemon::{http_state, start_engine};
use crate::app::project::Checked;
use crate::app::report::{html_style, report};
use crate::app::segment::{Ranks, SegmentSize, sizes};
use crate::app::track::track_settings;
use crate::app::{Failure, Installation};
use crate::clock::Clock;
use crate::domain::calendar;
use crate::domain::schedule::Cadence;
use crate::domain::time::{Timestamp, Zone};
use crate::http::{Listen, Server};
use crate::report::Report;
use crate::store::events::Appender;
use crate::store::figures::{self, Totals};
use crate::store::secrets;
use crate::track::Spool;

mod assortment;
mod files;
mod inbox;
mod life;
mod people;
mod readers;
mod shop;
mod story;
mod visits;

use files::Folder;
use life::{Life, World};
use shop::Shop;
use visits::Visitor;
pub use visits::Visits;

/// Where the demo lives unless something else is said.
pub const DEFAULT_FOLDER: &str = "campaignd-demo";
/// How many days the clock runs.
pub const DAYS: u64 = 60;

/// The first day: a Monday, so that the weekly campaign begins at once; the shipped announcement and
/// a change to daylight saving lie within the 60 days behind it.
const FIRST_DAY: (i32, u32, u32) = (2027, 2, 1);
/// Segments are evaluated at every run anyway, and in between once a day.
const REFRESH: Cadence = Cadence::Every(Duration::from_hours(24));

/// What came of it.
#[derive(Debug, Clone)]
pub struct Demo {
    /// What chance began with.
    pub seed: u64,
    /// The project folder, to look around in.
    pub folder: PathBuf,
    /// The folder with the mails.
    pub outbox: PathBuf,
    /// How many mails are there.
    pub mails: u64,
    /// What its readers and the machines around them asked for.
    pub visits: Visits,
    /// How many orders followed a click.
    pub orders: u64,
    /// The report as a page.
    pub page: PathBuf,
    /// The zone in which times are shown.
    pub time_zone: Zone,
    /// When the clock began.
    pub from: Timestamp,
    /// When it stopped.
    pub until: Timestamp,
    /// How much there is.
    pub totals: Totals,
    /// The segments at the end.
    pub segments: Vec<SegmentSize>,
    /// What became of the deliveries, and what came back.
    pub report: Report,
}

/// Lays the project out in `folder`, and lets its clock run for [`DAYS`] days. `progress` hears how many
/// days are over. The report's page is served from then on if `serve` says so.
pub async fn run(
    folder: &Path,
    seed: u64,
    serve: bool,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<(Demo, Pages), Failure> {
    let folder = files::lay_out(folder)?;
    // What the process's environment says is for other projects.
    let mut project = Checked::read(&folder.path, &BTreeMap::new()).into_project()?;
    project.settings.durability = crate::settings::Durability::Process;
    project.settings.refresh = REFRESH;
    let (time_zone, public_url) = (project.settings.time_zone, project.settings.public_url.clone());
    let listen = project.settings.http.report.filter(|_| serve);

    let (year, month, day) = FIRST_DAY;
    let first = NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
    let midnight =
        |days| calendar::day_start(first.checked_add_days(Days::new(days)).unwrap_or(first), time_zone);
    let (from, until) = (midnight(0), midnight(DAYS));
    let (clock, hand) = Clock::set_at(from);
    let installation = Installation::open(project, clock).await?;

    // The first to name a secret decides: with it, Message-IDs depend on the seed alone.
    let secret: [u8; 32] = StdRng::seed_from_u64(seed).random();
    secrets::signing_secrets(&installation.store, secret, from)
        .await
        .map_err(|error| installation.failed(error))?;

    let mut shop = Shop::new(seed, first, first.checked_add_days(Days::new(DAYS)).unwrap_or(first));
    shop.open(&installation).await?;
    let appender = Appender::new(&installation.store);

    let engine = start_engine(&installation).await?;
    let (pages, spool) = Pages::open(&installation, listen).await?;
    let host = public_url.split_once("://").map_or("", |(_, host)| host).to_owned();
    let mut life = Life::new(World {
        installation: &installation,
        engine: &engine,
        hand: &hand,
        spool,
        tracking: track_settings(&installation),
        shop: &mut shop,
        appender,
        visitor: Visitor::new(pages.public, host),
        outbox: folder.path.join("outbox"),
    });
    // Campaigns begin before anything is due.
    life.until(from).await?;
    for day in 0..DAYS {
        progress(day);
        life.until(midnight(day + 1)).await?;
    }
    let (visits, mails, orders) = (life.world.visitor.visits, life.mails, life.orders);
    drop(life);
    engine.stop(until).await.map_err(|error| installation.engine_failed(error))?;
    progress(DAYS);

    let failed = |error| installation.failed(error);
    let report = report(&installation, None).await?;
    let page = folder.path.join("report.html");
    std::fs::write(&page, report.to_html(&html_style(&installation)))
        .map_err(|error| Failure::outside(format!("could not write {}", page.display()), error))?;
    let demo = Demo {
        seed,
        mails,
        visits,
        orders,
        outbox: folder.path.join("outbox"),
        page,
        time_zone,
        from,
        until,
        totals: figures::totals(&installation.store).await.map_err(failed)?,
        segments: sizes(&installation, Ranks::Standing, until).await?,
        report,
        folder: folder.path.clone(),
    };
    Ok((demo, pages.with(installation, folder)))
}

/// The demo's servers: where its readers go, and where its report is.
#[derive(Debug)]
pub struct Pages {
    public: SocketAddr,
    /// Where the report is, where it is served.
    pub report: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    /// Kept as long as pages are served: the database, and the folder that no other demo may take.
    kept: Option<(Installation, Folder)>,
}

impl Pages {
    /// Serves the demo's pages; the report at `report`, or at a free port where that one is taken.
    async fn open(installation: &Installation, report: Option<SocketAddr>) -> Result<(Self, Spool), Failure> {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let listen = |report| Listen { public: Some(free), report };
        let bound = match Server::bind(listen(report)).await {
            Err(_) if report.is_some() => Server::bind(listen(Some(free))).await,
            bound => bound,
        };
        let server = bound.map_err(|error| Failure::outside("could not serve the demo's pages", error))?;
        let (public, report) = (server.public_address().unwrap_or(free), server.report_address());
        let (_, catalogue) = watch::channel(Arc::new(installation.project.catalogue.clone()));
        let state = http_state(installation, catalogue).await?;
        let spool = state.spool.clone();
        let (stop, told_to_stop) = oneshot::channel();
        let serving = tokio::spawn(server.serve(state, async {
            // Dropped or told: it is over.
            let _ = told_to_stop.await;
        }));
        Ok((Self { public, report, stop, serving, kept: None }, spool))
    }

    fn with(self, installation: Installation, folder: Folder) -> Self {
        Self { kept: Some((installation, folder)), ..self }
    }

    /// Serves no more, and closes the database.
    pub async fn close(self) -> Result<(), Failure> {
        // Who does not listen any more has stopped.
        let _ = self.stop.send(());
        self.serving.await.map_err(|error| Failure::outside("the demo's server failed", error))?;
        match self.kept {
            Some((installation, _folder)) => installation.close().await,
            None => Ok(()),
        }
    }
}
