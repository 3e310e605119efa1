//! The gates that a contact of a run's audience passes, or the reason why not. Pure: what they ask
//! is fetched by others, in bulk.

use crate::domain::calendar;
use crate::domain::campaign::{Campaign, MailPurpose, Repeat};
use crate::domain::consent::ConsentState;
use crate::domain::delivery::{SkipReason, SuppressionCause};
use crate::domain::time::{Span, Timestamp, Zone};

/// What the gates ask of one contact in one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    /// Whether the contact meets the condition of a version.
    pub(crate) has_version: bool,
    /// Whether there is an address to send to.
    pub(crate) has_address: bool,
    /// Consent to marketing.
    pub(crate) marketing: ConsentState,
    /// What suppresses the address for this purpose, if anything.
    pub(crate) suppression: Option<SuppressionCause>,
    /// The due time of the latest mail of this campaign that was, is being, or may have been sent.
    pub(crate) mailed_due: Option<Timestamp>,
    /// Whether a row of an earlier run of this campaign is still open.
    pub(crate) waits_elsewhere: bool,
}

/// Whether mail of this purpose may go to a contact with this consent.
pub(crate) fn consented(purpose: MailPurpose, marketing: ConsentState, unknown_is_yes: bool) -> bool {
    consents(purpose, unknown_is_yes).contains(&marketing)
}

/// The answers to marketing with which mail of this purpose may go.
pub(crate) const fn consents(purpose: MailPurpose, unknown_is_yes: bool) -> &'static [ConsentState] {
    match (purpose, unknown_is_yes) {
        (MailPurpose::Transactional, _) => &[ConsentState::Yes, ConsentState::Unknown, ConsentState::No],
        (MailPurpose::Marketing, true) => &[ConsentState::Yes, ConsentState::Unknown],
        (MailPurpose::Marketing, false) => &[ConsentState::Yes],
    }
}

/// Whether `at` lies within a campaign's `starts` and `ends`.
pub(crate) fn within_dates(campaign: &Campaign, at: Timestamp) -> bool {
    campaign.starts.is_none_or(|starts| starts <= at) && campaign.ends.is_none_or(|ends| at < ends)
}

/// The first gate that does not open, in the order in which reports give reasons.
pub(crate) fn closed_gate(
    campaign: &Campaign,
    due: Timestamp,
    facts: Facts,
    unknown_is_yes: bool,
) -> Option<SkipReason> {
    if !facts.has_version {
        return Some(SkipReason::NoVersionMatches);
    }
    if !within_dates(campaign, due) {
        return Some(SkipReason::OutsideTheDates);
    }
    if !facts.has_address {
        return Some(SkipReason::NoAddress);
    }
    if let Some(cause) = facts.suppression {
        return Some(cause.skip_reason());
    }
    if !consented(campaign.purpose, facts.marketing, unknown_is_yes) {
        return Some(SkipReason::NotConsented);
    }
    if facts.mailed_due.is_some_and(|mailed| !repeats(campaign.repeat, mailed, due, campaign.time_zone)) {
        return Some(SkipReason::AlreadySent);
    }
    facts.waits_elsewhere.then_some(SkipReason::WaitingInEarlierRun)
}

/// Whether a contact that was mailed in the run due at `mailed` may be mailed in the one at `due`.
///
/// Due times are compared, on the wall clock of the campaign's zone: with moments of sending, or
/// with fixed lengths over daylight saving, a Monday campaign with `at_most_every: 7 days` would
/// leave a week out.
fn repeats(repeat: Repeat, mailed: Timestamp, due: Timestamp, zone: Zone) -> bool {
    match repeat {
        Repeat::Once => false,
        Repeat::EveryRun => true,
        Repeat::AtMostEvery(span) => {
            let (mailed, due) = (earliest_local(mailed, zone), calendar::local(due, zone));
            let free_again = match span {
                Span::Seconds(seconds) => i64::try_from(seconds)
                    .ok()
                    .and_then(chrono::TimeDelta::try_seconds)
                    .and_then(|length| mailed.checked_add_signed(length)),
                Span::Months(months) => mailed.checked_add_months(chrono::Months::new(months)),
            };
            free_again.is_some_and(|free_again| due >= free_again)
        }
    }
}

/// The earliest local time that means `at`: where clocks jump to it, the first of those they jump over.
/// A mail of 02:30 on the Sunday without a 02:30 was due at 03:00; the one a week later is not early.
fn earliest_local(at: Timestamp, zone: Zone) -> chrono::NaiveDateTime {
    let microsecond = std::time::Duration::from_micros(1);
    let before =
        calendar::local(at.minus(microsecond), zone).checked_add_signed(chrono::TimeDelta::microseconds(1));
    let shown = calendar::local(at, zone);
    before.map_or(shown, |before| before.min(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from(chrono::DateTime::parse_from_rfc3339(text).expect("the test's own instant"))
    }

    #[test]
    fn repeats_compare_due_times_on_the_wall_clock() {
        let paris = chrono_tz::Europe::Paris;
        let check = |repeat, mailed: &str, due: &str, expected: bool| {
            assert_eq!(
                repeats(repeat, at(mailed), at(due), paris),
                expected,
                "{repeat:?}: {mailed} to {due}"
            );
        };
        let week = Repeat::AtMostEvery(Span::Seconds(7 * 86_400));
        let month = Repeat::AtMostEvery(Span::Months(1));
        // Mondays at 09:00, over the change to summer time: 6 days and 23 hours apart.
        check(week, "2026-03-23T08:00:00Z", "2026-03-30T07:00:00Z", true);
        check(week, "2026-03-23T08:00:00Z", "2026-03-30T06:59:59Z", false);
        // … and back: 7 days and 1 hour.
        check(week, "2026-10-19T07:00:00Z", "2026-10-26T08:00:00Z", true);
        check(week, "2026-10-19T07:00:00Z", "2026-10-26T07:00:00Z", false);
        // Sundays at 02:30, which does not exist on 29 March: that one is due at 03:00.
        check(week, "2026-03-22T01:30:00Z", "2026-03-29T01:00:00Z", true);
        check(week, "2026-03-29T01:00:00Z", "2026-04-05T00:30:00Z", true);
        check(week, "2026-03-29T01:00:00Z", "2026-04-04T23:59:59Z", false);
        // … and comes twice on 25 October.
        check(week, "2026-10-18T00:30:00Z", "2026-10-25T00:30:00Z", true);
        check(week, "2026-10-25T00:30:00Z", "2026-11-01T01:30:00Z", true);
        // Months are calendar months, with the last day for one that is not there.
        check(month, "2026-01-31T08:00:00Z", "2026-02-28T08:00:00Z", true);
        check(month, "2026-01-31T08:00:00Z", "2026-02-27T08:00:00Z", false);
        // An earlier due time after a later one was mailed: it was mailed.
        check(week, "2026-03-30T07:00:00Z", "2026-03-23T08:00:00Z", false);
        check(Repeat::Once, "2016-03-30T07:00:00Z", "2026-03-30T07:00:00Z", false);
        check(Repeat::EveryRun, "2026-03-30T07:00:00Z", "2026-03-30T07:00:00Z", true);
        check(
            Repeat::AtMostEvery(Span::Seconds(u64::MAX)),
            "2026-01-01T00:00:00Z",
            "2026-03-30T07:00:00Z",
            false,
        );
    }

    #[test]
    fn consent_is_asked_for_marketing_only() {
        use ConsentState::{No, Unknown, Yes};
        use MailPurpose::{Marketing, Transactional};
        for (purpose, state, unknown_is_yes, expected) in [
            (Marketing, Yes, false, true),
            (Marketing, No, true, false),
            (Marketing, Unknown, false, false),
            (Marketing, Unknown, true, true),
            (Transactional, No, false, true),
            (Transactional, Unknown, false, true),
        ] {
            assert_eq!(consented(purpose, state, unknown_is_yes), expected, "{purpose:?} {state:?}");
        }
    }
}
