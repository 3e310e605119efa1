//! `campaignd forget`: a person is erased.

use std::path::Path;

use serde_json::json;

use crate::app::forget::{Forgotten, Wiped, forget, wipe};
use crate::app::{Failure, Installation, contact};
use crate::cli::arguments::Forget;
use crate::cli::exit::Exit;
use crate::cli::shown::printable;
use crate::cli::terminal::Terminal;
use crate::domain::contact::Contact;

use super::{counted, installation_at_once};

/// What the database cannot reach.
const ELSEWHERE: &str = "note: backups, the mail server's logs, mails in a folder, imported files and their \
    rejects are not touched: see docs/consent.md";

pub(super) async fn run(folder: &Path, call: &Forget, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation_at_once(folder, terminal).await?;
    let mut people = Vec::new();
    for name in &call.contacts {
        let person = contact::find(&installation, name).await?;
        // An id and an address may name the same person.
        if people.iter().all(|known: &Contact| known.id != person.id) {
            people.push(person);
        }
    }
    if !call.yes {
        if !terminal.can_ask() {
            return Err(Failure::call_with_hint(
                "people would be erased, and there is no terminal to ask on",
                "add --yes if that is meant; `campaignd contact X --export` hands over what is held first",
            ));
        }
        let who: Vec<String> = call.contacts.iter().map(|name| printable(name)).collect();
        if !terminal.ask(&format!("erase {}? This cannot be undone.", who.join(", ")))? {
            terminal.message("nobody was erased");
            return Ok(Exit::No);
        }
    }
    let erased = erase(&installation, &people).await;
    // Those who were erased before one could not be are gone from the files, too.
    let wiped = wipe(&installation).await;
    let (sum, wiped) = (erased?, wiped?);
    installation.close().await?;
    if call.json {
        terminal.json(&json!({
            "version": 1,
            "contacts": people.len(),
            "events": sum.events,
            "deliveries": sum.deliveries,
            "addresses_as_hashes": sum.addresses,
            "links": sum.links,
            "files_wiped": wiped == Wiped::Whole,
        }))?;
    } else {
        terminal.result(&format!(
            "erased: {} with {}; {} say no more whose they were; {} kept as a hash\n",
            counted(people.len() as u64, "contact", "contacts"),
            counted(sum.events, "event", "events"),
            counted(sum.deliveries, "delivery", "deliveries"),
            counted(sum.addresses, "address is", "addresses are"),
        ))?;
    }
    match wiped {
        Wiped::Whole => {}
        Wiped::ButTheLog => terminal.message(
            "note: the write-ahead log (-wal) could not be emptied while somebody reads; it is, when all \
             programs have closed the database",
        ),
        Wiped::ByTheServer => {
            terminal.message("note: the server uses the space again by and by; `VACUUM FULL` writes it anew");
        }
    }
    terminal.message(ELSEWHERE);
    Ok(Exit::Fine)
}

async fn erase(installation: &Installation, people: &[Contact]) -> Result<Forgotten, Failure> {
    let mut sum = Forgotten::default();
    for person in people {
        let forgotten = forget(installation, person).await?;
        sum.events += forgotten.events;
        sum.deliveries += forgotten.deliveries;
        sum.addresses += forgotten.addresses;
        sum.links += forgotten.links;
    }
    Ok(sum)
}
