//! The store, on both databases.

mod arrows;
mod contacts;
mod events;
mod histories;
mod ledger;
mod links;
mod memberships;
mod opening;
mod packed;
mod rebuild;
mod small_tables;
