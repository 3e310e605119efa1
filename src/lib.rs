//! campaignd: a campaign automation daemon.
//!
//! ```text
//! declare → ingest → audience → render → send → track → report
//!    │         │         │         │       │       │       │
//!    └ domain ─┴─ store ─┴─────────┴───────┴───────┴───────┘   engine joins them, app builds them
//! ```
//!
//! The modules below stand in the order of the pipeline. ARCHITECTURE.md says what each may import.

// what everything speaks
pub mod clock;
pub mod diagnostic;
pub mod domain;
pub mod edge;
// from files to a catalogue and settings
pub mod declare;
pub mod settings;
pub mod yaml;
// data in
pub mod ingest;
pub mod store;
// who
pub mod audience;
pub mod evaluate;
// what
pub mod dkim;
pub mod links;
pub mod render;
// out, and what came of it
pub mod report;
pub mod send;
pub mod track;
// when; all together
pub mod engine;
// from the outside
pub mod app;
pub mod cli;
pub mod demo;
pub mod http;
