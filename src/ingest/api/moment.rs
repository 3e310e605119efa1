//! When a call happened. Three clocks speak: the one that stamped the event, the same one when it
//! was sent, and ours when it came in. What the first two differ by is trusted, for a wrong clock is
//! wrong by the same amount twice: `received − (sent − stamped)`
//! (<https://segment.com/docs/connections/spec/common/#timestamps>).

use std::time::Duration;

use crate::domain::time::Timestamp;

/// A difference of up to this much between `sent` and `received` is taken for the time on the way, a
/// retry included, and not for a wrong clock: an event that says 09:30:00 stays at 09:30:00.
const ON_THE_WAY: Duration = Duration::from_mins(1);

/// An event may be this far in the future: clocks differ, and so do zones.
pub const FUTURE: Duration = Duration::from_hours(24);

/// The instant of an event that was `stamped` and `sent` by the client's clock and `received` by ours.
/// What was not stamped happened when it came in.
pub fn moment(stamped: Option<Timestamp>, sent: Option<Timestamp>, received: Timestamp) -> Timestamp {
    let Some(stamped) = stamped else { return received };
    let Some(sent) = sent else { return stamped };
    let apart = received.since(sent).max(sent.since(received));
    if apart <= ON_THE_WAY {
        return stamped;
    }
    let age = sent.micros().saturating_sub(stamped.micros());
    Timestamp::from_micros(received.micros().saturating_sub(age))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_clocks_are_set_right() {
        let at = |text: Option<i64>| text.map(Timestamp::from_seconds);
        let received = 1_000_000;
        for (stamped, sent, expected) in [
            (None, None, received),
            (None, Some(5), received),
            (Some(900_000), None, 900_000),
            (Some(900_000), Some(received), 900_000),
            (Some(900_000), Some(received - 60), 900_000),
            (Some(900_000), Some(received + 60), 900_000),
            // an hour ahead, an hour behind, a month ahead
            (Some(received + 3_000), Some(received + 3_600), received - 600),
            (Some(received - 4_000), Some(received - 3_600), received - 400),
            (Some(3_500_000), Some(3_500_010), received - 10),
            // stamped after it was sent: a timestamp of the caller's own
            (Some(received + 7_200), Some(received + 3_600), received + 3_600),
        ] {
            let moment = moment(at(stamped), at(sent), Timestamp::from_seconds(received));
            assert_eq!(moment, Timestamp::from_seconds(expected), "{stamped:?} {sent:?}");
        }
        let extreme = Timestamp::from_micros(i64::MIN);
        moment(Some(extreme), Some(Timestamp::from_micros(i64::MAX)), Timestamp::from_micros(0));
    }
}
