//! The composition root, and the use cases behind the commands. Knows nothing of a command line.
//!
//! | file | what |
//! |---|---|
//! | [`project`] | a project folder, read and checked as a whole |
//! | [`installation`] | a project with its database |
//! | [`check`] | what `check` can say only with the database at hand |
//! | [`init`] [`import`] [`segment`] [`preview`] [`decide`] [`pause`] [`status`] [`report`] [`migrate`] | one use case each |
//! | [`doctor`] | whether what is kept is what it should be |
//! | [`keys`] | keys of those who write through the API |
//! | [`signing`] | the secrets that sign links |
//! | [`dkim`] | the keys that sign mails |
//! | [`explain`] | why a contact is in a segment or mailed by a campaign, or not |
//! | [`contact`] [`suppress`] [`forget`] | one contact's story; who gets no mail; erasing a person |
//! | [`daemon`] [`send`] | the engine by the clock, and for one run |
//! | [`track`] | opens and clicks while the daemon runs, and read anew |
//! | [`watch`] | whether files changed |
//! | [`transport`] [`instant`] | from what was set or typed to what is meant |
//! | [`failure`] | why a use case did not do what it was asked |

pub mod check;
pub mod contact;
pub mod daemon;
pub mod decide;
pub mod dkim;
pub mod doctor;
pub mod explain;
pub mod failure;
pub mod forget;
pub mod import;
pub mod init;
pub mod installation;
pub mod instant;
pub mod keys;
pub mod migrate;
pub mod pause;
pub mod preview;
pub mod project;
pub mod report;
pub mod segment;
pub mod send;
pub mod signing;
pub mod status;
pub mod suppress;
pub mod track;
pub mod transport;
pub mod uncertain;
pub mod watch;

pub use failure::Failure;
pub use installation::Installation;
pub use project::{Checked, Project};
