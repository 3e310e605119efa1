//! What may be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::demo;

mod keys;
mod people;
mod runs;

pub use keys::{Dkim, Key, KeyCommand, KeyCreate, KeyList, KeyRejects, KeyRevoke, KeyRotateLinks};
pub use people::{Contact, Explain, Forget, Suppress};
pub use runs::{Approve, Cancel, Pause, Resume, Uncertain};

/// Campaigns as code: segments and campaigns in YAML, one personal mail per recipient, each
/// accounted for.
#[derive(Debug, Parser)]
#[command(
    name = "campaignd",
    version,
    max_term_width = 100,
    after_help = "\
Exit status: 0 fine · 1 the answer is no · 2 the files or the call are wrong · 3 something outside \
failed (database, network) · 130 interrupted"
)]
pub struct Arguments {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
    /// The project folder, with campaignd.yaml in it.
    #[arg(long, value_name = "DIR", default_value = ".", global = true)]
    pub project: PathBuf,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a new project folder that runs as it is.
    Init(Init),
    /// Everything, end to end, on a made-up shop: the first thing to try.
    Demo(Demo),
    /// Check settings, declarations and templates: all problems of all files.
    Check(Check),
    /// Import contacts or events: CSV or JSON lines.
    Import(Box<Import>),
    /// Who is in a segment: count, share, who came and went, sample, overlap.
    Segment(Segment),
    /// Why a contact is in a segment, or is not; why a campaign mails it, or does not.
    Explain(Explain),
    /// A campaign's mail to one contact, as it would be sent. Sends nothing.
    Preview(Preview),
    /// The daemon: evaluates, renders and sends by the clock.
    Run(Run),
    /// A run of a campaign now, by the same rules.
    Send(Send),
    /// What is due, what is under way, what waits and for what.
    Status(Status),
    /// Let a held run go.
    Approve(Approve),
    /// Let a campaign or a run wait: nothing more of it is sent.
    Pause(Pause),
    /// Let a paused campaign or run go on.
    Resume(Resume),
    /// End a run: what is not sent is not sent any more.
    Cancel(Cancel),
    /// Mails of which nobody knows whether the server took them: list them, settle them.
    Uncertain(Uncertain),
    /// What became of the deliveries, and what came back: opens, clicks, unsubscribes.
    Report(Report),
    /// One contact's whole story: attributes, consents, segments, mails, events.
    Contact(Contact),
    /// Who gets no mail: addresses, domains; add, remove, list.
    Suppress(Suppress),
    /// Erase a person everywhere; only the hash of their address is kept.
    Forget(Forget),
    /// Keys with which other systems send calls and events; the secret that signs links.
    Key(Key),
    /// Keys that sign mails (DKIM): make one, show the DNS records.
    Dkim(Dkim),
    /// Read all recorded opens and clicks anew, by the rules of this version.
    Reclassify(Reclassify),
    /// Whether what is kept is what it should be: memberships, histories, rows, values.
    Doctor(Doctor),
    /// Bring the database's tables up to date.
    Migrate(Migrate),
}

/// `campaignd init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is overwritten. The folder holds settings, a small commented campaign with its e-mail, and \
sample contacts and orders. Its mails go into a folder: nobody is mailed.

Examples:
  campaignd init shop
  cd shop
  campaignd check
  campaignd import contacts.csv
  campaignd import orders.csv --event purchase
  campaignd send thank_you")]
pub struct Init {
    /// The folder; it is made if it is not there.
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
}

/// `campaignd demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Lays out the project that ships, with 1,200 made-up contacts and two years of what they did, lets its clock \
run for 60 days, and reports. Its readers fetch pictures, follow links and unsubscribe by real HTTP, and so do \
the machines around them. No service, no configuration; mails go into a folder. Running it again starts anew; \
only a folder that a demo made is touched. One seed gives one result. On a terminal the report is served as a \
page at the end, until Ctrl-C.

Examples:
  campaignd demo
  campaignd demo --seed 7 --dir /tmp/shop
  campaignd demo --exit
  campaignd demo --json | jq '.report'")]
pub struct Demo {
    /// The folder.
    #[arg(long, value_name = "DIR", default_value = demo::DEFAULT_FOLDER)]
    pub dir: PathBuf,
    /// What chance begins with.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// End at once: serve no page.
    #[arg(long)]
    pub exit: bool,
    /// For programs: one JSON object with figures alone. Serves no page.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Needs no database and changes nothing. Where the database is there, campaigns that seem to have been renamed \
are warned of, too.

Examples:
  campaignd check
  campaignd check --json | jq '.problems[].code'
  campaignd check --deny-warnings          in CI")]
pub struct Check {
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Warnings are errors.
    #[arg(long)]
    pub deny_warnings: bool,
}

/// `campaignd import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Good rows go in; bad rows go to NAME.rejects.csv beside the file, each with its line and reason. The \
same file again changes nothing. Contacts are known by `id` or `email`; events need `event`, `at` and \
one of them. Columns that are not declared are kept. Whom an import brings into an audience gets no mail \
of a campaign with `on_entry`, unless the file holds news and --live says so.

Examples:
  campaignd import contacts.csv --consent marketing=yes --source \"checkout 2026\"
  campaignd import events.jsonl
  campaignd import orders.csv --event purchase --map id='Customer ID' --map at=InvoiceDate \\
      --reject-where 'Invoice=C*'")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Import {
    /// The files, in this order; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The rows are contacts (else the columns tell).
    #[arg(long, conflicts_with = "events")]
    pub contacts: bool,
    /// The rows are events (else the columns tell).
    #[arg(long)]
    pub events: bool,
    /// Every row is this event.
    #[arg(long, value_name = "NAME")]
    pub event: Option<String>,
    /// What is called OURS here is called THEIRS in the file.
    #[arg(long, value_name = "OURS=THEIRS")]
    pub map: Vec<String>,
    /// Reject rows whose cell matches; `*` stands for any characters.
    #[arg(long, value_name = "COLUMN=PATTERN")]
    pub reject_where: Vec<String>,
    /// What these contacts agreed to, where their rows do not say: marketing=yes, tracking=no.
    #[arg(long, value_name = "PURPOSE=ANSWER")]
    pub consent: Vec<String>,
    /// How they agreed [default: the file's name].
    #[arg(long, value_name = "TEXT")]
    pub source: Option<String>,
    /// Where rejected rows go [default: NAME.rejects.csv beside the file].
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// `comma`, `semicolon` or `tab` [default: recognised].
    #[arg(long, value_name = "NAME")]
    pub delimiter: Option<String>,
    /// The zone of times that have none [default: the installation's].
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// The rows are news, not facts of another time: campaigns with `on_entry` mail whom they bring into
    /// their audience.
    #[arg(long)]
    pub live: bool,
    /// Exit with 0 although rows were rejected.
    #[arg(long)]
    pub allow_rejects: bool,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd segment`.
#[derive(Debug, Args)]
#[command(after_help = "\
Evaluated now, or at the instant of --at: events as of then, attributes as of today.

Examples:
  campaignd segment                          all segments
  campaignd segment vip --sample 20
  campaignd segment vip --at 2026-10-01T09:00 --json
  campaignd segment vip --csv > vip.csv")]
pub struct Segment {
    /// The segment; without one, all are counted.
    pub name: Option<String>,
    /// When: 2026-10-01, 2026-10-01T09:00 (the installation's zone), 2026-10-01T07:00:00Z [default: now].
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// How many members to show.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub sample: u32,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
    /// For spreadsheets: all members, with the values that the condition asks for.
    #[arg(long, conflicts_with = "json", requires = "name")]
    pub csv: bool,
}

/// `campaignd preview`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  campaignd preview thank_you --contact ada@shop.example
  campaignd preview thank_you --contact 1 --html > mail.html
  campaignd preview thank_you --contact 1 --eml > mail.eml")]
pub struct Preview {
    /// The campaign.
    pub campaign: String,
    /// The contact, by id or address.
    #[arg(long, value_name = "ID or ADDRESS")]
    pub contact: String,
    /// The version, by its label [default: the first whose condition the contact meets].
    #[arg(long, value_name = "LABEL")]
    pub version: Option<String>,
    /// The whole message, for a mail program.
    #[arg(long, conflicts_with_all = ["html", "json"])]
    pub eml: bool,
    /// The HTML part, for a browser.
    #[arg(long, conflicts_with = "json")]
    pub html: bool,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Changed declarations and templates hold as soon as they are saved; while they are wrong, the old ones do. \
SIGTERM and Ctrl-C stop it clean: mails that are being handed over come to their end. CAMPAIGND_LOG chooses \
what is logged: `debug`, `campaignd=debug,warn`.

Examples:
  campaignd run
  campaignd run --project /srv/shop --log json")]
pub struct Run {
    /// How log lines look on standard error.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `campaignd send`.
#[derive(Debug, Args)]
#[command(after_help = "\
Consent, suppressions, `repeat` and `limits` hold as for a run of the schedule. With a daemon running on the \
database the daemon sends; without one this command does, until the run is over.

Examples:
  campaignd send thank_you
  campaignd send thank_you --yes --json")]
pub struct Send {
    /// The campaign.
    pub campaign: String,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd status`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  campaignd status
  campaignd status --json | jq '.waiting'")]
pub struct Status {
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd report`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every contact of every audience is counted once a run, in exactly one state; who was not mailed has a reason. \
Opens and clicks are of mails that are tracked one by one, by people, by machines and unknown; each rate has \
the interval in which the truth lies in 95 of 100 cases (Wilson 1927). A running daemon serves the page at its \
report's address.

Examples:
  campaignd report
  campaignd report thank_you --html thank_you.html
  campaignd report thank_you --json | jq '.campaigns[0].engagement.opened.rate'
  campaignd report --csv > report.csv")]
pub struct Report {
    /// The campaign; without one, all.
    pub campaign: Option<String>,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
    /// For spreadsheets: one row a count, by run and version.
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// For a browser: one page that needs nothing else, into a file; `-` is standard output.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "csv"])]
    pub html: Option<PathBuf>,
}

/// `campaignd doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Holds kept memberships, and when they are looked at again, against a full pass as of their last evaluation, \
packed histories against the event log, and rows against each other; names values that do not fit their declared \
type, which count as missing. Only reads, also beside a running daemon: what changes meanwhile is left out. \
Exits with 1 when something is found.

Examples:
  campaignd doctor
  campaignd doctor --json | jq '.findings[].what'")]
pub struct Doctor {
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd migrate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every command that needs the database does this by itself. By hand it is for those who want to see it \
happen, before a daemon starts.

Examples:
  campaignd migrate
  campaignd migrate --rebuild-histories      when `doctor` or a message says that a packed history is wrong
  campaignd migrate --reevaluate             when `doctor` says that memberships are wrong")]
pub struct Migrate {
    /// Make the packed histories anew from the event log, and the packed facts from the contacts.
    #[arg(long)]
    pub rebuild_histories: bool,
    /// Have all segments evaluated anew by the next refresh. Nobody is mailed for entering by it.
    #[arg(long)]
    pub reevaluate: bool,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd reclassify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Requests of pixels and links are kept as evidence (`retention: { hits: … }`) and read as human, machine or \
unknown by rules that get better. This applies those of this version to all that is kept; conditions, \
scores and reports follow. It may run beside the daemon.

Examples:
  campaignd reclassify              after an update whose changelog names new rules")]
pub struct Reclassify {
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}
