//! What came back from mails, as counts by run and version. Hits and readings of mails that were not
//! accepted (nobody knows whether they arrived) are left out, so that no rate is above 1.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use sea_orm::FromQueryResult;

use crate::domain::campaign::Tracking;
use crate::domain::delivery::RunId;
use crate::domain::engagement::{Agent, EngagementKind};
use crate::domain::time::Timestamp;
use crate::store::dialect::given_numbers;
use crate::store::error::unknown_word;
use crate::store::statement::{numbers_json, query_as, values};
use crate::store::{Result, Store};

/// What failing queries are called.
const OPERATION: &str = "count what came back";
/// A quarter of an hour, in the microseconds of the tables.
const QUARTER: i64 = 900_000_000;

/// What came back from the mails of some runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EngagementFigures {
    runs: HashMap<RunId, BTreeMap<Option<String>, VersionFigures>>,
}

/// What came back from the mails of one version of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionFigures {
    /// Accepted mails, by how they were tracked.
    pub mails: Vec<(Tracking, u64)>,
    /// Accepted deliveries that were opened, or of which some link was followed; each once, under the most
    /// human of its readings.
    pub firsts: Vec<FirstCount>,
    /// Their hits.
    pub hits: Vec<(EngagementKind, Agent, u64)>,
    /// Their links.
    pub links: Vec<LinkCount>,
    /// Accepted deliveries behind whose links somebody unsubscribed, by quarters of an hour.
    pub unsubscribed: Vec<(Timestamp, u64)>,
    /// Hits of mails whose hits are only counted.
    pub counted: Vec<HitCount>,
}

/// How often a link was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkCount {
    /// Where it leads.
    pub url: String,
    /// By whom.
    pub agent: Agent,
    /// Deliveries, each once, under the most human of its readings.
    pub deliveries: u64,
    /// All hits.
    pub hits: u64,
}

/// Deliveries whose deciding hit was in one quarter of an hour: days of every zone begin at one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstCount {
    /// Opened, or followed.
    pub kind: EngagementKind,
    /// By whom.
    pub agent: Agent,
    /// The quarter's beginning.
    pub at: Timestamp,
    /// How many.
    pub deliveries: u64,
}

/// Hits of mails whose hits are only counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HitCount {
    /// Of pixels or of links.
    pub kind: EngagementKind,
    /// Where the link leads.
    pub url: Option<String>,
    /// By whom.
    pub agent: Agent,
    /// On which day, in the installation's zone.
    pub day: NaiveDate,
    /// How many.
    pub hits: u64,
}

impl EngagementFigures {
    /// What came back from a version of a run; `None`: from mails of which no version is known.
    pub fn of(&mut self, run: RunId, version: Option<String>) -> &mut VersionFigures {
        self.runs.entry(run).or_default().entry(version).or_default()
    }

    /// Takes out what came back from a run, by version.
    pub fn take(&mut self, run: RunId) -> BTreeMap<Option<String>, VersionFigures> {
        self.runs.remove(&run).unwrap_or_default()
    }
}

/// What came back from the mails of these runs.
pub async fn of_runs(store: &Store, runs: &[RunId]) -> Result<EngagementFigures> {
    let asked = Asked { store, runs: numbers_json(runs.iter().map(|run| run.0)) };
    let mut figures = EngagementFigures::default();
    for row in asked.rows::<MailRow>(MAILS).await? {
        let tracking = Tracking::from_word(&row.tracking)
            .ok_or_else(|| unknown_word("deliveries", "tracking", &row.tracking))?;
        figures.of(RunId(row.run), row.version).mails.push((tracking, row.count as u64));
    }
    for row in asked.rows::<FirstRow>(FIRSTS).await? {
        figures.of(RunId(row.run), row.version).firsts.push(FirstCount {
            kind: kind(&row.kind)?,
            agent: agent(&row.agent)?,
            at: Timestamp::from_micros(row.quarter * QUARTER),
            deliveries: row.count as u64,
        });
    }
    let urls: HashMap<i64, String> =
        asked.rows::<LinkRow>(LINKS).await?.into_iter().map(|row| (row.number, row.url)).collect();
    asked.follow(&urls, &mut figures).await?;
    for row in asked.rows::<UnsubscribeRow>(UNSUBSCRIBES).await? {
        let at = Timestamp::from_micros(row.quarter * QUARTER);
        figures.of(RunId(row.run), row.version).unsubscribed.push((at, row.count as u64));
    }
    for row in asked.rows::<RunHitRow>(RUN_HITS).await? {
        figures.of(RunId(row.run), None).counted.push(HitCount {
            kind: kind(&row.kind)?,
            url: urls.get(&row.link).cloned(),
            agent: agent(&row.agent)?,
            day: NaiveDate::from_epoch_days(i32::try_from(row.day).unwrap_or(0)).unwrap_or_default(),
            hits: row.count as u64,
        });
    }
    Ok(figures)
}

/// Queries over the same runs.
struct Asked<'a> {
    store: &'a Store,
    runs: String,
}

impl Asked<'_> {
    /// `{runs}` in the text stands for the numbers of the runs.
    async fn rows<T: FromQueryResult>(&self, text: &str) -> Result<Vec<T>> {
        let given = format!("SELECT run FROM {} AS given", given_numbers(self.store.backend(), 1, "run"));
        let text = text.replace("{runs}", &given);
        query_as(&self.store.database, OPERATION, &text, values![self.runs.as_str()]).await
    }

    /// Hits, and deliveries by link.
    async fn follow(&self, urls: &HashMap<i64, String>, figures: &mut EngagementFigures) -> Result<()> {
        type Key = (i64, Option<String>, i64, Agent);
        let mut links: BTreeMap<Key, (u64, u64)> = BTreeMap::new();
        for row in self.rows::<FollowRow>(FOLLOWED).await? {
            let key = (row.run, row.version, row.link, agent(&row.agent)?);
            links.entry(key).or_default().0 += row.count as u64;
        }
        for row in self.rows::<HitRow>(HITS).await? {
            let (kind, agent, count) = (kind(&row.kind)?, agent(&row.agent)?, row.count as u64);
            if kind == EngagementKind::Clicked {
                links.entry((row.run, row.version.clone(), row.link, agent)).or_default().1 += count;
            }
            let hits = &mut figures.of(RunId(row.run), row.version).hits;
            match hits.iter_mut().find(|(known, by, _)| (*known, *by) == (kind, agent)) {
                Some((_, _, known)) => *known += count,
                None => hits.push((kind, agent, count)),
            }
        }
        for ((run, version, link, agent), (deliveries, hits)) in links {
            // Every link that was followed has an address; without one nobody could have been led there.
            if let Some(url) = urls.get(&link).cloned() {
                figures.of(RunId(run), version).links.push(LinkCount { url, agent, deliveries, hits });
            }
        }
        Ok(())
    }
}

fn kind(word: &str) -> Result<EngagementKind> {
    EngagementKind::from_word(word).ok_or_else(|| unknown_word("engagements", "kind", word))
}

fn agent(word: &str) -> Result<Agent> {
    Agent::from_word(word).ok_or_else(|| unknown_word("engagements", "agent", word))
}

const MAILS: &str = "SELECT run, version, COALESCE(tracking, 'none') AS tracking, COUNT(*) AS count
    FROM deliveries WHERE run IN ({runs}) AND state = 'accepted'
    GROUP BY run, version, COALESCE(tracking, 'none') ORDER BY run, version, tracking";

/// Each delivery once: under the most human reading, at the first hit that has it.
const FIRSTS: &str = "SELECT run, version, kind, agent, quarter, COUNT(*) AS count FROM (
        SELECT d.run, d.version, e.kind, e.agent, e.at / 900000000 AS quarter,
            ROW_NUMBER() OVER (PARTITION BY e.delivery, e.kind
                ORDER BY CASE e.agent WHEN 'human' THEN 0 WHEN 'unknown' THEN 1 ELSE 2 END, e.at, e.link) AS place
        FROM deliveries d JOIN engagements e ON e.delivery = d.id
        WHERE d.run IN ({runs}) AND d.state = 'accepted' AND d.tracking = 'individual'
    ) AS readings WHERE place = 1
    GROUP BY run, version, kind, agent, quarter ORDER BY run, version, kind, agent, quarter";

const LINKS: &str = "SELECT number, url FROM links WHERE run IN ({runs})";

const FOLLOWED: &str = "SELECT d.run, d.version, e.link, e.agent, COUNT(*) AS count
    FROM deliveries d JOIN engagements e ON e.delivery = d.id
    WHERE d.run IN ({runs}) AND d.state = 'accepted' AND d.tracking = 'individual' AND e.kind = 'clicked'
    GROUP BY d.run, d.version, e.link, e.agent";

/// What was not read yet is unknown.
const HITS: &str =
    "SELECT d.run, d.version, h.kind, h.link, COALESCE(h.agent, 'unknown') AS agent, COUNT(*) AS count
    FROM deliveries d JOIN hits h ON h.delivery = d.id
    WHERE d.run IN ({runs}) AND d.state = 'accepted' AND d.tracking = 'individual'
    GROUP BY d.run, d.version, h.kind, h.link, COALESCE(h.agent, 'unknown')
    ORDER BY d.run, d.version, h.kind, h.link";

const UNSUBSCRIBES: &str = "SELECT d.run, d.version, u.at / 900000000 AS quarter, COUNT(*) AS count
    FROM deliveries d JOIN unsubscribes u ON u.delivery = d.id
    WHERE d.run IN ({runs}) AND d.state = 'accepted'
    GROUP BY d.run, d.version, u.at / 900000000 ORDER BY d.run, d.version, quarter";

const RUN_HITS: &str = "SELECT run, kind, link, day, agent, count FROM run_hits WHERE run IN ({runs})
    ORDER BY run, kind, link, day, agent";

#[derive(Debug, FromQueryResult)]
struct MailRow {
    run: i64,
    version: Option<String>,
    tracking: String,
    count: i64,
}

#[derive(Debug, FromQueryResult)]
struct FirstRow {
    run: i64,
    version: Option<String>,
    kind: String,
    agent: String,
    quarter: i64,
    count: i64,
}

#[derive(Debug, FromQueryResult)]
struct LinkRow {
    number: i64,
    url: String,
}

#[derive(Debug, FromQueryResult)]
struct FollowRow {
    run: i64,
    version: Option<String>,
    link: i64,
    agent: String,
    count: i64,
}

#[derive(Debug, FromQueryResult)]
struct HitRow {
    run: i64,
    version: Option<String>,
    kind: String,
    link: i64,
    agent: String,
    count: i64,
}

#[derive(Debug, FromQueryResult)]
struct UnsubscribeRow {
    run: i64,
    version: Option<String>,
    quarter: i64,
    count: i64,
}

#[derive(Debug, FromQueryResult)]
struct RunHitRow {
    run: i64,
    kind: String,
    link: i64,
    day: i64,
    agent: String,
    count: i64,
}
