//! csv-spectrum: awkward CSV files and what they mean, as JSON. Each is imported with one of its
//! columns as the id and the others as attributes that nobody declared.

use std::collections::BTreeMap;
use std::path::Path;

use campaignd::ingest::{ImportOptions, Mapping};
use campaignd::store::contacts;
use serde_json::{Map, Value};

use crate::ingest::{Folder, import, options};
use crate::support::database::on_both;

/// The corpus has another number in the JSON than in the CSV.
const MADE_ANONYMOUS: (&str, &str) = ("location_coordinates", "Contact Phone Number");

#[test]
fn every_file_means_what_its_json_says() {
    let Some(shared) = super::shared_folder() else { return };
    let corpus = shared.join("corpora/csv-spectrum");
    on_both(|database| {
        let corpus = corpus.clone();
        async move {
            let mut files: Vec<_> = std::fs::read_dir(corpus.join("csvs"))
                .expect("the corpus can be listed")
                .map(|entry| entry.expect("the corpus can be listed").path())
                .collect();
            files.sort();
            assert!(files.len() >= 12, "{} files", files.len());
            let folder = Folder::new();
            for file in files {
                let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
                let expected = rows(&corpus.join(format!("json/{name}.json")));
                let id = id_column(&expected);
                // The same ids are in several files.
                let text = std::fs::read(&file).expect("the file can be read");
                let text = String::from_utf8(text).expect("the corpus is UTF-8");
                let copy = folder.write(&format!("{name}.csv"), &text);
                let mapping = Mapping { ours: "id".to_owned(), theirs: id.clone() };
                let options = ImportOptions { mappings: vec![mapping], ..options() };
                let summary = import(&database.store, &copy, &options).await;
                assert_eq!((summary.rows, summary.rejected_rows()), (expected.len() as u64, 0), "{name}");
                for row in &expected {
                    let contact =
                        contacts::find(&database.store, &row[&id]).await.expect("it can be looked up");
                    let contact = contact.unwrap_or_else(|| panic!("{name}: {} is there", row[&id]));
                    let kept: Map<String, Value> =
                        serde_json::from_str(&contact.attributes).expect("attributes are JSON");
                    for (column, value) in row.iter().filter(|(column, _)| **column != id) {
                        if (name.as_str(), column.as_str()) == MADE_ANONYMOUS {
                            continue;
                        }
                        // An empty cell says nothing.
                        let value = Some(value.as_str()).filter(|value| !value.is_empty());
                        assert_eq!(kept.get(column).and_then(Value::as_str), value, "{name}: {column}");
                    }
                }
                database.execute("DELETE FROM contacts").await;
            }
        }
    });
}

/// A list of rows, or the only row.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let json = std::fs::read(path).expect("the JSON can be read");
    let json: Value = serde_json::from_slice(&json).expect("it is JSON");
    let json = if json.is_array() { json } else { Value::Array(vec![json]) };
    serde_json::from_value(json).expect("rows of texts")
}

/// A column that can tell its rows apart: values of one line, each of them once.
fn id_column(rows: &[BTreeMap<String, String>]) -> String {
    let mut columns = rows[0].keys().rev();
    let is_id = |column: &&String| {
        let values: std::collections::BTreeSet<_> = rows.iter().map(|row| &row[*column]).collect();
        let is_plain = |value: &&String| !value.is_empty() && !value.contains(['\n', '"']);
        values.len() == rows.len() && values.iter().all(is_plain)
    };
    columns.find(is_id).expect("a column tells the rows apart").clone()
}
