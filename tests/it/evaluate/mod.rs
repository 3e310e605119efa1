//! The evaluator: dated cases, and random worlds held against a second, plain evaluator.

mod agreement;
mod cases;
mod meaning;
mod person;
mod plain;
mod random;
