//! Campaigns: who, when, what, how often.

use chrono::NaiveDateTime;

use super::calendar;
use super::condition::Condition;
use super::consent::ConsentState;
use super::email::Mailbox;
use super::name::CampaignName;
use super::pace::Pace;
use super::schedule::Schedule;
use super::time::{Span, Timestamp, Zone};

/// A declared campaign, with the file's `defaults` applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// Its name; runs and the ledger are kept under it.
    pub name: CampaignName,
    /// What it is for, for people.
    pub description: Option<String>,
    /// Who gets it.
    pub audience: Condition,
    /// When it runs. Absent: only by `campaignd send`.
    pub schedule: Option<Schedule>,
    /// The zone in which schedule, `starts` and `ends` are read; with `in_zone_of_contact` that of
    /// contacts without one.
    pub time_zone: Zone,
    /// `time_zone: contact`: schedule, `starts` and `ends` are read in each contact's own zone, and
    /// there is a run for each zone.
    pub in_zone_of_contact: bool,
    /// What becomes of due times at which the daemon was down.
    pub missed: Missed,
    /// How often one contact gets it.
    pub repeat: Repeat,
    /// Marketing or transactional mail.
    pub purpose: MailPurpose,
    /// The sender.
    pub from: Mailbox,
    /// Where replies go, where that is elsewhere.
    pub reply_to: Option<Mailbox>,
    /// Which e-mail, by condition: the first that holds. A campaign with `template` has one
    /// version, for everyone, with the label `default`.
    pub versions: Vec<Version>,
    /// What templates find under `data`: a JSON object.
    pub data: serde_json::Map<String, serde_json::Value>,
    /// Before it nothing is sent.
    pub starts: Option<Moment>,
    /// From then on nothing is sent (the declared day is still inside).
    pub ends: Option<Moment>,
    /// A run with more planned mails is held until it is approved. With [`Schedule::OnEntry`] all runs
    /// of 24 hours together.
    pub max_recipients: Option<u64>,
    /// How fast its mails leave, where that is limited.
    pub pace: Option<Pace>,
    /// More refused mails than this, in percent of its results, pause it.
    pub max_refused: u8,
    /// For how long a deferred mail is tried again.
    pub retry_for: Span,
    /// What becomes of a mail of which nobody knows whether it was accepted.
    pub on_uncertain: OnUncertain,
    /// What is recorded of opens and clicks at most.
    pub tracking: Tracking,
    /// What is added to the addresses of links.
    pub utm: Utm,
    /// Which campaign goes first where a cap allows only one of them; the greater.
    pub priority: i64,
    /// The former name, whose ledger is carried on.
    pub renamed_from: Option<CampaignName>,
}

impl Campaign {
    /// Its audience, and whom its versions are for.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        std::iter::once(&self.audience).chain(self.versions.iter().map(|version| &version.condition))
    }

    /// Whether memberships of its audience are kept: what they ask for are entries.
    pub fn keeps_audience(&self) -> bool {
        matches!(self.repeat, Repeat::EveryEntry { .. })
            || matches!(self.schedule, Some(Schedule::OnEntry { .. }))
    }

    /// Whether `at` lies within `starts` and `ends`, read in `zone`.
    pub fn is_open_at(&self, at: Timestamp, zone: Zone) -> bool {
        self.starts.is_none_or(|starts| starts.in_zone(zone) <= at)
            && self.ends.is_none_or(|ends| at < ends.in_zone(zone))
    }
}

/// A bound of the time in which a campaign is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The same everywhere.
    Instant(Timestamp),
    /// What the clocks of a zone show.
    Local(NaiveDateTime),
}

impl Moment {
    /// The instant that it is in a zone.
    pub fn in_zone(self, zone: Zone) -> Timestamp {
        match self {
            Self::Instant(instant) => instant,
            Self::Local(local) => calendar::resolve(local, zone),
        }
    }
}

/// What is recorded of opens and clicks. The strictest of all that have a say is the least: `min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Tracking {
    /// Nothing: no pixel, no rewritten link.
    None,
    /// How many, but not who.
    Aggregate,
    /// Who opened and clicked what.
    #[default]
    Individual,
}

impl Tracking {
    /// All modes, the strictest first.
    pub const ALL: [Self; 3] = [Self::None, Self::Aggregate, Self::Individual];

    /// The word for it in declarations, settings and the ledger.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Aggregate => "aggregate",
            Self::Individual => "individual",
        }
    }

    /// The mode with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.word() == word)
    }

    fn least(self, purpose: MailPurpose, ceiling: Self, consent: ConsentState, unknown_is_yes: bool) -> Self {
        let agreed = match consent {
            ConsentState::Yes => true,
            ConsentState::Unknown => unknown_is_yes,
            ConsentState::No => false,
        };
        match purpose {
            MailPurpose::Marketing if agreed => self.min(ceiling),
            MailPurpose::Marketing | MailPurpose::Transactional => Self::None,
        }
    }
}

impl Campaign {
    /// What is recorded of one contact's opens and clicks: the strictest of the campaign's mode, the
    /// installation's `ceiling` and the contact's consent. Transactional mail is not tracked.
    pub fn tracking_of(&self, ceiling: Tracking, consent: ConsentState, unknown_is_yes: bool) -> Tracking {
        self.tracking.least(self.purpose, ceiling, consent, unknown_is_yes)
    }
}

/// Parameters that web analytics read from the addresses of links, as Google's Urchin named them
/// (<https://support.google.com/analytics/answer/10917952>). Those that are absent are not added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Utm {
    /// Where a visitor comes from: `newsletter`.
    pub source: Option<String>,
    /// By which way: `email`.
    pub medium: Option<String>,
    /// By which campaign.
    pub campaign: Option<String>,
    /// By which words.
    pub term: Option<String>,
    /// By which of several links.
    pub content: Option<String>,
}

impl Utm {
    /// Name and value of the parameters that are there: `("utm_source", "newsletter")`.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("utm_source", &self.source),
            ("utm_medium", &self.medium),
            ("utm_campaign", &self.campaign),
            ("utm_term", &self.term),
            ("utm_content", &self.content),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// These parameters, and of `others` those that are not there.
    #[must_use]
    pub fn or(self, others: &Self) -> Self {
        Self {
            source: self.source.or_else(|| others.source.clone()),
            medium: self.medium.or_else(|| others.medium.clone()),
            campaign: self.campaign.or_else(|| others.campaign.clone()),
            term: self.term.or_else(|| others.term.clone()),
            content: self.content.or_else(|| others.content.clone()),
        }
    }
}

/// One version of a campaign's e-mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// What reports call it: the template's name unless it is said.
    pub label: String,
    /// For whom.
    pub condition: Condition,
    /// The folder under `templates/`.
    pub template: String,
}

/// What becomes of a due time that was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missed {
    /// It is noted as missed.
    #[default]
    Skip,
    /// It is made up for while it is not later than this.
    SendWithin(Span),
}

/// What becomes of a mail of which nobody knows whether it was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnUncertain {
    /// It stays uncertain until evidence or somebody's word settles it: nobody gets two copies.
    #[default]
    Hold,
    /// It is sent once more, once: nobody gets none, some may get two.
    SendAgain,
}

/// How often one contact gets a campaign. Due instants are compared, not moments of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Repeat {
    /// Once, ever.
    #[default]
    Once,
    /// At every run.
    EveryRun,
    /// At most once in this span.
    AtMostEvery(Span),
    /// Once for each interval of membership of the audience that evaluations have seen.
    EveryEntry {
        /// Who comes back sooner than this was never away.
        reentry_after: Option<Span>,
    },
}

/// What a mail is, before the law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MailPurpose {
    /// Needs consent, carries an unsubscribe link.
    #[default]
    Marketing,
    /// Is owed to the contact; held back only by bounces and complaints.
    Transactional,
}

impl MailPurpose {
    /// The word for it in declarations and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Transactional => "transactional",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_mode_wins() {
        use ConsentState::{No, Unknown, Yes};
        use MailPurpose::{Marketing, Transactional};
        use Tracking::{Aggregate, Individual, None};
        for (purpose, campaign, ceiling, consent, unknown_is_yes, expected) in [
            (Marketing, Individual, Individual, Yes, false, Individual),
            (Marketing, Individual, Aggregate, Yes, false, Aggregate),
            (Marketing, Aggregate, Individual, Yes, false, Aggregate),
            (Marketing, Aggregate, None, Yes, false, None),
            (Marketing, None, Individual, Yes, true, None),
            (Marketing, Individual, Individual, No, true, None),
            (Marketing, Individual, Individual, Unknown, false, None),
            (Marketing, Individual, Individual, Unknown, true, Individual),
            (Transactional, Individual, Individual, Yes, true, None),
        ] {
            let mode = campaign.least(purpose, ceiling, consent, unknown_is_yes);
            assert_eq!(mode, expected, "{purpose:?} {campaign:?} {ceiling:?} {consent:?} {unknown_is_yes}");
        }
    }
}
