//! Full passes of all segments of a project, memberships written each time from nothing.
//!
//! usage: `full-pass PROJECT DATABASE ROUNDS OUT`; DATABASE is a filled SQLite file. Prints one JSON
//! line: the seconds of each pass after a first one that warms, and this process's peak memory; OUT
//! receives the pairs `segment id`, sorted. `benches/run` sets them beside DuckDB's.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use campaignd::audience;
use campaignd::declare;
use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::domain::time::Timestamp;
use campaignd::store::{Store, StoreOptions, memberships};

/// The last instant of the data: 2026-11-01T00:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_793_491_200);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let mut next = || arguments.next();
    let (Some(project), Some(database), Some(rounds), Some(out)) = (next(), next(), next(), next()) else {
        println!("full-pass: not run: it needs PROJECT, DATABASE, ROUNDS and OUT");
        return Ok(());
    };
    let settings = EvaluationSettings { time_zone: campaignd::domain::time::Zone::UTC };
    let loaded = declare::load(Path::new(&project), settings.time_zone);
    let catalogue = loaded.catalogue.ok_or("the declarations are wrong: run `campaignd check`")?;
    let store = Store::connect(&format!("sqlite://{database}"), &StoreOptions::default()).await?;

    let mut seconds = Vec::new();
    for round in 0..=rounds.parse::<u32>()? {
        let connection = rusqlite::Connection::open(&database)?;
        connection.execute_batch(
            "DELETE FROM membership_blocks; DELETE FROM membership_changes; DELETE FROM review_blocks;
             DELETE FROM segments;",
        )?;
        drop(connection);
        let start = Instant::now();
        audience::refresh(&store, &catalogue, settings, NOW).await?;
        if round > 0 {
            seconds.push((start.elapsed().as_secs_f64() * 10_000.0).round() / 10_000.0);
        }
    }

    // The peak counts pages of the mapped database file, which are file cache.
    let (peak, anonymous) = (memory_mib("VmHWM:")?, memory_mib("RssAnon:")?);

    let names: Vec<_> = catalogue.segments.keys().cloned().collect();
    let mut pairs = String::new();
    for segment in memberships::ensure_segments(&store, &names).await? {
        for member in memberships::members(&store, segment.id).await? {
            // The numbers of contacts are in the order of the file, so number and id are the same.
            writeln!(pairs, "{} {}", segment.kept, member.contact.0)?;
        }
    }
    std::fs::write(out, pairs)?;
    println!("{}", serde_json::json!({ "seconds": seconds, "peak_mib": peak, "anonymous_mib": anonymous }));
    Ok(())
}

/// A figure of this process, from Linux's `/proc/self/status`.
fn memory_mib(key: &str) -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)).ok_or("no such figure")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024)
}
