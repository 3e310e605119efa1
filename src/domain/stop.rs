//! When a campaign stops by itself: what servers say of too many of its mails, or of its sender.

use super::delivery::Reply;

/// With fewer results than this a share says little: one wrong address in ten is no reason to stop.
pub const FEWEST_RESULTS: u64 = 200;

/// Where a campaign says nothing else: more refused mails than this, in percent, pause it. Large providers
/// begin to distrust senders at a few percent.
pub const MOST_REFUSED: u8 = 5;

/// Enhanced codes behind a `5` that speak of the sender's own set-up and not of the recipient: 5.7.26, several
/// checks of authentication failed (RFC 7372 section 3.4; Gmail), and 5.7.515, the sender does not meet the required
/// level of authentication (Microsoft).
const SENDERS_FAULTS: [&str; 2] = ["5.7.26", "5.7.515"];

/// How the mails of a campaign ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Results {
    /// Taken by the server.
    pub accepted: u64,
    /// Refused by it for good: no such address, or blocked.
    pub refused: u64,
}

impl Results {
    /// All of them.
    pub const fn all(self) -> u64 {
        self.accepted + self.refused
    }

    /// Whether so many were refused, in percent, that nothing more should go out.
    pub const fn are_too_bad(self, most_refused: u8) -> bool {
        self.all() >= FEWEST_RESULTS && self.refused * 100 > most_refused as u64 * self.all()
    }
}

/// Whether a refusal says that the sender's set-up is wrong: whoever it was for has nothing to do with it, and the
/// next ones will be refused, too.
pub fn is_senders_fault(reply: &Reply) -> bool {
    reply.enhanced.as_deref().is_some_and(|code| SENDERS_FAULTS.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_results_or_few_refusals_stop_nothing() {
        let check = |accepted, refused, most| Results { accepted, refused }.are_too_bad(most);
        assert!(!check(0, 199, 5));
        assert!(check(0, 200, 5));
        assert!(!check(190, 10, 5), "5 % is not more than 5 %");
        assert!(check(189, 11, 5));
        assert!(!check(189, 11, 6));
        assert!(!check(0, 5_000, 100), "100 % switches it off");
    }
}
