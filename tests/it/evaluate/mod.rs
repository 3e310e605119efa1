//! The evaluator: what conditions mean, and random worlds held against a second, plain evaluator. Dated
//! cases are in `time_cases.yaml`.

mod agreement;
mod criteria;
mod explain;
mod meaning;
mod page;
pub(crate) mod person;
pub(crate) mod plain;
mod random;
mod scores;
mod sequences;
mod told;

mod values;
