//! Figures for `status` and `report`: counts over the ledger, each by one query. What came back from the
//! mails: [`engagement`]; contacts that are drawn: [`recipients`].

use std::collections::HashMap;

use sea_orm::{ColumnTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _, QueryOrder as _};

use crate::domain::delivery::{DeliveryState, RunId, RunState, WaitReason};
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;
use crate::store::dialect::given_numbers;
use crate::store::entity::run;
use crate::store::error::{failed, unknown_word};
use crate::store::runs::{self, Run};
use crate::store::statement::{numbers_json, query, query_as, values};
use crate::store::{Result, Store};

pub mod engagement;
pub mod recipients;

/// A number of deliveries of one run that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryCount {
    /// Of which run.
    pub run: RunId,
    /// Their version, where one matched.
    pub version: Option<String>,
    /// Their state.
    pub state: DeliveryState,
    /// The word of the `SkipReason` or `RefusalReason`.
    pub reason: Option<String>,
    /// How many.
    pub count: u64,
}

/// Rows of one run that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The run.
    pub run: RunId,
    /// What for; `None`: only for their turn.
    pub wait: Option<WaitReason>,
    /// How many.
    pub count: u64,
    /// The earliest next try.
    pub next_try: Timestamp,
    /// What the server said to one of them.
    pub last_reply: Option<String>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Contacts.
    pub contacts: u64,
    /// Events in the log.
    pub events: u64,
    /// Runs.
    pub runs: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// Of these: nobody knows whether the server took them.
    pub uncertain: u64,
    /// Suppressed addresses.
    pub suppressions: u64,
}

/// A run with its counts.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFigures {
    /// The run.
    pub run: Run,
    /// By version, state and reason, in this order of words.
    pub deliveries: Vec<DeliveryCount>,
}

/// The runs of a campaign (or of all) by campaign and due instant, with their counts.
pub async fn runs(store: &Store, campaign: Option<&CampaignName>) -> Result<Vec<RunFigures>> {
    let operation = "count deliveries";
    let mut query = run::Entity::find()
        .order_by_asc(run::Column::Campaign)
        .order_by_asc(run::Column::DueAt)
        .order_by_asc(run::Column::Id);
    if let Some(campaign) = campaign {
        query = query.filter(run::Column::Campaign.eq(campaign.as_str()));
    }
    let rows = query.all(&store.database).await.map_err(failed(operation))?;
    let given = numbers_json(rows.iter().map(|row| row.id));
    let text = format!(
        "SELECT run, version, state, reason, COUNT(*) AS count FROM deliveries
         WHERE run IN (SELECT run FROM {} AS given) GROUP BY run, version, state, reason",
        given_numbers(store.backend(), 1, "run")
    );
    let mut counts: HashMap<i64, Vec<DeliveryCount>> = HashMap::new();
    for row in query_as::<CountRow>(&store.database, operation, &text, values![given]).await? {
        let state = DeliveryState::from_word(&row.state);
        counts.entry(row.run).or_default().push(DeliveryCount {
            run: RunId(row.run),
            version: row.version,
            state: state.ok_or_else(|| unknown_word("deliveries", "state", &row.state))?,
            reason: row.reason,
            count: row.count as u64,
        });
    }
    let mut figures = Vec::with_capacity(rows.len());
    for row in rows {
        let mut deliveries = counts.remove(&row.id).unwrap_or_default();
        deliveries.sort_unstable_by(|left, right| {
            (&left.version, left.state.word(), &left.reason).cmp(&(
                &right.version,
                right.state.word(),
                &right.reason,
            ))
        });
        figures.push(RunFigures { run: runs::read(&row)?, deliveries });
    }
    Ok(figures)
}

#[derive(Debug, FromQueryResult)]
struct CountRow {
    run: i64,
    version: Option<String>,
    state: String,
    reason: Option<String>,
    count: i64,
}

/// Walks the index `deliveries_open`, whose condition is the first one on the state. A row that went
/// back because the server was away is planned, and has an answer too: why it could not be reached.
pub(in crate::store) const WAITING: &str =
    "SELECT d.run, CASE WHEN p.campaign IS NOT NULL AND r.state = 'sending' THEN 'paused' ELSE r.state END AS state,
        d.wait, COUNT(*) AS count, MIN(d.not_before) AS next_try, pace.next_at, transport.next_at AS all_next_at,
        MAX(CASE WHEN d.state = 'deferred' OR d.wait IN ('server', 'provider') THEN d.reply_text END) AS last_reply
    FROM deliveries d JOIN runs r ON r.id = d.run LEFT JOIN campaign_pauses p ON p.campaign = r.campaign
        LEFT JOIN campaign_paces pace ON pace.campaign = r.campaign
        LEFT JOIN campaign_paces transport ON transport.campaign = '@'
    WHERE d.state IN ('planned', 'claimed', 'transmitting', 'deferred') AND d.state IN ('planned', 'deferred')
    GROUP BY d.run, r.state, p.campaign, d.wait, pace.next_at, transport.next_at ORDER BY next_try, d.run, count";

#[derive(Debug, FromQueryResult)]
struct WaitingRow {
    run: i64,
    state: String,
    wait: Option<String>,
    count: i64,
    next_try: i64,
    next_at: Option<i64>,
    all_next_at: Option<i64>,
    last_reply: Option<String>,
}

/// What waits in open runs, and for what; what is tried next first.
pub async fn waiting(store: &Store, now: Timestamp) -> Result<Vec<Waiting>> {
    let rows: Vec<WaitingRow> = query_as(&store.database, "list what waits", WAITING, vec![]).await?;
    let mut waiting: Vec<Waiting> = Vec::with_capacity(rows.len());
    for row in rows {
        let wait = match RunState::from_word(&row.state) {
            Some(RunState::Held) => Some(WaitReason::Approval),
            Some(RunState::Paused) => Some(WaitReason::Paused),
            _ => row.wait.as_deref().and_then(WaitReason::from_word),
        };
        let run = RunId(row.run);
        let mut next_try = Timestamp::from_micros(row.next_try);
        let rate = row
            .next_at
            .max(row.all_next_at)
            .map(Timestamp::from_micros)
            .filter(|at| *at > now && *at > next_try);
        let wait = match rate {
            Some(next_at) if wait.is_none() => {
                next_try = next_at;
                Some(WaitReason::Rate)
            }
            _ => wait,
        };
        // A run that is held or paused has one entry, whatever its rows waited for before.
        if let Some(known) = waiting.iter_mut().find(|known| known.run == run && known.wait == wait) {
            known.count += row.count as u64;
            known.last_reply = known.last_reply.take().or(row.last_reply);
        } else {
            let (count, last_reply) = (row.count as u64, row.last_reply);
            waiting.push(Waiting { run, wait, count, next_try, last_reply });
        }
    }
    Ok(waiting)
}

/// How much there is.
pub async fn totals(store: &Store) -> Result<Totals> {
    let text = "SELECT (SELECT COUNT(*) FROM contacts) AS contacts,
        (SELECT CAST(SUM(CASE name WHEN 'event' THEN value ELSE -value END) AS BIGINT) FROM counters
          WHERE name IN ('event', 'event_removed')) AS events,
        (SELECT COUNT(*) FROM runs) AS runs,
        (SELECT COUNT(*) FROM deliveries) AS deliveries,
        (SELECT COUNT(*) FROM deliveries WHERE state = 'uncertain') AS uncertain,
        (SELECT COUNT(DISTINCT address) FROM suppressions) AS suppressions";
    let operation = "count what there is";
    let rows = query(&store.database, operation, text, vec![]).await?;
    let Some(row) = rows.first() else { return Ok(Totals::default()) };
    let count = |index: usize| -> Result<u64> {
        Ok(row.try_get_by_index::<i64>(index).map_err(failed(operation))? as u64)
    };
    Ok(Totals {
        contacts: count(0)?,
        events: count(1)?,
        runs: count(2)?,
        deliveries: count(3)?,
        uncertain: count(4)?,
        suppressions: count(5)?,
    })
}
