//! All integration tests, in one binary: `cargo test --test it AREA::` runs one area.

mod address;
mod architecture;
mod cli;
mod ingest;
mod send;
mod shared;
mod store;
mod support;
mod time;
