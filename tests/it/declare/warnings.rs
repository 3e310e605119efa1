//! What is legal and probably wrong: conditions that nobody meets, or everybody, and absences that newcomers
//! meet; and what looks like it and is fine.

use super::{FACTS, problems_of};

const MORE: &str = "\
scores:
  engagement: { points: { purchase: 20, page_view: 1 }, half_life: 30 days, levels: { cold: 0, warm: 10, hot: 60 } }
";

/// What is said of a segment `tested` beside a few others, without the places.
fn said_of(condition: &str) -> Vec<String> {
    let condition = condition.replace('\n', "\n      ");
    let text = format!(
        "{FACTS}{MORE}segments:
  tested:
    match:
      {condition}
  french: {{ match: {{ attribute: {{ country: FR }} }} }}
  clubs: {{ match: {{ attribute: {{ status: b2b }} }} }}
  people: {{ match: {{ attribute: {{ status: b2c }} }} }}
  young: {{ match: {{ attribute: {{ birth_date: {{ age: {{ between: [18, 25] }} }} }} }} }}
  old: {{ match: {{ attribute: {{ birth_date: {{ age: {{ at_least: 65 }} }} }} }} }}
  buyers: {{ match: {{ did: purchase }} }}
"
    );
    let of = |line: &str| line.split_once(' ').map_or("", |(_, rest)| rest).to_owned();
    problems_of(&text).lines().map(of).collect()
}

fn shown(conditions: &[&str]) -> String {
    let one = |condition: &&str| {
        let said = said_of(condition);
        format!("{}\n    {}", condition.replace('\n', " ⏎ "), said.join("\n    "))
    };
    conditions.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn nobody_can_be_in_it() {
    insta::assert_snapshot!(shown(&[
        "all: [clubs, people]",
        "all: [french, { any: [buyers, clubs] }]\nnone: [{ attribute: { country: FR } }]",
        "all: [buyers, { none: [buyers] }]",
        "any: [{ all: [young, old] }, { all: [clubs, people] }]",
        "all: [{ attribute: { country: [FR, BE] } }, { attribute: { country: DE } }]",
        "attribute: { country: { in: [FR, BE], not_in: [fr, be] } }",
        "attribute: { income: { in: [1, 2], at_least: 3 } }",
        "attribute: { interests: { contains: tennis, contains_none: [Tennis] } }",
        "attribute: { signed_up: { ago: { less_than: 30 days }, older_than: 60 days } }",
        "all: [{ did: purchase, within: 30 days }, { did_not: purchase, within: 90 days }]",
        "all: [{ did: purchase, where: { category: tennis } }, { did_not: purchase }]",
        "all: [{ trait: { favourite: tennis } }, { none: [buyers] }]",
        "all: [{ trait: { spend_12m: { at_least: 500 } } }, { trait: { spend_12m: { less_than: 100 } } }]",
        "did: purchase\nlast: 3\ntimes: { at_least: 5 }",
        "did: purchase\ntimes: { less_than: 0 }",
        "score: { engagement: { at_least: 101 } }",
        "all: [{ score: { engagement: hot } }, { score: { engagement: { less_than: warm } } }]",
        "all: [{ consent: { marketing: yes } }, { consent: { marketing: no } }]",
        "none: [everyone]",
    ]), @"
    all: [clubs, people]
        matches-nobody: nobody can be in the segment `tested`: no `status` meets all its tests: no value is all of these at once
    all: [french, { any: [buyers, clubs] }] ⏎ none: [{ attribute: { country: FR } }]
        matches-nobody: nobody can be in the segment `tested`: it asks for something and for its opposite
    all: [buyers, { none: [buyers] }]
        matches-nobody: nobody can be in the segment `tested`: it asks for `buyers` and leaves `buyers` out
    any: [{ all: [young, old] }, { all: [clubs, people] }]
        matches-nobody: nobody can be in the segment `tested`: no `birth_date` meets all its tests: its bounds leave no number
    all: [{ attribute: { country: [FR, BE] } }, { attribute: { country: DE } }]
        matches-nobody: nobody can be in the segment `tested`: no `country` meets all its tests: no value is all of these at once
    attribute: { country: { in: [FR, BE], not_in: [fr, be] } }
        matches-nobody: nothing can meet this test of `country`: no value is all of these at once
    attribute: { income: { in: [1, 2], at_least: 3 } }
        matches-nobody: nothing can meet this test of `income`: no value is all of these at once
    attribute: { interests: { contains: tennis, contains_none: [Tennis] } }
        matches-nobody: nothing can meet this test of `interests`: no list has an item and has it not
    attribute: { signed_up: { ago: { less_than: 30 days }, older_than: 60 days } }
        matches-nobody: nothing can meet this test of `signed_up`: what is older than 60 days is not within 30 days
    all: [{ did: purchase, within: 30 days }, { did_not: purchase, within: 90 days }]
        matches-nobody: nobody can be in the segment `tested`: `purchase` must have happened, and must not
    all: [{ did: purchase, where: { category: tennis } }, { did_not: purchase }]
        matches-nobody: nobody can be in the segment `tested`: `purchase` must have happened, and must not
    all: [{ trait: { favourite: tennis } }, { none: [buyers] }]
        matches-nobody: nobody can be in the segment `tested`: `purchase` must have happened, and must not
    all: [{ trait: { spend_12m: { at_least: 500 } } }, { trait: { spend_12m: { less_than: 100 } } }]
        matches-nobody: nobody can be in the segment `tested`: no `spend_12m` meets all its tests: its bounds leave no number
    did: purchase ⏎ last: 3 ⏎ times: { at_least: 5 }
        matches-nobody: nobody can be in the segment `tested`: nothing that `purchase` amounts to meets all its tests: its bounds leave no number
    did: purchase ⏎ times: { less_than: 0 }
        matches-nobody: nobody can be in the segment `tested`: nothing that `purchase` amounts to meets all its tests: its bounds leave no number
    score: { engagement: { at_least: 101 } }
        matches-nobody: nobody can be in the segment `tested`: no `engagement` meets all its tests: its bounds leave no number
    all: [{ score: { engagement: hot } }, { score: { engagement: { less_than: warm } } }]
        matches-nobody: nobody can be in the segment `tested`: no `engagement` meets all its tests: its bounds leave no number
    all: [{ consent: { marketing: yes } }, { consent: { marketing: no } }]
        matches-nobody: nobody can be in the segment `tested`: consent to `marketing` has one answer at a time
    none: [everyone]
        matches-nobody: nobody can be in the segment `tested`: everyone is left out
    ");
}

#[test]
fn everybody_is_in_it() {
    insta::assert_snapshot!(shown(&[
        "any: [clubs, { none: [clubs] }]",
        "none: [{ all: [clubs, people] }]",
        "did: purchase\ntimes: { at_least: 0 }",
        "score: { engagement: cold }",
        "any: [{ score: { engagement: { less_than: 10 } } }, { score: { engagement: warm } }]",
        "bucket: { salt: a, from: 0, to: 100 }",
    ]), @"
    any: [clubs, { none: [clubs] }]
        matches-everybody: everybody is in the segment `tested`, whatever they are and did (if that is meant, write `everyone`)
    none: [{ all: [clubs, people] }]
        matches-everybody: everybody is in the segment `tested`, whatever they are and did (if that is meant, write `everyone`)
    did: purchase ⏎ times: { at_least: 0 }
        matches-everybody: everybody is in the segment `tested`, whatever they are and did (if that is meant, write `everyone`)
    score: { engagement: cold }
        matches-everybody: everybody is in the segment `tested`, whatever they are and did (a level means at least that level: write `less_than` the next one; if everybody is meant, write `everyone`)
    any: [{ score: { engagement: { less_than: 10 } } }, { score: { engagement: warm } }]
        matches-everybody: everybody is in the segment `tested`, whatever they are and did (if that is meant, write `everyone`)
    bucket: { salt: a, from: 0, to: 100 }
        matches-everybody: everybody is in the segment `tested`, whatever they are and did (if that is meant, write `everyone`)
    ");
}

#[test]
fn newcomers_are_in_it() {
    insta::assert_snapshot!(shown(&[
        "did_not: purchase\nwithin: 90 days",
        "attribute: { country: FR }\ndid_not: page_view\nwithin: 3 months\nwhere: { category: tennis }",
        "any: [clubs, { all: [french, { did_not: email_opened, within: 90 days }] }]",
        "all: [{ score: { engagement: { less_than: 60 } } }, { did_not: purchase, within: 90 days }]",
    ]), @"
    did_not: purchase ⏎ within: 90 days
        newcomers: this also holds for contacts who were created less than 90 days ago and had no time for `purchase` (if they are not meant, add `attribute: { created_at: { older_than: 90 days } }`)
    attribute: { country: FR } ⏎ did_not: page_view ⏎ within: 3 months ⏎ where: { category: tennis }
        newcomers: this also holds for contacts who were created less than 3 months ago and had no time for `page_view` (if they are not meant, add `attribute: { created_at: { older_than: 3 months } }`)
    any: [clubs, { all: [french, { did_not: email_opened, within: 90 days }] }]
        newcomers: this also holds for contacts who were created less than 90 days ago and had no time for `email_opened` (if they are not meant, add `attribute: { created_at: { older_than: 90 days } }`)
    all: [{ score: { engagement: { less_than: 60 } } }, { did_not: purchase, within: 90 days }]
        newcomers: this also holds for contacts who were created less than 90 days ago and had no time for `purchase` (if they are not meant, add `attribute: { created_at: { older_than: 90 days } }`)
    ");
}

#[test]
fn what_may_be_is_not_warned_of() {
    for condition in [
        // Something else leaves newcomers out, or says that they were there.
        "attribute: { created_at: { older_than: 90 days } }\ndid_not: purchase\nwithin: 90 days",
        "all: [buyers, { did_not: purchase, within: 90 days }]",
        "all: [{ did: page_view, within: 30 days }, { did_not: purchase, within: 30 days }]",
        "all: [{ trait: { spend_12m: { at_least: 100 } } }, { did_not: purchase, within: 90 days }]",
        "all: [{ score: { engagement: warm } }, { did_not: purchase, within: 90 days }]",
        "all: [{ attribute: { signed_up: { older_than: 1 year } } }, { did_not: page_view, within: 90 days }]",
        "any: [{ did_not: purchase, within: 90 days }, clubs]\nall: [buyers]",
        // No newcomer is meant by these.
        "attribute: { country: FR }\nnone: [{ did: purchase, within: 14 days }]",
        "attribute: { country: FR }\ndid_not: email_sent\nwithin: 7 days",
        "did_not: purchase",
        "did_not: purchase\nsince: 2026-01-01",
        // Some may be in it, and some not.
        "everyone",
        "any: [everyone, clubs]",
        "all: [french, { attribute: { country: { in: [fr, be] } } }]",
        "any: [clubs, people]",
        "any: [{ attribute: { income: { less_than: 10 } } }, { attribute: { income: { at_least: 10 } } }]",
        "all: [{ did: purchase }, { did_not: purchase, within: 90 days }, { did_not: purchase, where: { at_work: true } }]",
        "all: [{ did: purchase, within: 90 days }, { did_not: purchase, within: 30 days }]",
        "all: [{ did: purchase, last: 2 }, { did_not: purchase, last: 1, where: { category: tennis } }]",
        "all: [{ attribute: { interests: tennis } }, { attribute: { interests: padel } }]",
        "attribute: { signed_up: { ago: { between: [30 days, 30 days] } } }",
        "all: [{ attribute: { country: { is: FR, exact_case: true } } }, { attribute: { country: fr } }]",
        "score: { engagement: { at_least: 0, less_than: 10 } }",
        "bucket: { salt: a, from: 0, to: 50 }",
        "all: [{ bucket: { salt: a, from: 0, to: 50 } }, { bucket: { salt: b, from: 50, to: 100 } }]",
    ] {
        assert_eq!(said_of(condition), [""; 0], "{condition}");
    }
}

#[test]
fn it_is_said_once_where_it_is_written() {
    let text = "\
attributes: { status: { type: text, one_of: [b2b, b2c] }, country: text }
segments:
  used: { match: { any: [nobody, french] } }
  nobody: { match: { all: [clubs, people] } }
  all_of_it: { match: { all: [nobody, french] } }
  clubs: { match: { attribute: { status: b2b } } }
  people: { match: { attribute: { status: b2c } } }
  french: { match: { attribute: { country: FR } } }
defaults: { from: shop@shop.example }
campaigns:
  one: { audience: { all: [used, { none: [used] }] }, template: hello }
  two:
    audience: { any: [clubs], none: [all_of_it] }
    versions:
      - { for: people, template: hello }
      - { for: french, template: salut }
      - { for: { all: [clubs, french] }, template: club }
      - { for: everyone, template: rest }
";
    insta::assert_snapshot!(problems_of(text), @"
    a.yaml:4:3+6 matches-nobody: nobody can be in the segment `nobody`: no `status` meets all its tests: no value is all of these at once
    a.yaml:11:10+8 matches-nobody: nobody can be in the audience of `one`: it asks for `used` and leaves `used` out
    a.yaml:15:9+32 matches-nobody: nobody of the audience gets this version: no `status` meets all its tests: no value is all of these at once
    a.yaml:17:9+49 matches-nobody: nobody of the audience gets this version: it asks for `french` and leaves `french` out
    ");
}

#[test]
fn what_excludes_each_other_in_other_words() {
    for (condition, code) in [
        ("attribute: { birth_date: { age: { at_most: 5 }, older_than: 10 years } }", "matches-nobody"),
        ("attribute: { birth_date: { age: { at_least: 30 }, within: 20 years } }", "matches-nobody"),
        ("attribute: { birth_date: { age: { at_most: 10 }, older_than: 10 years } }", ""),
        ("attribute: { birth_date: { age: 9, within: 10 years } }", ""),
        ("attribute: { interests: { size: 1, contains_all: [tennis, padel] } }", "matches-nobody"),
        ("attribute: { interests: { size: 1, contains_all: [tennis, Tennis] } }", ""),
        // `ß` is no `ss`: the simple folding keeps the number of characters.
        ("attribute: { country: { is: straße, contains: ss } }", "matches-nobody"),
        ("attribute: { country: { is: STRAẞE, contains: ße } }", ""),
        ("attribute: { country: { in: [FR, BE], starts_with: b } }", ""),
        ("attribute: { country: { in: [FR, BE], starts_with: b, exact_case: true } }", "matches-nobody"),
        ("none: [{ all: [clubs, people] }]", "matches-everybody"),
        ("did: purchase\nwithin: 90 days\ntimes: 0", "newcomers"),
        ("all: [buyers, { did: purchase, within: 90 days, times: 0 }]", ""),
        ("attribute: { birth_date: { within: 5 minutes } }", "whole-days"),
        ("attribute: { birth_date: { ago: { at_least: 36 hours } } }", "whole-days"),
        ("attribute: { birth_date: { older_than: 48 hours } }", ""),
        ("attribute: { signed_up: { anniversary: { within_next: 12 hours } } }", "whole-days"),
        ("attribute: { signed_up: { within: 5 minutes } }", ""),
    ] {
        let said = said_of(condition).join("\n");
        let codes: Vec<&str> =
            said.lines().filter_map(|line| line.split_once(':')).map(|(code, _)| code).collect();
        assert_eq!(codes.join(" "), code, "{condition}: {said}");
    }
}

#[test]
fn all_but_those_of_an_empty_segment_are_everybody() {
    let text = format!(
        "{FACTS}segments:
  nobody: {{ match: {{ attribute: {{ status: b2b }}, all: [{{ attribute: {{ status: b2c }} }}] }} }}
  others: {{ match: {{ none: [nobody] }} }}
"
    );
    let said = problems_of(&text);
    assert!(said.contains("matches-nobody: nobody can be in the segment `nobody`"), "{said}");
    assert!(said.contains("matches-everybody: everybody is in the segment `others`"), "{said}");
}
