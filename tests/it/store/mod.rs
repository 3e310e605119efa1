//! The store, on both databases.

mod contacts;
mod opening;
mod small_tables;
