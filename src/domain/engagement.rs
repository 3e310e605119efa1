//! Engagements: what was read from the requests that mails caused, and by whom they were made.

use super::delivery::{DeliveryId, RunId};
use super::time::Timestamp;

/// Who made a request. Reports show the three apart; conditions and scores count people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Agent {
    /// A person who looked at the mail, also through a proxy that hides them.
    Human,
    /// A program: a scanner of links, a prefetch, a crawler.
    Machine,
    /// Nothing says which.
    Unknown,
}

impl Agent {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Human, Self::Machine, Self::Unknown];

    /// The word for it: the value of the property `by`, in the database and in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Machine => "machine",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|agent| agent.word() == word)
    }

    /// Which of two readings of one engagement counts: a person before the unknown before a machine.
    pub const fn weight(self) -> u8 {
        match self {
            Self::Human => 2,
            Self::Unknown => 1,
            Self::Machine => 0,
        }
    }
}

/// What was engaged with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EngagementKind {
    /// The mail: its pixel was fetched.
    Opened,
    /// A link in it was followed.
    Clicked,
}

impl EngagementKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Opened, Self::Clicked];

    /// The word for it in the database and in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Clicked => "clicked",
        }
    }

    /// Reads a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The event that the daemon records for it.
    pub const fn event(self) -> &'static str {
        match self {
            Self::Opened => "email_opened",
            Self::Clicked => "email_clicked",
        }
    }
}

/// In whose mail the pixel or link stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HitSubject {
    /// One contact's mail (mode `individual`).
    Delivery(DeliveryId),
    /// Any mail of a run (mode `aggregate`): nobody is named.
    Run(RunId),
}

/// A request of a pixel or a link: raw evidence. Nothing in it was judged yet. Its texts may be borrowed from
/// the request while that is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit<Text = String> {
    /// The pixel or a link.
    pub kind: EngagementKind,
    /// In whose mail it stood.
    pub subject: HitSubject,
    /// The number of the link; 0 for a pixel.
    pub link: i64,
    /// When the request came.
    pub at: Timestamp,
    /// What the request said of itself.
    pub request: RequestFacts<Text>,
}

/// What is kept of a request: enough to tell people from machines, too little to tell who it was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestFacts<Text = String> {
    /// Whether it asked for the headers only.
    pub head: bool,
    /// `User-Agent`, shortened; `None`: there was none.
    pub user_agent: Option<Text>,
    /// The network that it came from: the first 24 bits of an IPv4 address, 48 of an IPv6 address.
    pub network: Option<Text>,
    /// `Accept`, shortened.
    pub accept: Option<Text>,
    /// `Accept-Language`, shortened.
    pub accept_language: Option<Text>,
    /// Whether it had `Accept-Encoding`.
    pub accept_encoding: bool,
    /// `Sec-Fetch-Mode` and `Sec-Fetch-Dest`, joined by a space.
    pub fetch: Option<Text>,
    /// `Sec-Purpose`, `Purpose`, `X-Purpose` or `X-Moz`: browsers that fetch ahead say so.
    pub purpose: Option<Text>,
}

/// Why a hit was read as it was. What each means is written in the documentation of tracking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Fetched before anybody asked.
    Prefetch,
    /// For the headers only.
    Head,
    /// By a program that says so.
    Program,
    /// By one that says it is a browser and does not behave like one.
    Headers,
    /// Before anybody can have read that far.
    TooSoon,
    /// Many links at once.
    Burst,
    /// By a proxy for somebody who looks.
    Proxy,
    /// By a browser or mail program.
    Browser,
    /// Nothing says who.
    Unclear,
    /// Beyond what is looked at together.
    Many,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Prefetch,
        Self::Head,
        Self::Program,
        Self::Headers,
        Self::TooSoon,
        Self::Burst,
        Self::Proxy,
        Self::Browser,
        Self::Unclear,
        Self::Many,
    ];

    /// The word for it in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Prefetch => "prefetch",
            Self::Head => "head",
            Self::Program => "program",
            Self::Headers => "headers",
            Self::TooSoon => "too_soon",
            Self::Burst => "burst",
            Self::Proxy => "proxy",
            Self::Browser => "browser",
            Self::Unclear => "unclear",
            Self::Many => "many",
        }
    }

    /// Reads a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.word() == word)
    }
}

/// How a hit is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Who made it.
    pub agent: Agent,
    /// Why.
    pub rule: Rule,
}
