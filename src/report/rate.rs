//! Shares with the interval in which the truth probably lies.
//!
//! The interval is Wilson's (E. B. Wilson, "Probable inference, the law of succession, and statistical
//! inference", Journal of the American Statistical Association 22, 1927, pages 209 to 212) without
//! continuity correction. It stays between 0 and 1 and says something sensible of 3 mails of which none
//! was opened, where the usual `p ± 1.96 √(p(1−p)/n)` says 0 ± 0.

use serde_json::{Value, json};

/// The 97.5 % point of the normal distribution: in 95 of 100 such reports the truth lies in the interval.
const Z: f64 = 1.959_963_984_540_054;
/// Shares in JSON have this many places: more would be noise.
const PLACES: f64 = 1e6;

/// A number of things out of a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    /// How many.
    pub part: u64,
    /// Out of how many.
    pub whole: u64,
}

/// Two shares from 0 to 1, the lower one first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Rate {
    /// `part` out of `whole`.
    pub const fn new(part: u64, whole: u64) -> Self {
        Self { part, whole }
    }

    /// From 0 to 1; `None` of nothing.
    pub fn share(self) -> Option<f64> {
        (self.whole > 0).then(|| (self.part as f64 / self.whole as f64).min(1.0))
    }

    /// The Wilson score interval at 95 %; `None` of nothing.
    pub fn interval(self) -> Option<Interval> {
        let share = self.share()?;
        let count = self.whole as f64;
        let widened = 1.0 + Z * Z / count;
        let middle = (share + Z * Z / (2.0 * count)) / widened;
        let reach = Z / widened * (share * (1.0 - share) / count + Z * Z / (4.0 * count * count)).sqrt();
        Some(Interval {
            low: if self.part == 0 { 0.0 } else { (middle - reach).max(0.0) },
            high: if self.part >= self.whole { 1.0 } else { (middle + reach).min(1.0) },
        })
    }

    /// For programs: `share`, `low` and `high` are null of nothing.
    pub fn to_json(self) -> Value {
        let interval = self.interval();
        json!({
            "part": self.part,
            "whole": self.whole,
            "share": self.share().map(rounded),
            "low": interval.map(|interval| rounded(interval.low)),
            "high": interval.map(|interval| rounded(interval.high)),
        })
    }
}

fn rounded(share: f64) -> f64 {
    (share * PLACES).round() / PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From R: `prop.test(x, n, correct = FALSE)$conf.int`; the examples are Newcombe's (Statistics in
    /// Medicine 17, 1998, table I, method 3).
    #[test]
    fn intervals_are_those_of_the_literature() {
        for (part, whole, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
            (29, 29, 0.8830, 1.0),
        ] {
            let interval = Rate::new(part, whole).interval().expect("not of nothing");
            let near = |one: f64, other: f64| (one - other).abs() < 0.000_06;
            assert!(near(interval.low, low) && near(interval.high, high), "{part} of {whole}: {interval:?}");
        }
    }

    #[test]
    fn an_interval_holds_its_share_and_narrows() {
        assert_eq!((Rate::new(0, 0).share(), Rate::new(0, 0).interval()), (None, None));
        for whole in [1, 2, 3, 10, 1_000, 50_000_000] {
            for part in [0, 1, whole / 2, whole] {
                let rate = Rate::new(part, whole);
                let (share, interval) = (rate.share().expect("some"), rate.interval().expect("some"));
                assert!(0.0 <= interval.low && interval.low <= share, "{rate:?} {interval:?}");
                assert!(share <= interval.high && interval.high <= 1.0, "{rate:?} {interval:?}");
            }
        }
        let width = |whole| {
            let interval = Rate::new(whole / 4, whole).interval().expect("some");
            interval.high - interval.low
        };
        assert!(width(100) > width(1_000) && width(1_000) > width(10_000));
    }
}
