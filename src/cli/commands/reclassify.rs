//! `campaignd reclassify`: the rules of this version, applied to the past.

use std::path::Path;

use serde_json::json;

use crate::app::Failure;
use crate::app::track::{EDITION, reclassify};
use crate::cli::arguments::Reclassify;
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;

use super::{counted, installation};

pub(super) async fn run(folder: &Path, call: &Reclassify, terminal: Terminal) -> Result<Exit, Failure> {
    let installation = installation(folder).await?;
    let read = reclassify(&installation, &|mails| tracing::debug!(mails, "mails were read anew")).await?;
    installation.close().await?;
    if call.json {
        terminal.json(&json!({
            "version": 1,
            "rules": EDITION,
            "hits": read.hits,
            "changed_hits": read.changed_hits,
            "new_engagements": read.new,
            "changed_engagements": read.changed,
        }))?;
        return Ok(Exit::Fine);
    }
    terminal.result(&format!(
        "rules {EDITION}: {} read, {} otherwise than before; {} changed\n",
        counted(read.hits, "hit", "hits"),
        read.changed_hits,
        counted(read.new + read.changed, "open or click", "opens and clicks"),
    ))?;
    Ok(Exit::Fine)
}
