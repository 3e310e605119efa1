//! What may be typed of keys: of the ingest API, of signed links, and of signed mails.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `campaignd key`.
#[derive(Debug, Args)]
pub struct Key {
    /// What to do.
    #[command(subcommand)]
    pub command: KeyCommand,
}

/// What `campaignd key` does.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a write key. It is shown once.
    Create(KeyCreate),
    /// All write keys: when they were last used, what came in with them.
    List(KeyList),
    /// From now on a write key does not hold.
    Revoke(KeyRevoke),
    /// Calls that were refused, newest first, each with its reason.
    Rejects(KeyRejects),
    /// Sign links with a new secret; those in mails that were sent stay valid.
    RotateLinks(KeyRotateLinks),
}

/// `campaignd key create`.
#[derive(Debug, Args)]
#[command(after_help = "\
Clients of the Segment API take it as their write key; docs/ingest-api.md shows how. Only its hash is stored.

Examples:
  campaignd key create shop-backend
  campaignd key create shop-backend --json | jq -r .key")]
pub struct KeyCreate {
    /// What will use it.
    pub name: String,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd key list`.
#[derive(Debug, Args)]
pub struct KeyList {
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd key revoke`.
#[derive(Debug, Args)]
#[command(after_help = "\
What came in with it stays. Clients that still use it are answered with 401, and drop what they have.

Examples:
  campaignd key revoke shop-backend")]
pub struct KeyRevoke {
    /// Its name.
    pub name: String,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd key rejects`.
#[derive(Debug, Args)]
#[command(after_help = "\
The client was answered that all is well: it could only drop them. The newest 10,000 are kept.

Examples:
  campaignd key rejects
  campaignd key rejects --json | jq '.rejects[].reason'")]
pub struct KeyRejects {
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: u32,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd key rotate-links`.
#[derive(Debug, Args)]
#[command(after_help = "\
Pixels, links and addresses to unsubscribe name the secret that signed them. A running daemon takes the
new one up by itself. Message-IDs do not depend on it.

Examples:
  campaignd key rotate-links")]
pub struct KeyRotateLinks {
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `campaignd dkim`.
#[derive(Debug, Args)]
#[command(after_help = "\
Shows the DNS records of the keys that `dkim` in campaignd.yaml names. With --make it makes an Ed25519 key \
first; a file that is there is never overwritten. Publish the record, then write the key into campaignd.yaml; \
a running daemon takes it up. Many receivers know RSA only: have a key of each. RSA keys are made by openssl:

  (umask 077; openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out secrets/dkim-rsa.pem)

Examples:
  campaignd dkim --make secrets/dkim.pem --domain maison.example --selector c2026
  campaignd dkim
  campaignd dkim --json | jq -r '.keys[].value'")]
pub struct Dkim {
    /// Make an Ed25519 key in this file, relative to the project folder.
    #[arg(long, value_name = "FILE", requires = "domain", requires = "selector")]
    pub make: Option<PathBuf>,
    /// The domain that the new key is for: that of the campaigns' `from`.
    #[arg(long, value_name = "DOMAIN", requires = "make")]
    pub domain: Option<String>,
    /// The selector of the new key: any name that the domain does not use yet.
    #[arg(long, value_name = "NAME", requires = "make")]
    pub selector: Option<String>,
    /// For programs: one JSON object.
    #[arg(long)]
    pub json: bool,
}
