//! Runs and deliveries: the states of the send ledger. The steps between them: [`arrow`](super::arrow).

use super::time::Timestamp;

/// The number of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

/// The number of a delivery: one contact in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub i64);

/// The number of an incarnation of a sender; it is the fencing number of its leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncarnationId(pub i64);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word for it, in the database, in JSON and in reports.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads a word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// The state of a run.
    RunState {
        /// Its time has come; its recipients are not fixed yet.
        Due = "due",
        /// Its recipients are being fixed.
        Fixing = "fixing",
        /// Its deliveries are being sent.
        Sending = "sending",
        /// No delivery is open.
        Finished = "finished",
        /// It is larger than `max_recipients` and waits for `approve` or `cancel`.
        Held = "held",
        /// It was paused by hand.
        Paused = "paused",
        /// It was cancelled by hand.
        Cancelled = "cancelled",
        /// Its time passed while the daemon was down.
        Missed = "missed",
    }
}

words! {
    /// The state of a delivery.
    DeliveryState {
        /// To be sent, not before `not_before`.
        Planned = "planned",
        /// A sender works on it.
        Claimed = "claimed",
        /// The message is about to be, or was, handed over; the answer is not noted.
        Transmitting = "transmitting",
        /// The server took it.
        Accepted = "accepted",
        /// The server, or the way to it, failed for now; tried again at `not_before`.
        Deferred = "deferred",
        /// The server refused it for good, or it was given up.
        Refused = "refused",
        /// Nobody can know whether the server took it.
        Uncertain = "uncertain",
        /// Not mailed, for a [`SkipReason`].
        Skipped = "skipped",
    }
}

impl DeliveryState {
    /// Whether a run with such a row is not finished.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Planned | Self::Claimed | Self::Transmitting | Self::Deferred)
    }

    /// Whether the row counts as a mail for `repeat`: it was sent, is being sent, or may have been.
    pub const fn counts_as_mailed(self) -> bool {
        matches!(self, Self::Claimed | Self::Transmitting | Self::Accepted | Self::Uncertain)
    }
}

words! {
    /// Why a contact of the audience was not mailed. The list is closed.
    SkipReason {
        /// No consent for the purpose of the mail.
        NotConsented = "not_consented",
        /// The address bounced.
        SuppressedBounce = "suppressed_bounce",
        /// The contact complained.
        SuppressedComplaint = "suppressed_complaint",
        /// The contact unsubscribed.
        SuppressedUnsubscribe = "suppressed_unsubscribe",
        /// The address was suppressed by an import or by hand.
        SuppressedImport = "suppressed_import",
        /// The contact has no address.
        NoAddress = "no_address",
        /// A cap on the number of mails.
        FrequencyCap = "frequency_cap",
        /// `repeat` says that it had this campaign.
        AlreadySent = "already_sent",
        /// A row of an earlier run of this campaign is still open.
        WaitingInEarlierRun = "waiting_in_earlier_run",
        /// The contact meets the condition of no version.
        NoVersionMatches = "no_version_matches",
        /// Before `starts` or after `ends`.
        OutsideTheDates = "outside_the_dates",
        /// The contact is no longer in the audience.
        LeftTheAudience = "left_the_audience",
        /// The template could not be rendered for the contact.
        TemplateFailed = "template_failed",
        /// The run was cancelled.
        RunCancelled = "run_cancelled",
    }
}

words! {
    /// Why a row waits; waits are no skips.
    WaitReason {
        /// For the run's `approve`.
        Approval = "approval",
        /// The run is paused.
        Paused = "paused",
        /// The server cannot be reached or said "later".
        Server = "server",
        /// The campaign is not declared any more; it goes on when it is declared again.
        Undeclared = "undeclared",
        /// It is night where the contact is.
        QuietHours = "quiet_hours",
        /// For a mail of a campaign with a higher priority, which may leave no room under a cap.
        Priority = "priority",
        /// A limit is used up for now: the campaign's `limits: { per_hour }`, or the transport's `per_hour`.
        Rate = "rate",
        /// Its provider, the domain of its address, is slow, asked for less, or has a limit that is used up for now.
        Provider = "provider",
        /// Nobody knows whether the server took it; the campaign says that it is sent once more.
        SendAgain = "send_again",
    }
}

words! {
    /// By what it became known what had become of an uncertain delivery.
    Evidence {
        /// Somebody said so: `campaignd uncertain`.
        Hand = "hand",
        /// The mail was opened.
        Opened = "opened",
        /// One of its links was followed.
        Clicked = "clicked",
        /// Somebody unsubscribed by it.
        Unsubscribed = "unsubscribed",
    }
}

words! {
    /// Why a delivery was refused.
    RefusalReason {
        /// The server refused it for good.
        Rejected = "rejected",
        /// It was deferred for longer than the campaign's `retry.for`.
        GaveUp = "gave_up",
    }
}

words! {
    /// What made a run.
    RunTrigger {
        /// The campaign's schedule.
        Schedule = "schedule",
        /// `campaignd send`.
        Manual = "manual",
        /// Contacts entered the audience.
        Entry = "entry",
        /// Those who were in the audience when `include_current` was first seen.
        Current = "current",
    }
}

words! {
    /// Which mail a suppression stops.
    SuppressionScope {
        /// Marketing mail.
        Marketing = "marketing",
        /// All mail.
        All = "all",
    }
}

words! {
    /// Why a suppression exists.
    SuppressionCause {
        /// A hard bounce.
        Bounce = "bounce",
        /// A complaint.
        Complaint = "complaint",
        /// An unsubscription.
        Unsubscribe = "unsubscribe",
        /// By an import or by hand.
        Import = "import",
    }
}

impl SuppressionCause {
    /// The reason it gives a delivery.
    pub const fn skip_reason(self) -> SkipReason {
        match self {
            Self::Bounce => SkipReason::SuppressedBounce,
            Self::Complaint => SkipReason::SuppressedComplaint,
            Self::Unsubscribe => SkipReason::SuppressedUnsubscribe,
            Self::Import => SkipReason::SuppressedImport,
        }
    }
}

/// How a try to hand a message over ended. It carries its decision: again later, or final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TryOutcome {
    /// A 2xx answer to the final dot.
    Accepted(Reply),
    /// A 4xx answer, or a failure before the final dot: nothing was delivered.
    Deferred(Reply),
    /// A 5xx answer: final.
    Refused(Reply),
    /// The connection failed after the final dot: nobody can know.
    Uncertain(Reply),
}

/// What a server said, or what failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits, where there was an answer.
    pub code: Option<u16>,
    /// The enhanced status code (RFC 3463), where the server gave one: `5.1.1`.
    pub enhanced: Option<String>,
    /// The text, or what failed; one line, at most 500 characters.
    pub text: String,
    /// Whose failure it is, where it is one.
    pub fault: Fault,
    /// When.
    pub at: Timestamp,
}

/// Whose failure a reply speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This mail's: what the server says of its recipient or its content. Also the word for no failure.
    Mail,
    /// The server's, with whatever mail: connection refused, TLS, login.
    Server,
    /// The server failed at this mail, on a fresh connection: 421, an end of the connection, an answer that is
    /// none. It may be ill, and it may be that it cannot bear this mail: so it counts as a try of the mail.
    Either,
    /// The campaign's: its mails are not such as the server takes (too large, not in ASCII).
    Campaign,
}

impl TryOutcome {
    /// With what the server said dated anew: a reply is as old as its end, and not as the beginning of the try.
    #[must_use]
    pub fn dated(self, at: Timestamp) -> Self {
        let dated = |reply: Reply| Reply { at, ..reply };
        match self {
            Self::Accepted(reply) => Self::Accepted(dated(reply)),
            Self::Deferred(reply) => Self::Deferred(dated(reply)),
            Self::Refused(reply) => Self::Refused(dated(reply)),
            Self::Uncertain(reply) => Self::Uncertain(dated(reply)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::from_word(state.word()), Some(*state));
        }
        for reason in SkipReason::ALL {
            assert_eq!(SkipReason::from_word(reason.word()), Some(*reason));
        }
    }
}
