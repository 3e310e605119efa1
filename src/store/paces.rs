//! How fast mails leave: until when the pace of a campaign, of the transport, of a provider is used up. Kept, so that no
//! restart and no second daemon is a way around it.

use sea_orm::ConnectionTrait;

use super::statement::{backend_of, execute, query_column, values};
use super::{Backend, Result, Store};
use crate::domain::delivery::DeliveryId;
use crate::domain::name::CampaignName;
use crate::domain::pace::Pace;
use crate::domain::time::Timestamp;

/// Whose pace it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paced<'a> {
    /// A campaign's.
    Campaign(&'a CampaignName),
    /// All mails' together.
    Transport,
    /// A provider's: the domain of addresses.
    Provider(&'a str),
}

impl Paced<'_> {
    /// Its name in the table. No campaign's name has an `@`.
    fn key(self) -> String {
        match self {
            Self::Campaign(name) => name.as_str().to_owned(),
            Self::Transport => "@".to_owned(),
            Self::Provider(domain) => format!("@{domain}"),
        }
    }
}

/// A pace that is held until the end of a transaction.
struct Held {
    key: String,
    pace: Pace,
    used_until: Timestamp,
    /// How many may leave now.
    granted: u64,
    /// Which were taken.
    rows: Vec<i64>,
}

/// The paces that one claim keeps to, held until the end of its transaction.
pub(super) struct Paces {
    held: Vec<Held>,
    now: Timestamp,
}

/// What claimed rows have used up of a pace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    key: String,
    pace: Pace,
    until: Timestamp,
    rows: Vec<i64>,
}

impl Paces {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { held: Vec::new(), now }
    }

    /// How many mails more may leave now; nobody else asks until the end of the transaction.
    pub(super) async fn room(
        &mut self,
        connection: &impl ConnectionTrait,
        paced: Paced<'_>,
        pace: Pace,
    ) -> Result<u64> {
        let key = paced.key();
        let known = self.held.iter().position(|held| held.key == key);
        let index = if let Some(index) = known {
            index
        } else {
            let used_until = lock(connection, &key, self.now).await?;
            let granted = pace.grant(used_until, u64::MAX, self.now);
            self.held.push(Held { key, pace, used_until, granted, rows: Vec::new() });
            self.held.len() - 1
        };
        let held = &self.held[index];
        Ok(held.granted.saturating_sub(held.rows.len() as u64))
    }

    /// These rows leave under a pace that was asked for.
    pub(super) fn take(&mut self, paced: Paced<'_>, rows: &[i64]) {
        let key = paced.key();
        if let Some(held) = self.held.iter_mut().find(|held| held.key == key) {
            held.rows.extend(rows);
        }
    }

    /// When the row behind those that were taken and so many others may leave.
    pub(super) fn turn_of(&self, paced: Paced<'_>, others: u64) -> Timestamp {
        let key = paced.key();
        let held = self.held.iter().find(|held| held.key == key);
        held.map_or(self.now, |held| {
            let count = held.rows.len() as u64 + others;
            held.pace.next(held.pace.use_up(held.used_until, count, self.now)).max(self.now)
        })
    }

    /// Notes what is used up by the rows that are left; those that go back use nothing up.
    pub(super) async fn note(self, connection: &impl ConnectionTrait, left: &[i64]) -> Result<Vec<Used>> {
        let mut used = Vec::with_capacity(self.held.len());
        for Held { key, pace, used_until: before, rows, .. } in self.held {
            let rows: Vec<i64> = rows.into_iter().filter(|row| left.contains(row)).collect();
            // Also by none: a clock that was set back holds nothing up for longer than an hour from now.
            let used_until = pace.use_up(before, rows.len() as u64, self.now);
            if !rows.is_empty() || used_until < before {
                write(connection, &key, used_until, pace, None).await?;
            }
            used.push(Used { key, pace, until: used_until, rows });
        }
        Ok(used)
    }
}

/// Rows that were claimed and do not leave after all give back what they used up, unless somebody else has used more
/// meanwhile: then it is not to be told apart, and a little less leaves.
pub(super) async fn give_back(
    connection: &impl ConnectionTrait,
    used: &[Used],
    unused: &[DeliveryId],
) -> Result<()> {
    for Used { key, pace, until, rows } in used {
        let count = rows.iter().filter(|row| unused.contains(&DeliveryId(**row))).count();
        if count > 0 {
            let before = pace.give_back(*until, count as u64);
            write(connection, key, before, *pace, Some(*until)).await?;
        }
    }
    Ok(())
}

/// Until when a pace is used up; nobody else asks until the end of the transaction.
async fn lock(connection: &impl ConnectionTrait, key: &str, now: Timestamp) -> Result<Timestamp> {
    let operation = "see how many mails may leave";
    let insert = "INSERT INTO campaign_paces (campaign, used_until, next_at) VALUES ($1, $2, $2)
        ON CONFLICT (campaign) DO NOTHING";
    execute(connection, operation, insert, values![key, now.micros()]).await?;
    let lock = match backend_of(connection) {
        Backend::Sqlite => "",
        Backend::Postgres => " FOR UPDATE",
    };
    let text = format!("SELECT used_until FROM campaign_paces WHERE campaign = $1{lock}");
    let used: Vec<i64> = query_column(connection, operation, &text, values![key]).await?;
    Ok(used.first().map_or(now, |used| Timestamp::from_micros(*used)))
}

/// Notes until when a pace is used up; only where it is used up until `expected` now, if that is given.
async fn write(
    connection: &impl ConnectionTrait,
    key: &str,
    used_until: Timestamp,
    pace: Pace,
    expected: Option<Timestamp>,
) -> Result<()> {
    let update = "UPDATE campaign_paces SET used_until = $2, next_at = $3
        WHERE campaign = $1 AND used_until = COALESCE($4, used_until)";
    let expected = expected.map(Timestamp::micros);
    let given = values![key, used_until.micros(), pace.next(used_until).micros(), expected];
    execute(connection, "note how many mails leave", update, given).await?;
    Ok(())
}

/// When the next mail may leave, if the pace was asked for before.
pub(super) async fn next_of(store: &Store, paced: Paced<'_>) -> Result<Option<Timestamp>> {
    let text = "SELECT next_at FROM campaign_paces WHERE campaign = $1";
    let operation = "see when mails may leave";
    let next: Vec<i64> = query_column(&store.database, operation, text, values![paced.key()]).await?;
    Ok(next.first().map(|next| Timestamp::from_micros(*next)))
}
