//! The reference of the one-thread bench: queries over typed columns with covering indexes, in the `SQLite`
//! that campaignd itself is built with.
//!
//! usage: `sql-reference DATABASE DATA QUERIES ROUNDS`. A DATABASE that is not there is filled from
//! `contacts_typed.csv` and `events_typed.csv` in DATA. QUERIES is a JSON object of queries by segment, each
//! of which gives contacts; the pairs are written into the table `pairs`. Prints the seconds of each round
//! after a first one that warms, as a JSON list.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, ToSql, params_from_iter};

const TABLES: &str = "
    CREATE TABLE contacts (id INTEGER PRIMARY KEY, consent INTEGER NOT NULL, country TEXT NOT NULL, b2b INTEGER NOT NULL,
        tz TEXT NOT NULL, birth INTEGER NOT NULL, interests TEXT NOT NULL);
    CREATE TABLE events (contact INTEGER NOT NULL, type INTEGER NOT NULL, ts INTEGER NOT NULL, amount INTEGER,
        category INTEGER);";

/// Two that cover all queries, as whoever keeps such tables has them: by contact, and by time.
const INDEXES: &str = "
    CREATE INDEX events_by_contact ON events (contact, type, ts, amount, category);
    CREATE INDEX events_by_time ON events (type, ts, contact, amount, category);
    ANALYZE;";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [database, data, queries, rounds] = &arguments[..] else {
        println!("sql-reference: not run: it needs DATABASE, DATA, QUERIES and ROUNDS");
        return Ok(());
    };
    if !Path::new(database).exists() {
        let unfinished = format!("{database}.unfinished");
        load(&Connection::open(&unfinished)?, Path::new(data))?;
        std::fs::rename(unfinished, database)?;
    }
    let connection = Connection::open(database)?;
    // As a full pass reads: mapped, and with room for what is sorted.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;
         PRAGMA mmap_size = 2147418112; PRAGMA cache_size = -262144;",
    )?;
    let queries: BTreeMap<String, String> = serde_json::from_slice(&std::fs::read(queries)?)?;
    let mut seconds = Vec::new();
    for round in 0..=rounds.parse::<u32>()? {
        connection.execute_batch(
            "DROP TABLE IF EXISTS pairs; CREATE TABLE pairs (segment TEXT, contact INTEGER)",
        )?;
        let start = Instant::now();
        for (segment, query) in &queries {
            let one = Instant::now();
            connection.execute(&format!("INSERT INTO pairs SELECT '{segment}', * FROM ({query})"), [])?;
            eprintln!("{segment}: {:.3}", one.elapsed().as_secs_f64());
        }
        if round > 0 {
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    println!("{}", serde_json::json!(seconds));
    Ok(())
}

fn load(connection: &Connection, data: &Path) -> Result<(), Box<dyn Error>> {
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    connection.execute_batch(TABLES)?;
    for (table, columns) in [("contacts", 7), ("events", 5)] {
        connection.execute_batch("BEGIN")?;
        let places = vec!["?"; columns].join(", ");
        let mut insert = connection.prepare(&format!("INSERT INTO {table} VALUES ({places})"))?;
        let file = data.join(format!("{table}_typed.csv"));
        let mut rows = csv::ReaderBuilder::new().has_headers(false).from_path(file)?;
        let mut row = csv::StringRecord::new();
        while rows.read_record(&mut row)? {
            // The columns' types make numbers of texts.
            let cells = row.iter().map(|cell| Some(cell).filter(|cell| !cell.is_empty()));
            let cells: Vec<Option<&str>> = cells.collect();
            insert.execute(params_from_iter(cells.iter().map(|cell| cell as &dyn ToSql)))?;
        }
        drop(insert);
        connection.execute_batch("COMMIT")?;
    }
    connection.execute_batch(INDEXES)?;
    Ok(())
}
