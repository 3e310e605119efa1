//! campaignd
fn main() {}
