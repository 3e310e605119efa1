//! The reference of the import bench: a hand-written bulk load of the same CSV file into SQLite, one
//! prepared statement, a transaction per 20,000 rows, a unique index on the message id and one on
//! the contact, as whoever needs it once would write it.
//!
//! usage: `import-reference EVENTS.csv DATABASE`; prints the seconds.

use std::collections::HashMap;
use std::error::Error;
use std::time::Instant;

use rusqlite::{Connection, params};

const ROWS_A_TRANSACTION: u64 = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(file), Some(database)) = (arguments.next(), arguments.next()) else {
        println!("import-reference: not run: it needs EVENTS.csv and DATABASE");
        return Ok(());
    };
    let start = Instant::now();
    let connection = Connection::open(database)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 40000;
         CREATE TABLE events (id INTEGER PRIMARY KEY, contact INTEGER NOT NULL, name INTEGER NOT NULL,
             at INTEGER NOT NULL, message_id TEXT, properties TEXT NOT NULL);
         CREATE UNIQUE INDEX events_message_id ON events (message_id);
         CREATE INDEX events_contact ON events (contact);
         BEGIN",
    )?;
    let mut insert = connection.prepare(
        "INSERT OR IGNORE INTO events (contact, name, at, message_id, properties) VALUES (?, ?, ?, ?, ?)",
    )?;
    let mut reader = csv::Reader::from_path(file)?;
    let header = reader.headers()?.clone();
    let mut names: HashMap<String, i64> = HashMap::new();
    let mut row = csv::StringRecord::new();
    let mut properties = String::new();
    let mut rows = 0;
    while reader.read_record(&mut row)? {
        let contact: i64 = row[0].parse()?;
        let next = names.len() as i64;
        let name = match names.get(&row[1]) {
            Some(name) => *name,
            None => *names.entry(row[1].to_owned()).or_insert(next),
        };
        let at = chrono::DateTime::parse_from_rfc3339(&row[2])?.timestamp_micros();
        properties.clear();
        properties.push('{');
        for (column, cell) in header.iter().zip(&row).skip(4).filter(|(_, cell)| !cell.is_empty()) {
            if properties.len() > 1 {
                properties.push(',');
            }
            properties.push_str(&serde_json::to_string(column)?);
            properties.push(':');
            properties.push_str(&serde_json::to_string(cell)?);
        }
        properties.push('}');
        insert.execute(params![contact, name, at, &row[3], properties])?;
        rows += 1;
        if rows % ROWS_A_TRANSACTION == 0 {
            connection.execute_batch("COMMIT; BEGIN")?;
        }
    }
    connection.execute_batch("COMMIT")?;
    println!("{:.3}", start.elapsed().as_secs_f64());
    Ok(())
}
