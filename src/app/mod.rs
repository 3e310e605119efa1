//! The composition root, and the use cases behind the commands. Knows nothing of a command line.
//!
//! | file | what |
//! |---|---|
//! | [`project`] | a project folder, read and checked as a whole |
//! | [`failure`] | why a use case did not do what it was asked |

pub mod failure;
pub mod project;

pub use failure::Failure;
pub use project::{Checked, Project};
