//! The composition root, and the use cases behind the commands. Knows nothing of a command line.
//!
//! | file | what |
//! |---|---|
//! | [`project`] | a project folder, read and checked as a whole |
//! | [`installation`] | a project with its database |
//! | [`init`] [`import`] [`migrate`] | one use case each |
//! | [`failure`] | why a use case did not do what it was asked |

pub mod failure;
pub mod import;
pub mod init;
pub mod installation;
pub mod migrate;
pub mod project;

pub use failure::Failure;
pub use installation::Installation;
pub use project::{Checked, Project};
