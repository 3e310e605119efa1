//! Cron lines: what is understood, what is refused with which words, and when lines fire, held
//! against another implementation.

use campaignd::domain::calendar;
use campaignd::domain::schedule::{CronLine, Schedule};
use campaignd::domain::time::{Timestamp, Zone};
use chrono::{DateTime, TimeZone as _, Utc};
use insta::assert_snapshot;

fn cron(text: &str) -> Schedule {
    Schedule::Cron(CronLine::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")))
}

fn instant(text: &str) -> Timestamp {
    Timestamp::from(text.parse::<DateTime<Utc>>().expect("an instant"))
}

fn refusal(text: &str) -> String {
    let error = CronLine::parse(text).expect_err(text);
    format!("{}; {}", error.message, error.hint.expect("every refusal has a hint"))
}

#[test]
fn what_other_crons_say_is_refused_with_what_to_write() {
    assert_snapshot!(refusal(""), @"the cron line is empty; write five fields: minute, hour, day of month, month, weekday, as in `0 9 * * MON` (Mondays at nine)");
    assert_snapshot!(refusal("0 0 9 * * MON"), @"a cron line has five fields; this one has 6: `0 0 9 * * MON`; leave the seconds out: `0 9 * * MON`");
    assert_snapshot!(refusal("0 9 * *"), @"a cron line has five fields; this one has 4: `0 9 * *`; write five fields: minute, hour, day of month, month, weekday, as in `0 9 * * MON` (Mondays at nine)");
    assert_snapshot!(refusal("0 9 * * MON 2026"), @"a cron line has five fields; this one has 6: `0 9 * * MON 2026`; write five fields: minute, hour, day of month, month, weekday, as in `0 9 * * MON` (Mondays at nine)");
    assert_snapshot!(refusal("@daily"), @"`@daily` is not known here; write `0 0 * * *`");
    assert_snapshot!(refusal("@reboot"), @"`@reboot` is not known here; write five fields: minute, hour, day of month, month, weekday, as in `0 9 * * MON` (Mondays at nine)");
    assert_snapshot!(refusal("TZ=Europe/Paris 0 9 * * *"), @"a cron line cannot begin with `TZ=Europe/Paris`; give the zone beside the line: `time_zone: Europe/Paris`");
    assert_snapshot!(refusal("0 9 ? * MON"), @"`?` is no day of month; `?` is not known here; write `*`");
    assert_snapshot!(refusal("0 9 L * *"), @"`L` is no day of month; `L` (last) and `W` (nearest working day) are not known here; name the day, such as 28, which every month has");
    assert_snapshot!(refusal("0 9 15W * *"), @"`15W` is no day of month; `L` (last) and `W` (nearest working day) are not known here; name the day, such as 28, which every month has");
    assert_snapshot!(refusal("0 9 * * 5L"), @"`5L` is no weekday; `L` (last) and `W` (nearest working day) are not known here; name the day, such as 28, which every month has");
    assert_snapshot!(refusal("0 9 * * MON#1"), @"`MON#1` is no weekday; `#` (the n-th weekday of a month) is not known here; name the days of month or the weekdays");
    assert_snapshot!(refusal("0 9 * * Monday"), @"`Monday` is no weekday; write `MON`");
    assert_snapshot!(refusal("0 9 1 janvier *"), @"`janvier` is no month; write `JAN`");
    assert_snapshot!(refusal("60 9 * * *"), @"`60` is no minute; minutes are 0 to 59");
    assert_snapshot!(refusal("0 24 * * *"), @"`24` is no hour; hours are 0 to 23");
    assert_snapshot!(refusal("0 9 0 * *"), @"`0` is no day of month; days of month are 1 to 31");
    assert_snapshot!(refusal("0 9 * * 8"), @"`8` is no weekday; weekdays are 0 to 7 or SUN to SAT");
    assert_snapshot!(refusal("0 22-6 * * *"), @"the range `22-6` goes backwards; write `22-23,0-6` if it is to go round the end");
    assert_snapshot!(refusal("0 9 * * 7-2"), @"the range `7-2` goes backwards; write `0-2`");
    assert_snapshot!(refusal("*/0 * * * *"), @"`*/0`: a step of 0 goes nowhere; write a step of 1 or more, as in `*/15`");
    assert_snapshot!(refusal("*/90 * * * *"), @"`*/90`: the step is longer than the field, which starts anew each time; write a step of at most 59, or a single minute");
    assert_snapshot!(refusal("0 9 * * 1/2"), @"`1/2`: a step needs a range of weekdays; write `1-6/2`, or list the days");
    assert_snapshot!(refusal("1,,2 * * * *"), @"something is missing in `1,,2`; minutes are 0 to 59; ranges `1-5`, steps `*/2` and lists `1,3` are known");
    assert_snapshot!(refusal("0 9 ¹ * *"), @"`¹` is no day of month; days of month are 1 to 31; ranges `1-5`, steps `*/2` and lists `1,3` are known");
    assert_snapshot!(refusal("0 0 30 2 *"), @"`0 0 30 2 *` never fires: no year has such a day; the longest months have 31 days; April, June, September and November have 30, February 28 or 29");
    assert_snapshot!(refusal("0 0 31 4,6,9,11 *"), @"`0 0 31 4,6,9,11 *` never fires: no year has such a day; the longest months have 31 days; April, June, September and November have 30, February 28 or 29");
}

#[test]
fn lines_that_mean_the_same_fire_at_the_same_times() {
    let check = |one: &str, other: &str| {
        let from = instant("2026-01-01T00:00:00Z");
        let fires = |text: &str| -> Vec<Timestamp> {
            let (line, until) = (cron(text), instant("2028-03-01T00:00:00Z"));
            line.due_between(from, until, Zone::UTC).take(500).collect()
        };
        assert_eq!(fires(one), fires(other), "{one} and {other}");
    };
    check("0 9 * * 0", "0 9 * * 7");
    check("0 9 * * SUN", "0 9 * * 7");
    check("0 9 * * 5-7", "0 9 * * FRI,SAT,SUN");
    check("0 9 * * fri-sun", "0 9 * * 5,6,0");
    check("0 9 * * 1-0", "0 9 * * *");
    check("0 9 * * 0-7", "0 9 * * *");
    check("0 9 * * 1-7/2", "0 9 * * MON,WED,FRI,SUN");
    check("0 9 * * */2", "0 9 * * SUN,TUE,THU,SAT");
    check("5/15 * * * *", "5,20,35,50 * * * *");
    check("0-10/5,50 8-9 * * *", "0,5,10,50 8,9 * * *");
    check("00 09 01 jan,JUL *", "0 9 1 1,7 *");
    check("  0\t9  *   * * ", "0 9 * * *");
}

#[test]
fn day_of_month_and_weekday_both_given_mean_either() {
    let check = |line: &str, month: &str, days: &[u32]| {
        use chrono::Datelike as _;
        let from = instant(&format!("{month}-01T00:00:00Z")).minus(std::time::Duration::from_secs(1));
        let until = calendar::step_forward(from, campaignd::domain::time::Span::Months(1), Zone::UTC);
        let fires: Vec<u32> =
            cron(line).due_between(from, until, Zone::UTC).map(|due| due.to_utc().day()).collect();
        assert_eq!(fires, days, "{line} in {month}");
    };
    // November 2026 begins on a Sunday.
    check("0 9 13 * FRI", "2026-11", &[6, 13, 20, 27]);
    check("0 9 1,15 * MON", "2026-11", &[1, 2, 9, 15, 16, 23, 30]);
    check("0 9 * * MON", "2026-11", &[2, 9, 16, 23, 30]);
    check("0 9 15 * *", "2026-11", &[15]);
    check("0 9 */10 * MON", "2026-11", &[]);
    check("0 9 */10 * SUN", "2026-11", &[1]);
    check("0 9 1-31/10 * MON", "2026-11", &[1, 2, 9, 11, 16, 21, 23, 30]);
}

#[test]
fn instants_are_due_once() {
    let at = |text: &str| Schedule::At(text.parse().expect("a local time"));
    let paris = Zone::Europe__Paris;
    let skipped = at("2026-03-29T02:30:00");
    assert_eq!(
        skipped.next_after(instant("2026-01-01T00:00:00Z"), paris),
        Some(instant("2026-03-29T01:00:00Z"))
    );
    assert_eq!(skipped.next_after(instant("2026-03-29T01:00:00Z"), paris), None);
    assert_eq!(skipped.previous_at_or_before(instant("2026-03-29T00:59:59Z"), paris), None);
    assert_eq!(
        skipped.previous_at_or_before(instant("2026-03-29T01:00:00Z"), paris),
        Some(instant("2026-03-29T01:00:00Z"))
    );
}

const ZONES: &[Zone] = &[
    Zone::UTC,
    Zone::Europe__Paris,
    Zone::America__New_York,
    Zone::America__Sao_Paulo,
    Zone::Asia__Kolkata,
    Zone::Australia__Lord_Howe,
    Zone::Africa__Casablanca,
    Zone::Pacific__Apia,
    Zone::Europe__Dublin,
    Zone::Asia__Tehran,
    Zone::America__Santiago,
    Zone::America__Havana,
    Zone::Asia__Beirut,
    Zone::Pacific__Chatham,
];

/// A small deterministic source of chance.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        // Knuth's MMIX multiplier.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn day_fields(&mut self) -> (String, String, String) {
        let day = match self.below(5) {
            0 => format!("{}", 1 + self.below(31)),
            1 => format!("{},{}", 1 + self.below(28), 1 + self.below(28)),
            2 => format!("{}-{}", 1 + self.below(10), 11 + self.below(20)),
            _ => "*".to_owned(),
        };
        let month = match self.below(4) {
            0 => format!("{}", 1 + self.below(12)),
            1 => format!("{}-12/{}", 1 + self.below(12), 1 + self.below(3)),
            _ => "*".to_owned(),
        };
        let weekday = match self.below(4) {
            0 => format!("{}", self.below(8)),
            1 => ["MON-FRI", "SAT,SUN", "sun", "5-7"][self.below(4) as usize].to_owned(),
            _ => "*".to_owned(),
        };
        (day, month, weekday)
    }
}

#[test]
fn fixed_times_fire_as_another_implementation_says() {
    let mut dice = Dice(7);
    let (mut lines, mut steps) = (0, 0);
    while lines < 150 {
        let (day, month, weekday) = dice.day_fields();
        let hour = if dice.below(2) == 0 { dice.below(4) } else { dice.below(24) };
        let text = format!("{} {hour} {day} {month} {weekday}", dice.below(60));
        let Ok(line) = CronLine::parse(&text) else { continue };
        let line = Schedule::Cron(line);
        lines += 1;
        let oracle: croner::Cron = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let zone = ZONES[dice.below(ZONES.len() as u64) as usize];
        let start = 1_262_304_000 + dice.below(20 * 365 * 86_400) as i64;
        let mut at = Timestamp::from_seconds(start);
        for _ in 0..100 {
            // The crate plans up to 2100; lines for 29 February get there.
            let Some(ours) = line.next_after(at, zone) else { break };
            let from = zone.timestamp_opt(at.micros() / 1_000_000, 0).unwrap();
            let theirs = oracle.find_next_occurrence(&from, false).ok().map(Timestamp::from);
            assert_eq!(Some(ours), theirs, "{text} in {zone} after {at}");
            let between = Timestamp::from_micros(at.micros() + (ours.micros() - at.micros()) / 2);
            assert_eq!(line.previous_at_or_before(ours, zone), Some(ours), "{text} in {zone} at {ours}");
            let previous = line.previous_at_or_before(between, zone);
            assert!(previous.is_none_or(|previous| previous <= between), "{text} in {zone} before {between}");
            at = ours;
            steps += 1;
        }
    }
    assert!(steps > 14_000, "{steps} steps");
}

/// Wildcards in a repeated hour mean something else to other implementations, so these are held
/// against the rule itself: take the line's local times, resolve each, keep each instant once.
#[test]
fn wildcards_fire_at_every_local_time_once() {
    let mut dice = Dice(11);
    for text in ["*/30 * * * *", "*/7 1-3 * * *", "15 * * * *", "0 0 * * *", "30 23,0,1,2,3 * * SUN,SAT"] {
        let line = cron(text);
        for zone in ZONES {
            let year = 2008 + dice.below(18) as i32;
            let start = days_before_a_change_of_the_clocks(*zone, year);
            let until = start + chrono::TimeDelta::days(6);
            let walls = line.due_between(start.into(), until.into(), Zone::UTC);
            let mut expected: Vec<Timestamp> =
                walls.map(|wall| calendar::resolve(wall.to_utc().naive_utc(), *zone)).collect();
            expected.dedup();
            let (first, last) = (expected[0], *expected.last().unwrap());
            let before_first = Timestamp::from_micros(first.micros() - 1);
            let forwards: Vec<Timestamp> = line.due_between(before_first, last, *zone).collect();
            assert_eq!(forwards, expected, "{text} in {zone} in {year}");
            let mut backwards: Vec<Timestamp> =
                std::iter::successors(line.previous_at_or_before(last, *zone), |due| {
                    line.previous_at_or_before(Timestamp::from_micros(due.micros() - 1), *zone)
                })
                .take_while(|due| *due >= first)
                .collect();
            backwards.reverse();
            assert_eq!(backwards, expected, "{text} in {zone} in {year}, backwards");
        }
    }
}

/// Three days before the first change of the zone's offset in a year; 1 January where there is none.
fn days_before_a_change_of_the_clocks(zone: Zone, year: i32) -> DateTime<Utc> {
    let january = Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
    let shown = |day: i64| {
        let at = january + chrono::TimeDelta::days(day);
        calendar::local(at.into(), zone) - at.naive_utc()
    };
    let change = (1..365).find(|day| shown(*day) != shown(*day - 1)).unwrap_or(4);
    january + chrono::TimeDelta::days(change - 4)
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let extremes = [i64::MIN, i64::MIN / 2, -1, 0, 1, i64::MAX / 2, i64::MAX];
    for line in ["* * * * *", "0 9 29 2 *", "0 0 1 1 MON"] {
        for zone in ZONES {
            for micros in extremes {
                let at = Timestamp::from_micros(micros);
                let next = cron(line).next_after(at, *zone);
                let previous = cron(line).previous_at_or_before(at, *zone);
                assert!(next.is_none_or(|next| next > at), "{line} in {zone} after {micros}");
                assert!(previous.is_none_or(|previous| previous <= at), "{line} in {zone} before {micros}");
                assert!(micros > i64::MAX / 4 || next.is_some(), "{line} in {zone} after {micros}");
                assert!(micros < i64::MAX / 4 || previous.is_some(), "{line} in {zone} before {micros}");
            }
        }
    }
}
