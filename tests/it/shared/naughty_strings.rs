//! Strings that break things when they are somebody's name: imported and read back, to the byte.

use campaignd::store::contacts;
use serde_json::{Value, json};

use crate::ingest::{Folder, import, options};
use crate::support::database::on_both;

/// All strings of the corpus.
pub(crate) fn strings(shared: &std::path::Path) -> Vec<String> {
    let path = shared.join("corpora/naughty-strings/blns.json");
    let strings: Vec<String> = serde_json::from_slice(&std::fs::read(path).expect("the corpus is there"))
        .expect("a list of strings");
    assert!(strings.len() > 500, "{} strings", strings.len());
    strings
}

#[test]
fn each_is_a_first_name_that_stays_as_it_is() {
    let Some(shared) = super::shared_folder() else { return };
    let strings = strings(&shared);
    on_both(|database| {
        let strings = strings.clone();
        async move {
            let folder = Folder::new();
            let mut table = csv::Writer::from_writer(Vec::new());
            table.write_record(["id", "first_name"]).expect("memory can be written");
            let mut lines = String::new();
            for (number, string) in strings.iter().enumerate() {
                table.write_record([&format!("csv-{number}"), string]).expect("memory can be written");
                let line = json!({ "id": format!("json-{number}"), "first_name": string });
                lines.extend([line.to_string(), "\n".to_owned()]);
            }
            let table = table.into_inner().expect("memory can be written");
            for file in [folder.write("contacts.csv", table), folder.write("contacts.jsonl", lines)] {
                let summary = import(&database.store, &file, &options()).await;
                assert_eq!(summary.rejected, std::collections::BTreeMap::new());
                assert_eq!(summary.contacts_created, strings.len() as u64);
            }
            for (number, string) in strings.iter().enumerate() {
                for kind in ["csv", "json"] {
                    let contact = contacts::find(&database.store, &format!("{kind}-{number}")).await;
                    let contact = contact.expect("it can be looked up").expect("it is there");
                    let attributes: Value =
                        serde_json::from_str(&contact.attributes).expect("attributes are JSON");
                    let kept = attributes.get("first_name").and_then(Value::as_str);
                    // An empty cell says nothing; an empty JSON string is a text.
                    let expected =
                        Some(string.as_str()).filter(|string| kind == "json" || !string.is_empty());
                    assert_eq!(kept, expected, "{kind} {number}");
                }
            }
        }
    });
}
