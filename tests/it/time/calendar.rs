//! Calendars held against a plain second way: look at every minute.

use campaignd::domain::calendar::{
    day_back, day_end, day_forward, day_of, day_start, local, resolve, step_back, step_forward,
};
use campaignd::domain::time::{Span, Timestamp, Zone};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

fn instant(text: &str) -> Timestamp {
    Timestamp::from(text.parse::<DateTime<Utc>>().unwrap_or_else(|error| panic!("{text}: {error}")))
}

fn wall(text: &str) -> NaiveDateTime {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn local_times_resolve() {
    let check = |zone: &str, local: &str, expected: &str| {
        let zone: Zone = zone.parse().expect("a zone");
        assert_eq!(resolve(wall(local), zone), instant(expected), "{local} in {zone}");
    };
    check("Europe/Paris", "2026-03-29T01:59:59", "2026-03-29T00:59:59Z");
    check("Europe/Paris", "2026-03-29T02:00:00", "2026-03-29T01:00:00Z");
    check("Europe/Paris", "2026-03-29T02:30:00.5", "2026-03-29T01:00:00Z");
    check("Europe/Paris", "2026-03-29T03:00:00", "2026-03-29T01:00:00Z");
    check("Europe/Paris", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z");
    check("Europe/Paris", "2026-10-25T03:00:00", "2026-10-25T02:00:00Z");
    check("Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:30:00Z");
    check("Australia/Lord_Howe", "2026-04-05T01:45:00", "2026-04-04T14:45:00Z");
    check("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T10:00:00Z");
    check("Africa/Casablanca", "2026-02-15T02:30:00", "2026-02-15T01:30:00Z");
    check("Africa/Casablanca", "2026-03-22T02:30:00", "2026-03-22T02:00:00Z");
    check("America/Sao_Paulo", "2018-11-04T00:00:00", "2018-11-04T03:00:00Z");
    check("America/Havana", "2026-11-01T00:30:00", "2026-11-01T04:30:00Z");
}

#[test]
fn days_begin_and_end_where_the_zone_says() {
    let check = |zone: Zone, date: &str, start: &str, end: &str| {
        assert_eq!(day_start(day(date), zone), instant(start), "{date} in {zone}");
        assert_eq!(day_end(day(date), zone), instant(end), "{date} in {zone}");
    };
    check(Zone::Europe__Paris, "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
    check(Zone::Europe__Paris, "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
    check(Zone::America__Sao_Paulo, "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z");
    check(Zone::Pacific__Apia, "2011-12-29", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z");
    // The day that Samoa skipped has no length.
    check(Zone::Pacific__Apia, "2011-12-30", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z");
    assert_eq!(day_of(instant("2011-12-30T10:00:00Z"), Zone::Pacific__Apia), day("2011-12-31"));
}

#[test]
fn steps_clamp_months_and_keep_the_local_time() {
    let check = |zone: Zone, at: &str, months: u32, back: &str| {
        let found = step_back(resolve(wall(at), zone), Span::Months(months), zone);
        assert_eq!(found, resolve(wall(back), zone), "{at} − {months} months in {zone}");
    };
    check(Zone::UTC, "2026-03-31T10:00:00", 1, "2026-02-28T10:00:00");
    check(Zone::UTC, "2028-03-31T10:00:00", 1, "2028-02-29T10:00:00");
    check(Zone::UTC, "2028-02-29T10:00:00", 12, "2027-02-28T10:00:00");
    check(Zone::UTC, "2028-02-29T10:00:00", 48, "2024-02-29T10:00:00");
    check(Zone::Europe__Paris, "2026-04-15T09:00:00", 2, "2026-02-15T09:00:00");
    check(Zone::Europe__Paris, "2026-04-29T02:30:00", 1, "2026-03-29T03:00:00");
    check(Zone::Europe__Paris, "2026-11-25T02:30:00", 1, "2026-10-25T02:30:00");
    let week = Span::parse("7 days").unwrap();
    let after = step_back(instant("2026-04-02T08:00:00Z"), week, Zone::Europe__Paris);
    assert_eq!(after, instant("2026-03-26T08:00:00Z"), "days are fixed lengths");
    assert_eq!(
        step_forward(instant("2026-01-31T08:00:00Z"), Span::Months(1), Zone::UTC),
        instant("2026-02-28T08:00:00Z")
    );
}

#[test]
fn days_step_by_the_days_they_touch() {
    let span = |text: &str| Span::parse(text).unwrap();
    assert_eq!(day_back(day("2026-03-31"), span("1 month")), day("2026-02-28"));
    assert_eq!(day_back(day("2026-03-31"), span("30 days")), day("2026-03-01"));
    assert_eq!(day_back(day("2026-03-31"), span("36 hours")), day("2026-03-29"));
    assert_eq!(day_forward(day("2026-01-31"), span("1 month")), day("2026-02-28"));
    assert_eq!(day_forward(day("2026-01-31"), span("1 hour")), day("2026-02-01"));
}

/// Every minute of the weeks around each change of the clocks of zones with odd habits.
#[test]
fn resolving_agrees_with_looking_at_every_minute() {
    let weeks = [
        (Zone::Europe__Paris, "2026-03-27T00:00:00Z"),
        (Zone::Europe__Paris, "2026-10-23T00:00:00Z"),
        (Zone::Australia__Lord_Howe, "2026-10-02T00:00:00Z"),
        (Zone::Australia__Lord_Howe, "2026-04-03T00:00:00Z"),
        (Zone::Africa__Casablanca, "2026-02-13T00:00:00Z"),
        (Zone::Africa__Casablanca, "2026-03-20T00:00:00Z"),
        (Zone::America__Sao_Paulo, "2018-02-16T00:00:00Z"),
        (Zone::America__Sao_Paulo, "2018-11-02T00:00:00Z"),
        (Zone::Pacific__Apia, "2011-12-28T00:00:00Z"),
        (Zone::Asia__Pyongyang, "2018-05-03T00:00:00Z"),
        (Zone::Asia__Kathmandu, "1985-12-30T00:00:00Z"),
        (Zone::Antarctica__Troll, "2026-03-27T00:00:00Z"),
    ];
    for (zone, start) in weeks {
        let start = instant(start);
        let minutes: Vec<Timestamp> =
            (0..4 * 1_440).map(|minute| start.plus(std::time::Duration::from_secs(minute * 60))).collect();
        let shown: Vec<NaiveDateTime> = minutes.iter().map(|minute| local(*minute, zone)).collect();
        let mut latest_so_far = shown.clone();
        for index in 1..latest_so_far.len() {
            latest_so_far[index] = latest_so_far[index].max(latest_so_far[index - 1]);
        }
        let mut asked = shown[60];
        while asked < shown[shown.len() - 60] {
            // The first minute that shows it; else the first that shows a later time than it.
            let expected = shown.iter().position(|shown| *shown == asked);
            let expected =
                expected.unwrap_or_else(|| latest_so_far.partition_point(|latest| *latest <= asked));
            let expected = minutes[expected];
            assert_eq!(resolve(asked, zone), expected, "{asked} in {zone}");
            asked += TimeDelta::minutes(1);
        }
    }
}

#[test]
fn every_zone_reads_back_what_it_shows() {
    for zone in chrono_tz::TZ_VARIANTS {
        // About two instants a year, from 1900 to 2100.
        for step in 0..400 {
            let at = Timestamp::from_seconds(-2_208_988_800 + step * 15_750_017);
            let shown = local(at, zone);
            let back = resolve(shown, zone);
            assert!(back <= at && local(back, zone) == shown, "{at} in {zone}: {shown}, {back}");
        }
    }
}

#[test]
fn extreme_dates_are_their_nearest_and_never_panic() {
    let spans = [Span::Seconds(1), Span::Seconds(u64::MAX), Span::Months(1), Span::Months(u32::MAX)];
    for zone in [Zone::UTC, Zone::Asia__Manila, Zone::Pacific__Kiritimati, Zone::America__New_York] {
        for micros in [i64::MIN, i64::MIN + 1, i64::MIN / 3, 0, i64::MAX / 3, i64::MAX - 1, i64::MAX] {
            let at = Timestamp::from_micros(micros);
            local(at, zone);
            for span in spans {
                assert!(step_back(at, span, zone) <= step_forward(at, span, zone), "{micros} {span:?}");
            }
        }
        for date in [NaiveDate::MIN, NaiveDate::MAX] {
            assert!(day_start(date, zone) <= day_end(date, zone));
            for span in spans {
                assert!(day_back(date, span) <= date && day_forward(date, span) >= date);
            }
        }
        for wall in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
            resolve(wall, zone);
        }
    }
}
