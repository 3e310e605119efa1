//! The `cron:` section of `time_cases.yaml`.

use campaignd::domain::schedule::{CronLine, Schedule};
use campaignd::domain::time::{Timestamp, Zone};
use chrono::{DateTime, Utc};

/// One dated case. The file is shared with the dated cases of conditions, so the rest is let be.
#[derive(serde::Deserialize)]
struct Case {
    name: String,
    line: String,
    zone: String,
    after: String,
    due: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Cases {
    cron: Vec<Case>,
}

fn instant(text: &str) -> Timestamp {
    Timestamp::from(text.parse::<DateTime<Utc>>().unwrap_or_else(|error| panic!("{text}: {error}")))
}

#[test]
fn cron_lines_fire_when_the_cases_say() {
    let cases: Cases =
        serde_yaml::from_str(include_str!("../time_cases.yaml")).unwrap_or_else(|error| panic!("{error}"));
    assert!(cases.cron.len() >= 25, "{} cases", cases.cron.len());
    for case in &cases.cron {
        let line = CronLine::parse(&case.line).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let zone: Zone = case.zone.parse().unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let schedule = Schedule::Cron(line);
        let expected: Vec<Timestamp> = case.due.iter().map(|due| instant(due)).collect();
        let mut found = Vec::new();
        let mut after = instant(&case.after);
        while found.len() < expected.len() {
            after = schedule.next_after(after, zone).unwrap_or_else(|| panic!("{}: no more", case.name));
            found.push(after);
        }
        assert_eq!(found, expected, "{}: `{}` in {zone}", case.name, case.line);
        for due in expected {
            assert_eq!(schedule.previous_at_or_before(due, zone), Some(due), "{}", case.name);
        }
    }
}
