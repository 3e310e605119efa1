//! Explanations of random contacts by every segment of a project: what `benches/run explain` sets beside the full
//! pass over everybody.
//!
//! usage: `explain PROJECT DATABASE CONTACTS`; DATABASE is a filled SQLite file, or `postgres://…`, where the
//! segments were evaluated. Prints one JSON line: the seconds of each explanation as the command makes it, from the
//! contact's id to the whole answer, but for opening the database once.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use campaignd::app::project::Checked;
use campaignd::app::{Failure, Installation, explain};
use campaignd::clock::Clock;
use campaignd::domain::time::Timestamp;

/// The last instant of the data: 2026-11-01T00:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_793_491_200);
/// The data's contacts have the ids from 1 up to this.
const PEOPLE: u64 = 1_000_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [project, database, contacts] = &arguments[..] else {
        println!("explain: not run: it needs PROJECT, DATABASE and CONTACTS");
        return Ok(());
    };
    let address = if database.contains("://") { database.clone() } else { format!("sqlite://{database}") };
    let environment = BTreeMap::from([("CAMPAIGND_DATABASE".to_owned(), address)]);
    let project = Checked::read(Path::new(project), &environment).project;
    let project = project.ok_or("the project is wrong: run `campaignd check`")?;
    let segments: Vec<_> = project.catalogue.segments.keys().cloned().collect();
    let installation =
        Installation::open(project, Clock::set_at(NOW).0).await.map_err(|failure| failed(&failure))?;
    let mut seconds = Vec::new();
    for number in 0..contacts.parse::<u64>()? {
        // Spread over all of them without an order.
        let contact = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % PEOPLE + 1;
        for segment in &segments {
            let start = Instant::now();
            let explained =
                explain::explain(&installation, &contact.to_string(), Some(segment.as_str()), None).await;
            explained.map_err(|failure| failed(&failure))?;
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    println!("{}", serde_json::json!(seconds));
    Ok(())
}

fn failed(failure: &Failure) -> String {
    format!("{failure:?}")
}
