//! The fault rig: a mail server that writes down durably what it took before it answers, and misbehaves once, by
//! rule; and a checker that holds what it wrote down against the ledger. Nobody is lost, nobody has two copies
//! without a name, nothing was taken that the ledger does not know, nothing else than what was rendered.

mod checker;
mod phases;
mod poison;
mod server;
