//! What may be typed of runs that are there: let go, hold, end; and of their uncertain mails.

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

/// `campaignd uncertain`.
#[derive(Debug, Args)]
#[command(after_help = "\
The process or the connection ended between the last byte of a mail and the server's answer. An open, a click or \
an unsubscription by the mail settles it as accepted; else look for its Message-ID in the server's log, and say \
what you found. What was refused counts as not sent.

Examples:
  campaignd uncertain
  campaignd uncertain --accepted 17 18
  campaignd uncertain --refused --run 12
  campaignd uncertain --accepted --campaign vip_discount")]
pub struct Uncertain {
    /// These were taken by the server (or all of --run, --campaign).
    #[arg(long, value_name = "DELIVERY", num_args = 0.., conflicts_with = "refused")]
    pub accepted: Option<Vec<i64>>,
    /// These were not.
    #[arg(long, value_name = "DELIVERY", num_args = 0..)]
    pub refused: Option<Vec<i64>>,
    /// Of one run.
    #[arg(long, value_name = "RUN", conflicts_with = "campaign")]
    pub run: Option<i64>,
    /// Of one campaign.
    #[arg(long, value_name = "CAMPAIGN")]
    pub campaign: Option<String>,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}
