//! A YAML file to a tree that keeps every place, and readers over it that collect problems and
//! go on. The only door to the YAML crate.
//!
//! | file | what |
//! |---|---|
//! | [`node`] | the tree |
//! | [`mod@compose`] [`composer`] | bytes to the tree: aliases, merge keys, duplicates, budgets |
//! | [`scalar`] | what a plain scalar means: YAML 1.2, so `NO`, `on`, `010` and `21:00` are text |
//! | [`keys`] | tables of keys: what may be written where, with meaning and example |
//! | [`fields`] | a map read by such a table |
//! | [`reader`] | values of the plain types: text, number, span, date, zone, … |
//! | [`dates`] | dates and times as ISO 8601 writes them |
//!
//! A file is one document. Anchors, aliases and merge keys (`<<`) are understood, tags of the
//! core schema too; a key that is written twice is an error. It does not know what campaigns are.

pub mod compose;
mod composer;
pub mod dates;
pub mod fields;
pub mod keys;
pub mod node;
pub mod reader;
pub mod scalar;

pub use compose::{Composed, compose};
pub use fields::{Field, Fields};
pub use keys::{Group, Key};
pub use node::{Entry, Kind, Name, Node};
pub use reader::Reader;
