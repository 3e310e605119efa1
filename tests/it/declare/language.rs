//! The tables of keys are whole: examples are right, and every key has what a message needs.

use std::fs;
use std::path::Path;

use campaignd::declare::keys;
use campaignd::settings;
use campaignd::yaml::compose;
use campaignd::yaml::keys::markdown;

#[test]
fn every_key_is_described_and_its_example_is_yaml() {
    for group in keys::GROUPS.iter().chain(&settings::keys::GROUPS) {
        for key in group.keys {
            let called = format!("{}.{}", group.path, key.name);
            assert!(!key.meaning.is_empty(), "{called} has no meaning");
            if !key.available {
                continue;
            }
            assert!(!key.value.is_empty(), "{called} has no type");
            let composed = compose(&"example".into(), key.example.as_bytes());
            assert_eq!(composed.problems, [], "{called}");
            let root = composed.root.expect("an example has a value");
            assert!(root.get(key.name).is_some(), "the example of {called} is another key's");
        }
    }
}

/// The pages are made from the tables. To write them anew: `CAMPAIGND_WRITE_DOCS=1 cargo test --test it language`.
#[test]
fn the_pages_of_the_reference_are_those_of_the_tables() {
    let declarations = format!(
        "# Declarations: every key\n\n\
         Files below `campaigns/` hold any of the top-level keys, in any combination; all files together are one\n\
         catalogue, and a name is declared once. Files are YAML 1.2: `NO`, `on`, `010` and `21:00` are text.\n\n{}",
        markdown(keys::GROUPS)
    );
    let variables: Vec<_> = settings::keys::VARIABLES
        .iter()
        .map(|(variable, path)| format!("| `{variable}` | `{}` |\n", path.join(".")))
        .collect();
    let settings = format!(
        "# Settings: every key of campaignd.yaml\n\n{}\n## Variables of the environment\n\n\
         They override the file. Secrets stand in no file of the project: `{}` and `{}`, or a file of its own.\n\n\
         | variable | key |\n|---|---|\n{}",
        markdown(&settings::keys::GROUPS),
        settings::keys::DATABASE_PASSWORD,
        settings::keys::SMTP_PASSWORD,
        variables.concat()
    );
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for (name, page) in [("declarations.md", declarations), ("settings.md", settings)] {
        let path = folder.join(name);
        if std::env::var_os("CAMPAIGND_WRITE_DOCS").is_some() {
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(&path, &page).expect("a page");
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(written == page, "docs/{name} is not what the tables say: write it anew, see above");
    }
}

#[test]
fn keys_are_listed_once() {
    for group in keys::GROUPS.iter().chain(&settings::keys::GROUPS) {
        let mut names: Vec<_> = group.keys.iter().map(|key| key.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{}", group.path);
    }
}

#[test]
fn every_environment_variable_overrides_a_key() {
    for (variable, path) in settings::keys::VARIABLES {
        assert_eq!(variable, format!("CAMPAIGND_{}", path.join("_").to_uppercase()));
        let (key, parents) = path.split_last().expect("a path is not empty");
        let group = settings::keys::GROUPS.iter().find(|group| group.path == parents.join("."));
        assert!(group.is_some_and(|group| group.key(key).is_some_and(|key| key.available)), "{variable}");
    }
}
