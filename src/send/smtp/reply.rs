//! What a server said, or what failed on the way to it: as one clean line, and what it decides.
//!
//! | answer, before the message's end | outcome | whose failure |
//! |---|---|---|
//! | 4xx | deferred | this mail's |
//! | 421, 500, 502–504, none, or nonsense | deferred | either's: the server is ill, or cannot bear this mail |
//! | 530, 534, 535, 538 | deferred | the server's: it wants us to log in |
//! | 552 5.3.4 | deferred | the campaign's: its mails are too large for this server |
//! | 5xx to MAIL, RCPT, DATA or the message | refused | the recipient's |
//! | anything but a yes to what comes earlier | deferred | the server's |

use super::answer::{Answer, NoAnswer};
use crate::domain::delivery::{Fault, Reply, TryOutcome};
use crate::domain::time::Timestamp;

/// The enhanced code of a message that is too big for the system (RFC 3463 section 3.4).
const TOO_LARGE: &str = "5.3.4";

/// Longest text that is kept of a reply, in characters.
pub const LONGEST_TEXT: usize = 500;

/// A failure that no server spoke of.
pub fn failure(text: impl AsRef<str>, fault: Fault, at: Timestamp) -> Reply {
    Reply { code: None, enhanced: None, text: one_line(text.as_ref()), fault, at }
}

/// Text as one line: control characters and runs of white space become single spaces.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(LONGEST_TEXT));
    let words = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.chars().count() > LONGEST_TEXT {
        line = line.chars().take(LONGEST_TEXT - 1).collect();
        line.push('…');
    }
    line
}

/// Why a step of the conversation did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server said no.
    Said(Answer),
    /// The connection broke, timed out, or carried nonsense: it is of no more use.
    Broke(String),
}

impl Answer {
    /// For the ledger.
    pub(super) fn into_reply(self, fault: Fault, at: Timestamp) -> Reply {
        let text = self.text();
        Reply {
            code: Some(self.code),
            enhanced: enhanced_code(self.code, &text),
            text: one_line(&text),
            fault,
            at,
        }
    }

    /// What the server did not refuse (2xx, 3xx).
    pub(super) fn unless_refused(self) -> Result<Self, Failure> {
        if self.is_good() { Ok(self) } else { Err(Failure::Said(self)) }
    }

    /// A yes, 2xx: a server that goes on asking (3xx) is elsewhere in the conversation than we are.
    pub(super) fn agreed(self) -> Result<Self, Failure> {
        match self.code {
            200..300 => Ok(self),
            300..400 => Err(Failure::Broke(format!("the server answered {} {}", self.code, self.text()))),
            _ => Err(Failure::Said(self)),
        }
    }

    /// Whose failure it is, in answer to a step of a mail.
    fn fault(&self) -> Fault {
        match self.code {
            421 | 500 | 502..=504 => Fault::Either,
            530 | 534 | 535 | 538 => Fault::Server,
            552 if enhanced_code(552, &self.text()).as_deref() == Some(TOO_LARGE) => Fault::Campaign,
            _ => Fault::Mail,
        }
    }

    /// Whether the answer is about the server or our login rather than about this mail.
    fn is_about_the_server(&self) -> bool {
        matches!(self.fault(), Fault::Server | Fault::Either)
    }
}

impl Failure {
    /// The end of the stream.
    pub(super) fn closed() -> Self {
        Self::Broke("the server closed the connection".to_owned())
    }

    /// What it means before we are ready to send mail: never the recipient's fault.
    pub(super) fn before_mail(self, step: &str, at: Timestamp) -> TryOutcome {
        TryOutcome::Deferred(match self {
            Self::Said(answer) => answer.into_reply(Fault::Server, at),
            Self::Broke(text) => failure(format!("{step}: {text}"), Fault::Server, at),
        })
    }

    /// What it means in answer to MAIL, RCPT, DATA or the whole message.
    pub(super) fn of_mail(self, step: &str, at: Timestamp) -> TryOutcome {
        match self {
            Self::Said(answer) => match answer.fault() {
                Fault::Mail if answer.code >= 500 => TryOutcome::Refused(answer.into_reply(Fault::Mail, at)),
                fault => TryOutcome::Deferred(answer.into_reply(fault, at)),
            },
            Self::Broke(text) => TryOutcome::Deferred(failure(format!("{step}: {text}"), Fault::Either, at)),
        }
    }

    /// Whether the connection can be used for the next mail. One that cannot, and was kept, may have died of age:
    /// a fresh one is worth a try.
    pub(super) fn leaves_the_connection_usable(&self) -> bool {
        matches!(self, Self::Said(answer) if !answer.is_about_the_server())
    }
}

impl From<NoAnswer> for Failure {
    fn from(error: NoAnswer) -> Self {
        Self::Broke(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Broke(error.to_string())
    }
}

/// The enhanced status code at the beginning of a reply's text (RFC 2034), if it agrees with the code.
pub(super) fn enhanced_code(code: u16, text: &str) -> Option<String> {
    let word = text.split_ascii_whitespace().next()?;
    let parts: Vec<&str> = word.split('.').collect();
    let digits =
        |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let agrees = parts.len() == 3 && parts.iter().all(digits) && parts[0] == (code / 100).to_string();
    agrees.then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enhanced_codes_are_found_where_they_agree() {
        let check = |code: u16, text: &str, expected: Option<&str>| {
            assert_eq!(enhanced_code(code, text).as_deref(), expected, "{code} {text}");
        };
        check(550, "5.1.1 no such user", Some("5.1.1"));
        check(451, "4.7.650 try later", Some("4.7.650"));
        check(250, "2.0.0 Ok: queued as 12345", Some("2.0.0"));
        check(550, "4.1.1 no such user", None);
        check(550, "no such user", None);
        check(550, "5.1", None);
        check(550, "5.1.1111 x", None);
        check(550, "", None);
    }

    #[test]
    fn text_is_one_clean_line() {
        assert_eq!(one_line("  no \r\n such\u{0}\u{1b}[31m user\t"), "no such [31m user");
        assert_eq!(one_line(&"ab ".repeat(400)).chars().count(), LONGEST_TEXT);
    }

    #[test]
    fn answers_decide() {
        let at = Timestamp::from_seconds(0);
        let check = |code: u16, word: &str, fault: Fault| {
            let lines = vec!["5.3.4 x".to_owned()];
            let outcome = Failure::Said(Answer { code, lines }).of_mail("RCPT", at);
            let (found, reply) = match outcome {
                TryOutcome::Deferred(reply) => ("deferred", reply),
                TryOutcome::Refused(reply) => ("refused", reply),
                other => panic!("{other:?}"),
            };
            assert_eq!((found, reply.fault), (word, fault), "{code}");
        };
        check(450, "deferred", Fault::Mail);
        check(452, "deferred", Fault::Mail);
        check(421, "deferred", Fault::Either);
        check(501, "refused", Fault::Mail);
        check(503, "deferred", Fault::Either);
        check(530, "deferred", Fault::Server);
        check(550, "refused", Fault::Mail);
        check(552, "deferred", Fault::Campaign);
        check(554, "refused", Fault::Mail);
    }
}
