//! What may be typed of runs that are there: let go, hold, end.

use clap::Args;

/// `campaignd approve`.
#[derive(Debug, Args)]
#[command(after_help = "\
A run with more mails than its campaign's `limits: { max_recipients }` is held before its first one.

Examples:
  campaignd status           lists the runs
  campaignd approve 12")]
pub struct Approve {
    /// The run's number.
    pub run: i64,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd pause`.
#[derive(Debug, Args)]
#[command(after_help = "\
What the mail server has taken cannot be taken back; within a second nothing else is sent, whichever process \
sends. Mails that are planned wait. Runs of a paused campaign that come due are noted as missed, and nobody \
is mailed for entering its audience meanwhile.

Examples:
  campaignd pause vip_discount       the campaign, with all its runs
  campaignd pause 12                 one run")]
pub struct Pause {
    /// The campaign, or the run's number.
    #[arg(value_name = "CAMPAIGN or RUN")]
    pub target: String,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd resume`.
#[derive(Debug, Args)]
#[command(after_help = "\
Mails that were planned go on. Audience and `ends` are asked again: who is not in any more is skipped.

Examples:
  campaignd resume vip_discount
  campaignd resume 12")]
pub struct Resume {
    /// The campaign, or the run's number.
    #[arg(value_name = "CAMPAIGN or RUN")]
    pub target: String,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd cancel`.
#[derive(Debug, Args)]
#[command(after_help = "\
What the mail server has taken cannot be taken back; nothing else of the run is sent.

Examples:
  campaignd cancel 12 --note 'wrong price'")]
pub struct Cancel {
    /// The run's number.
    pub run: i64,
    /// Why, for people.
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}
