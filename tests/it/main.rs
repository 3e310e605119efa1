//! All integration tests, in one binary: `cargo test --test it AREA::` runs one area.

mod address;
mod architecture;
mod cli;
mod clients;
mod consent;
mod declare;
mod diagnostic;
mod engine;
mod evaluate;
mod faults;
mod hits;
mod http;
mod ingest;
mod render;
mod report;
mod send;
mod settings;
mod shared;
mod store;
mod support;
mod time;
mod track;
