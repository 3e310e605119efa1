//! What may be typed about one person: their story, whether they are mailed, that they are erased.

use std::path::PathBuf;

use clap::Args;

/// `campaignd contact`.
#[derive(Debug, Args)]
#[command(after_help = "\
Segments are as the daemon saw them last; traits and scores are computed now.

Examples:
  campaignd contact ada@shop.example
  campaignd contact 1 --events 100
  campaignd contact 1 --export > ada.json       all that is held on somebody, to hand it over")]
pub struct Contact {
    /// The contact, by id or address.
    #[arg(value_name = "ID or ADDRESS")]
    pub contact: String,
    /// How many of the latest events to show.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub events: u32,
    /// All that is held, as one JSON object.
    #[arg(long)]
    pub export: bool,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Of a segment: the tree of its condition, with the contact's own values, what decides, the smallest change that \
would turn the answer, and when it turns by itself. Of a campaign: its audience likewise, every gate after it, \
what would become of the contact at the next due time, and what the ledger has of them. Times are those of the \
contact's zone. Without a name: all segments and campaigns in short.

Examples:
  campaignd explain ada@shop.example
  campaignd explain ada@shop.example lapsed_vip
  campaignd explain ada@shop.example vip_discount
  campaignd explain 1 lapsed_vip --at 2026-10-01T09:00
  campaignd explain 1 lapsed_vip --json | jq '.segment.holds'")]
pub struct Explain {
    /// The contact, by id or address.
    #[arg(value_name = "ID or ADDRESS")]
    pub contact: String,
    /// The segment or campaign (`campaign:NAME`, where a segment has the same name); without one, all in short.
    #[arg(value_name = "SEGMENT or CAMPAIGN")]
    pub name: Option<String>,
    /// At which instant: 2026-10-01, 2026-10-01T09:00 (the installation's zone), 2026-10-01T07:00:00Z [default: now].
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd suppress`.
#[derive(Debug, Args)]
#[command(after_help = "\
Holds from the next mail on, also while a daemon runs, and outlives the contact. Marketing mail is held back \
by every suppression, transactional mail by bounces and complaints only.

Examples:
  campaignd suppress ada@shop.example
  campaignd suppress @competitor.example --source \"asked by phone\"
  campaignd suppress --file bounced.txt --cause bounce
  campaignd suppress --list
  campaignd suppress --list ada@shop.example --json
  campaignd suppress ada@shop.example --remove --cause bounce")]
pub struct Suppress {
    /// Whom: addresses, `@domain` (without those below it), or `sha256:` and the hash of an address in lower case.
    #[arg(value_name = "ADDRESS")]
    pub targets: Vec<String>,
    /// One address, @domain or hash a line; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Why: `bounce`, `complaint`, `unsubscribe`, `import` [default: import].
    #[arg(long, value_name = "CAUSE")]
    pub cause: Option<String>,
    /// Which mail: `marketing` or `all` [default: what the cause holds back].
    #[arg(long, value_name = "SCOPE")]
    pub scope: Option<String>,
    /// How it came in, for people [default: by hand].
    #[arg(long, value_name = "TEXT")]
    pub source: Option<String>,
    /// Take them off the list (with --cause, --scope: only those).
    #[arg(long, conflicts_with = "list")]
    pub remove: bool,
    /// Show the list, or what holds these back.
    #[arg(long)]
    pub list: bool,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd forget`.
#[derive(Debug, Args)]
#[command(after_help = "\
Removes the contact with its attributes, consents, events and memberships; what counts in reports stays, \
without saying who. The hash of the address is kept, so that an import cannot bring the mails back. The \
file of an SQLite database is written anew, so that nothing of it is left there.

Examples:
  campaignd contact ada@shop.example --export > ada.json
  campaignd forget ada@shop.example")]
pub struct Forget {
    /// The contacts, by id or address.
    #[arg(required = true, value_name = "CONTACT")]
    pub contacts: Vec<String>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}
