//! What became of the deliveries, as values, text, JSON and CSV.
//!
//! | file | what |
//! |---|---|
//! | [`counts`] | deliveries by state and reason |
//! | [`mod@deliveries`] | the report: runs and campaigns; as values and JSON |
//! | [`text`] | the report for people |
//! | [`csv`] | the report for spreadsheets, harmless there |
//! | `plain` | numbers, times and texts as they are shown |
//!
//! It reads the ledger and changes nothing. A count is of deliveries: a contact who is in the audience
//! of three runs counts three times.

pub mod counts;
pub mod csv;
pub mod deliveries;
mod plain;
pub mod text;

pub use counts::Counts;
pub use deliveries::{CampaignReport, Report, RunReport, deliveries};
pub use plain::printable;
pub use text::TextStyle;

#[cfg(test)]
mod tests;
