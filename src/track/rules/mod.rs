//! Who made the requests of one mail's pixel and links: the rules, pure, edition by edition.
//!
//! In this order; the first that applies decides. Every rule has a name, which is kept beside the hit.
//!
//! | rule | reading | applies when |
//! |---|---|---|
//! | `prefetch` | machine | it says itself that nobody asked yet (`Sec-Purpose`, `Purpose`, `X-Moz`), or it comes as Apple's mail privacy does: the user agent is `Mozilla/5.0` and nothing else, or a pixel is fetched from Apple's own network 17.0.0.0/8 |
//! | `head` | machine | it asks for the headers only: nobody sees anything of it |
//! | `program` | machine | its user agent is that of a program, see [`user_agent`] |
//! | `headers` | machine | it says it is a browser and follows a link, but sends no header that every browser sends then (`Accept-Language`; `Accept` with types; `Sec-Fetch-Mode`) |
//! | `too_soon` | machine | it comes before anybody can have read that far: [`OPEN_TAKES`], [`CLICK_TAKES`] |
//! | `burst` | machine | [`BURST_LINKS`] different links of the mail within [`BURST_WITHIN`]; pixels that the same program fetched meanwhile |
//! | `proxy` | human | by a proxy that fetches pictures when somebody looks, and hides who (Gmail, Yahoo) |
//! | `browser` | human | by a browser or mail program that people use |
//! | `unclear` | unknown | none of these |
//! | `many` | unknown | it is one of more hits of one mail than are looked at together |
//!
//! Sources: Apple, "Use Mail Privacy Protection"; Google, "Choose to show or hide images" (Gmail's proxy);
//! Fetch Metadata (W3C) for `Sec-Fetch-*` and `Sec-Purpose`. The limits of time are ours: a mail is filed,
//! announced, opened and read before a finger is on a link; scanners follow all links while, or just after,
//! the mail is handed over.

mod names;
pub mod user_agent;

use std::time::Duration;

use self::user_agent::Program;
use crate::domain::engagement::{Agent, EngagementKind, Hit, Reading, RequestFacts, Rule};
use crate::domain::time::Timestamp;

/// The edition of these rules; kept beside what they read. `campaignd reclassify` applies a newer one to
/// the past.
pub const EDITION: i64 = 1;

/// Between the acceptance of a mail and the first picture that a person can have loaded, at least.
pub const OPEN_TAKES: Duration = Duration::from_secs(2);
/// Between the acceptance of a mail and the first link that a person can have followed, at least.
pub const CLICK_TAKES: Duration = Duration::from_secs(5);
/// So many different links of one mail at once are no person's.
pub const BURST_LINKS: usize = 3;
/// What "at once" is.
pub const BURST_WITHIN: Duration = Duration::from_secs(2);

/// What is known beside the hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Circumstances {
    /// When the mail was taken by its server; `None`: not known, or not one mail.
    pub accepted_at: Option<Timestamp>,
}

/// Reads all hits of one delivery together, in the order of their times; the answers are in that order. Of
/// hits without user agent and network (their person was erased) nothing can be said.
pub fn read(circumstances: &Circumstances, hits: &[Hit]) -> Vec<Reading> {
    let bursts = bursts(hits);
    hits.iter().zip(bursts).map(|(hit, in_burst)| read_one(circumstances, hit, in_burst)).collect()
}

/// Reads a hit of which nothing else is known.
pub fn read_alone(hit: &Hit) -> Reading {
    read_one(&Circumstances::default(), hit, false)
}

fn read_one(circumstances: &Circumstances, hit: &Hit, in_burst: bool) -> Reading {
    let machine = |rule| Reading { agent: Agent::Machine, rule };
    let request = &hit.request;
    let program = user_agent::program(request.user_agent.as_deref());
    if is_prefetch(hit, program) {
        return machine(Rule::Prefetch);
    }
    if request.head {
        return machine(Rule::Head);
    }
    if program == Program::Machine {
        return machine(Rule::Program);
    }
    let is_click = hit.kind == EngagementKind::Clicked;
    let lacks_all = lacks_headers(request);
    if is_click && lacks_all && matches!(program, Program::Browser | Program::App) {
        return machine(Rule::Headers);
    }
    let takes = if is_click { CLICK_TAKES } else { OPEN_TAKES };
    if circumstances.accepted_at.is_some_and(|accepted| hit.at < accepted.plus(takes)) {
        return machine(Rule::TooSoon);
    }
    if in_burst {
        return machine(Rule::Burst);
    }
    match program {
        Program::Proxy => Reading { agent: Agent::Human, rule: Rule::Proxy },
        Program::Browser => Reading { agent: Agent::Human, rule: Rule::Browser },
        // An app that we do not know, on a phone: believed when it behaves as browsers do.
        Program::App if !lacks_all => Reading { agent: Agent::Human, rule: Rule::Browser },
        _ => Reading { agent: Agent::Unknown, rule: Rule::Unclear },
    }
}

fn is_prefetch(hit: &Hit, program: Program) -> bool {
    let request = &hit.request;
    let says_so = request.purpose.as_deref().is_some_and(|purpose| {
        let purpose = purpose.to_ascii_lowercase();
        ["prefetch", "prerender", "preview"].iter().any(|word| purpose.contains(word))
    });
    let is_apples = hit.kind == EngagementKind::Opened
        && request.network.as_deref().is_some_and(|network| network.starts_with("17."));
    says_so || is_apples || program == Program::Prefetch
}

/// Whether none of the headers is there that browsers send when a link is followed.
fn lacks_headers(request: &RequestFacts) -> bool {
    let accepts_all = request.accept.as_deref().is_none_or(|accept| matches!(accept.trim(), "" | "*/*"));
    request.accept_language.is_none() && request.fetch.is_none() && accepts_all
}

/// Which hits belong to a burst.
fn bursts(hits: &[Hit]) -> Vec<bool> {
    let mut in_burst = vec![false; hits.len()];
    let clicks: Vec<usize> =
        (0..hits.len()).filter(|index| hits[*index].kind == EngagementKind::Clicked).collect();
    for (first, start) in clicks.iter().enumerate() {
        let until = hits[*start].at.plus(BURST_WITHIN);
        let within: Vec<usize> =
            clicks[first..].iter().copied().take_while(|index| hits[*index].at <= until).collect();
        let mut links: Vec<i64> = within.iter().map(|index| hits[*index].link).collect();
        links.sort_unstable();
        links.dedup();
        if links.len() < BURST_LINKS {
            continue;
        }
        for index in &within {
            in_burst[*index] = true;
        }
        // The pixel that the same program fetched on its way.
        let from = hits[*start].at.minus(BURST_WITHIN);
        for (index, hit) in hits.iter().enumerate() {
            let is_near = hit.kind == EngagementKind::Opened && hit.at >= from && hit.at <= until;
            in_burst[index] |= is_near && within.iter().any(|click| is_same(&hits[*click], hit));
        }
    }
    in_burst
}

/// Whether two hits were made by the same program, as far as one can see.
fn is_same(left: &Hit, right: &Hit) -> bool {
    left.request.user_agent == right.request.user_agent && left.request.network == right.request.network
}

#[cfg(test)]
mod tests;
