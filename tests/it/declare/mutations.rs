//! Whatever becomes of a file, reading it ends, and what is wrong with it is placed inside it.

use campaignd::declare::{SourceFile, read};
use campaignd::diagnostic::{Place, text};
use campaignd::domain::time::Zone;
use proptest::prelude::*;

use super::FACTS;

const CAMPAIGNS: &str = "\
defaults: { from: Maison Roland <bonjour@maison.example> }
segments:
  vip: { match: { all: [ { trait: { spend_12m: { at_least: 1000 } } }, { did_not: purchase, within: 90 days } ] } }
  shared: &shared { match: { attribute: { country: [FR, \"NO\"], birth_date: { age: { between: [25, 40] } } } } }
campaigns:
  monday:
    audience: { any: [vip], none: [shared] }
    schedule: { cron: \"0 9 * * MON\", time_zone: Europe/Paris }
    template: monday
    data: { percent: 20, text: |
      several
      lines }
";

/// Every place is in the text: its line exists, its column is on it or right behind it.
pub(crate) fn assert_inside(place: &Place, source: &str) {
    let normal = source.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<_> = normal.split('\n').collect();
    let line = lines.get(place.line as usize - 1).unwrap_or_else(|| panic!("{place:?} is behind {source:?}"));
    assert!(place.column as usize <= line.chars().count() + 1, "{place:?} is behind its line in {source:?}");
    assert!(place.length >= 1);
}

fn check(bytes: &[u8]) {
    let file = SourceFile { name: "a.yaml".into(), bytes: bytes.to_vec() };
    let loaded = read(&[file], Zone::UTC);
    let source = loaded.sources.text("a.yaml").expect("the text is kept").to_owned();
    for problem in &loaded.problems {
        assert_inside(problem.place.as_ref().expect("it is placed"), &source);
    }
    assert_eq!(
        loaded.catalogue.is_none(),
        loaded.problems.iter().any(campaignd::diagnostic::Problem::is_error)
    );
    text::render(&loaded.problems, &loaded.sources, true);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_file_is_read_to_its_end(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..6)
    ) {
        let mut bytes = format!("{FACTS}{CAMPAIGNS}").into_bytes();
        for (index, kind, byte) in changes {
            let at = index.index(bytes.len());
            let structural = b"{}[]:,-&*!|>'\"%@`#?\n\t ~<"[usize::from(byte) % 24];
            match kind {
                0 => bytes[at] = byte,
                1 => bytes[at] = structural,
                2 => bytes.insert(at, structural),
                _ => { bytes.remove(at); }
            }
        }
        check(&bytes);
    }

    #[test]
    fn any_text_is_read_to_its_end(text in "[a-z{}\\[\\]:,&*!|>'\"%@#?\\n\\t é国\u{202e}\u{feff}\r-]{0,80}") {
        check(text.as_bytes());
    }
}
