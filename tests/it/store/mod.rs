//! The store, on both databases.

mod opening;
mod small_tables;
