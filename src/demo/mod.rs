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

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{Days, NaiveDate};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::app::daemon::start_engine;
use crate::app::project::Checked;
use crate::app::segment::{SegmentSize, sizes};
use crate::app::{Failure, Installation};
use crate::clock::Clock;
use crate::domain::calendar;
use crate::domain::time::{Timestamp, Zone};
use crate::report::{self, Report};
use crate::store::events::Appender;
use crate::store::figures::{self, Totals};
use crate::store::secrets;

mod assortment;
mod files;
mod people;
mod shop;
mod story;

use shop::Shop;

/// Where the demo lives unless something else is said.
pub const DEFAULT_FOLDER: &str = "campaignd-demo";
/// How many days the clock runs.
pub const DAYS: u64 = 60;

/// The first day: a Monday, so that the weekly campaign begins at once; the shipped announcement and
/// a change to daylight saving lie within the 60 days behind it.
const FIRST_DAY: (i32, u32, u32) = (2027, 2, 1);
/// Segments are evaluated at every run anyway, and in between once a day.
const REFRESH: Duration = Duration::from_hours(24);

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
    /// The deliveries.
    pub report: Report,
}

/// Lays the project out in `folder`, and lets its clock run for [`DAYS`] days. `progress` hears how many
/// days are over.
pub async fn run(folder: &Path, seed: u64, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Demo, Failure> {
    let folder = files::lay_out(folder)?;
    // What the process's environment says is for other projects.
    let mut project = Checked::read(&folder.path, &BTreeMap::new()).into_project()?;
    project.settings.durability = crate::settings::Durability::Process;
    project.settings.refresh = REFRESH;
    let time_zone = project.settings.time_zone;

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
    let mut appender = Appender::new(&installation.store);
    shop.live(&installation, &mut appender).await?;

    let engine = start_engine(&installation).await?;
    for day in 0..DAYS {
        progress(day);
        engine
            .run_until(&hand, midnight(day + 1))
            .await
            .map_err(|error| installation.engine_failed(error))?;
        shop.live(&installation, &mut appender).await?;
    }
    engine.stop(until).await.map_err(|error| installation.engine_failed(error))?;
    progress(DAYS);

    let outbox = folder.path.join("outbox");
    let failed = |error| installation.failed(error);
    let demo = Demo {
        seed,
        mails: count_files(&outbox)?,
        outbox,
        time_zone,
        from,
        until,
        totals: figures::totals(&installation.store).await.map_err(failed)?,
        segments: sizes(&installation, until).await?,
        report: report::read(&installation.store, None, time_zone).await.map_err(failed)?,
        folder: folder.path.clone(),
    };
    installation.close().await?;
    Ok(demo)
}

fn count_files(folder: &Path) -> Result<u64, Failure> {
    match std::fs::read_dir(folder) {
        Ok(entries) => Ok(entries.count() as u64),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => {
            Err(Failure::outside(format!("could not count the mails in {}", folder.display()), error))
        }
    }
}
