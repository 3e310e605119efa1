//! Clocks that jump, machines that sleep, nights in which the clocks change: each due time is run once.

use std::collections::BTreeSet;
use std::time::Duration;

use campaignd::clock::{Clock, SetClock};
use campaignd::domain::name::CampaignName;
use campaignd::engine;
use campaignd::send::Transport;
use chrono::{DateTime, Days, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::shop::{add, at, declared, person, runs, start};
use crate::support::database::{TestDatabase, on_both};

/// Zones whose clocks change in 2026, by all rules that there are: by an hour, half an hour, two hours; at
/// midnight, before it and after it; in the north, in the south, and for Ramadan.
const ZONES: [Tz; 28] = [
    Tz::Europe__Paris,
    Tz::Europe__London,
    Tz::Europe__Dublin,
    Tz::Europe__Athens,
    Tz::Europe__Chisinau,
    Tz::Atlantic__Azores,
    Tz::America__Nuuk,
    Tz::America__Scoresbysund,
    Tz::Antarctica__Troll,
    Tz::Africa__Casablanca,
    Tz::Africa__Cairo,
    Tz::Asia__Beirut,
    Tz::Asia__Jerusalem,
    Tz::Asia__Gaza,
    Tz::America__New_York,
    Tz::America__Chicago,
    Tz::America__Denver,
    Tz::America__Los_Angeles,
    Tz::America__Anchorage,
    Tz::America__St_Johns,
    Tz::America__Havana,
    Tz::America__Santiago,
    Tz::Pacific__Easter,
    Tz::Australia__Sydney,
    Tz::Australia__Adelaide,
    Tz::Australia__Lord_Howe,
    Tz::Pacific__Auckland,
    Tz::Pacific__Chatham,
];

/// Before and after a change of the clocks.
const HALF_A_WINDOW: TimeDelta = TimeDelta::minutes(97);

/// The instants at which a zone's clocks change in 2026.
fn changes(zone: Tz) -> Vec<DateTime<Utc>> {
    let new_year = Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).single().expect("an instant");
    let offset = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    // Some change at half past.
    let halves = (1..365 * 48).map(|half| new_year + TimeDelta::minutes(30 * half));
    halves.filter(|at| offset(*at) != offset(*at - TimeDelta::minutes(30))).collect()
}

/// When half past midnight, one, two and three are in a zone: at the first valid instant where there is no such time,
/// at the earlier of two.
fn due(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> BTreeSet<i64> {
    let instant = |mut local: NaiveDateTime| loop {
        if let Some(instant) = zone.from_local_datetime(&local).earliest() {
            return instant.to_utc();
        }
        local += TimeDelta::minutes(1);
    };
    let first = from.date_naive() - Days::new(1);
    let dates = (0..4).map(|day| first + Days::new(day));
    let times = dates.flat_map(|date| (0..4).filter_map(move |hour| date.and_hms_opt(hour, 30, 0)));
    let instants = times.map(instant).filter(|at| *at > from && *at <= to);
    instants.map(|at| at.timestamp_micros()).collect()
}

#[test]
fn nights_in_which_clocks_change_are_run_once_in_28_zones() {
    on_both(|database| async move {
        let people: Vec<_> = ZONES
            .iter()
            .map(|zone| person(&zone.name().replace('/', "_").to_lowercase()).in_zone(zone.name()))
            .collect();
        add(&database.store, &people, at("2025-12-31 12:00")).await;
        let all: BTreeSet<DateTime<Utc>> = ZONES.iter().flat_map(|zone| changes(*zone)).collect();
        for zone in ZONES {
            assert!(changes(zone).len() >= 2, "{zone} has no change of clocks");
        }
        for (number, change) in all.iter().enumerate() {
            let (from, to) = (*change - HALF_A_WINDOW, *change + HALF_A_WINDOW);
            let declarations = format!(
                "
campaigns:
  night_{number}:
    {{ audience: everyone, template: letter, repeat: every_run, schedule: {{ cron: \"30 0-3 * * *\", time_zone: contact }} }}
"
            );
            let (transport, _) = Transport::memory();
            let engine = start(&database.store, &declarations, transport, from.into()).await;
            let (_, clock) = Clock::set_at(from.into());
            engine.run_until(&clock, to.into()).await.expect("the night passes");
            engine.stop(clock.now()).await.expect("it stops");
            let mails = format!(
                "SELECT r.zone, CAST(r.due_at AS TEXT) FROM deliveries d JOIN runs r ON r.id = d.run
                 WHERE r.campaign = 'night_{number}' AND d.state = 'accepted' ORDER BY r.zone, r.due_at"
            );
            let mails = database.rows(&mails).await;
            let mut expected: Vec<String> = ZONES
                .iter()
                .flat_map(|zone| {
                    due(*zone, from, to).into_iter().map(move |at| format!("{} | {at}", zone.name()))
                })
                .collect();
            expected.sort();
            assert_eq!(mails, expected, "around {change}");
        }
    });
}

const DAILY: &str = "
campaigns:
  daily: { audience: everyone, template: letter, repeat: every_run, schedule: { cron: \"0 9 * * *\" } }
";

/// For three hours the clock is wrong.
async fn jump(database: TestDatabase, wrong: &str) {
    add(&database.store, &[person("anna")], at("2026-03-01 12:00")).await;
    let (transport, mailbox) = Transport::memory();
    let (clock, hands) = Clock::set_at(at("2026-03-02 08:00"));
    let engine = start(&database.store, DAILY, transport, clock.now()).await;
    let live = async |until| engine.run_until(&hands, until).await.expect("the time passes");
    live(at("2026-03-03 12:00")).await;
    hands.set(at(wrong));
    live(at(wrong).plus(Duration::from_hours(3))).await;
    hands.set(at("2026-03-03 16:00"));
    live(at("2026-03-06 12:00")).await;
    engine.stop(clock.now()).await.expect("it stops");
    let of_these_days: Vec<_> =
        runs(&database).await.into_iter().filter(|run| run.contains("2026-03-0")).collect();
    let expected = ["Mon 2026-03-02", "Tue 2026-03-03", "Wed 2026-03-04", "Thu 2026-03-05", "Fri 2026-03-06"];
    assert_eq!(of_these_days, expected.map(|day| format!("{day} 09:00 daily finished")), "{wrong}");
    let twice = "SELECT CAST(run AS TEXT) FROM deliveries GROUP BY run, contact HAVING COUNT(*) > 1";
    assert_eq!(database.rows(twice).await, [""; 0], "{wrong}");
    let accepted = database.rows("SELECT CAST(id AS TEXT) FROM deliveries WHERE state = 'accepted'").await;
    assert_eq!(mailbox.take().len(), accepted.len(), "{wrong}");
}

#[test]
fn a_clock_that_jumps_back_and_forth_runs_each_due_time_once() {
    for wrong in [
        "2026-03-03 07:00",
        "2026-03-01 12:00",
        "2024-03-03 08:00",
        "2026-03-03 19:00",
        "2026-03-04 08:00",
        "2026-03-05 12:00",
    ] {
        on_both(|database| jump(database, wrong));
    }
}

const ASLEEP: &str = "
campaigns:
  skipped: { audience: everyone, template: letter, repeat: every_run, schedule: { cron: \"0 9 * * *\" } }
  made_up:
    audience: everyone
    template: letter
    repeat: every_run
    schedule: { cron: \"0 9 * * *\" }
    missed: { send_within: 12 hours }
  zoned:
    { audience: everyone, template: letter, repeat: every_run, schedule: { cron: \"0 9 * * *\", time_zone: contact } }
";

/// Sets the clock, and waits until the daemon has seen it and these runs are as they should be.
async fn then(database: &TestDatabase, hands: &SetClock, now: &str, expected: &[&str]) {
    hands.set(at(now));
    let mut found = Vec::new();
    let wait = async {
        while found != expected {
            found = runs(database).await.into_iter().filter(|run| run.contains("2026-")).collect();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_mins(1), wait).await.is_ok();
    assert!(in_time, "at {now}: {found:#?} instead of {expected:#?}");
}

/// A run by hand, and its end: the daemon has looked at the clock since.
async fn request(database: &TestDatabase, now: &str) {
    let campaign = CampaignName::parse("skipped").expect("a name");
    let catalogue = declared(ASLEEP).catalogue;
    let run =
        engine::request_run(&database.store, &catalogue, &campaign, at(now)).await.expect("it is noted");
    let over = format!("SELECT campaign FROM runs WHERE id = {} AND state = 'finished'", run.0);
    let wait = async {
        while database.rows(&over).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), wait).await.expect("the run by hand is over");
}

#[test]
fn a_machine_that_sleeps_has_missed_what_was_due() {
    on_both(|database| async move {
        add(&database.store, &[person("anna")], at("2026-03-01 12:00")).await;
        let (transport, mailbox) = Transport::memory();
        let (clock, hands) = Clock::set_at(at("2026-03-02 08:59:30"));
        let engine = start(&database.store, ASLEEP, transport, clock.now()).await;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let daemon = tokio::spawn(engine.run(clock, async { stopped.await.expect("it is told to stop") }));
        let first = [
            "Mon 2026-03-02 09:00 made_up finished",
            "Mon 2026-03-02 09:00 skipped finished",
            "Mon 2026-03-02 09:00 zoned finished",
        ];
        let until_active = async {
            while database.rows("SELECT name FROM campaigns").await.len() < 3 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), until_active).await.expect("the campaigns are active");
        then(&database, &hands, "2026-03-02 09:00:10", &first).await;
        // The lid is closed for a night and a morning.
        let tuesday = [
            "Tue 2026-03-03 09:00 made_up finished",
            "Tue 2026-03-03 09:00 skipped missed",
            "Tue 2026-03-03 09:00 zoned missed",
        ];
        let second = [first, tuesday].concat();
        then(&database, &hands, "2026-03-03 11:00", &second).await;
        // The clock is two years ahead for a while, and nobody is mailed 700 times.
        hands.set(at("2028-03-03 12:00"));
        let ahead = async {
            while !runs(&database).await.iter().any(|run| run.contains("2028-03-03")) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), ahead).await.expect("it sees the wrong time");
        // It is set right, and the next morning is one as ever.
        hands.set(at("2026-03-04 08:59:50"));
        request(&database, "2026-03-04 08:59:50").await;
        hands.set(at("2026-03-04 09:00:05"));
        let on_the_fourth = async {
            let fourth = [
                "Wed 2026-03-04 09:00 made_up finished",
                "Wed 2026-03-04 09:00 skipped finished",
                "Wed 2026-03-04 09:00 zoned finished",
            ];
            loop {
                let runs = runs(&database).await;
                let runs: Vec<_> = runs.iter().filter(|run| run.contains("2026-03-04 09:00")).collect();
                if runs == fourth.iter().collect::<Vec<_>>() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(20), on_the_fourth).await.is_ok();
        assert!(in_time, "{:#?}", &runs(&database).await[..8]);
        assert!(mailbox.take().len() <= 10, "nobody is mailed for two years");
        stop.send(()).expect("the daemon listens");
        daemon.await.expect("the daemon lives").expect("it stops clean");
    });
}
