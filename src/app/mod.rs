//! The composition root, and the use cases behind the commands. Knows nothing of a command line.
//!
//! | file | what |
//! |---|---|
//! | [`project`] | a project folder, read and checked as a whole |
//! | [`installation`] | a project with its database |
//! | [`init`] [`import`] [`segment`] [`preview`] [`decide`] [`status`] [`migrate`] | one use case each |
//! | [`transport`] [`instant`] | from what was set or typed to what is meant |
//! | [`failure`] | why a use case did not do what it was asked |

pub mod decide;
pub mod failure;
pub mod import;
pub mod init;
pub mod installation;
pub mod instant;
pub mod migrate;
pub mod preview;
pub mod project;
pub mod segment;
pub mod status;
pub mod transport;

pub use failure::Failure;
pub use installation::Installation;
pub use project::{Checked, Project};
