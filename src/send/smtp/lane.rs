//! A lane: one mail after the other over one connection, which is opened when it is needed, kept,
//! and opened again after a failure.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::domain::delivery::{Fault, TryOutcome};
use crate::domain::email::Email;
use crate::domain::time::Timestamp;
use crate::edge;
use crate::send::{HandoverStopped, Lease};

use super::Server;
use super::answer::Answer;
use super::connection::Connection;
use super::message::WireMessage;
use super::reply::{self, Failure};

/// One connection's worth of a mail server.
#[derive(Debug)]
pub struct SmtpLane {
    server: Arc<Server>,
    lease: Lease,
    connection: Option<Connection>,
}

/// Why a mail did not get as far as the message itself.
enum Stopped {
    /// The server cannot take it, as we saw from what it offers; nothing was said.
    Unfit(Unfit),
    /// A step failed.
    Failed { step: &'static str, failure: Failure },
}

/// What a server does not offer, and whose mail needs it.
enum Unfit {
    /// This recipient's alone.
    Recipient(String),
    /// All of the campaign, or so many that it is better looked at.
    Campaign(String),
}

impl Stopped {
    fn at(step: &'static str) -> impl Fn(Failure) -> Self {
        move |failure| Self::Failed { step, failure }
    }
}

impl SmtpLane {
    pub(super) fn new(server: Arc<Server>, lease: Lease) -> Self {
        Self { server, lease, connection: None }
    }

    pub(in crate::send) async fn deliver<F, Fut>(
        &mut self,
        email: &Email,
        before_dot: F,
        now: Timestamp,
    ) -> TryOutcome
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<(), HandoverStopped>>,
    {
        let message = WireMessage::new(&email.bytes);
        // From here on the connection is ours: when this future is dropped half way, or anything
        // is unclear, it is closed by being forgotten.
        let mut connection = match self.ready_for_message(email, &message, now).await {
            Ok(connection) => connection,
            Err(outcome) => return outcome,
        };
        edge::pass("the server waits for the message");
        if let Err(stopped) = before_dot().await {
            return TryOutcome::Deferred(reply::failure(stopped.to_string(), Fault::Mail, now));
        }
        edge::pass("the message may go");
        let mut sent = 0;
        if let Err(failure) = connection.send_message(&message.bytes, &mut sent, &self.lease).await {
            // The server cannot have taken a message whose final dot was not even begun.
            return if sent <= message.before_dot && !self.lease.holds() {
                TryOutcome::Deferred(reply::failure(LEASE_IS_OVER, Fault::Mail, now))
            } else if sent <= message.before_dot {
                failure.of_mail("sending the message", now)
            } else {
                uncertain(failure, now)
            };
        }
        edge::pass("the message is out");
        let answer = connection.answer(connection.timeouts().final_reply).await;
        edge::pass("the message is answered");
        match answer.and_then(Answer::agreed) {
            Ok(answer) => {
                // 250 is the only yes there is (RFC 5321 section 4.3.2): with another, or one too many, the mail is
                // taken, and the server elsewhere in the conversation than we are.
                if answer.code == 250 && connection.is_in_step() {
                    connection.touch();
                    self.connection = Some(connection);
                }
                TryOutcome::Accepted(answer.into_reply(Fault::Mail, now))
            }
            Err(failure @ Failure::Said(_)) => {
                if failure.leaves_the_connection_usable() && connection.is_in_step() {
                    connection.touch();
                    self.connection = Some(connection);
                }
                failure.of_mail("the message", now)
            }
            Err(failure @ Failure::Broke(_)) => uncertain(failure, now),
        }
    }

    /// Says goodbye to a server that was not needed for a while: servers have few places, and close those that
    /// idle anyway.
    pub(in crate::send) async fn close_if_idle(&mut self) {
        if let Some(connection) = self.connection.take_if(|connection| connection.is_idle()) {
            connection.quit().await;
        }
    }

    pub(in crate::send) async fn close(self) {
        if let Some(connection) = self.connection {
            connection.quit().await;
        }
    }

    /// A connection on which the server waits for the message, or how the try ended.
    async fn ready_for_message(
        &mut self,
        email: &Email,
        message: &WireMessage,
        now: Timestamp,
    ) -> Result<Connection, TryOutcome> {
        let kept = self.connection.take().and_then(|mut kept| kept.is_fresh().then_some(kept));
        if let Some(mut kept) = kept {
            match envelope(&mut kept, email, message).await {
                // Servers close connections that are old or have carried enough, or lose their place in a
                // conversation: nothing was handed over, so a fresh one may try.
                Err(Stopped::Failed { failure, .. }) if !failure.leaves_the_connection_usable() => {}
                other => return self.settle(kept, other, now).await,
            }
        }
        let mut fresh = match Box::pin(Connection::open(&self.server)).await {
            Ok(connection) => connection,
            Err(stopped) => return Err(stopped.failure.before_mail(&stopped.step, now)),
        };
        let result = envelope(&mut fresh, email, message).await;
        self.settle(fresh, result, now).await
    }

    /// Keeps or drops the connection after the envelope.
    async fn settle(
        &mut self,
        mut connection: Connection,
        result: Result<(), Stopped>,
        now: Timestamp,
    ) -> Result<Connection, TryOutcome> {
        match result {
            Ok(()) => Ok(connection),
            Err(Stopped::Unfit(unfit)) => {
                self.connection = Some(connection);
                Err(match unfit {
                    Unfit::Recipient(text) => TryOutcome::Refused(reply::failure(text, Fault::Mail, now)),
                    Unfit::Campaign(text) => TryOutcome::Deferred(reply::failure(text, Fault::Campaign, now)),
                })
            }
            Err(Stopped::Failed { step, failure }) => {
                let usable = failure.leaves_the_connection_usable()
                    && connection.is_in_step()
                    && connection.command("RSET\r\n").await.and_then(Answer::agreed).is_ok();
                if usable {
                    connection.touch();
                    self.connection = Some(connection);
                }
                Err(failure.of_mail(step, now))
            }
        }
    }
}

/// MAIL, RCPT, DATA, up to 354: in one write, and so in one round trip, where the server offers PIPELINING
/// (RFC 2920 section 3.1 lets DATA be the last of a group).
async fn envelope(connection: &mut Connection, email: &Email, message: &WireMessage) -> Result<(), Stopped> {
    let (sender, recipient) = (email.sender.on_the_wire(), email.recipient.on_the_wire());
    let mail = mail_command(connection, &sender, &recipient, message).map_err(Stopped::Unfit)?;
    let rcpt = format!("RCPT TO:<{recipient}>\r\n");
    let timeouts = connection.timeouts();
    if !connection.extensions().pipelining {
        connection.command(&mail).await.and_then(Answer::agreed).map_err(Stopped::at("MAIL"))?;
        connection.command(&rcpt).await.and_then(Answer::agreed).map_err(Stopped::at("RCPT"))?;
        connection.send(DATA).await.map_err(Stopped::at("DATA"))?;
        let data = connection.answer(timeouts.data).await;
        return go_ahead(connection, data);
    }
    let group = [mail.as_bytes(), rcpt.as_bytes(), DATA].concat();
    connection.send(&group).await.map_err(Stopped::at("MAIL, RCPT and DATA"))?;
    edge::pass("MAIL, RCPT and DATA are out");
    let mail = connection.answer(timeouts.command).await.and_then(Answer::agreed);
    if let Err(failure) = mail.as_ref().map(drop)
        && !failure.leaves_the_connection_usable()
    {
        return Err(Stopped::at("MAIL")(failure.clone()));
    }
    let rcpt = connection.answer(timeouts.command).await.and_then(Answer::agreed);
    if mail.is_ok()
        && let Err(failure) = rcpt.as_ref().map(drop)
        && !failure.leaves_the_connection_usable()
    {
        return Err(Stopped::at("RCPT")(failure.clone()));
    }
    // Read even if the others are a no, else it would be taken for another's.
    let data = connection.answer(timeouts.data).await;
    let (refused, waits) = (rcpt.is_err(), data.as_ref().is_ok_and(|answer| answer.code == 354));
    if let Err(failure) = mail.map_err(Stopped::at("MAIL")).and(rcpt.map_err(Stopped::at("RCPT"))) {
        if waits {
            end_what_nobody_gets(connection, refused).await;
        }
        return Err(failure);
    }
    go_ahead(connection, data)
}

/// The server waits for the message, and for nothing else.
fn go_ahead(connection: &Connection, answer: Result<Answer, Failure>) -> Result<(), Stopped> {
    let answer = answer.and_then(Answer::unless_refused).map_err(Stopped::at("DATA"))?;
    let confused = match answer.code {
        354 if connection.is_in_step() => return Ok(()),
        354 => "the server said more than 354".to_owned(),
        code => format!("the server answered {code} instead of 354"),
    };
    Err(Stopped::at("DATA")(Failure::Broke(confused)))
}

/// Some servers say 354 although they refused the only recipient. Then they get an empty message, which they must
/// refuse (RFC 2920 section 3.1); one that took the recipient of a mail that it refused might deliver that.
async fn end_what_nobody_gets(connection: &mut Connection, recipient_is_refused: bool) {
    let ended =
        recipient_is_refused && connection.command(".\r\n").await.is_ok_and(|answer| !answer.is_good());
    if !ended {
        connection.distrust();
    }
}

/// Why a message that was begun was not ended.
const LEASE_IS_OVER: &str = "this daemon gave no sign of life for too long";

/// The command before the message.
const DATA: &[u8] = b"DATA\r\n";

/// `MAIL FROM` with what the server needs to know of the message; an error where it cannot take it.
fn mail_command(
    connection: &Connection,
    sender: &str,
    recipient: &str,
    message: &WireMessage,
) -> Result<String, Unfit> {
    let extensions = connection.extensions();
    let mut command = format!("MAIL FROM:<{sender}>");
    if extensions.size.is_some() {
        if extensions.is_too_large(message.before_dot) {
            return Err(Unfit::Campaign(format!(
                "a message has {} bytes, and the server takes at most {}",
                message.before_dot,
                extensions.size.unwrap_or_default()
            )));
        }
        // Writing to a string cannot fail.
        write!(command, " SIZE={}", message.before_dot).ok();
    }
    if message.eight_bit {
        if !extensions.eight_bit_mime {
            let text = "a message has bytes beyond ASCII, and the server does not offer 8BITMIME";
            return Err(Unfit::Campaign(text.to_owned()));
        }
        command.push_str(" BODY=8BITMIME");
    }
    let international = [sender, recipient].into_iter().find(|address| !address.is_ascii());
    if international.is_some() || message.eight_bit_headers {
        if !extensions.smtputf8 {
            let unfit =
                |what: &str| format!("{what} is not in ASCII, and the server does not offer SMTPUTF8");
            return Err(if !sender.is_ascii() {
                Unfit::Campaign(unfit("the sender's address"))
            } else if international.is_some() {
                Unfit::Recipient(unfit("the address"))
            } else {
                Unfit::Campaign(unfit("a header of a message"))
            });
        }
        command.push_str(" SMTPUTF8");
    }
    command.push_str("\r\n");
    Ok(command)
}

fn uncertain(failure: Failure, now: Timestamp) -> TryOutcome {
    let text = match failure {
        Failure::Broke(text) => text,
        Failure::Said(answer) => answer.text(),
    };
    let text = format!("no clear answer to the message, which was sent whole: {text}");
    TryOutcome::Uncertain(reply::failure(text, Fault::Server, now))
}
