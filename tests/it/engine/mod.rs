//! The engine: from a due time to one mail per recipient, on both databases.

mod dates;
mod guard;
mod handover;
mod memberships;
mod recipients;
pub(crate) mod shop;
mod tracking;
