//! The tables of keys are whole: examples are right, and every key has what a message needs.

use campaignd::declare::keys;
use campaignd::settings;
use campaignd::yaml::compose;

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
