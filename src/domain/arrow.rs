//! The arrows of the send ledger: every step that a delivery can take has its name here, and nothing else can
//! happen to one. The store writes each change of a state from these names (`store::arrows`), so that a
//! statement cannot take a step of its own.

use super::delivery::DeliveryState;

macro_rules! arrows {
    ($($(#[$doc:meta])* $name:ident = $word:literal: $($from:ident)|+ => $to:ident,)*) => {
        /// A step of the send ledger. See the module.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Arrow { $($(#[$doc])* $name,)* }

        impl Arrow {
            /// All of them, in the order of a delivery's life.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name, in statements and in messages.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The states in which it begins.
            pub const fn origins(self) -> &'static [DeliveryState] {
                match self { $(Self::$name => &[$(DeliveryState::$from,)+],)* }
            }

            /// The state to which it leads.
            pub const fn end(self) -> DeliveryState {
                match self { $(Self::$name => DeliveryState::$to,)* }
            }
        }
    };
}

arrows! {
    /// A sender takes it in hand.
    Claim = "claim": Planned | Deferred => Claimed,
    /// It goes back untouched: what it waits for is not over, or its sender stopped or died.
    Release = "release": Claimed => Planned,
    /// What holds for it now (consent, suppressions, audience, caps, its template) forbids it.
    Skip = "skip": Claimed => Skipped,
    /// Its final dot is about to go out.
    Transmit = "transmit": Claimed => Transmitting,
    /// The note that it goes out came too late, and nothing went out. A row that may have been seen as
    /// transmitting is not planned again as if nothing had been: it is tried again.
    TakeBack = "take_back": Transmitting => Deferred,
    /// The server took it.
    Accept = "accept": Transmitting => Accepted,
    /// The server, or the way to it, failed for now.
    Defer = "defer": Claimed | Transmitting => Deferred,
    /// The server refused it for good, or the last try in the campaign's patience failed. (A row that waits is
    /// given up by that last try, so no arrow leads from deferred to refused.)
    Refuse = "refuse": Claimed | Transmitting => Refused,
    /// The process or the connection died between the final dot and the noted answer.
    Doubt = "doubt": Transmitting => Uncertain,
    /// What became known says that the server had taken it: somebody's word, an open, a click.
    Confirm = "confirm": Uncertain => Accepted,
    /// What became known says that the server had not taken it.
    Deny = "deny": Uncertain => Refused,
    /// The campaign says `on_uncertain: send_again`, and it was not sent again before.
    SendAgain = "send_again": Uncertain => Planned,
    /// Its run is cancelled while nobody has it in hand.
    Cancel = "cancel": Planned | Deferred => Skipped,
    /// Its contact became another, who has a row in the same run.
    Merge = "merge": Planned | Claimed | Deferred => Skipped,
    /// Its contact is erased.
    Forget = "forget": Planned | Claimed | Deferred => Skipped,
}

impl Arrow {
    /// Whether it begins in this state.
    pub fn begins_in(self, state: DeliveryState) -> bool {
        self.origins().contains(&state)
    }
}

impl DeliveryState {
    /// The states in which a delivery can begin, when its run's recipients are fixed.
    pub const FIRST: [Self; 2] = [Self::Planned, Self::Skipped];

    /// Whether an arrow leads from here to there (product contract, section 9); every other step is refused.
    pub fn may_become(self, next: Self) -> bool {
        Arrow::ALL.iter().any(|arrow| arrow.begins_in(self) && arrow.end() == next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table: what cannot happen is as much of it as what can.
    #[test]
    fn of_all_pairs_these_are_arrows() {
        let mut table = Vec::new();
        for from in DeliveryState::ALL {
            for to in DeliveryState::ALL {
                let named: Vec<_> = Arrow::ALL
                    .iter()
                    .filter(|arrow| arrow.begins_in(*from) && arrow.end() == *to)
                    .map(|arrow| arrow.word())
                    .collect();
                assert_eq!(from.may_become(*to), !named.is_empty());
                if !named.is_empty() {
                    table.push(format!("{} to {}: {}", from.word(), to.word(), named.join(", ")));
                }
            }
        }
        insta::assert_snapshot!(table.join("\n"), @r"
        planned to claimed: claim
        planned to skipped: cancel, merge, forget
        claimed to planned: release
        claimed to transmitting: transmit
        claimed to deferred: defer
        claimed to refused: refuse
        claimed to skipped: skip, merge, forget
        transmitting to accepted: accept
        transmitting to deferred: take_back, defer
        transmitting to refused: refuse
        transmitting to uncertain: doubt
        deferred to claimed: claim
        deferred to skipped: cancel, merge, forget
        uncertain to planned: send_again
        uncertain to accepted: confirm
        uncertain to refused: deny
        ");
    }

    #[test]
    fn settled_rows_stay_settled_and_every_state_is_reached() {
        for state in [DeliveryState::Accepted, DeliveryState::Refused, DeliveryState::Skipped] {
            assert!(DeliveryState::ALL.iter().all(|next| !state.may_become(*next)));
        }
        for state in DeliveryState::ALL {
            let is_reached = Arrow::ALL.iter().any(|arrow| arrow.end() == *state);
            assert!(is_reached || DeliveryState::FIRST.contains(state), "{state:?}");
        }
    }
}
