//! Events: what a contact did at a moment. Never changed afterwards.

use super::contact::ContactId;
use super::time::Timestamp;

/// The number under which the database knows an event's name on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventNameId(pub u32);

/// An event that arrives.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Who did it.
    pub contact: ContactId,
    /// Its name on the wire.
    pub name: String,
    /// When it happened, however late it arrives.
    pub at: Timestamp,
    /// One that was seen before is ignored.
    pub message_id: Option<String>,
    /// A JSON object: names on the wire to values.
    pub properties: String,
}

/// The events that the daemon records itself, usable like declared ones.
pub const MAIL_EVENTS: [&str; 6] = [
    "email_sent",
    "email_opened",
    "email_clicked",
    "email_bounced",
    "email_complained",
    "email_unsubscribed",
];

/// The properties of [`MAIL_EVENTS`], all of them text but `tracked`, which is boolean.
pub const MAIL_EVENT_PROPERTIES: [&str; 7] =
    ["campaign", "run", "delivery", "version", "link", "tracked", "by"];

/// Those of [`MAIL_EVENTS`] that machines cause, too. They count where people caused them: in scores,
/// and in conditions and traits that do not say otherwise by the property [`BY`].
pub const READ_BY_MACHINES: [&str; 2] = ["email_opened", "email_clicked"];

/// The property that tells who opened or clicked: [`HUMAN`], `machine` or `unknown`.
pub const BY: &str = "by";

/// See [`BY`].
pub const HUMAN: &str = "human";
