//! Names of declarations: what `[a-z][a-z0-9_]*` may be called.

use std::fmt;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name: names begin with a-z and hold a-z, 0-9 and _, at most 64 of them")]
pub struct InvalidName(pub String);

/// Whether `text` matches `[a-z][a-z0-9_]*` and is at most 64 bytes long.
pub fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 64
        && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Reads a name; anything but `[a-z][a-z0-9_]*` is refused.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                if is_name(text) { Ok(Self(text.to_owned())) } else { Err(InvalidName(text.to_owned())) }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )*};
}

names! {
    /// The name of an attribute.
    AttributeName
    /// The name of an event, as declared (its name on the wire may differ).
    EventName
    /// The name of a trait.
    TraitName
    /// The name of a score.
    ScoreName
    /// The name of a segment.
    SegmentName
    /// The name of a campaign.
    CampaignName
}
