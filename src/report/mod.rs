//! What became of the deliveries and what came back, as values, text, JSON, CSV and HTML.
//!
//! | file | what |
//! |---|---|
//! | [`counts`] | deliveries by state and reason |
//! | [`engagement`] | opens, clicks, unsubscribes; by link and day |
//! | [`rate`] | shares with their intervals |
//! | [`levels`] | recipients over the levels of a score, before and after |
//! | [`spread`] | these levels, out of the database |
//! | [`outcome`] | the report: runs and campaigns; as values and JSON |
//! | [`text`] | the report for people at a terminal |
//! | [`csv`] | the report for spreadsheets, harmless there |
//! | [`html`] | the report as one page |
//! | `read` | out of the database |
//! | `days` | days, weeks and months |
//! | `plain` | numbers, times and texts as they are shown |
//!
//! It reads the ledger and what came back, and changes nothing. A count is of deliveries: a contact who
//! is in the audience of three runs counts three times.

pub mod counts;
pub mod csv;
mod days;
pub mod engagement;
pub mod html;
pub mod levels;
pub mod outcome;
mod plain;
pub mod rate;
mod read;
pub mod spread;
pub mod text;

pub use counts::Counts;
pub use engagement::Engagement;
pub use html::{Extent, HtmlStyle};
pub use outcome::{CampaignReport, Outcome, Report, RunReport};
pub use plain::printable;
pub use rate::Rate;
pub use read::{Parts, read, read_declared};
pub use spread::{Declared, sender};
pub use text::TextStyle;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
