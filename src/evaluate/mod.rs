//! Conditions, traits and scores over one contact's history at a given instant.
//!
//! [`Program::compile`] turns a catalogue and the conditions that are asked for into a flat program,
//! once; [`Program::evaluate`] runs it over one contact: no database, no clock, no I/O, and no
//! allocation once its [`Scratch`] has grown. Beside each answer stands the earliest instant at which
//! it may change without new data, so that whoever keeps answers knows which to ask again.
//!
//! | file | step |
//! |---|---|
//! | `compile`, `compile_events` | conditions → nodes, each part once; event names → streams; properties → slots |
//! | `program` | what is evaluated together |
//! | `needs` | what it reads of contacts and their histories |
//! | `certain` | what is certain of contacts by which events they have at all |
//! | `run` | one contact: nodes → answers, only those that are needed |
//! | `events` | filters over one stream, and what passes them |
//! | `windows` | which events are in a window; when the answer changes |
//! | `amount`, `fold`, `table` | what events amount to: measures, and `per` |
//! | `follow` | what follows an event, or does not |
//! | `score` | what events are worth together, and when that passes a bound |
//! | `check`, `check_text`, `check_time`, `check_day` | tests of one value |
//! | `moment` | now in a contact's zone; how far back spans reach, and when they reach an instant |
//! | `slots` | JSON → values, only those that are wanted |
//! | `answer` | answers, how long they are good for, and how they combine |
//! | [`explain`] | why: each part's answer, values, what decides, what would turn it |
//!
//! What the conditions mean is told at [`crate::domain::condition`]; where that leaves room, the
//! choices made here are:
//!
//! - Texts are equal when they are after NFC and simple case folding: in tests without `exact_case`,
//!   and always for `per`, `distinct` and `most_common`.
//! - Events that `per` makes one have their numbers added, keep all their other values, and the time
//!   of the first of them. `latest` is the newest value of the newest group that has one.
//! - A day that is still to come has no age.

mod amount;
mod answer;
mod certain;
mod check;
mod check_day;
mod check_text;
mod check_time;
mod compile;
mod compile_events;
mod events;
pub mod explain;
mod fold;
mod follow;
mod moment;
mod needs;
mod program;
mod run;
mod score;
mod slots;
mod table;
mod windows;

pub use answer::Outcome;
pub use program::{Asked, Evaluation, Program, Scratch};
