//! The condition language: every form, and the messages for what does not fit.

use campaignd::domain::condition::{Condition, Operator};
use campaignd::domain::name::SegmentName;

use super::{FACTS, lines, load};

/// The condition of a segment, or its problems, each without its place.
fn read(condition: &str) -> Result<Condition, String> {
    let indented = condition.replace('\n', "\n      ");
    let text = format!(
        "segments:\n  friends: {{ match: {{ attribute: {{ country: FR }} }} }}\n  tested:\n    match:\n      {indented}\n"
    );
    let loaded = load(&[("facts.yaml", FACTS), ("a.yaml", &text)]);
    // Whom a condition finds is for `warnings`.
    let is_read =
        loaded.problems.iter().all(|problem| matches!(problem.code, "newcomers" | "matches-everybody"));
    match loaded.catalogue {
        Some(catalogue) if is_read => {
            let name = SegmentName::parse("tested").expect("a name");
            Ok(catalogue.segments[&name].condition.clone())
        }
        _ => {
            let text = lines(&loaded.problems);
            Err(text
                .lines()
                .map(|line| line.split_once(' ').map_or(line, |(_, rest)| rest))
                .collect::<Vec<_>>()
                .join("\n"))
        }
    }
}

#[track_caller]
fn wrong(condition: &str) -> String {
    match read(condition) {
        Ok(read) => panic!("`{condition}` is right: {read:?}"),
        Err(problems) => problems,
    }
}

#[track_caller]
fn right(condition: &str) -> String {
    match read(condition) {
        Ok(read) => format!("{read:?}"),
        Err(problems) => panic!("`{condition}` is wrong: {problems}"),
    }
}

#[test]
fn structure_is_read() {
    insta::assert_snapshot!(right("everyone"), @"Everyone");
    insta::assert_snapshot!(right("friends"), @r#"Segment(SegmentName("friends"))"#);
    insta::assert_snapshot!(right("all: [friends, everyone]"), @r#"All([Segment(SegmentName("friends")), Everyone])"#);
    insta::assert_snapshot!(right("{ any: [friends], none: [{ attribute: { income: 3 } }] }"), @r#"All([Any([Segment(SegmentName("friends"))]), None([Attribute(Declared(AttributeName("income")), Test { operators: [Is(Number(Number(3000000)))], exact_case: false })])])"#);
    insta::assert_snapshot!(right("consent: { marketing: yes, tracking: unknown }"), @"All([Consent(Marketing, Is(Yes)), Consent(Tracking, Is(Unknown))])");
    insta::assert_snapshot!(right("consent: { marketing: { since: 2026-01-01 } }"), @"Consent(Marketing, Since(Day(2026-01-01)))");
    insta::assert_snapshot!(right("ranked: { trait: spend_12m, top: 10% }"), @r#"Ranked(Ranked { ranking: Ranking { by: TraitName("spend_12m"), among: None }, place: Share(1000), lowest: false })"#);
    insta::assert_snapshot!(right("ranked: { trait: spend_12m, top: 100, lowest: true, among: everyone }"), @r#"Ranked(Ranked { ranking: Ranking { by: TraitName("spend_12m"), among: None }, place: Count(100), lowest: true })"#);
    insta::assert_snapshot!(right("ranked: { trait: spend_12m, quintile: 5, among: friends }"), @r#"Ranked(Ranked { ranking: Ranking { by: TraitName("spend_12m"), among: Some(SegmentName("friends")) }, place: Quintile(5), lowest: false })"#);
    insta::assert_snapshot!(right("bucket: { salt: spring, from: 0, to: 12.5 }"), @r#"Bucket(Bucket { salt: "spring", from: 0, to: 1250 })"#);
}

#[test]
fn every_operator_is_read() {
    for test in [
        "country: FR",
        "country: NO",
        "country: [FR, BE]",
        "country: { is: FR, starts_with: F, ends_with: R, contains: R, like: \"F_\", exact_case: true }",
        "country: { not_contains: x, not_starts_with: x, not_ends_with: x, not_like: \"x%\" }",
        "country: { exists: false }",
        "country: { blank: true }",
        "country: { is_not: FR, exists: true }",
        "country: { not_in: [FR, BE], exists: true }",
        "income: 12",
        "income: [1, 2.5]",
        "income: { at_least: 1, less_than: 9 }",
        "income: { more_than: -1, at_most: 9 }",
        "income: { between: [1, 1] }",
        "subscribed: true",
        "interests: tennis",
        "interests: [tennis, padel]",
        "interests: { contains: tennis, contains_none: [golf] }",
        "interests: { contains_all: [tennis, padel], size: { at_least: 2 } }",
        "interests: { is: [tennis] }",
        "birth_date: 2000-02-29",
        "birth_date: { before: 2000-01-01, after: 1990-01-01 }",
        "birth_date: { between: [2000-01-01, 2000-12-31] }",
        "birth_date: { age: { between: [25, 40] } }",
        "birth_date: { within: 30 days }",
        "birth_date: { older_than: 18 years }",
        "birth_date: { within_next: 2 weeks }",
        "birth_date: { ago: { between: [90 days, 180 days] } }",
        "birth_date: { ago: { at_least: 1 month, at_most: 1 year, more_than: 1 day, less_than: 2 years } }",
        "birth_date: { during: last quarter }",
        "birth_date: { month: 12 }",
        "birth_date: { month: [June, 7, august] }",
        "birth_date: { weekday: monday }",
        "birth_date: { anniversary: today }",
        "birth_date: { anniversary: { within_next: 7 days } }",
        "signed_up: { during: this week, weekday: [saturday, sunday], within_next: 1 month }",
        "signed_up: 2026-03-29",
        "signed_up: { after: 2026-03-29T02:30, before: \"2026-04-01T00:00:00Z\" }",
        "signed_up: { between: [2026-01-01, 2026-03-29T12:00] }",
        "signed_up: { within: 2 hours }",
        "created_at: { older_than: 1 week }",
        "email: { ends_with: \".fr\" }",
        "id: { exists: true }",
        "time_zone: Europe/Paris",
        "language: fr",
        "status: B2B",
    ] {
        right(&format!("attribute: {{ {test} }}"));
    }
}

#[test]
fn values_mean_what_they_should() {
    insta::assert_snapshot!(right("attribute: { country: 010 }"), @r#"Attribute(Declared(AttributeName("country")), Test { operators: [Is(Text("010"))], exact_case: false })"#);
    insta::assert_snapshot!(right("attribute: { country: 75016 }"), @r#"Attribute(Declared(AttributeName("country")), Test { operators: [Is(Text("75016"))], exact_case: false })"#);
    insta::assert_snapshot!(right("attribute: { signed_up: 2026-03-29T02:30 }"), @r#"Attribute(Declared(AttributeName("signed_up")), Test { operators: [On(Instant(2026-03-29T01:00:00Z))], exact_case: false })"#);
    insta::assert_snapshot!(right("attribute: { interests: [tennis, padel] }"), @r#"Attribute(Declared(AttributeName("interests")), Test { operators: [ContainsAny(["tennis", "padel"])], exact_case: false })"#);
    insta::assert_snapshot!(right("attribute: { interests: { in: [tennis], not_in: [golf] } }"), @r#"Attribute(Declared(AttributeName("interests")), Test { operators: [ContainsAny(["tennis"]), ContainsNone(["golf"])], exact_case: false })"#);
    insta::assert_snapshot!(right("attribute: { country: FR, income: { at_least: 10 } }"), @r#"All([Attribute(Declared(AttributeName("country")), Test { operators: [Is(Text("FR"))], exact_case: false }), Attribute(Declared(AttributeName("income")), Test { operators: [AtLeast(Number(10000000))], exact_case: false })])"#);
}

#[test]
fn events_are_read() {
    insta::assert_snapshot!(right("did: purchase"), @r#"Did(EventLeaf { events: EventQuery { event: EventName("purchase"), window: Window { within: None, older_than: None, since: None, until: None }, last: None, filter: [], per: None, then: None }, measures: [Measure { kind: Times, test: Test { operators: [AtLeast(Number(1000000))], exact_case: false } }] })"#);
    insta::assert_snapshot!(right("did_not: purchase\nwithin: 90 days"), @r#"Did(EventLeaf { events: EventQuery { event: EventName("purchase"), window: Window { within: Some(Seconds(7776000)), older_than: None, since: None, until: None }, last: None, filter: [], per: None, then: None }, measures: [Measure { kind: Times, test: Test { operators: [Is(Number(Number(0)))], exact_case: false } }] })"#);
    insta::assert_snapshot!(right("did: purchase\nper: order\nwhere: { category: [tennis, padel], amount: { at_least: 50 } }\nwithin: 12 months\nolder_than: 1 day\ntimes: { at_least: 3 }"), @r#"Did(EventLeaf { events: EventQuery { event: EventName("purchase"), window: Window { within: Some(Months(12)), older_than: Some(Seconds(86400)), since: None, until: None }, last: None, filter: [(PropertyName("category"), Test { operators: [In([Text("tennis"), Text("padel")])], exact_case: false }), (PropertyName("amount"), Test { operators: [AtLeast(Number(50000000))], exact_case: false })], per: Some(PropertyName("order")), then: None }, measures: [Measure { kind: Times, test: Test { operators: [AtLeast(Number(3000000))], exact_case: false } }] })"#);
    insta::assert_snapshot!(right("did: purchase\ntotal: { amount: { at_least: 500 } }\naverage: { amount: { more_than: 80 } }\ndistinct: { product: 2 }\nlast_at: { older_than: 90 days }"), @r#"Did(EventLeaf { events: EventQuery { event: EventName("purchase"), window: Window { within: None, older_than: None, since: None, until: None }, last: None, filter: [], per: None, then: None }, measures: [Measure { kind: Total(PropertyName("amount")), test: Test { operators: [AtLeast(Number(500000000))], exact_case: false } }, Measure { kind: Average(PropertyName("amount")), test: Test { operators: [MoreThan(Number(80000000))], exact_case: false } }, Measure { kind: Distinct(PropertyName("product")), test: Test { operators: [Is(Number(Number(2000000)))], exact_case: false } }, Measure { kind: LastAt, test: Test { operators: [OlderThan(Seconds(7776000))], exact_case: false } }] })"#);
}

#[test]
fn traits_are_tested_by_their_type() {
    right("trait: { spend_12m: { at_least: 1000 }, favourite: tennis, last_order_at: { within: 30 days } }");
    insta::assert_snapshot!(wrong("trait: { spend_12m: { contains: x } }"), @"wrong-operator: `contains` does not fit `spend_12m`, which is a number (these fit a number: `is`, `is_not`, `in`, `not_in`, `exists`, `at_least`, `at_most`, `more_than`, `less_than`, `between`)");
    insta::assert_snapshot!(wrong("trait: { spend_12: 3 }"), @"unknown-trait: there is no trait `spend_12` (did you mean `spend_12m`?)");
}

#[test]
fn opens_and_clicks_of_machines_are_left_out_unless_asked_for() {
    insta::assert_snapshot!(right("did: email_clicked"), @r#"Did(EventLeaf { events: EventQuery { event: EventName("email_clicked"), window: Window { within: None, older_than: None, since: None, until: None }, last: None, filter: [(PropertyName("by"), Test { operators: [Is(Text("human"))], exact_case: false })], per: None, then: None }, measures: [Measure { kind: Times, test: Test { operators: [AtLeast(Number(1000000))], exact_case: false } }] })"#);
    insta::assert_snapshot!(right("did: email_sent\nlast: 10\nwhere: { tracked: true }\nthen_not: { did: email_opened, same: delivery }\ntimes: 10"), @r#"Did(EventLeaf { events: EventQuery { event: EventName("email_sent"), window: Window { within: None, older_than: None, since: None, until: None }, last: Some(10), filter: [(PropertyName("tracked"), Test { operators: [Is(Boolean(true))], exact_case: false })], per: None, then: Some(Follower { negated: true, event: EventName("email_opened"), filter: [(PropertyName("by"), Test { operators: [Is(Text("human"))], exact_case: false })], within: None, same: Some(PropertyName("delivery")), then: None }) }, measures: [Measure { kind: Times, test: Test { operators: [Is(Number(Number(10000000)))], exact_case: false } }] })"#);
    insta::assert_snapshot!(right("did: page_view\nthen: { did: purchase, where: { amount: { at_least: 5 } }, within: 24 hours, same: category, then: { did: page_view } }"), @r#"Did(EventLeaf { events: EventQuery { event: EventName("page_view"), window: Window { within: None, older_than: None, since: None, until: None }, last: None, filter: [], per: None, then: Some(Follower { negated: false, event: EventName("purchase"), filter: [(PropertyName("amount"), Test { operators: [AtLeast(Number(5000000))], exact_case: false })], within: Some(Seconds(86400)), same: Some(PropertyName("category")), then: Some(Follower { negated: false, event: EventName("page_view"), filter: [], within: None, same: None, then: None }) }) }, measures: [Measure { kind: Times, test: Test { operators: [AtLeast(Number(1000000))], exact_case: false } }] })"#);
    insta::assert_snapshot!(right("did: email_opened\nwhere: { by: machine }"), @r#"Did(EventLeaf { events: EventQuery { event: EventName("email_opened"), window: Window { within: None, older_than: None, since: None, until: None }, last: None, filter: [(PropertyName("by"), Test { operators: [Is(Text("machine"))], exact_case: false })], per: None, then: None }, measures: [Measure { kind: Times, test: Test { operators: [AtLeast(Number(1000000))], exact_case: false } }] })"#);
    insta::assert_snapshot!(right("did: email_sent\nwhere: { tracked: true }"), @r#"Did(EventLeaf { events: EventQuery { event: EventName("email_sent"), window: Window { within: None, older_than: None, since: None, until: None }, last: None, filter: [(PropertyName("tracked"), Test { operators: [Is(Boolean(true))], exact_case: false })], per: None, then: None }, measures: [Measure { kind: Times, test: Test { operators: [AtLeast(Number(1000000))], exact_case: false } }] })"#);
}

#[test]
fn what_does_not_fit_is_said() {
    let messages: Vec<_> = [
        "employees",
        "freinds",
        "[friends]",
        "",
        "{}",
        "all: []",
        "all: friends",
        "any: [friends, [friends]]",
        "attribute: {}",
        "attribute: country",
        "attribute: { contry: FR }",
        "attribute: { country: }",
        "attribute: { country: true }",
        "attribute: { country: [] }",
        "attribute: { country: { at_least: 3 } }",
        "attribute: { country: { atleast: 3 } }",
        "attribute: { country: { exact_case: true } }",
        "attribute: { country: { is: [FR] } }",
        "attribute: { country: { contains: \"\" } }",
        "attribute: { status: b2x }",
        "attribute: { income: many }",
        "attribute: { income: \"12\" }",
        "attribute: { income: { between: [40, 25] } }",
        "attribute: { income: { between: [40] } }",
        "attribute: { income: 99999999999999 }",
        "attribute: { income: 0.0000001 }",
        "attribute: { income: { in: [1.2345678, 100e-7, 1e-7, 1.50000000, 0e-9] } }",
        "attribute: { subscribed: yes }",
        "attribute: { interests: { size: { at_least: -1 } } }",
        "attribute: { interests: { at_least: 1 } }",
        "attribute: { birth_date: 2026-02-30 }",
        "attribute: { birth_date: { before: soon } }",
        "attribute: { birth_date: { before: 2026-01-01T10:00 } }",
        "attribute: { birth_date: { between: [2026-02-01, 2026-01-01] } }",
        "attribute: { birth_date: { within: 30 } }",
        "attribute: { birth_date: { within: 30 dyas } }",
        "attribute: { birth_date: { within: -3 days } }",
        "attribute: { birth_date: { within: 0 days } }",
        "attribute: { birth_date: { within: 1.5 days } }",
        "attribute: { birth_date: { within: 5000 years } }",
        "attribute: { signed_up: { before: 2026-01-01T25:00 } }",
        "attribute: { birth_date: { age: { at_least: 1.5 } } }",
        "attribute: { birth_date: { anniversary: tomorrow } }",
        "attribute: { birth_date: { anniversary: { within: 7 days } } }",
        "attribute: { birth_date: { during: last weak } }",
        "attribute: { birth_date: { month: [13, decembre] } }",
        "attribute: { birth_date: { weekday: mon } }",
        "attribute: { birth_date: { weekday: [] } }",
        "attribute: { birth_date: { ago: 3 days } }",
        "attribute: { birth_date: { ago: {} } }",
        "attribute: { birth_date: { ago: { between: [180 days, 90 days] } } }",
        "attribute: { birth_date: { ago: { between: [3 days], at_least: 3 } } }",
        "attribute: { country: { during: today } }",
        "attribute: { signed_up: { is_not: 2026-01-01 } }",
        "attribute: { consent: yes }",
        "consent: { markting: yes }",
        "consent: { marketing: true }",
        "consent: { marketing: { since: 2026-02-30 } }",
        "bucket: { salt: x, from: 10, to: 10 }",
        "bucket: { salt: x, from: 0, to: 101 }",
        "bucket: { from: 0, to: 10 }",
        "did: purchas",
        "did: [purchase]",
        "did: purchase\nwhere: { amout: 3 }",
        "did: purchase\nper: oder",
        "did: purchase\ntotal: { product: { at_least: 3 } }",
        "did: purchase\ntimes: { at_least: many }",
        "did: purchase\ntimes: -1",
        "did: purchase\nsince: soon",
        "did: purchase\nsince: 2026-03-01\nuntil: 2026-02-01",
        "did: purchase\nbetween: [2026-03-01]",
        "did: purchase\nbetween: [2026-03-01, 2026-02-01]",
        "did: purchase\nbetween: [2026-03-01, 2026-04-01]\nuntil: 2026-05-01",
        "did: purchase\nsmallest: { product: 3 }",
        "did: purchase\nevery: 30 days",
        "did: purchase\nevery: { at_most: 1 month }",
        "did: purchase\nfirst_at: { at_least: 3 }",
        "did: purchase\nlast: 0",
        "did: purchase\nlast: ten",
        "did: purchase\nthen: page_view",
        "did: purchase\nthen: { within: 3 days }",
        "did: purchase\nthen: { did: page_vew }",
        "did: purchase\nthen: { did: page_view, same: order }",
        "did: purchase\nthen: { did: page_view, same: category, where: { secondss: 3 }, last: 3 }",
        "did: email_sent\nthen: { did: purchase, same: campaign }",
        "did: purchase\nthen: { did: page_view }\nthen_not: { did: page_view }",
        "did: purchase\nthen: { did: page_view, then: { did: purchase, within: soon } }",
        "then: { did: purchase }",
        "did_not: purchase\ntimes: 3",
        "did: purchase\ndid_not: page_view",
        "within: 3 days",
        "score: { engagement: warm }",
        "ranked: spend",
        "ranked: { top: 10% }",
        "ranked: { trait: spend_12m }",
        "ranked: { trait: spend_12m, topp: 10% }",
        "ranked: { trait: spend_12m, top: 10%, quintile: 5 }",
        "ranked: { trait: favourite, top: 10% }",
        "ranked: { trait: spend_12m, top: 0 }",
        "ranked: { trait: spend_12m, top: 0.1 }",
        "ranked: { trait: spend_12m, top: 0% }",
        "ranked: { trait: spend_12m, top: 100.5% }",
        "ranked: { trait: spend_12m, top: 0.001% }",
        "ranked: { trait: country, top: 10% }",
        "ranked: { trait: spend_12m, quintile: [4, 5] }",
        "ranked: { trait: spend_12m, quintile: 6 }",
        "ranked: { trait: spend_12m, quintile: 5, lowest: sometimes }",
        "ranked: { trait: spend_12m, quintile: 5, among: freinds }",
        "ranked: { trait: spend_12m, quintile: 5, among: tested }",
    ]
    .iter()
    .map(|condition| {
        format!("{}\n    {}", condition.replace('\n', " ⏎ "), wrong(condition).replace('\n', "\n    "))
    })
    .collect();
    insta::assert_snapshot!(messages.join("\n"), @r#"
    employees
        unknown-segment: there is no segment `employees` (there are `friends`, `tested`, `everyone`)
    freinds
        unknown-segment: there is no segment `freinds` (did you mean `friends`?)
    [friends]
        wrong-type: a condition is the name of a segment or a map, not a list (write `all:` or `any:` before the list)

        wrong-type: a condition is the name of a segment or a map, not nothing (a map has `all`, `any`, `none`, `attribute`, `trait`, `score`, `consent`, `bucket`, `ranked`, `did`, `did_not`)
    {}
        empty: this condition has nothing in it (a condition is the name of a segment, or has `all`, `any`, `none`, `attribute`, `trait`, `score`, `consent`, `bucket`, `ranked`, `did`, `did_not`)
    all: []
        empty: `all` is an empty list (for example `all: [vip, french]`, or leave it out)
    all: friends
        wrong-type: `all` must be a list of conditions, not text `friends` (for example `all: [vip, french]`)
    any: [friends, [friends]]
        wrong-type: a condition is the name of a segment or a map, not a list (write `all:` or `any:` before the list)
    attribute: {}
        empty: `attribute` is an empty map (for example `attribute: { country: [FR, BE] }`, or leave it out)
    attribute: country
        wrong-type: `attribute` must be a map of attributes to tests, not text `country` (for example `attribute: { country: [FR, BE] }`)
    attribute: { contry: FR }
        unknown-attribute: there is no attribute `contry` (did you mean `country`?)
    attribute: { country: }
        wrong-type: `country` has no test (`exists: false` finds contacts without a value)
    attribute: { country: true }
        wrong-type: `country` must be text, not `true` (if the word is meant, write it in quotes: "true")
    attribute: { country: [] }
        empty: `country` is an empty list (no value is in it: leave the test out, or name the values)
    attribute: { country: { at_least: 3 } }
        wrong-operator: `at_least` does not fit `country`, which is a text (these fit a text: `is`, `is_not`, `in`, `not_in`, `exists`, `contains`, `not_contains`, `starts_with`, `not_starts_with`, `ends_with`, `not_ends_with`, `like`, `not_like`, `blank`, `exact_case`)
    attribute: { country: { atleast: 3 } }
        unknown-key: a test has no key `atleast` (did you mean `at_least`?)
    attribute: { country: { exact_case: true } }
        empty: the test of `country` has no operator (for example `is: FR`)
    attribute: { country: { is: [FR] } }
        wrong-type: `is` must be text, not a list
    attribute: { country: { contains: "" } }
        wrong-value: `contains` is an empty text, which every text has in it
    attribute: { status: b2x }
        unknown-value: `status` is never `b2x` (did you mean `b2b`?)
    attribute: { income: many }
        wrong-type: `income` must be a number, not text `many`
    attribute: { income: "12" }
        wrong-type: `income` must be a number, not text `12` (write it without quotes)
    attribute: { income: { between: [40, 25] } }
        wrong-bounds: `between` goes from 40 to 25: nothing lies there (write the lower bound first)
    attribute: { income: { between: [40] } }
        wrong-value: `between` takes two bounds, not 1 (for example `between: [25, 40]`)
    attribute: { income: 99999999999999 }
        wrong-value: `income`: `99999999999999` is out of range: numbers reach from -9223372036854 to 9223372036854
    attribute: { income: 0.0000001 }
        wrong-value: `income`: numbers have six places at most, not as many as `0.0000001`
    attribute: { income: { in: [1.2345678, 100e-7, 1e-7, 1.50000000, 0e-9] } }
        wrong-value: `in`: numbers have six places at most, not as many as `1.2345678` (write `1.234568`)
        wrong-value: `in`: numbers have six places at most, not as many as `1e-7`
    attribute: { subscribed: yes }
        wrong-type: `subscribed` must be `true` or `false`, not text `yes` (write `true`)
    attribute: { interests: { size: { at_least: -1 } } }
        wrong-value: `size` is counted: `-1` is not a whole number from 0
    attribute: { interests: { at_least: 1 } }
        wrong-operator: `at_least` does not fit `interests`, which is a list (these fit a list: `is`, `is_not`, `in`, `not_in`, `exists`, `contains`, `contains_any`, `contains_all`, `contains_none`, `size`, `exact_case`)
    attribute: { birth_date: 2026-02-30 }
        wrong-date: `birth_date`: `2026-02-30` is not in the calendar
    attribute: { birth_date: { before: soon } }
        wrong-date: `before` must be a date like `2026-12-24`, not text `soon`
    attribute: { birth_date: { before: 2026-01-01T10:00 } }
        wrong-date: `before` must be a date, not the time `2026-01-01T10:00` (write `2026-01-01`)
    attribute: { birth_date: { between: [2026-02-01, 2026-01-01] } }
        wrong-bounds: `between` goes from a later day to an earlier one: nothing lies there (write the lower bound first)
    attribute: { birth_date: { within: 30 } }
        wrong-span: `within`: `30` is not a length of time; write a whole number and a unit: `30 days`, `12 months` (add a unit: `30 days`)
    attribute: { birth_date: { within: 30 dyas } }
        wrong-span: `within`: `30 dyas` is not a length of time; write a whole number and a unit: `30 days`, `12 months` (did you mean `days`?)
    attribute: { birth_date: { within: -3 days } }
        wrong-span: `within`: `-3 days` is not a length of time; write a whole number and a unit: `30 days`, `12 months` (a length of time is not negative)
    attribute: { birth_date: { within: 0 days } }
        wrong-span: `within`: `0 days` is not a length of time; write a whole number and a unit: `30 days`, `12 months` (leave it out, or write at least 1)
    attribute: { birth_date: { within: 1.5 days } }
        wrong-span: `within`: `1.5 days` is not a length of time; write a whole number and a unit: `30 days`, `12 months` (write a whole number of a smaller unit: `36 hours`, not `1.5 days`)
    attribute: { birth_date: { within: 5000 years } }
        wrong-span: `within`: `5000 years` is not a length of time; write a whole number and a unit: `30 days`, `12 months` (no length of time is more than 1000 years)
    attribute: { signed_up: { before: 2026-01-01T25:00 } }
        wrong-date: `before` must be a date like `2026-12-24`, or a time like `2026-12-24T10:00`, not text `2026-01-01T25:00`
    attribute: { birth_date: { age: { at_least: 1.5 } } }
        wrong-value: `age` is counted: `1.5` is not a whole number from 0
    attribute: { birth_date: { anniversary: tomorrow } }
        wrong-value: `anniversary` must be `today` or a map with `within_next`, not text `tomorrow`
    attribute: { birth_date: { anniversary: { within: 7 days } } }
        missing-key: a test of an anniversary needs `within_next`: one lies in the days that begin today (for example `within_next: 7 days`)
        unknown-key: a test of an anniversary has no key `within` (it has `within_next`)
    attribute: { birth_date: { during: last weak } }
        wrong-value: `during` must be one of `today`, `yesterday`, `tomorrow`, `this week`, `last week`, `next week`, `this month`, `last month`, `next month`, `this quarter`, `last quarter`, `next quarter`, `this year`, `last year`, `next year`, not text `last weak` (did you mean `last week`?)
    attribute: { birth_date: { month: [13, decembre] } }
        wrong-value: `month` is a number from 1 to 12 or a name, not the number `13`
        wrong-value: `month` is a number from 1 to 12 or a name, not text `decembre` (did you mean `december`?)
    attribute: { birth_date: { weekday: mon } }
        wrong-value: `weekday` must be one of `monday`, `tuesday`, `wednesday`, `thursday`, `friday`, `saturday`, `sunday`, not text `mon`
    attribute: { birth_date: { weekday: [] } }
        empty: `weekday` is an empty list (for example `weekday: [saturday, sunday]`, or leave it out)
    attribute: { birth_date: { ago: 3 days } }
        wrong-type: `ago` must be a map, not text `3 days` (its keys are `at_least`, `at_most`, `more_than`, `less_than`, `between`)
    attribute: { birth_date: { ago: {} } }
        empty: `ago` is an empty map (for example `ago: { between: [90 days, 180 days] }`, or leave it out)
    attribute: { birth_date: { ago: { between: [180 days, 90 days] } } }
        wrong-bounds: `between` goes from 180 days to 90 days: nothing lies there (write the lower bound first)
    attribute: { birth_date: { ago: { between: [3 days], at_least: 3 } } }
        wrong-value: `between` takes two bounds, not 1 (for example `between: [90 days, 180 days]`)
        wrong-span: `at_least`: `3` is not a length of time; write a whole number and a unit: `30 days`, `12 months` (add a unit: `3 days`)
    attribute: { country: { during: today } }
        wrong-operator: `during` does not fit `country`, which is a text (these fit a text: `is`, `is_not`, `in`, `not_in`, `exists`, `contains`, `not_contains`, `starts_with`, `not_starts_with`, `ends_with`, `not_ends_with`, `like`, `not_like`, `blank`, `exact_case`)
    attribute: { signed_up: { is_not: 2026-01-01 } }
        wrong-date: `is_not` must be a time like `2026-12-24T10:00`, not a whole day (for whole days use `is`, `before`, `after` or `between`, and `none` around it)
    attribute: { consent: yes }
        unknown-attribute: `consent` is no attribute (write `consent: { marketing: yes }` as a condition of its own)
    consent: { markting: yes }
        unknown-key: there is no consent to `markting` (did you mean `marketing`?)
    consent: { marketing: true }
        wrong-value: `marketing` must be one of `yes`, `no`, `unknown`, not `true`
    consent: { marketing: { since: 2026-02-30 } }
        wrong-date: `since`: `2026-02-30` is not in the calendar
    bucket: { salt: x, from: 10, to: 10 }
        wrong-bounds: `from` must be less than `to`: nobody is in this bucket
    bucket: { salt: x, from: 0, to: 101 }
        wrong-value: `to` is a percentage from 0 to 100 with two places at most, not `101`
    bucket: { from: 0, to: 10 }
        missing-key: a bucket needs `salt`: what makes this split differ from others (for example `salt: spring`)
    did: purchas
        unknown-event: there is no event `purchas` (did you mean `purchase`?)
    did: [purchase]
        wrong-type: `did` must be the name of an event, not a list (for example `did: purchase`)
    did: purchase ⏎ where: { amout: 3 }
        unknown-property: the event `purchase` has no property `amout` (did you mean `amount`?)
    did: purchase ⏎ per: oder
        unknown-property: the event `purchase` has no property `oder` (did you mean `order`?)
    did: purchase ⏎ total: { product: { at_least: 3 } }
        wrong-type: `total` needs a number, and `product` is a text
    did: purchase ⏎ times: { at_least: many }
        wrong-type: `at_least` must be a number, not text `many`
    did: purchase ⏎ times: -1
        wrong-value: `times` is counted: `-1` is not a whole number from 0
    did: purchase ⏎ since: soon
        wrong-date: `since` must be a date like `2026-12-24`, or a time like `2026-12-24T10:00`, not text `soon`
    did: purchase ⏎ since: 2026-03-01 ⏎ until: 2026-02-01
        wrong-bounds: the window ends before it begins (write the earlier day first)
    did: purchase ⏎ between: [2026-03-01]
        wrong-value: `between` takes two bounds, not 1 (for example `between: [2026-11-01, 2026-12-24]`)
    did: purchase ⏎ between: [2026-03-01, 2026-02-01]
        wrong-bounds: the window ends before it begins (write the earlier day first)
    did: purchase ⏎ between: [2026-03-01, 2026-04-01] ⏎ until: 2026-05-01
        ambiguous: `until` and `between` both bound the window (leave one of them out)
    did: purchase ⏎ smallest: { product: 3 }
        wrong-type: `smallest` needs a number, and `product` is a text
    did: purchase ⏎ every: 30 days
        wrong-type: `every` must be a map, not text `30 days` (its keys are `at_least`, `at_most`, `more_than`, `less_than`, `between`)
    did: purchase ⏎ every: { at_most: 1 month }
        wrong-span: `at_most`: a gap is a fixed length, and months and years are not (write it in days)
    did: purchase ⏎ first_at: { at_least: 3 }
        wrong-operator: `at_least` does not fit `first_at`, which is a datetime (these fit a datetime: `is`, `is_not`, `in`, `not_in`, `exists`, `before`, `after`, `between`, `within`, `within_next`, `older_than`, `ago`, `age`, `during`, `month`, `weekday`, `anniversary`)
    did: purchase ⏎ last: 0
        wrong-value: `last` must be a whole number from 1 to 1000000, not `0`
    did: purchase ⏎ last: ten
        wrong-type: `last` must be a whole number, not text `ten`
    did: purchase ⏎ then: page_view
        wrong-type: `then` must be a map, not text `page_view` (its keys are `did`, `where`, `within`, `same`, `then`, `then_not`)
    did: purchase ⏎ then: { within: 3 days }
        missing-key: an event that follows needs `did`: what follows (for example `did: purchase`)
    did: purchase ⏎ then: { did: page_vew }
        unknown-event: there is no event `page_vew` (did you mean `page_view`?)
    did: purchase ⏎ then: { did: page_view, same: order }
        unknown-property: the event `page_view` has no property `order` (it has `category`, `seconds`, `url`)
    did: purchase ⏎ then: { did: page_view, same: category, where: { secondss: 3 }, last: 3 }
        unknown-property: the event `page_view` has no property `secondss` (did you mean `seconds`?)
        unknown-key: an event that follows has no key `last` (it has `did`, `where`, `within`, `same`, `then`, `then_not`)
    did: email_sent ⏎ then: { did: purchase, same: campaign }
        unknown-property: the event `purchase` has no property `campaign` (it has `amount`, `at_work`, `category`, `order`, `product`)
    did: purchase ⏎ then: { did: page_view } ⏎ then_not: { did: page_view }
        ambiguous: `then` and `then_not` are in one map [`then` is here a.yaml:6] (write them as two items of `all`, each with its own `did`)
    did: purchase ⏎ then: { did: page_view, then: { did: purchase, within: soon } }
        wrong-span: `within`: `soon` is not a length of time; write a whole number and a unit: `30 days`, `12 months`
    then: { did: purchase }
        misplaced-key: `then` stands without `did` (add the event: `did: NAME`)
    did_not: purchase ⏎ times: 3
        misplaced-key: `did_not` takes no `times`: it means `times: 0` (use `did`, or put a `did` with the measure into `none`)
    did: purchase ⏎ did_not: page_view
        ambiguous: `did` and `did_not` are in one map, so nobody can say which the rest belongs to [`did` is here a.yaml:5] (write them as two items of `all`)
    within: 3 days
        misplaced-key: `within` stands without `did` (add the event: `did: NAME`)
    score: { engagement: warm }
        unknown-score: there is no score `engagement` (declare it under `scores:`)
    ranked: spend
        wrong-type: `ranked` must be a map, not text `spend` (its keys are `trait`, `top`, `quintile`, `lowest`, `among`)
    ranked: { top: 10% }
        missing-key: a place in a ranking needs `trait`: what contacts are ranked by (for example `trait: spend_12m`)
    ranked: { trait: spend_12m }
        missing-key: `ranked` needs `top` or `quintile` (for example `top: 10%`, `top: 100` or `quintile: 5`)
    ranked: { trait: spend_12m, topp: 10% }
        unknown-key: a place in a ranking has no key `topp` (did you mean `top`?)
    ranked: { trait: spend_12m, top: 10%, quintile: 5 }
        ambiguous: a place in a ranking has one of `top` and `quintile` [`top` is here a.yaml:5] (write them as two items of `all`)
    ranked: { trait: favourite, top: 10% }
        wrong-type: contacts cannot be ranked by `favourite`: only a number or an instant has an order, and it is of the type text (there are `last_order_at`, `spend_12m`)
    ranked: { trait: spend_12m, top: 0 }
        wrong-value: `top` must be a percentage from 0.01% to 100% with two places at most, or a whole number of contacts, not `0` (for example `10%` or `100`)
    ranked: { trait: spend_12m, top: 0.1 }
        wrong-value: `top` must be a percentage from 0.01% to 100% with two places at most, or a whole number of contacts, not `0.1` (write `10%`)
    ranked: { trait: spend_12m, top: 0% }
        wrong-value: `top` must be a percentage from 0.01% to 100% with two places at most, or a whole number of contacts, not `0%` (for example `10%` or `100`)
    ranked: { trait: spend_12m, top: 100.5% }
        wrong-value: `top` must be a percentage from 0.01% to 100% with two places at most, or a whole number of contacts, not `100.5%` (for example `10%` or `100`)
    ranked: { trait: spend_12m, top: 0.001% }
        wrong-value: `top` must be a percentage from 0.01% to 100% with two places at most, or a whole number of contacts, not `0.001%` (for example `10%` or `100`)
    ranked: { trait: country, top: 10% }
        unknown-trait: there is no trait `country` (there are `last_order_at`, `spend_12m`)
    ranked: { trait: spend_12m, quintile: [4, 5] }
        wrong-type: `quintile` is one number, not a list (write two items of `any`, each with its own `ranked`)
    ranked: { trait: spend_12m, quintile: 6 }
        wrong-value: `quintile` must be a whole number from 1 to 5, not `6`
    ranked: { trait: spend_12m, quintile: 5, lowest: sometimes }
        wrong-type: `lowest` must be `true` or `false`, not text `sometimes`
    ranked: { trait: spend_12m, quintile: 5, among: freinds }
        unknown-segment: there is no segment `freinds` (did you mean `friends`?)
    ranked: { trait: spend_12m, quintile: 5, among: tested }
        segment-cycle: the segment `tested` contains itself (one of them must do without the other)
    "#);
}

#[test]
fn what_cannot_be_meant_is_warned_of() {
    let messages: Vec<_> = [
        "attribute: { country: { is_not: FR } }",
        "attribute: { income: { at_least: 5, at_most: 3 } }",
        "attribute: { income: { at_least: 5, exists: false } }",
        "attribute: { birth_date: { before: 2026-01-01, after: 2025-12-31 } }",
        "attribute: { birth_date: { within: 30 days, older_than: 2 months } }",
        "did: purchase\nwithin: 30 days\nolder_than: 90 days",
        "did: purchase\nolder_than: 90 days",
    ]
    .iter()
    .map(|condition| format!("{}\n    {}", condition.replace('\n', " ⏎ "), wrong(condition)))
    .collect();
    insta::assert_snapshot!(messages.join("\n"), @r#"
    attribute: { country: { is_not: FR } }
        missing-left-out: `is_not` leaves out contacts without `country`, too (if they are meant to be in, write `none: [{ attribute: … }]`; if not, add `exists: true` to `country`)
    attribute: { income: { at_least: 5, at_most: 3 } }
        matches-nobody: nothing can meet this test of `income`: its bounds leave no number
    attribute: { income: { at_least: 5, exists: false } }
        matches-nobody: nothing can meet this test of `income`: a missing value meets nothing but `exists: false`
    attribute: { birth_date: { before: 2026-01-01, after: 2025-12-31 } }
        matches-nobody: nothing can meet this test of `birth_date`: its bounds leave no day
    attribute: { birth_date: { within: 30 days, older_than: 2 months } }
        matches-nobody: nothing can meet this test of `birth_date`: what is older than 2 months is not within 30 days
    did: purchase ⏎ within: 30 days ⏎ older_than: 90 days
        matches-nobody: no event of `purchase` can be found: what is older than 90 days is not within 30 days
    did: purchase ⏎ older_than: 90 days
        older-than: this holds for contacts whose `purchase` is old, also when a newer one followed (for those who did nothing since, write `last_at: { older_than: 90 days }`; if it is meant, add `times: { at_least: 1 }`)
    "#);
}

#[test]
fn a_test_that_can_hold_is_not_warned_of() {
    right("attribute: { income: { at_least: 5, at_most: 5 } }");
    right("attribute: { birth_date: { before: 2026-01-02, after: 2025-12-31 } }");
    right("attribute: { birth_date: { within: 1 month, older_than: 29 days } }");
    right("did: purchase\nolder_than: 90 days\ntimes: { at_least: 1 }");
}

#[test]
fn operators_are_never_empty() {
    let Ok(Condition::Attribute(_, test)) = read("attribute: { income: { at_least: 1 } }") else {
        panic!("it is an attribute leaf")
    };
    assert!(matches!(test.operators.as_slice(), [Operator::AtLeast(_)]));
}
