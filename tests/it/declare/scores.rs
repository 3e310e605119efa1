//! Scores: what is read, and what is said of the rest.

use campaignd::domain::name::ScoreName;
use campaignd::domain::score::Score;

use super::{FACTS, lines, load};

/// Declares one score over the usual events, and a segment that tests it.
fn loaded(score: &str, test: &str) -> (String, Option<Score>, String) {
    let declared = format!(
        "scores:\n  engagement: {score}\nsegments:\n  some: {{ match: {{ score: {{ engagement: {test} }} }} }}\n"
    );
    let loaded = load(&[("a.yaml", &declared), ("facts.yaml", FACTS)]);
    let problems = lines(&loaded.problems);
    let Some(mut catalogue) = loaded.catalogue else { return (problems, None, String::new()) };
    let condition = format!("{:?}", catalogue.segments.values().next().expect("a segment").condition);
    (problems, catalogue.scores.remove(&ScoreName::parse("engagement").expect("a name")), condition)
}

const WHOLE: &str = "{ points: { email_opened: 1, email_clicked: 5, purchase: 20.5, email_unsubscribed: -50 }, half_life: 30 days, levels: { warm: 20, cold: 0, hot: 60 } }";

#[test]
fn a_score_is_read() {
    let (problems, score, _) = loaded(WHOLE, "warm");
    assert_eq!(problems, "");
    insta::assert_snapshot!(format!("{:?}", score.expect("a score")), @r#"Score { points: {EventName("email_clicked"): Number(5000000), EventName("email_opened"): Number(1000000), EventName("email_unsubscribed"): Number(-50000000), EventName("purchase"): Number(20500000)}, decay: HalfLife(2592000s), range: (Number(0), Number(100000000)), levels: [Level { name: "cold", from: Number(0) }, Level { name: "warm", from: Number(20000000) }, Level { name: "hot", from: Number(60000000) }], description: None }"#);
    let (problems, score, _) =
        loaded("{ points: { purchase: 20 }, within: 3 months, range: [-10, 10.5], description: buys }", "5");
    assert_eq!(problems, "");
    insta::assert_snapshot!(format!("{:?}", score.expect("a score")), @r#"Score { points: {EventName("purchase"): Number(20000000)}, decay: Window(Months(3)), range: (Number(-10000000), Number(10500000)), levels: [], description: Some("buys") }"#);
}

#[test]
fn a_level_is_a_lower_bound() {
    let tests = ["warm", "{ at_least: warm, less_than: hot }", "{ at_least: 20 }", "[0, 100]"];
    let read: Vec<_> = tests
        .iter()
        .map(|test| {
            let (problems, _, condition) = loaded(WHOLE, test);
            assert_eq!(problems, "", "{test}");
            format!("{test}: {condition}")
        })
        .collect();
    insta::assert_snapshot!(read.join("\n"), @r#"
    warm: Score(ScoreName("engagement"), Test { operators: [AtLeast(Number(20000000))], exact_case: false })
    { at_least: warm, less_than: hot }: Score(ScoreName("engagement"), Test { operators: [AtLeast(Number(20000000)), LessThan(Number(60000000))], exact_case: false })
    { at_least: 20 }: Score(ScoreName("engagement"), Test { operators: [AtLeast(Number(20000000))], exact_case: false })
    [0, 100]: Score(ScoreName("engagement"), Test { operators: [In([Number(Number(0)), Number(Number(100000000))])], exact_case: false })
    "#);
}

#[test]
fn what_is_wrong_with_a_score_is_said_at_its_place() {
    let scores = [
        "{}",
        "{ points: { purchase: 20 } }",
        "{ points: {}, half_life: 30 days }",
        "{ points: { purchase: 20, purchas: 1, look: 0 }, half_live: 30 days }",
        "{ points: { purchase: 0, page_view: much }, half_life: 2 months, within: 3 days }",
        "{ points: { purchase: 20 }, half_life: 1 year }",
        "{ points: { purchase: 20 }, half_life: 0 days, range: [100, 0] }",
        "{ points: { purchase: 20 }, within: 3 days, range: [0, 50, 100], levels: { Cold: 0 } }",
        "{ points: { purchase: 20 }, within: 3 days, levels: { cold: 0, cool: 0.0, hot: 120, lukewarm: x } }",
        "half",
    ];
    let messages: Vec<_> = scores.iter().map(|score| format!("{score}\n{}", loaded(score, "1").0)).collect();
    insta::assert_snapshot!(messages.join("\n\n"), @r#"
    {}
    a.yaml:2:3+10 missing-key: a score needs `half_life` or `within`: how long events count (for example `half_life: 30 days`)
    a.yaml:2:3+10 missing-key: a score needs `points`: what an event is worth when it happens; opens and clicks by people only (for example `points: { email_opened: 1, email_clicked: 5, email_unsubscribed: -50 }`)

    { points: { purchase: 20 } }
    a.yaml:2:3+10 missing-key: a score needs `half_life` or `within`: how long events count (for example `half_life: 30 days`)

    { points: {}, half_life: 30 days }
    a.yaml:2:25+2 empty: `points` is an empty map (for example `points: { email_opened: 1, email_clicked: 5, email_unsubscribed: -50 }`, or leave it out)

    { points: { purchase: 20, purchas: 1, look: 0 }, half_live: 30 days }
    a.yaml:2:41+7 unknown-event: there is no event `purchas` (did you mean `purchase`?)
    a.yaml:2:53+4 unknown-event: there is no event `look` (there are `email_bounced`, `email_clicked`, `email_complained`, `email_opened`, `email_sent`, `email_unsubscribed`, `page_view`, `purchase`)
    a.yaml:2:59+1 wrong-value: `look` is worth nothing (leave it out)
    a.yaml:2:64+9 unknown-key: a score has no key `half_live` (did you mean `half_life`?)

    { points: { purchase: 0, page_view: much }, half_life: 2 months, within: 3 days }
    a.yaml:2:37+1 wrong-value: `purchase` is worth nothing (leave it out)
    a.yaml:2:51+4 wrong-type: `page_view` must be a number, not text `much`
    a.yaml:2:80+6 ambiguous: a score fades by `half_life` or counts `within` a window, not both [`half_life` is here a.yaml:2] (make two scores of it)

    { points: { purchase: 20 }, half_life: 1 year }
    a.yaml:2:54+6 wrong-span: `half_life` is a fixed length, and months and years are not (write `365 days`)

    { points: { purchase: 20 }, half_life: 0 days, range: [100, 0] }
    a.yaml:2:54+6 wrong-span: `half_life`: `0 days` is not a length of time; write a whole number and a unit: `30 days`, `12 months` (leave it out, or write at least 1)
    a.yaml:2:69+8 wrong-bounds: `range` goes from 100 to 0: nothing lies there (write the lower bound first)

    { points: { purchase: 20 }, within: 3 days, range: [0, 50, 100], levels: { Cold: 0 } }
    a.yaml:2:66+12 wrong-value: `range` takes a lowest and a highest value, not 3 (for example `range: [0, 100]`)
    a.yaml:2:90+4 wrong-name: `Cold` is no name: names begin with a-z and hold a-z, 0-9 and _, at most 64 of them (for example `cold`)

    { points: { purchase: 20 }, within: 3 days, levels: { cold: 0, cool: 0.0, hot: 120, lukewarm: x } }
    a.yaml:2:84+3 wrong-bounds: `cool` begins where `cold` does [`cold` is here a.yaml:2] (a value has one level: give them different bounds)
    a.yaml:2:94+3 wrong-bounds: `hot` begins at 120, outside of the range from 0 to 100
    a.yaml:2:109+1 wrong-type: `lukewarm` must be a number, not text `x`

    half
    a.yaml:2:15+4 wrong-type: `engagement` must be a map, not text `half` (its keys are `points`, `half_life`, `within`, `range`, `levels`, `description`)
    "#);
    let tests = [
        "hott",
        "{ at_least: hott }",
        "{ at_most: hot }",
        "[warm, hot]",
        "{ contains: w }",
        "{ exists: false, at_least: warm }",
        "",
    ];
    let messages: Vec<_> = tests.iter().map(|test| format!("{test}\n{}", loaded(WHOLE, test).0)).collect();
    insta::assert_snapshot!(messages.join("\n\n"), @r#"
    hott
    a.yaml:4:41+4 unknown-level: `engagement` has no level `hott` (did you mean `hot`?)

    { at_least: hott }
    a.yaml:4:53+4 unknown-level: `engagement` has no level `hott` (did you mean `hot`?)

    { at_most: hot }
    a.yaml:4:52+3 wrong-type: `at_most` must be a number, not text `hot`

    [warm, hot]
    a.yaml:4:42+4 wrong-type: `engagement` must be a number, not text `warm`
    a.yaml:4:48+3 wrong-type: `engagement` must be a number, not text `hot`

    { contains: w }
    a.yaml:4:43+8 wrong-operator: `contains` does not fit `engagement`, which is a number (these fit a number: `is`, `is_not`, `in`, `not_in`, `exists`, `at_least`, `at_most`, `more_than`, `less_than`, `between`)

    { exists: false, at_least: warm }
    a.yaml:4:29+10 matches-nobody: nothing can meet this test of `engagement`: a missing value meets nothing but `exists: false`


    a.yaml:4:29+10 wrong-type: `engagement` has no test (`exists: false` finds contacts without a value)
    "#);
    insta::assert_snapshot!(loaded("{ points: { purchase: 20 }, within: 3 days }", "warm").0, @"a.yaml:4:41+4 unknown-level: `engagement` has no level `warm` (`engagement` has no levels: compare it with a number)");
}
