//! Every naughty string as a first name, and as the display name of the sender, makes a valid message.

use std::fs;

use crate::render::message::{goes_through_intact, wire};

#[test]
fn every_naughty_string_goes_through_intact() {
    let Some(shared) = super::shared_folder() else { return };
    let path = shared.join("corpora/naughty-strings/blns.json");
    let json = fs::read_to_string(&path).expect("the strings are there");
    let strings: Vec<String> = serde_json::from_str(&json).expect("they are a JSON array");
    assert_eq!(strings.len(), 515);
    let mut shop = wire();
    for string in &strings {
        goes_through_intact(&mut shop, string);
    }
}
