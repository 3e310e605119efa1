//! How fast mails may leave: so many an hour, evenly, with a minute's worth at once.
//!
//! The generic cell rate algorithm (ITU-T I.371, annex A): each mail uses up a stretch of time, and may leave
//! while what is used up is not further ahead of the clock than a burst allows. One instant is all there is to
//! keep, so that the pace holds over restarts and for several daemons.

use super::time::Timestamp;

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

/// So many mails an hour: in no hour, wherever it begins, more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How many may leave at once.
    burst: i64,
    /// The time that one uses up, in microseconds.
    interval: i64,
}

impl Pace {
    /// So many an hour; at least one.
    pub fn per_hour(count: u32) -> Self {
        let count = i64::from(count.max(1));
        let burst = (count / 60).max(1);
        // A burst and what follows it evenly are together no more than an hour allows. Rounded up, so that
        // rounding is never to the other side.
        let interval = (HOUR + count - burst) / (count - burst + 1);
        Self { burst, interval }
    }

    /// How many of `wanted` may leave now, where all is used up until `used`.
    pub fn grant(self, used: Timestamp, wanted: u64, now: Timestamp) -> u64 {
        let ahead = self.base(used, now) - now.micros();
        let room = self.tolerance() - ahead;
        if room < 0 { 0 } else { wanted.min((room / self.interval + 1) as u64) }
    }

    /// Until when all is used up after `count` more.
    pub fn use_up(self, used: Timestamp, count: u64, now: Timestamp) -> Timestamp {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.base(used, now).saturating_add(count.saturating_mul(self.interval)))
    }

    /// Until when all is used up where `count` of those that used it up until `used` do not leave after all. For who has
    /// used it up last.
    pub fn give_back(self, used: Timestamp, count: u64) -> Timestamp {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        Timestamp::from_micros(used.micros().saturating_sub(count.saturating_mul(self.interval)))
    }

    /// When the next may leave, where all is used up until `used`.
    pub fn next(self, used: Timestamp) -> Timestamp {
        Timestamp::from_micros(used.micros().saturating_sub(self.tolerance()))
    }

    const fn tolerance(self) -> i64 {
        (self.burst - 1) * self.interval
    }

    /// From where more is used up. A clock that was set back holds nothing up for longer than an hour.
    fn base(self, used: Timestamp, now: Timestamp) -> i64 {
        let now = now.micros();
        used.micros().clamp(now, now.saturating_add(HOUR + self.tolerance()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes as much as it is given, each time the clock moves by one of these; gives when each mail left.
    fn left(per_hour: u32, hours: i64, steps: &[i64], wanted: u64) -> Vec<i64> {
        let pace = Pace::per_hour(per_hour);
        let (mut now, mut used, mut left) = (0, Timestamp::from_micros(0), Vec::new());
        for step in steps.iter().cycle() {
            if now > hours * HOUR {
                return left;
            }
            let at = Timestamp::from_micros(now);
            let granted = pace.grant(used, wanted, at);
            used = pace.use_up(used, granted, at);
            left.extend((0..granted).map(|_| now));
            now += step;
        }
        left
    }

    #[test]
    fn no_hour_has_more_and_all_together_have_nearly_as_many() {
        for per_hour in [1, 2, 59, 60, 61, 100, 5_000, 20_000] {
            for steps in [&[1_000_000][..], &[17_000, 3_000_000, 250_000], &[HOUR / 2 - 1, 1, 1_000_000]] {
                for wanted in [1, 7, 1_000_000] {
                    let left = left(per_hour, 3, steps, wanted);
                    // The mail after as many as an hour may have is not in the hour of the first.
                    for (first, beyond) in left.iter().zip(left.iter().skip(per_hour as usize)) {
                        assert!(beyond - first >= HOUR, "{per_hour}: from {first} on, {steps:?}");
                    }
                    let looked_often = steps.len() == 1 && wanted > 7;
                    assert!(
                        !looked_often || left.len() >= per_hour as usize * 29 / 10,
                        "{per_hour}: {}",
                        left.len()
                    );
                }
            }
        }
    }

    #[test]
    fn the_next_may_leave_when_it_says() {
        let pace = Pace::per_hour(5_000);
        let now = Timestamp::from_micros(HOUR);
        let used =
            pace.use_up(Timestamp::from_micros(0), pace.grant(Timestamp::from_micros(0), 1_000, now), now);
        let next = pace.next(used);
        assert!(next > now);
        assert_eq!(pace.grant(used, 9, next), 1);
        assert_eq!(pace.grant(used, 9, Timestamp::from_micros(next.micros() - 1)), 0);
        // A clock that was a year ahead.
        let back = Timestamp::from_micros(HOUR - 365 * 24 * HOUR);
        let later = Timestamp::from_micros(back.micros() + HOUR + 1_000);
        assert_eq!(pace.grant(pace.use_up(used, 0, back), 1, later), 1);
    }
}
