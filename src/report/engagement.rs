//! What came back from mails: opens, clicks, unsubscribes; by link and by day.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use super::rate::Rate;
use crate::domain::calendar;
use crate::domain::campaign::Tracking;
use crate::domain::engagement::{Agent, EngagementKind};
use crate::domain::time::Zone;
use crate::store::figures::engagement::VersionFigures;

/// What came back from some mails.
///
/// Of mails that are tracked one by one, deliveries are counted: each once, under the most human reading
/// of its hits. Of mails in `aggregate` mode only hits are counted, and nobody knows whose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Engagement {
    /// Accepted mails, by how they were tracked.
    pub mails: Mails,
    /// Deliveries that were opened, and the hits of their pixels.
    pub opened: Activity,
    /// Deliveries of which a link was followed, and all hits of their links.
    pub clicked: Activity,
    /// Accepted mails behind whose links somebody unsubscribed, however they were tracked.
    pub unsubscribed: u64,
    /// By the address behind the link.
    pub links: BTreeMap<String, Activity>,
    /// By the day on which it happened first, in the installation's zone.
    pub days: BTreeMap<NaiveDate, Day>,
    /// Hits of mails whose hits are only counted.
    pub counted: Counted,
}

/// Accepted mails, by how they were tracked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mails {
    /// One by one: the whole of every rate of opens and clicks.
    pub individual: u64,
    /// Hits are only counted.
    pub aggregate: u64,
    /// Not at all: the campaign, the installation or the contact says so.
    pub none: u64,
}

/// A number for each reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByAgent {
    /// People.
    pub human: u64,
    /// It cannot be told.
    pub unknown: u64,
    /// Programs: scanners of links, images that are fetched before anybody looks.
    pub machine: u64,
}

/// Deliveries, and hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Activity {
    /// Each delivery once, by its most human hit.
    pub deliveries: ByAgent,
    /// Every hit.
    pub hits: ByAgent,
}

/// What happened first on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Day {
    /// Deliveries whose deciding open was on this day.
    pub opened: ByAgent,
    /// Deliveries whose first deciding click was on this day.
    pub clicked: ByAgent,
    /// Mails behind whose links somebody unsubscribed on this day.
    pub unsubscribed: u64,
    /// Hits of mails whose hits are only counted: opens and clicks.
    pub counted: Counted,
}

/// Hits of mails whose hits are only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Of pixels.
    pub opens: ByAgent,
    /// Of links.
    pub clicks: ByAgent,
}

impl ByAgent {
    /// Adds to one of them.
    pub const fn add(&mut self, agent: Agent, count: u64) {
        match agent {
            Agent::Human => self.human += count,
            Agent::Unknown => self.unknown += count,
            Agent::Machine => self.machine += count,
        }
    }

    /// How many of one reading.
    pub const fn of(&self, agent: Agent) -> u64 {
        match agent {
            Agent::Human => self.human,
            Agent::Unknown => self.unknown,
            Agent::Machine => self.machine,
        }
    }

    /// All together.
    pub const fn all(&self) -> u64 {
        self.human + self.unknown + self.machine
    }

    fn add_all(&mut self, other: &Self) {
        self.human += other.human;
        self.unknown += other.unknown;
        self.machine += other.machine;
    }

    fn to_json(self) -> Value {
        json!({ "human": self.human, "unknown": self.unknown, "machine": self.machine })
    }
}

impl Activity {
    fn add_all(&mut self, other: &Self) {
        self.deliveries.add_all(&other.deliveries);
        self.hits.add_all(&other.hits);
    }

    fn to_json(self, mails: u64) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("deliveries".to_owned(), self.deliveries.to_json());
        object.insert("hits".to_owned(), self.hits.to_json());
        object.insert("rate".to_owned(), Rate::new(self.deliveries.human, mails).to_json());
        object
    }
}

impl Counted {
    /// The hits of pixels or those of links.
    pub const fn of_mut(&mut self, kind: EngagementKind) -> &mut ByAgent {
        match kind {
            EngagementKind::Opened => &mut self.opens,
            EngagementKind::Clicked => &mut self.clicks,
        }
    }

    /// Opens and clicks together.
    pub const fn all(&self) -> u64 {
        self.opens.all() + self.clicks.all()
    }

    fn add_all(&mut self, other: &Self) {
        self.opens.add_all(&other.opens);
        self.clicks.add_all(&other.clicks);
    }

    fn to_json(self) -> Value {
        json!({ "opens": self.opens.to_json(), "clicks": self.clicks.to_json() })
    }
}

impl Day {
    pub(super) fn add_all(&mut self, other: &Self) {
        self.opened.add_all(&other.opened);
        self.clicked.add_all(&other.clicked);
        self.unsubscribed += other.unsubscribed;
        self.counted.add_all(&other.counted);
    }
}

impl Mails {
    /// Adds accepted mails.
    pub const fn add(&mut self, tracking: Tracking, count: u64) {
        match tracking {
            Tracking::Individual => self.individual += count,
            Tracking::Aggregate => self.aggregate += count,
            Tracking::None => self.none += count,
        }
    }

    /// All accepted mails.
    pub const fn all(&self) -> u64 {
        self.individual + self.aggregate + self.none
    }
}

impl Engagement {
    /// Opens or clicks of mails that are tracked one by one.
    pub const fn activity_mut(&mut self, kind: EngagementKind) -> &mut Activity {
        match kind {
            EngagementKind::Opened => &mut self.opened,
            EngagementKind::Clicked => &mut self.clicked,
        }
    }

    /// Adds what the database counted. Days are those of `zone`.
    pub fn add_figures(&mut self, figures: &VersionFigures, zone: Zone) {
        for (tracking, count) in &figures.mails {
            self.mails.add(*tracking, *count);
        }
        for (kind, agent, count) in &figures.hits {
            self.activity_mut(*kind).hits.add(*agent, *count);
        }
        for count in &figures.links {
            let link = self.links.entry(count.url.clone()).or_default();
            link.deliveries.add(count.agent, count.deliveries);
            link.hits.add(count.agent, count.hits);
        }
        for count in &figures.firsts {
            let day = self.days.entry(calendar::day_of(count.at, zone)).or_default();
            let by_agent = match count.kind {
                EngagementKind::Opened => &mut day.opened,
                EngagementKind::Clicked => &mut day.clicked,
            };
            by_agent.add(count.agent, count.deliveries);
            self.activity_mut(count.kind).deliveries.add(count.agent, count.deliveries);
        }
        for (at, count) in &figures.unsubscribed {
            self.unsubscribed += count;
            self.days.entry(calendar::day_of(*at, zone)).or_default().unsubscribed += count;
        }
        for count in &figures.counted {
            self.counted.of_mut(count.kind).add(count.agent, count.hits);
            self.days.entry(count.day).or_default().counted.of_mut(count.kind).add(count.agent, count.hits);
            if let Some(url) = &count.url {
                self.links.entry(url.clone()).or_default().hits.add(count.agent, count.hits);
            }
        }
    }

    /// Adds what came back from other mails.
    pub fn add_all(&mut self, other: &Self) {
        self.mails.individual += other.mails.individual;
        self.mails.aggregate += other.mails.aggregate;
        self.mails.none += other.mails.none;
        self.opened.add_all(&other.opened);
        self.clicked.add_all(&other.clicked);
        self.unsubscribed += other.unsubscribed;
        self.counted.add_all(&other.counted);
        for (link, activity) in &other.links {
            self.links.entry(link.clone()).or_default().add_all(activity);
        }
        for (day, figures) in &other.days {
            self.days.entry(*day).or_default().add_all(figures);
        }
    }

    /// Mails that a person opened, of those that are tracked one by one.
    pub const fn open_rate(&self) -> Rate {
        Rate::new(self.opened.deliveries.human, self.mails.individual)
    }

    /// Mails of which a person followed a link, of those that are tracked one by one.
    pub const fn click_rate(&self) -> Rate {
        Rate::new(self.clicked.deliveries.human, self.mails.individual)
    }

    /// Mails behind whose links somebody unsubscribed, of all accepted ones.
    pub const fn unsubscribe_rate(&self) -> Rate {
        Rate::new(self.unsubscribed, self.mails.all())
    }

    /// Links, those that most people followed first.
    pub fn links_by_clicks(&self) -> Vec<(&str, &Activity)> {
        let mut links: Vec<(&str, &Activity)> =
            self.links.iter().map(|(link, activity)| (link.as_str(), activity)).collect();
        let weight =
            |activity: &Activity| (activity.deliveries.human, activity.deliveries.all(), activity.hits.all());
        links.sort_by(|(one, left), (other, right)| {
            weight(right).cmp(&weight(left)).then_with(|| one.cmp(other))
        });
        links
    }

    /// For programs. The whole of `opened`, `clicked` and links is `mails.individual`.
    pub fn to_json(&self) -> Value {
        let links: Vec<Value> = self
            .links_by_clicks()
            .into_iter()
            .map(|(link, activity)| {
                let mut object = Map::new();
                object.insert("link".to_owned(), link.into());
                object.extend(activity.to_json(self.mails.individual));
                object.into()
            })
            .collect();
        let days: Vec<Value> = self
            .days
            .iter()
            .map(|(day, figures)| {
                json!({
                    "day": day.to_string(),
                    "opened": figures.opened.to_json(),
                    "clicked": figures.clicked.to_json(),
                    "unsubscribed": figures.unsubscribed,
                    "counted": figures.counted.to_json(),
                })
            })
            .collect();
        json!({
            "mails": {
                "individual": self.mails.individual,
                "aggregate": self.mails.aggregate,
                "none": self.mails.none,
            },
            "opened": self.opened.to_json(self.mails.individual),
            "clicked": self.clicked.to_json(self.mails.individual),
            "unsubscribed": { "deliveries": self.unsubscribed, "rate": self.unsubscribe_rate().to_json() },
            "counted": self.counted.to_json(),
            "links": links,
            "days": days,
        })
    }
}
