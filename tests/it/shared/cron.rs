//! The cron corpora: lines of other implementations that are in our language mean here what they
//! mean there; the others are refused. Where we differ on purpose, the case is listed with our answer.

use std::collections::BTreeSet;
use std::fs;

use campaignd::domain::calendar;
use campaignd::domain::schedule::{CronLine, Schedule};
use campaignd::domain::time::{Timestamp, Zone};
use chrono::{DateTime, Datelike as _, NaiveDateTime, Timelike as _};

fn corpus(name: &str) -> Option<String> {
    let path = super::shared_folder()?.join("corpora/cron").join(name);
    Some(fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn schedule(line: &str) -> Schedule {
    Schedule::Cron(CronLine::parse(line).unwrap_or_else(|error| panic!("{line}: {error}")))
}

#[test]
fn what_cronsim_refuses_is_refused() {
    let Some(text) = corpus("cronsim-invalid.txt") else { return };
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 227);
    for line in lines {
        assert!(CronLine::parse(line).is_err(), "`{line}` is accepted");
    }
}

#[test]
fn what_cronsim_reads_is_read_alike_or_refused() {
    let Some(text) = corpus("cronsim-parse.tsv") else { return };
    let (mut alike, mut refused) = (0, 0);
    for row in text.lines().skip(1) {
        let [_, spec, field, expected] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        // Values that are no plain numbers are L, LW, #.
        let Some(expected) = expected.strip_prefix('[').filter(|list| !list.contains('(')) else {
            assert!(CronLine::parse(spec).is_err(), "`{spec}` is accepted");
            refused += 1;
            continue;
        };
        if field == "seconds" {
            assert!(CronLine::parse(spec).is_err(), "`{spec}` is accepted");
            refused += 1;
            continue;
        }
        let expected: BTreeSet<u32> = expected
            .trim_end_matches(']')
            .split(", ")
            .map(|value| value.parse().expect("a number"))
            .collect();
        let expected =
            if field == "weekdays" { expected.iter().map(|day| day % 7).collect() } else { expected };
        let days_only: String;
        let line = match field {
            "minutes" | "hours" => spec,
            _ => {
                days_only = format!("0 0 {}", spec.splitn(3, ' ').nth(2).expect("five fields"));
                &days_only
            }
        };
        let start = Timestamp::from_seconds(1_767_225_600);
        let until = start.plus(std::time::Duration::from_hours(8 * 366 * 24));
        let schedule = schedule(line);
        let due = schedule.due_between(start, until, Zone::UTC).take(3_000).map(Timestamp::to_utc);
        let found: BTreeSet<u32> = due
            .map(|due| match field {
                "minutes" => due.minute(),
                "hours" => due.hour(),
                "days" => due.day(),
                "months" => due.month(),
                _ => due.weekday().num_days_from_sunday(),
            })
            .collect();
        assert_eq!(found, expected, "{field} of `{spec}`");
        alike += 1;
    }
    assert_eq!((alike, refused), (25, 10));
}

/// Where robfig/cron answers otherwise, and our answer: it skips a local time that does not exist,
/// fires twice in a repeated hour, and takes `*/10` beside a weekday for "either" (Debian: for both).
const OURS: &[(&str, &str, &str)] = &[
    ("* * */10 * Sun", "Sun Jul 15 00:00 2012", "false"),
    ("0 0 0 */5 Apr,Aug,Oct Mon", "Mon Jul 9 23:35 2012", "2012-08-06T00:00:00Z"),
    ("TZ=America/New_York 0 30 2 11 Mar ?", "2012-03-11T00:00:00-0500", "2012-03-11T07:00:00Z"),
    ("TZ=America/New_York 0 0 2 * * ?", "2012-03-11T00:00:00-0500", "2012-03-11T07:00:00Z"),
    ("TZ=America/New_York 0 30 1 04 Nov ?", "2012-11-04T01:45:00-0400", "2013-11-04T06:30:00Z"),
    ("TZ=America/New_York 0 0 * * * ?", "2012-11-04T01:00:00-0400", "2012-11-04T07:00:00Z"),
    ("TZ=America/New_York 0 0 1 * * ?", "2012-11-04T01:00:00-0400", "2012-11-05T06:00:00Z"),
    ("0 0 * * * ?", "2012-11-04T01:00:00-0400", "2012-11-04T07:00:00Z"),
    ("0 0 1 * * ?", "2012-11-04T01:00:00-0400", "2012-11-05T06:00:00Z"),
];

#[test]
fn lines_fire_when_robfig_says() {
    let Some(text) = corpus("robfig-cron.tsv") else { return };
    let (mut alike, mut refused, mut ours) = (0, 0, 0);
    for row in text.lines().skip(1) {
        let [kind, time, spec, expected] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let (zone, time) = zoned(time, spec);
        let (_, line) = split_zone(spec);
        let in_our_words = in_our_words(kind, line);
        if in_our_words.as_deref() != Some(spec) {
            assert!(CronLine::parse(spec).is_err(), "`{spec}` is accepted");
            refused += 1;
        }
        let Some(line) = in_our_words else { continue };
        if kind == "invalid" || expected.is_empty() {
            assert!(CronLine::parse(&line).is_err(), "`{line}` is accepted");
            refused += 1;
            continue;
        }
        let at = instant(time, zone);
        let schedule = schedule(&line);
        let (found, expected) = if kind == "activation" {
            let just_before = Timestamp::from_micros(at.micros() - 1);
            ((schedule.next_after(just_before, zone) == Some(at)).to_string(), expected.to_owned())
        } else {
            let found = schedule.next_after(at, zone).expect("another time");
            (found.to_string(), instant(expected, zone).to_string())
        };
        let answer = OURS.iter().find(|(our_spec, our_time, _)| *our_spec == spec && *our_time == time);
        if let Some((_, _, answer)) = answer {
            assert_eq!(found, *answer, "`{spec}` at {time}");
            assert_ne!(found, expected, "`{spec}` at {time} does not differ");
            ours += 1;
        } else {
            assert_eq!(found, expected, "`{spec}` at {time}");
            alike += 1;
        }
    }
    assert_eq!((alike, refused, ours), (64, 81, 9));
}

/// A line with `TZ=…` before it, which robfig/cron knows.
fn split_zone(spec: &str) -> (Option<Zone>, &str) {
    let zoned = spec.strip_prefix("CRON_TZ=").or_else(|| spec.strip_prefix("TZ="));
    match zoned.and_then(|rest| rest.split_once(' ')) {
        Some((zone, rest)) => (Some(zone.parse().expect("a zone")), rest),
        None => (None, spec),
    }
}

fn zoned<'a>(time: &'a str, spec: &str) -> (Zone, &'a str) {
    let (of_time, time) = split_zone(time);
    let india = if time.ends_with("+0530") { Zone::Asia__Kolkata } else { Zone::UTC };
    (split_zone(spec).0.or(of_time).unwrap_or(india), time)
}

/// The line in five fields without `?`; `None` where our language cannot say it.
fn in_our_words(kind: &str, line: &str) -> Option<String> {
    if line.starts_with('@') || line.contains("Mon/2") {
        return None;
    }
    let line = line.replace('?', "*");
    if kind == "next6" { line.strip_prefix("0 ").map(str::to_owned) } else { Some(line) }
}

/// `Mon Jul 9 15:00 2012` (the corpus' weekdays are not all right), or RFC 3339.
fn instant(text: &str, zone: Zone) -> Timestamp {
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z") {
        return time.into();
    }
    let (_, date) = text.split_once(' ').expect("a weekday");
    let local = ["%b %e %H:%M %Y", "%b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(date, format).ok())
        .unwrap_or_else(|| panic!("{text}"));
    calendar::resolve(local, zone)
}
