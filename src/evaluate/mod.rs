//! Conditions and traits over one contact's history at a given instant.
//!
//! [`Program::compile`] turns a catalogue and the conditions that are asked for into a flat
//! program, once; [`Program::evaluate`] runs it over one contact: no database, no clock, no I/O.
//! Beside each answer stands the earliest instant at which it may change without new data.

mod program;

pub use program::{Evaluation, Outcome, Program, Scratch};
