//! What may be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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
    /// Check settings, declarations and templates: all problems of all files.
    Check(Check),
}

/// `campaignd check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Needs no database and changes nothing.

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
