//! What comes back from mails, from the request to the event.

pub(crate) mod mails;
mod reading;
mod spool;
pub(crate) mod user_agents;
