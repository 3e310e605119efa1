//! The addresses that stand in mails, by run and number: the only places a click leads to.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::FromQueryResult;
use serde_json::json;

use super::dialect::Column::{Number, Text};
use super::dialect::{given_numbers, given_rows};
use super::statement::{execute, numbers_json, query_as, values};
use super::{ROWS, Result, Store};
use crate::domain::delivery::RunId;
use crate::domain::link::{Link, LinkNumber};

#[derive(Debug, FromQueryResult)]
struct LinkRow {
    number: i64,
    run: i64,
    url: String,
}

/// The numbers of a run's addresses, in their order. Those that are not known yet are noted, and are
/// in the store when this returns; asked again, an address has the same number.
pub async fn intern(store: &Store, run: RunId, urls: &[String]) -> Result<Vec<LinkNumber>> {
    let operation = "note the addresses of a mail's links";
    let columns = [("number", Number), ("url", Text)];
    let given = given_rows(store.backend(), 1, &columns);
    // `WHERE TRUE`: without it SQLite reads ON as the ON of a join.
    let insert = format!(
        "INSERT INTO links (number, run, url)
         SELECT number, $2, url FROM {given} AS given WHERE TRUE ORDER BY number ON CONFLICT DO NOTHING"
    );
    let taken = by_numbers(store.backend());
    // Few addresses: a mail has some dozens. Two of them, or one of another run, may want one number.
    let mut wanted: BTreeMap<&str, LinkNumber> =
        urls.iter().map(|url| (url.as_str(), LinkNumber::first_choice(run, url))).collect();
    let mut open: BTreeSet<&str> = wanted.keys().copied().collect();
    let transaction = store.begin_write(operation).await?;
    while !open.is_empty() {
        let tried: Vec<(LinkNumber, &str)> = open.iter().take(ROWS).map(|url| (wanted[url], *url)).collect();
        let rows: Vec<_> = tried.iter().map(|(number, url)| json!([number.0, url])).collect();
        execute(&*transaction, operation, &insert, values![json!(rows).to_string(), run.0]).await?;
        let numbers = numbers_json(tried.iter().map(|(number, _)| number.0));
        let found: Vec<LinkRow> = query_as(&*transaction, operation, &taken, values![numbers]).await?;
        let owners: BTreeMap<i64, LinkRow> = found.into_iter().map(|row| (row.number, row)).collect();
        for (number, url) in tried {
            if owners.get(&number.0).is_some_and(|owner| owner.run == run.0 && owner.url == url) {
                open.remove(url);
            } else {
                wanted.insert(url, number.next());
            }
        }
    }
    transaction.commit().await?;
    Ok(urls.iter().filter_map(|url| wanted.get(url.as_str()).copied()).collect())
}

/// The address behind a number.
pub async fn by_number(store: &Store, number: LinkNumber) -> Result<Option<Link>> {
    let operation = "look up the address of a link";
    let text = "SELECT number, run, url FROM links WHERE number = $1";
    let rows: Vec<LinkRow> = query_as(&store.database, operation, text, values![number.0]).await?;
    Ok(rows.into_iter().next().map(|row| Link { run: RunId(row.run), url: row.url }))
}

/// All addresses of a run's mails, by number.
pub async fn of_run(store: &Store, run: RunId) -> Result<Vec<(LinkNumber, String)>> {
    let operation = "list the addresses of a run's links";
    let text = "SELECT number, run, url FROM links WHERE run = $1 ORDER BY number";
    let rows: Vec<LinkRow> = query_as(&store.database, operation, text, values![run.0]).await?;
    Ok(rows.into_iter().map(|row| (LinkNumber(row.number), row.url)).collect())
}

/// Rows by their numbers, `$1`.
fn by_numbers(backend: super::Backend) -> String {
    let given = given_numbers(backend, 1, "number");
    format!(
        "SELECT l.number AS number, l.run AS run, l.url AS url FROM {given} AS given JOIN links l ON l.number = given.number"
    )
}
