//! What is said of whole files: names, keys at every level, and ten mistakes at once.

use super::{FACTS, lines, load, problems_of};
use campaignd::diagnostic::{json, text};

const FROM: &str = "defaults: { from: Maison Roland <bonjour@maison.example> }\n";

#[test]
fn unknown_keys_are_refused_at_every_level() {
    insta::assert_snapshot!(
        problems_of(
            "\
versoin: 1
attributes:
  country: { type: text, oneof: [a] }
events:
  purchase: { propertys: { amount: number } }
  visit: { properties: { url: { typ: text } } }
traits:
  spend: { of: purchase, totl: amount }
segments:
  a: { matches: everyone }
  b: { match: { attributes: { country: FR } } }
  c: { match: { bucket: { salt: x, from: 0, to: 10, step: 3 } } }
  d: { match: { consent: { marketing: { sinc: 2026-01-01 } } } }
campaigns:
  hello:
    audiance: everyone
    schedule: { crone: '0 9 * * *' }
    missed: { send_in: 2 hours }
    repeat: { at_most: 3 days }
    limits: { max_recipient: 3 }
    retry: { fro: 3 hours }
    versions: [{ for: everyone, templat: x }]
    colour: red
defaults: { form: a@b.example }
"
        ),
        @r#"
    a.yaml:1:1+7 unknown-key: a declaration file has no key `versoin` (did you mean `version`?)
    a.yaml:3:26+5 unknown-key: an attribute has no key `oneof` (did you mean `one_of`?)
    a.yaml:5:15+9 unknown-key: an event has no key `propertys` (did you mean `properties`?)
    a.yaml:6:33+3 unknown-key: a property has no key `typ` (did you mean `type`?)
    a.yaml:8:26+4 unknown-key: a trait has no key `totl` (did you mean `total`?)
    a.yaml:10:8+7 unknown-key: a segment has no key `matches` (did you mean `match`?)
    a.yaml:11:17+10 unknown-key: a condition has no key `attributes` (did you mean `attribute`?)
    a.yaml:12:53+4 unknown-key: a bucket has no key `step` (it has `salt`, `from`, `to`)
    a.yaml:13:41+4 unknown-key: a test of a consent has no key `sinc` (did you mean `since`?)
    a.yaml:16:5+8 unknown-key: a campaign has no key `audiance` (did you mean `audience`?)
    a.yaml:17:17+5 unknown-key: a schedule has no key `crone` (did you mean `cron`?)
    a.yaml:18:5+6 missing-key: `missed` needs `send_within`: they are made up for while they are not later than this (for example `send_within: 2 hours`)
    a.yaml:18:15+7 unknown-key: `missed` has no key `send_in` (it has `send_within`)
    a.yaml:19:5+6 missing-key: `repeat` needs `at_most_every`: at most once in this time (for example `at_most_every: 30 days`)
    a.yaml:19:15+7 unknown-key: `repeat` has no key `at_most` (it has `at_most_every`)
    a.yaml:20:15+13 unknown-key: `limits` has no key `max_recipient` (did you mean `max_recipients`?)
    a.yaml:21:14+3 unknown-key: `retry` has no key `fro` (did you mean `for`?)
    a.yaml:22:33+7 unknown-key: a version has no key `templat` (did you mean `template`?)
    a.yaml:23:5+6 unknown-key: a campaign has no key `colour` (it has `description`, `audience`, `schedule`, `missed`, `repeat`, `purpose`, `from`, `reply_to`, `template`, `versions`, `data`, `starts`, `ends`, `limits`, `retry`, `on_uncertain`, `tracking`, `priority`, `utm`, `reentry_after`, `renamed_from`)
    a.yaml:24:13+4 unknown-key: `defaults` has no key `form` (did you mean `from`?)
    "#
    );
}

#[test]
fn what_this_version_does_not_have_is_refused_as_such() {
    insta::assert_snapshot!(
        problems_of(
            "\
version: 1
events: { purchase: { properties: { amount: number } } }
scores: { engagement: { points: { purchase: 20 } } }
tests: {}
traits:
  days: { of: purchase, distinct_days: true, within: 30 days }
segments:
  a: { match: { did: purchase, since: 2026-01-01 }, refresh: 5 minutes }
defaults: { from: a@b.example }
campaigns:
  hello:
    audience: a
    template: hello
    on_uncertain: send_again
    limits: { per_hour: 5000 }
"
        ),
        @r#"
    a.yaml:3:11+10 missing-key: a score needs `half_life` or `within`: how long events count (for example `half_life: 30 days`)
    a.yaml:4:1+5 not-available: `tests` is not available in this version (leave it out)
    "#
    );
}

#[test]
fn caps_quiet_hours_entries_and_names_are_checked() {
    insta::assert_snapshot!(
        problems_of(
            "\
caps: [{ at_most: 0, per: 7 days }, { at_most: 2 }, 3]
quiet_hours: { from: 21.00, to: 24:00, time_zone: Paris }
defaults: { from: a@b.example, time_zone: contact }
campaigns:
  one:
    audience: everyone
    template: hello
    schedule: { on_entry: true, time_zone: contact }
    reentry_after: 2 days
    priority: 1.5
    renamed_from: two
  two:
    audience: everyone
    template: hello
    schedule: { cron: '0 9 * * *', on_entry: true }
    repeat: every_entry
    reentry_after: 2
    renamed_from: two
  three:
    audience: everyone
    template: hello
    schedule: { on_entry: no }
    renamed_from: former
  four:
    audience: everyone
    template: hello
    schedule: { cron: '0 9 * * *', include_current: true }
    renamed_from: former
"
        ),
        @r#"
    a.yaml:1:19+1 wrong-value: `at_most` must be a whole number from 1 to 4294967295, not `0`
    a.yaml:1:37+14 missing-key: a cap needs `per`: in how much time, wherever it begins; due times are compared (for example `per: 7 days`)
    a.yaml:1:53+1 wrong-type: a cap must be a map, not the number `3` (its keys are `at_most`, `per`)
    a.yaml:2:22+5 wrong-date: `from` must be a time of day like `21:00`, not the number `21.00`
    a.yaml:2:33+5 wrong-date: `to` must be a time of day like `21:00`, not text `24:00` (midnight is `00:00`)
    a.yaml:2:51+5 unknown-zone: there is no time zone `Paris` (did you mean `Europe/Paris`?)
    a.yaml:3:43+7 wrong-value: `time_zone: contact` is said of each schedule, not of all (write it into `schedule`)
    a.yaml:8:33+9 wrong-value: `on_entry` has no times that are read in a zone (leave `time_zone` out; `quiet_hours` say when nobody is mailed)
    a.yaml:9:5+13 wrong-value: `reentry_after` belongs to `repeat: every_entry` (leave it out)
    a.yaml:10:15+3 wrong-value: `priority` must be a whole number
    a.yaml:11:19+3 wrong-value: the campaign `two` is still declared [it is declared here a.yaml:12] (a campaign is renamed when its former name is gone)
    a.yaml:15:36+8 ambiguous: a schedule has one of `cron`, `at` and `on_entry` (make two campaigns of it)
    a.yaml:17:20+1 wrong-span: `reentry_after`: `2` is not a length of time; write a whole number and a unit: `30 days`, `12 months` (add a unit: `2 days`)
    a.yaml:18:19+3 wrong-value: `renamed_from` is the former name, not the present one
    a.yaml:22:27+2 wrong-type: `on_entry` must be `true` or `false`, not text `no` (write `false`)
    a.yaml:23:19+6 duplicate-name: two campaigns were renamed from `former` [the first is here a.yaml:28]
    a.yaml:27:36+15 wrong-value: `include_current` belongs to `on_entry: true` (leave it out)
    "#
    );
    insta::assert_snapshot!(
        problems_of("quiet_hours: { from: 08:00, to: 08:00 }\ncaps: []"),
        @r#"
    a.yaml:1:14+26 wrong-bounds: quiet hours that end when they begin leave no time, or all of it
    a.yaml:2:7+2 empty: `caps` is an empty list (for example `caps: [{ at_most: 2, per: 7 days }]`, or leave it out)
    "#
    );
}

#[test]
fn version_1_and_tracking_none_are_fine() {
    let text = format!(
        "version: 1\n{FROM}campaigns:\n  hello: {{ audience: everyone, template: hello, tracking: none, on_uncertain: hold }}\n"
    );
    assert_eq!(problems_of(&text), "");
    insta::assert_snapshot!(problems_of("version: 2"), @"a.yaml:1:10+1 wrong-value: `version` must be `1`, not `2`");
}

#[test]
fn ten_mistakes_in_three_files_are_ten_problems_at_ten_places() {
    let loaded = load(&[
        (
            "campaigns/campaigns.yaml",
            "\
defaults: { from: Maison Roland <bonjour@maison.example> }
campaigns:
  monday:
    audience: vips
    schedule: { cron: \"61 9 * * MON\", time_zone: Europe/Pariss }
    template: monday
  autumn:
    audience: everyone
    schedule: { at: 2026-02-30T10:00 }
    template: autumn
    colour: red
",
        ),
        (
            "campaigns/facts.yaml",
            "\
attributes:
  country: txt
events:
  purchase: { properties: { amount: number } }
traits:
  spend: { of: purchase, total: amout }
",
        ),
        (
            "campaigns/segments.yaml",
            "\
segments:
  vip: { match: { attribute: { country: FR }, trait: { spend: { at_least: 10 } } } }
  a: { match: { any: [b] } }
  b: { match: { none: [a] } }
  quiet: { match: { did_not: purchase, within: 90 } }
  vip: { match: everyone }
",
        ),
    ]);
    let errors: Vec<_> =
        loaded.problems.into_iter().filter(campaignd::diagnostic::Problem::is_error).collect();
    insta::assert_snapshot!(lines(&errors), @r#"
    campaigns/campaigns.yaml:4:15+4 unknown-segment: there is no segment `vips` (did you mean `vip`?)
    campaigns/campaigns.yaml:5:23+14 wrong-cron: `61` is no minute (minutes are 0 to 59)
    campaigns/campaigns.yaml:5:50+13 unknown-zone: there is no time zone `Europe/Pariss` (did you mean `Europe/Paris`?)
    campaigns/campaigns.yaml:9:21+16 wrong-date: `at`: `2026-02-30T10:00` is not in the calendar
    campaigns/campaigns.yaml:11:5+6 unknown-key: a campaign has no key `colour` (it has `description`, `audience`, `schedule`, `missed`, `repeat`, `purpose`, `from`, `reply_to`, `template`, `versions`, `data`, `starts`, `ends`, `limits`, `retry`, `on_uncertain`, `tracking`, `priority`, `utm`, `reentry_after`, `renamed_from`)
    campaigns/facts.yaml:2:12+3 wrong-value: `country` must be one of `text`, `number`, `boolean`, `date`, `datetime`, `list`, not text `txt` (did you mean `text`?)
    campaigns/facts.yaml:6:33+5 unknown-property: the event `purchase` has no property `amout` (did you mean `amount`?)
    campaigns/segments.yaml:4:24+1 segment-cycle: segments contain each other: a → b → a (one of them must do without the other)
    campaigns/segments.yaml:5:48+2 wrong-span: `within`: `90` is not a length of time; write a whole number and a unit: `30 days`, `12 months` (add a unit: `90 days`)
    campaigns/segments.yaml:6:3+3 duplicate-key: `vip` is written twice [first written here campaigns/segments.yaml:2]
    "#);
    assert_eq!(errors.len(), 10);
    let mut places: Vec<_> = errors.iter().map(|problem| problem.place.clone()).collect();
    places.dedup();
    assert_eq!(places.len(), 10);
}

#[test]
fn a_problem_is_shown_with_its_line() {
    let loaded = load(&[(
        "campaigns/a.yaml",
        "segments:\n  vip: { match: { attribute: { contry: FR } } }\nattributes:\n  country: text\n",
    )]);
    insta::assert_snapshot!(text::render(&loaded.problems, &loaded.sources, false), @r#"
    error[unknown-attribute]: there is no attribute `contry`
      --> campaigns/a.yaml:2:32
       |
     2 |   vip: { match: { attribute: { contry: FR } } }
       |                                ^^^^^^
       = hint: did you mean `country`?
    "#);
    insta::assert_snapshot!(serde_json::to_string_pretty(&json::render(&loaded.problems)).expect("JSON"), @r#"
    {
      "version": 1,
      "errors": 1,
      "warnings": 0,
      "problems": [
        {
          "severity": "error",
          "code": "unknown-attribute",
          "message": "there is no attribute `contry`",
          "hint": "did you mean `country`?",
          "file": "campaigns/a.yaml",
          "line": 2,
          "column": 32,
          "length": 6
        }
      ]
    }
    "#);
}

#[test]
fn a_name_is_declared_once_in_all_files() {
    let loaded = load(&[
        ("a.yaml", "segments: { vip: { match: everyone } }\ndefaults: { from: a@b.example }\n"),
        ("b.yaml", "segments: { vip: { match: everyone } }\ndefaults: { from: a@b.example }\n"),
    ]);
    insta::assert_snapshot!(text::render(&loaded.problems, &loaded.sources, false), @r#"
    error[duplicate-name]: the segment `vip` is declared twice
      --> b.yaml:1:13
       |
     1 | segments: { vip: { match: everyone } }
       |             ^^^
      ::: a.yaml:1:13 first declared here
       |
     1 | segments: { vip: { match: everyone } }
       |             ^^^
       = hint: a name is declared once in all files

    error[duplicate-key]: `from` of `defaults` is written in two files
      --> b.yaml:2:13
       |
     2 | defaults: { from: a@b.example }
       |             ^^^^
      ::: a.yaml:2:13 first written here
       |
     2 | defaults: { from: a@b.example }
       |             ^^^^
    "#);
}

#[test]
fn names_have_a_form_and_some_are_taken() {
    insta::assert_snapshot!(
        problems_of(
            "\
attributes:
  First Name: text
  email: text
  mail: { type: text, from: email }
events:
  email_opened: {}
  2nd: {}
  opened: { from: email_opened }
segments:
  everyone: { match: everyone }
"
        ),
        @r#"
    a.yaml:2:3+10 wrong-name: `First Name` is no name: names begin with a-z and hold a-z, 0-9 and _, at most 64 of them (for example `first_name`)
    a.yaml:3:3+5 reserved-name: the attribute `email` is built in (use it without declaring it, or take another name)
    a.yaml:4:29+5 reserved-name: `email` is no attribute on the wire: every contact has it (use `email` where you would use `mail`)
    a.yaml:6:3+12 reserved-name: the event `email_opened` is built in (use it without declaring it, or take another name)
    a.yaml:7:3+3 wrong-name: `2nd` is no name: names begin with a-z and hold a-z, 0-9 and _, at most 64 of them (for example `nd`)
    a.yaml:8:19+12 reserved-name: `email_opened` is recorded by the daemon itself (use `email_opened` where you would use `opened`)
    a.yaml:10:3+8 reserved-name: the segment `everyone` is built in (use it without declaring it, or take another name)
    "#
    );
}

#[test]
fn segments_in_a_cycle_are_shown() {
    let text = "\
segments:
  a: { match: { any: [b, e] } }
  b: { match: { none: [c] } }
  c: { match: { all: [a] } }
  d: { match: d }
  e: { match: everyone }
";
    insta::assert_snapshot!(problems_of(text), @r#"
    a.yaml:4:23+1 segment-cycle: segments contain each other: a → b → c → a (one of them must do without the other)
    a.yaml:5:15+1 segment-cycle: the segment `d` contains itself (one of them must do without the other)
    "#);
}

#[test]
fn campaigns_that_are_never_due_are_named() {
    let campaign = |name: &str, schedule: &str| {
        format!("  {name}: {{ from: a@b.example, audience: everyone, template: t, {schedule} }}\n")
    };
    let text = [
        campaign("early", "schedule: { at: 2026-10-01T10:00 }, starts: 2026-10-02"),
        campaign("late", "schedule: { at: 2026-10-01T10:00 }, ends: 2026-09-30"),
        campaign("at_its_end", "schedule: { at: 2026-10-01T10:00 }, ends: 2026-10-01T10:00"),
        campaign("on_its_last_day", "schedule: { at: 2026-10-01T10:00 }, ends: 2026-10-01"),
        campaign("at_its_start", "schedule: { at: 2026-10-01T10:00 }, starts: 2026-10-01T10:00"),
        campaign("between", "schedule: { cron: \"0 9 * * MON\" }, starts: 2026-10-06, ends: 2026-10-11"),
        campaign("as_entered", "schedule: { on_entry: true }, starts: 2026-10-06, ends: 2026-10-11"),
    ];
    insta::assert_snapshot!(problems_of(&format!("campaigns:\n{}", text.concat())), @r"
    a.yaml:2:74+24 never-due: `early` is never due: its schedule has no time from `starts` to `ends`
    a.yaml:3:73+24 never-due: `late` is never due: its schedule has no time from `starts` to `ends`
    a.yaml:4:79+24 never-due: `at_its_end` is never due: its schedule has no time from `starts` to `ends`
    a.yaml:7:76+23 never-due: `between` is never due: its schedule has no time from `starts` to `ends`
    ");
}

#[test]
fn segments_are_not_endlessly_deep_in_each_other() {
    let chain = |length: u32| -> String {
        let links = (1..length).map(|number| format!("  s{number}: {{ match: s{} }}\n", number - 1));
        format!("segments:\n  s0: {{ match: everyone }}\n{}", links.collect::<Vec<_>>().concat())
    };
    assert_eq!(problems_of(&chain(100)), "");
    insta::assert_snapshot!(problems_of(&chain(5_000)), @"a.yaml:102:18+3 too-deep: `s100` has more than 100 segments in each other");

    let nested = |number: u32| format!("{}s{}{}", "{ any: [".repeat(9), number - 1, "] }".repeat(9));
    let links: Vec<_> =
        (1..90).map(|number| format!("  s{number}: {{ match: {} }}\n", nested(number))).collect();
    let text =
        |length: usize| format!("segments:\n  s0: {{ match: everyone }}\n{}", links[..length].concat());
    assert_eq!(problems_of(&text(39)), "");
    insta::assert_snapshot!(
        problems_of(&text(89)),
        @"a.yaml:42:89+3 too-deep: `s40` has more than 400 levels, with those of the segments in it"
    );
}

#[test]
fn a_wrong_declaration_is_wrong_once() {
    let text = format!(
        "{FROM}\
attributes: {{ country: txt }}
traits: {{ spend: {{ of: purchase, total: amount }} }}
segments:
  french: {{ match: {{ attribute: {{ country: FR }}, trait: {{ spend: 3 }} }} }}
campaigns:
  hello: {{ audience: french, template: hello }}
"
    );
    insta::assert_snapshot!(problems_of(&text), @r#"
    a.yaml:2:24+3 wrong-value: `country` must be one of `text`, `number`, `boolean`, `date`, `datetime`, `list`, not text `txt` (did you mean `text`?)
    a.yaml:3:24+8 unknown-event: there is no event `purchase` (there are `email_bounced`, `email_clicked`, `email_complained`, `email_opened`, `email_sent`, `email_unsubscribed`)
    "#);
}

#[test]
fn a_syntax_error_stops_its_own_file_only_and_its_names_are_not_missed() {
    let loaded = load(&[
        ("a.yaml", "attributes:\n  country: text\nsegments:\n  french: { match: \"\n"),
        (
            "b.yaml",
            "segments:\n  vip: { match: { all: [french], attribute: { country: FR, cuontry: BE } } }\n",
        ),
    ]);
    insta::assert_snapshot!(lines(&loaded.problems), @r#"
    a.yaml:4:21+1 syntax: the YAML can't be read: invalid indentation (is the quote at its end missing?)
    b.yaml:2:60+7 unknown-attribute: there is no attribute `cuontry` (there are `id`, `email`, `time_zone`, `language`, `created_at`)
    "#);
}

#[test]
fn traits_compute_one_thing() {
    let text = FACTS.replace("traits:\n", "traits:\n  none: { of: purchase }\n  two: { of: purchase, count: true, latest: product }\n  text: { of: purchase, total: product }\n  not: { of: purchase, count: false }\n  what: { count: true }\n  opens: { of: email_opened, count: true }\n  gap: { of: purchase, mean_gap: yes, within: 3 months }\n  low: { of: purchase, smallest: product }\n  part: { of: purchase, share: { category: tennis } }\n  days: { of: purchase, distinct_days: true, since: 2026-01-01, last: 10 }\n");
    insta::assert_snapshot!(problems_of(&text), @r#"
    a.yaml:21:3+4 missing-key: the trait `none` computes nothing (it takes one of `total`, `count`, `average`, `smallest`, `largest`, `distinct`, `first_at`, `last_at`, `days_since`, `distinct_days`, `mean_gap`, `every`, `share`, `most_common`, `latest`)
    a.yaml:22:37+6 ambiguous: a trait computes one thing: `count` or `latest` (make two traits of it)
    a.yaml:23:32+7 wrong-type: `total` needs a number, and `product` is a text
    a.yaml:24:31+5 wrong-value: `count` takes `true`, or is left out
    a.yaml:25:3+4 missing-key: a trait needs `of`: the event that it is computed from (for example `of: purchase`)
    a.yaml:27:34+3 wrong-type: `mean_gap` must be `true` or `false`, not text `yes` (write `true`)
    a.yaml:28:34+7 wrong-type: `smallest` needs a number, and `product` is a text
    a.yaml:29:25+5 missing-key: a share needs `where`: which of the events (for example `where: { category: [tennis, padel] }`)
    a.yaml:29:34+8 unknown-key: a share has no key `category` (it has `where`)
    "#);
}

#[test]
fn campaigns_are_checked_in_every_part() {
    insta::assert_snapshot!(
        problems_of(
            "\
segments: { b2b: { match: everyone } }
campaigns:
  one: { audience: everyone }
  two: { audience: everyone, template: a, versions: [], from: nobody, reply_to: a@b.example }
  three:
    from: A <a@b.example>
    audience: everyone
    template: ../secrets
    schedule: { cron: '0 9 * * *', at: 2026-10-01T10:00 }
    starts: 2026-12-24
    ends: 2026-12-23
    limits: { max_recipients: 0 }
    purpose: spam
  four:
    from: A <a@b.example>
    audience: everyone
    versions:
      - { for: everyone, template: a }
      - { for: b2b, template: a }
      - { template: c }
    schedule: { at: 2026-10-01 }
    retry: { for: ever }
    data: {}
  five:
    from: A <a@b.example>
    audience: b2b
    template: _layout
    schedule: {}
    repeat: twice
    missed: never
"
        ),
        @r#"
    a.yaml:3:3+3 missing-key: a campaign needs `template` or `versions` (for example `template: vip_discount`, the folder templates/vip_discount)
    a.yaml:3:3+3 missing-key: nobody sends `one`: it has no `from` (write `defaults: { from: Maison Roland <bonjour@maison.example> }`)
    a.yaml:4:43+8 ambiguous: a campaign has either `template` or `versions` [`template` is here a.yaml:4] (make the template the last version: `{ for: everyone, template: … }`)
    a.yaml:4:63+6 wrong-address: `from`: `nobody` is not an e-mail address: it has no @ (for example `Maison Roland <bonjour@maison.example>`)
    a.yaml:8:15+10 wrong-template: `../secrets` is no name of a template: it is a folder below templates/ (for example `template: vip_discount`)
    a.yaml:9:36+2 ambiguous: a schedule has one of `cron`, `at` and `on_entry` (make two campaigns of it)
    a.yaml:11:11+10 wrong-bounds: `three` ends before it starts
    a.yaml:12:31+1 wrong-value: `max_recipients` must be a whole number of at least 1, not `0`
    a.yaml:13:14+4 wrong-value: `purpose` must be one of `marketing`, `transactional`, not text `spam`
    a.yaml:19:9+25 duplicate-label: two versions have the label `a` [the first is here a.yaml:18] (give each a `label` of its own)
    a.yaml:19:9+25 unreachable-version: nobody gets this version [this one takes everyone a.yaml:18] (put the version for everyone last)
    a.yaml:20:9+15 missing-key: a version needs `for`: who gets it, of those who get none before it (for example `for: b2b`)
    a.yaml:20:9+15 unreachable-version: nobody gets this version [this one takes everyone a.yaml:18] (put the version for everyone last)
    a.yaml:21:21+10 wrong-date: `at` must be a local time, not `2026-10-01` (add the time of day: `2026-10-01T10:00`)
    a.yaml:22:19+4 wrong-span: `for`: `ever` is not a length of time; write a whole number and a unit: `30 days`, `12 months`
    a.yaml:23:11+2 empty: `data` is an empty map (for example `data: { percent: 20 }`, or leave it out)
    a.yaml:27:15+7 wrong-template: `_layout` is no name of a template: it is a folder below templates/ (names that begin with _ are layouts and partials)
    a.yaml:28:5+8 missing-key: a schedule needs `cron`, `at` or `on_entry` (for example `schedule: { cron: "0 9 * * MON", time_zone: Europe/Paris }`)
    a.yaml:29:13+5 wrong-value: `repeat` must be one of `once`, `every_run`, `every_entry` or a map like `{ at_most_every: 30 days }`, not text `twice`
    a.yaml:30:13+5 wrong-value: `missed` must be `skip` or a map like `{ send_within: 2 hours }`, not text `never`
    "#
    );
}

#[test]
fn unused_segments_are_warned_of_where_there_are_campaigns() {
    let segments = "segments:\n  a: { match: everyone }\n  b: { match: a }\n";
    assert_eq!(problems_of(segments), "");
    let text = format!("{FROM}{segments}campaigns: {{ hello: {{ audience: everyone, template: hello }} }}\n");
    insta::assert_snapshot!(problems_of(&text), @"a.yaml:4:3+1 unused-segment: no campaign and no segment uses `b`");
}
