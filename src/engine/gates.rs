//! The gates that a contact of a run's audience passes, or the reason why not. Pure: what they ask
//! is fetched by others, in bulk.

use crate::domain::campaign::{Campaign, MailPurpose, Repeat};
use crate::domain::caps;
use crate::domain::consent::ConsentState;
use crate::domain::delivery::{SkipReason, SuppressionCause};
use crate::domain::time::{Span, Timestamp, Zone};
use crate::store::memberships::Passed;

/// What the gates ask of one contact in one run.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of its own")]
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
    /// Whether the contact has been in the audience ever since `mailed_due`.
    pub(crate) stayed: bool,
    /// Whether the caps leave room for one more.
    pub(crate) caps_have_room: bool,
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

/// The first gate that does not open, in the order in which reports give reasons.
pub(crate) fn closed_gate(
    campaign: &Campaign,
    (due, zone): (Timestamp, Zone),
    facts: Facts,
    unknown_is_yes: bool,
) -> Option<SkipReason> {
    if !facts.has_version {
        return Some(SkipReason::NoVersionMatches);
    }
    if !campaign.is_open_at(due, zone) {
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
    if facts.mailed_due.is_some_and(|mailed| !repeats(campaign.repeat, mailed, due, facts.stayed, zone)) {
        return Some(SkipReason::AlreadySent);
    }
    if facts.waits_elsewhere {
        return Some(SkipReason::WaitingInEarlierRun);
    }
    let is_capped = campaign.purpose == MailPurpose::Marketing && !facts.caps_have_room;
    is_capped.then_some(SkipReason::FrequencyCap)
}

/// Whether a contact that is in an audience at `due` has been in it ever since the mail that was due at
/// `mailed`. `passages`: its own, oldest first. Who came back sooner than `reentry_after` was never away.
///
/// Leaving is what counts: a mail may have been due before the evaluation that saw its contact enter.
pub(crate) fn stayed(
    mailed: Timestamp,
    passages: &[Passed],
    due: Timestamp,
    reentry_after: Option<Span>,
    zone: Zone,
) -> bool {
    let was_away = |left, back| reentry_after.is_none_or(|after| caps::is_over(left, back, after, zone));
    let mut left: Option<Timestamp> = None;
    for passed in passages.iter().filter(|passed| passed.at > mailed) {
        match (passed.entered, left) {
            (false, None) => left = Some(passed.at),
            (true, Some(at)) if was_away(at, passed.at) => return false,
            (true, _) => left = None,
            (false, Some(_)) => {}
        }
    }
    !left.is_some_and(|at| was_away(at, due))
}

/// Whether a contact that was mailed in the run due at `mailed` may be mailed in the one at `due`.
///
/// Due times are compared, on the wall clock of the campaign's zone: with moments of sending, or
/// with fixed lengths over daylight saving, a Monday campaign with `at_most_every: 7 days` would
/// leave a week out.
fn repeats(repeat: Repeat, mailed: Timestamp, due: Timestamp, stayed: bool, zone: Zone) -> bool {
    match repeat {
        Repeat::Once => false,
        Repeat::EveryRun => true,
        Repeat::EveryEntry { .. } => !stayed,
        Repeat::AtMostEvery(span) => caps::is_over(mailed, due, span, zone),
    }
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
                repeats(repeat, at(mailed), at(due), true, paris),
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
