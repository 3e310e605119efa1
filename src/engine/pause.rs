//! How long a delivery waits after a try that failed for now, and a lane after a server that
//! failed, and a provider that asked for less. Pure.

use std::time::Duration;

use crate::domain::delivery::DeliveryId;

/// Pauses between the tries of one delivery, in minutes; the last one repeats. Greylisting asks
/// for some minutes (RFC 6647 section 5), RFC 5321 section 4.5.4.1 for half an hour at least once
/// it fails for longer.
const MINUTES: [u64; 6] = [1, 2, 5, 15, 30, 60];

/// A lane's pause after the first failure of the server; doubles up to [`LONGEST_LANE_PAUSE`].
const FIRST_LANE_PAUSE: Duration = Duration::from_secs(1);

/// See [`FIRST_LANE_PAUSE`].
const LONGEST_LANE_PAUSE: Duration = Duration::from_mins(1);

/// A provider's rest after it asked for less twice in a row; doubles up to [`LONGEST_REST`].
const FIRST_REST: Duration = Duration::from_secs(5);

/// See [`FIRST_REST`].
pub(crate) const LONGEST_REST: Duration = Duration::from_mins(15);

/// How long a delivery waits after its `tries`-th try (counted from 1).
///
/// A tenth more or less, fixed by delivery and try: so that ten thousand rows that were deferred
/// together do not come back together, and that the same data give the same times.
pub(crate) fn after_try(delivery: DeliveryId, tries: u32) -> Duration {
    let index = (tries.max(1) as usize - 1).min(MINUTES.len() - 1);
    let millis = MINUTES[index] * 60_000;
    let spread = millis / 5;
    let chance = scatter(delivery.0 as u64 ^ (u64::from(tries) << 48));
    Duration::from_millis(millis - spread / 2 + chance % (spread + 1))
}

/// How long a lane waits after the server failed this many times in a row (counted from 1).
pub(crate) fn after_server_failures(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (FIRST_LANE_PAUSE * 2_u32.pow(doublings)).min(LONGEST_LANE_PAUSE)
}

/// How long a provider rests that asked for less this many times in a row (counted from 1). The first time may be
/// meant for one mail: nobody waits.
pub(crate) fn after_demands(demands: u32) -> Option<Duration> {
    let doublings = demands.checked_sub(2)?.min(16);
    Some((FIRST_REST * 2_u32.pow(doublings)).min(LONGEST_REST))
}

/// Spreads numbers evenly over 64 bits: the finalizer of `SplitMix64` (Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators", 2014).
const fn scatter(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_scatter() {
        for (tries, minutes) in
            [(0, 1), (1, 1), (2, 2), (3, 5), (4, 15), (5, 30), (6, 60), (7, 60), (900, 60)]
        {
            let mut seen = std::collections::BTreeSet::new();
            for delivery in 0..200 {
                let pause = after_try(DeliveryId(delivery), tries).as_millis();
                let middle = minutes * 60_000;
                assert!(pause >= middle * 9 / 10 && pause <= middle * 11 / 10, "try {tries}: {pause} ms");
                seen.insert(pause);
            }
            assert!(seen.len() > 190, "try {tries}: only {} different pauses", seen.len());
        }
        assert_eq!(after_try(DeliveryId(7), 2), after_try(DeliveryId(7), 2));
    }

    #[test]
    fn lanes_wait_at_most_a_minute() {
        for (failures, seconds) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (4_000_000_000, 60)] {
            assert_eq!(after_server_failures(failures), Duration::from_secs(seconds), "{failures}");
        }
    }
}
