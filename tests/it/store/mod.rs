//! The store, on both databases.

mod contacts;
mod events;
mod opening;
mod small_tables;
