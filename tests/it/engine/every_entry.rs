//! `repeat: every_entry`: once for each interval of membership, against a plain model over random lives.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::entries::HOURLY;
use super::shop::{Shop, person};
use crate::support::database::{TestDatabase, on_both};

fn declarations(reentry_after: &str) -> String {
    format!(
        "
campaigns:
{HOURLY}
  hello:
    audience: {{ attribute: {{ city: Nice }} }}
    schedule: {{ cron: \"0 */3 * * *\" }}
    repeat: every_entry
    {reentry_after}
    template: letter
"
    )
}

#[test]
fn each_stay_has_one_mail_and_a_skip_uses_nothing_up() {
    on_both(|database| async move {
        let people =
            [person("anna").with("city", "Nice"), person("bert").with("city", "Nice").consents("no")];
        let shop = Shop::open(database, &declarations(""), &people, "2026-03-02 05:00").await;
        shop.until("2026-03-02 12:30").await;
        assert_eq!(shop.mailed(), ["anna"]);
        shop.learns(&[person("bert").consented_at("2021-01-01 12:00")]).await;
        shop.until("2026-03-02 15:30").await;
        assert_eq!(shop.mailed(), ["bert"], "agreed meanwhile, and is in its first stay still");
        shop.learns(&[person("anna").with("city", "Metz")]).await;
        shop.until("2026-03-02 18:30").await;
        shop.learns(&[person("anna").with("city", "Nice")]).await;
        shop.until("2026-03-03 12:30").await;
        assert_eq!(shop.mailed(), ["anna"]);
    });
}

/// What one contact does, hour by hour.
#[derive(Debug, Clone, Copy)]
struct Hour {
    is_in: bool,
    agrees: bool,
}

/// At which hours a life has mails: the rule, said plainly. Runs come at hours that 3 divides.
fn plain(life: &[Hour], reentry_after: Option<usize>) -> Vec<usize> {
    let mut mailed = Vec::new();
    // The stay that is going on, or the last one: whether it had its mail, and when it was left.
    let mut had_mail = false;
    let mut left: Option<usize> = None;
    for (hour, now) in life.iter().enumerate() {
        if now.is_in {
            if let Some(at) = left.take()
                && reentry_after.is_none_or(|after| hour - at >= after)
            {
                had_mail = false;
            }
        } else if left.is_none() {
            left = Some(hour);
        }
        if hour % 3 == 0 && now.is_in && now.agrees && !had_mail {
            mailed.push(hour);
            had_mail = true;
        }
    }
    mailed
}

const HOURS: usize = 36;

fn random_life(random: &mut StdRng) -> Vec<Hour> {
    let mut hour = Hour { is_in: random.random_bool(0.5), agrees: random.random_bool(0.7) };
    let mut life = Vec::new();
    for _ in 0..HOURS {
        life.push(hour);
        hour.is_in ^= random.random_bool(0.25);
        hour.agrees ^= random.random_bool(0.1);
    }
    life
}

async fn live(database: TestDatabase, seed: u64, reentry_after: Option<usize>) {
    let mut random = StdRng::seed_from_u64(seed);
    let lives: Vec<Vec<Hour>> = (0..12).map(|_| random_life(&mut random)).collect();
    let name = |number: usize| format!("c{number:02}");
    let at_hour = |hour: usize| {
        // 2026-03-02 00:00 is an hour that 3 divides.
        format!("2026-03-{:02} {:02}:00", 2 + hour / 24, hour % 24)
    };
    let facts = |number: usize, hour: Hour| {
        let agrees = if hour.agrees { "yes" } else { "no" };
        person(&name(number)).consents(agrees).with("city", if hour.is_in { "Nice" } else { "Metz" })
    };
    let line = reentry_after.map(|hours| format!("reentry_after: {hours} hours")).unwrap_or_default();
    // The campaigns are active an hour before, while everybody is away.
    let away: Vec<_> = (0..lives.len()).map(|number| person(&name(number)).with("city", "Metz")).collect();
    let shop = Shop::open(database, &declarations(&line), &away, "2026-03-01 23:00").await;
    shop.at("2026-03-01 23:00").await;
    for hour in 0..HOURS {
        let changed = lives.iter().enumerate().filter(|(_, life)| {
            hour == 0
                || life[hour].is_in != life[hour - 1].is_in
                || life[hour].agrees != life[hour - 1].agrees
        });
        let changed: Vec<_> =
            changed.map(|(number, life)| facts_later(facts(number, life[hour]), hour)).collect();
        shop.learns(&changed).await;
        shop.at(&at_hour(hour)).await;
    }
    let ledger = shop.ledger().await;
    for (number, life) in lives.iter().enumerate() {
        let mails: Vec<&String> =
            ledger.iter().filter(|row| row.contains(&name(number)) && row.ends_with("accepted")).collect();
        let expected: Vec<String> = plain(life, reentry_after).into_iter().map(&at_hour).collect();
        let got: Vec<&str> = mails.iter().map(|row| &row[4..20]).collect();
        assert_eq!(got, expected, "seed {seed}, {}: {life:?}", name(number));
        // A row in every run in which it was in the audience.
        let rows = ledger.iter().filter(|row| row.contains(&name(number))).count();
        assert_eq!(rows, life.iter().step_by(3).filter(|hour| hour.is_in).count(), "{ledger:#?}");
    }
}

/// Consents are told apart by when they were given.
fn facts_later(person: super::shop::Person, hour: usize) -> super::shop::Person {
    person.consented_at(&format!("2020-01-{:02} {:02}:30", 2 + hour / 24, hour % 24))
}

#[test]
fn random_lives_are_mailed_as_the_plain_rule_says() {
    on_both(|database| live(database, 1, None));
    on_both(|database| live(database, 2, Some(3)));
    on_both(|database| live(database, 3, Some(5)));
}
