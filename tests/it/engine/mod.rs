//! The engine: from a due time to one mail per recipient, on both databases.

mod caps;
mod dates;
mod doctor;
mod entries;
mod every_entry;
mod guard;
pub(crate) mod handover;
mod jumps;
mod limits;
mod memberships;
mod names;
mod own_time;
mod pauses;
mod providers;
mod quiet_hours;
mod ranks;
mod recipients;
pub(crate) mod shop;
mod tracking;
mod uncertain;
mod zones;
