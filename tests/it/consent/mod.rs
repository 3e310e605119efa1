//! Unsubscribing, consent and suppressions, erasing, and telling a person what is held on them.

mod answers;
mod gates;
mod pages;
mod withdrawal;
