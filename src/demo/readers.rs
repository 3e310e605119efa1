//! What made-up readers, and the machines around them, do with a mail: when, with which program.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::domain::time::Timestamp;

use super::inbox::Mail;
use super::people::{Person, weighted};

/// Something that is done to the public server, or a consequence of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Action {
    pub(super) at: Timestamp,
    pub(super) deed: Deed,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// A request.
    Visit {
        /// The method and the path.
        request: (Method, String),
        /// With what.
        program: Program,
        /// The last part of the reader's address.
        network: u8,
    },
    /// What was looked at is bought.
    Buy,
}

/// How something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Head,
    /// One-Click of RFC 8058.
    Post,
}

/// What makes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// Gmail's image proxy: somebody looks, and it hides who.
    GmailProxy,
    /// Apple's mail privacy, which fetches pictures whether anybody looks or not.
    ApplePrivacy,
    /// A browser or mail program on a phone.
    Phone,
    /// One on a desk.
    Desk,
    /// A mail program that does not say what it is.
    Silent,
    /// A company's scanner, which follows every link.
    Scanner,
}

impl Program {
    /// Its `User-Agent`.
    pub(super) const fn user_agent(self) -> Option<&'static str> {
        let text = match self {
            Self::GmailProxy => {
                "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
            }
            Self::ApplePrivacy => "Mozilla/5.0",
            Self::Phone => {
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
            }
            Self::Desk => "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            Self::Silent => return None,
            Self::Scanner => {
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
            }
        };
        Some(text)
    }

    /// Whether it sends what browsers send.
    pub(super) const fn is_browser(self) -> bool {
        matches!(self, Self::Phone | Self::Desk)
    }
}

/// How somebody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taste {
    /// Nearly everything.
    Keen,
    /// What sounds good.
    Usual,
    /// Now and then.
    Seldom,
    /// Nothing.
    Never,
}

impl Taste {
    /// Opens of 100 mails, clicks of 100 opens, purchases of 100 clicks, unsubscribes of 1,000 mails.
    const fn habits(self) -> [u32; 4] {
        match self {
            Self::Keen => [82, 34, 22, 1],
            Self::Usual => [46, 20, 14, 4],
            Self::Seldom => [16, 12, 8, 14],
            Self::Never => [0, 0, 0, 6],
        }
    }
}

/// A person in front of their mail.
#[derive(Debug)]
pub(super) struct Reader {
    taste: Taste,
    /// Fetches pictures.
    pictures: Program,
    /// Follows links.
    browser: Program,
    has_scanner: bool,
    network: u8,
    /// Mails that were read so far.
    mails: u64,
    seed: u64,
}

impl Reader {
    pub(super) fn of(person: &Person) -> Self {
        // A stream of its own, apart from what the person buys.
        let seed = person.seed.rotate_left(17) ^ 0x7265_6164_6572;
        let mut chance = StdRng::seed_from_u64(seed);
        let taste = weighted(
            &mut chance,
            [(Taste::Keen, 20), (Taste::Usual, 38), (Taste::Seldom, 24), (Taste::Never, 18)],
        );
        let programs = [
            ((Program::GmailProxy, Program::Phone), 24),
            ((Program::GmailProxy, Program::Desk), 14),
            ((Program::ApplePrivacy, Program::Phone), 18),
            ((Program::Phone, Program::Phone), 22),
            ((Program::Desk, Program::Desk), 17),
            ((Program::Silent, Program::Silent), 5),
        ];
        let (pictures, browser) = weighted(&mut chance, programs);
        let has_scanner = person.company.is_some() && chance.random_bool(0.6);
        Self { taste, pictures, browser, has_scanner, network: chance.random(), mails: 0, seed }
    }

    /// Whether they would have opened a mail of the shop's former program.
    pub(super) fn opened_before(&self, chance: &mut StdRng) -> bool {
        chance.random_range(0..100) < self.taste.habits()[0]
    }

    /// What they and their machines do with a mail that was sent at `sent`.
    pub(super) fn read(&mut self, mail: &Mail, sent: Timestamp) -> Vec<Action> {
        self.mails += 1;
        let mut chance = StdRng::seed_from_u64(self.seed.wrapping_add(self.mails));
        let mut actions = Vec::new();
        self.machines(mail, sent, &mut chance, &mut actions);
        let [opens, clicks, buys, leaves] = self.taste.habits();
        if chance.random_range(0..100) < opens {
            let at = sent.plus(Duration::from_secs(opened_after(&mut chance)));
            // Apple's machines have fetched the picture; that somebody looks now, nobody sees.
            if self.pictures != Program::ApplePrivacy {
                self.visit(at, Method::Get, mail.pixel.as_ref(), self.pictures, &mut actions);
            }
            if chance.random_range(0..100) < clicks {
                let at = at.plus(Duration::from_secs(chance.random_range(20..150)));
                // Most follow the first link after the shop's name: the button.
                let place = if chance.random_bool(0.75) { 1 } else { chance.random_range(0..6) };
                let link = mail.links.get(place).or(mail.links.first());
                self.visit(at, Method::Get, link, self.browser, &mut actions);
                if link.is_some() && chance.random_range(0..100) < buys {
                    let at = at.plus(Duration::from_secs(chance.random_range(240..2_400)));
                    actions.push(Action { at, deed: Deed::Buy });
                }
            }
        }
        if chance.random_range(0..1_000) < leaves {
            let at = sent.plus(Duration::from_secs(opened_after(&mut chance) + 60));
            // The page asks; it is the second request that acts.
            self.visit(at, Method::Get, mail.unsubscribe.as_ref(), self.browser, &mut actions);
            let at = at.plus(Duration::from_secs(9));
            self.visit(at, Method::Post, mail.unsubscribe.as_ref(), self.browser, &mut actions);
        }
        actions
    }

    /// What happens before anybody looks.
    fn machines(&self, mail: &Mail, sent: Timestamp, chance: &mut StdRng, actions: &mut Vec<Action>) {
        if self.pictures == Program::ApplePrivacy {
            let at = sent.plus(Duration::from_secs(chance.random_range(90..7_200)));
            self.visit(at, Method::Get, mail.pixel.as_ref(), Program::ApplePrivacy, actions);
        }
        if self.has_scanner {
            let start = sent.plus(Duration::from_secs(chance.random_range(1..40)));
            self.visit(start, Method::Head, mail.pixel.as_ref(), Program::Scanner, actions);
            for (place, link) in (0_u64..).zip(&mail.links) {
                let at = start.plus(Duration::from_millis(100 + 150 * place));
                self.visit(at, Method::Get, Some(link), Program::Scanner, actions);
            }
        }
    }

    fn visit(
        &self,
        at: Timestamp,
        method: Method,
        path: Option<&String>,
        program: Program,
        actions: &mut Vec<Action>,
    ) {
        if let Some(path) = path {
            let request = (method, path.clone());
            actions.push(Action { at, deed: Deed::Visit { request, program, network: self.network } });
        }
    }
}

/// Seconds from a mail's arrival to the moment at which it is opened: half of them within three hours,
/// nearly all within two days.
fn opened_after(chance: &mut StdRng) -> u64 {
    let minutes = match chance.random_range(0..100) {
        0..30 => chance.random_range(3..45),
        30..55 => chance.random_range(45..180),
        55..85 => chance.random_range(180..1_440),
        _ => chance.random_range(1_440..3_600),
    };
    minutes * 60 + chance.random_range(0..60)
}
