//! Providers of mailboxes: who is asked for how much at once, and who asks for less. Behind a relay nobody sees which
//! servers take a domain's mail, so a provider is what stands behind the `@`.

use std::collections::BTreeMap;

use super::delivery::{Fault, Reply};
use super::pace::Pace;

/// How mails of one provider may leave; `None`: as the whole transport may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProviderLimits {
    /// So many an hour.
    pub pace: Option<Pace>,
    /// Over so many connections at once.
    pub connections: Option<usize>,
}

/// How fast mails leave by a transport, whatever their campaign.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TransportLimits {
    /// All together.
    pub pace: Option<Pace>,
    /// Domains with limits of their own, in lower case.
    pub domains: BTreeMap<String, ProviderLimits>,
    /// What holds for each other domain by itself.
    pub others: ProviderLimits,
}

impl TransportLimits {
    /// What holds for a domain.
    pub fn of(&self, domain: &str) -> ProviderLimits {
        self.domains.get(domain).copied().unwrap_or(self.others)
    }
}

/// The provider of an address: its domain, in the case in which it is given.
pub fn of_address(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Whether a server asks for less mail to a provider, or cannot be had for it: 421, a 4.7.x (RFC 3463 section 3.8,
/// policy), or a failure of the conversation. 4.7.1 is in it: grey-lists say it of one recipient, and large providers of
/// whoever comes too fast.
pub fn asks_for_less(reply: &Reply) -> bool {
    let is_policy = reply.enhanced.as_deref().is_some_and(|code| code.starts_with("4.7."));
    reply.code == Some(421) || is_policy || reply.fault == Fault::Either
}

/// What is said of a provider's other mails: without the words of its server, which may name somebody.
pub fn demand(reply: &Reply) -> Reply {
    let code = reply.code.map(|code| code.to_string());
    let said: Vec<&str> = code.as_deref().into_iter().chain(reply.enhanced.as_deref()).collect();
    let text = match said.as_slice() {
        [] => "the provider could not be talked to".to_owned(),
        said => format!("the provider asked for less ({})", said.join(" ")),
    };
    Reply { text, ..reply.clone() }
}

/// Whether it may be meant for one recipient alone, as a grey-list means it (RFC 6647 section 2.1): then fewer connections
/// are enough, and nobody has to wait.
pub fn may_mean_one_recipient(reply: &Reply) -> bool {
    reply.code != Some(421) && reply.enhanced.as_deref() == Some("4.7.1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    #[test]
    fn codes_ask_for_less() {
        let check = |code: u16, enhanced: Option<&str>, fault: Fault| {
            let enhanced = enhanced.map(str::to_owned);
            let at = Timestamp::from_seconds(0);
            let reply = Reply { code: Some(code), enhanced, text: String::new(), fault, at };
            (asks_for_less(&reply), may_mean_one_recipient(&reply))
        };
        assert_eq!(check(421, None, Fault::Either), (true, false));
        assert_eq!(check(421, Some("4.7.1"), Fault::Either), (true, false));
        assert_eq!(check(451, Some("4.7.650"), Fault::Mail), (true, false));
        assert_eq!(check(450, Some("4.7.1"), Fault::Mail), (true, true));
        assert_eq!(check(503, Some("5.5.1"), Fault::Either), (true, false));
        assert_eq!(check(452, Some("4.2.2"), Fault::Mail), (false, false));
        assert_eq!(check(550, Some("5.7.1"), Fault::Mail), (false, false));
    }

    #[test]
    fn a_domain_has_its_own_limits_or_those_of_all_others() {
        let own = ProviderLimits { connections: Some(2), pace: None };
        let others = ProviderLimits { connections: Some(4), pace: None };
        let domains = BTreeMap::from([("gmail.com".to_owned(), own)]);
        let limits = TransportLimits { pace: None, domains, others };
        assert_eq!(limits.of(of_address("anna@gmail.com")), own);
        assert_eq!(limits.of(of_address("\"a@b\"@web.de")), others);
        assert_eq!(of_address("nobody"), "");
    }
}
