//! campaignd: a campaign automation daemon.

pub mod app;
pub mod audience;
pub mod cli;
pub mod clock;
pub mod declare;
pub mod diagnostic;
pub mod domain;
pub mod engine;
pub mod evaluate;
pub mod ingest;
pub mod links;
pub mod render;
pub mod report;
pub mod send;
pub mod settings;
pub mod store;
