//! What a token says, as bytes.

use crate::domain::delivery::{DeliveryId, RunId};
use crate::domain::link::LinkNumber;

/// Bytes before the tag.
pub(super) const CLAIMS: usize = 16;

/// The first byte of every token.
const VERSION: u8 = 1;

/// What a signed address is for. Each purpose has a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkPurpose {
    /// `/u/…`: to leave the marketing mail.
    Unsubscribe,
    /// `/p/…`: to see and change what one agreed to.
    Preferences,
    /// `/o/…`: the pixel of one delivery's mail.
    Open,
    /// `/c/…`: a link of one delivery's mail.
    Click,
    /// `/o/…`: the pixel of all mails of a run; names no delivery.
    RunOpen,
    /// `/c/…`: a link of all mails of a run; names no delivery.
    RunClick,
}

impl LinkPurpose {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Unsubscribe, Self::Preferences, Self::Open, Self::Click, Self::RunOpen, Self::RunClick];

    /// The byte that stands for it: its place in [`ALL`](Self::ALL), from 1.
    pub(super) const fn code(self) -> u8 {
        self as u8 + 1
    }

    /// The segment of the path that stands before the token.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Unsubscribe => "u",
            Self::Preferences => "p",
            Self::Open | Self::RunOpen => "o",
            Self::Click | Self::RunClick => "c",
        }
    }

    /// What its key is derived with.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Unsubscribe => "unsubscribe",
            Self::Preferences => "preferences",
            Self::Open => "open",
            Self::Click => "click",
            Self::RunOpen => "run open",
            Self::RunClick => "run click",
        }
    }
}

/// Whose mail it stood in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// That of one delivery: tracking `individual`.
    Delivery(DeliveryId),
    /// Those of a run, no one knows which: tracking `aggregate`.
    Run(RunId),
}

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claims {
    /// Who had this delivery wants no more marketing mail.
    Unsubscribe(DeliveryId),
    /// Who had this delivery sees and changes what they agreed to.
    Preferences(DeliveryId),
    /// The pixel.
    Open(Subject),
    /// A link, and which.
    Click(Subject, LinkNumber),
}

impl Claims {
    /// What the token is for.
    pub const fn purpose(self) -> LinkPurpose {
        match self {
            Self::Unsubscribe(_) => LinkPurpose::Unsubscribe,
            Self::Preferences(_) => LinkPurpose::Preferences,
            Self::Open(Subject::Delivery(_)) => LinkPurpose::Open,
            Self::Open(Subject::Run(_)) => LinkPurpose::RunOpen,
            Self::Click(Subject::Delivery(_), _) => LinkPurpose::Click,
            Self::Click(Subject::Run(_), _) => LinkPurpose::RunClick,
        }
    }

    /// The bytes before the tag.
    pub(super) fn to_bytes(self, key: u8) -> [u8; CLAIMS] {
        let (Self::Unsubscribe(DeliveryId(subject))
        | Self::Preferences(DeliveryId(subject))
        | Self::Open(Subject::Delivery(DeliveryId(subject)) | Subject::Run(RunId(subject)))
        | Self::Click(Subject::Delivery(DeliveryId(subject)) | Subject::Run(RunId(subject)), _)) = self;
        let link = if let Self::Click(_, LinkNumber(link)) = self { link } else { 0 };
        let mut bytes = [0; CLAIMS];
        bytes[0] = VERSION;
        bytes[1] = key;
        bytes[2] = self.purpose().code();
        bytes[3..11].copy_from_slice(&subject.to_be_bytes());
        // Numbers of links have 40 bits.
        bytes[11..].copy_from_slice(&link.to_be_bytes()[3..]);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, and by which key it is signed.
    pub(super) fn from_bytes(bytes: &[u8; CLAIMS]) -> Option<(u8, Self)> {
        let [VERSION, key, code, rest @ ..] = bytes else { return None };
        let (subject, link) = rest.split_first_chunk::<8>()?;
        let subject = i64::from_be_bytes(*subject);
        let link = link.iter().fold(0, |bits, byte| bits << 8 | i64::from(*byte));
        let purpose = LinkPurpose::ALL.into_iter().find(|purpose| purpose.code() == *code)?;
        let (delivery, run) = (DeliveryId(subject), RunId(subject));
        let claims = match purpose {
            LinkPurpose::Unsubscribe => Self::Unsubscribe(delivery),
            LinkPurpose::Preferences => Self::Preferences(delivery),
            LinkPurpose::Open => Self::Open(Subject::Delivery(delivery)),
            LinkPurpose::RunOpen => Self::Open(Subject::Run(run)),
            LinkPurpose::Click => Self::Click(Subject::Delivery(delivery), LinkNumber(link)),
            LinkPurpose::RunClick => Self::Click(Subject::Run(run), LinkNumber(link)),
        };
        // What only a click says must be absent elsewhere: one meaning, one token.
        (link == 0 || matches!(claims, Self::Click(..))).then_some((*key, claims))
    }
}
