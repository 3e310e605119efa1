//! `campaignd check`: what a user sees of their files' problems.
