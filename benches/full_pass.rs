//! Full passes of all segments of a project, memberships written each time from nothing.
//!
//! usage: `full-pass PROJECT DATABASE ROUNDS OUT`; DATABASE is a filled `SQLite` file, or the address of a filled
//! `PostgreSQL` database, for which `psql` is called. Prints one JSON line: the seconds of each pass after a
//! first one that warms, and this process's peak memory; OUT receives the pairs `segment id`, sorted.
//! `benches/run` sets them beside other programs'.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use campaignd::audience;
use campaignd::declare;
use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::domain::time::{Timestamp, Zone};
use campaignd::store::{Store, StoreOptions, memberships};

/// The last instant of the data: 2026-11-01T00:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_793_491_200);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [project, database, rounds, out] = &arguments[..] else {
        println!("full-pass: not run: it needs PROJECT, DATABASE, ROUNDS and OUT");
        return Ok(());
    };
    let settings = EvaluationSettings { time_zone: Zone::UTC };
    let loaded = declare::load(Path::new(project), settings.time_zone);
    let catalogue = loaded.catalogue.ok_or("the declarations are wrong: run `campaignd check`")?;
    let is_server = database.starts_with("postgres");
    let address = if is_server { database.clone() } else { format!("sqlite://{database}") };
    let store = Store::connect(&address, &StoreOptions::default()).await?;

    let mut seconds = Vec::new();
    let mut peak_of_own = 0;
    for round in 0..=rounds.parse::<u32>()? {
        forget_memberships(database, is_server)?;
        // The first pass is not timed, so that looking at its memory costs nothing.
        let peak = (round == 0).then(OwnMemory::watch);
        let start = Instant::now();
        audience::refresh(&store, &catalogue, settings, NOW).await?;
        match peak {
            Some(peak) => peak_of_own = peak.most(),
            None => seconds.push((start.elapsed().as_secs_f64() * 10_000.0).round() / 10_000.0),
        }
    }

    let names: Vec<_> = catalogue.segments.keys().cloned().collect();
    let mut pairs = String::new();
    for segment in memberships::ensure_segments(&store, &names).await? {
        for member in memberships::members(&store, segment.id).await? {
            // The numbers of contacts are in the order of the file, so number and id are the same.
            writeln!(pairs, "{} {}", segment.kept, member.contact.0)?;
        }
    }
    std::fs::write(out, pairs)?;
    // The peak of all counts pages of the mapped database file, which are file cache.
    let peak = memory("VmHWM:").unwrap_or_default() >> 20;
    println!(
        "{}",
        serde_json::json!({ "seconds": seconds, "peak_mib": peak, "anonymous_mb": peak_of_own / 1_000_000 })
    );
    Ok(())
}

/// As if no segment had ever been evaluated.
fn forget_memberships(database: &str, is_server: bool) -> Result<(), Box<dyn Error>> {
    const FORGET: &str =
        "DELETE FROM membership_blocks; DELETE FROM membership_changes; DELETE FROM review_blocks;
        DELETE FROM segments;";
    if is_server {
        let done = Command::new("psql").args(["-X", "-q", "-c", FORGET, database]).status()?;
        return if done.success() { Ok(()) } else { Err("psql failed".into()) };
    }
    Ok(rusqlite::Connection::open(database)?.execute_batch(FORGET)?)
}

/// The most memory of this process's own, beside mapped files.
struct OwnMemory {
    is_over: Arc<AtomicBool>,
    watch: std::thread::JoinHandle<u64>,
}

impl OwnMemory {
    fn watch() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let seen_over = Arc::clone(&is_over);
        let watch = std::thread::spawn(move || {
            let mut most = 0;
            while !seen_over.load(Ordering::Relaxed) {
                most = most.max(memory("RssAnon:").unwrap_or_default());
                std::thread::sleep(Duration::from_millis(2));
            }
            most
        });
        Self { is_over, watch }
    }

    /// In bytes.
    fn most(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        self.watch.join().unwrap_or_default()
    }
}

/// A figure of this process in bytes, from Linux's `/proc/self/status`.
fn memory(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
}
