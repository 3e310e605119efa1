//! Ticks to runs, runs to deliveries, deliveries through `render` and `send`; on any clock.
//!
//! ```text
//! tick(now)   commands → dead senders' rows → due times → runs → recipients fixed → refresh
//! lanes       claim → ask again → render → MAIL RCPT DATA → note `transmitting` → body → settle
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | [`settings`] | what an engine is made of |
//! | [`occurrence`] [`gates`] [`pause`] | the rules, pure: due times, who is mailed, how long to wait |
//! | [`tick`] [`commands`] [`fix`] | one look at the clock: what is due becomes rows |
//! | [`claim`] [`lane`] [`ledger`] | rows become mails; every step stands in the store first |
//! | [`daemon`] | all of it by the clock until it is told to stop |
//!
//! The daemon calls [`Engine::run`]. A demo or a test holds the clock itself: [`Engine::tick`],
//! [`Engine::drain`], set the clock to the wake that `tick` told, again.
//!
//! **A campaign whose declaration vanishes** while rows of it are open keeps them: they wait with
//! the reason `undeclared`, which `status` shows, until the declaration is back or the run is
//! cancelled. A file that was moved by mistake must not cost anybody a mail, and must not be a
//! silent loss.

mod gates;
mod occurrence;
mod pause;
