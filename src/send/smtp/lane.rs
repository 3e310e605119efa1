//! A lane: one mail after the other over one connection, which is opened when it is needed, kept,
//! and opened again after a failure.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::domain::delivery::{Reply, TryOutcome};
use crate::domain::email::Email;
use crate::domain::time::Timestamp;
use crate::send::HandoverStopped;

use super::Server;
use super::connection::Connection;
use super::message::WireMessage;
use super::reply::{self, Answer, Failure};

/// One connection's worth of a mail server.
#[derive(Debug)]
pub struct SmtpLane {
    server: Arc<Server>,
    connection: Option<Connection>,
}

/// Why a mail did not get as far as the message itself.
enum Stopped {
    /// The server cannot take it, as we saw from what it offers; nothing was said.
    Unfit(String),
    /// A step failed.
    Failed { step: &'static str, failure: Failure },
}

impl Stopped {
    fn at(step: &'static str) -> impl Fn(Failure) -> Self {
        move |failure| Self::Failed { step, failure }
    }
}

impl SmtpLane {
    pub(super) fn new(server: Arc<Server>) -> Self {
        Self { server, connection: None }
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
        if let Err(stopped) = before_dot().await {
            return TryOutcome::Deferred(reply::failure(stopped.to_string(), false, now));
        }
        let mut sent = 0;
        if let Err(failure) = connection.write_counted(&message.bytes, &mut sent).await {
            // The server cannot have taken a message whose final dot was not even begun.
            return if sent <= message.before_dot {
                failure.of_mail("sending the message", now)
            } else {
                uncertain(failure, now)
            };
        }
        let patience = self.server.options.timeouts.final_reply;
        match connection.answer(patience).await {
            Ok(answer) if (200..300).contains(&answer.code) => {
                connection.touch();
                self.connection = Some(connection);
                TryOutcome::Accepted(answer.into_reply(false, now))
            }
            Ok(answer) => {
                uncertain(Failure::Broke(format!("the server answered {} {}", answer.code, answer.text)), now)
            }
            Err(failure @ Failure::Said(_)) => {
                if failure.leaves_the_connection_usable() {
                    connection.touch();
                    self.connection = Some(connection);
                }
                failure.of_mail("the message", now)
            }
            Err(failure @ Failure::Broke(_)) => uncertain(failure, now),
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
        let idle = self.server.options.timeouts.idle;
        if let Some(mut kept) = self.connection.take().filter(|kept| kept.is_fresh(idle)) {
            match envelope(&mut kept, email, message).await {
                // Servers close connections that are old or have carried enough: nothing was
                // handed over, so a fresh one may try.
                Err(Stopped::Failed { failure, .. }) if failure.may_be_of_age() => {}
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
            Err(Stopped::Unfit(text)) => {
                self.connection = Some(connection);
                Err(TryOutcome::Refused(reply::failure(text, false, now)))
            }
            Err(Stopped::Failed { step, failure }) => {
                let usable =
                    failure.leaves_the_connection_usable() && connection.command("RSET\r\n").await.is_ok();
                if usable {
                    connection.touch();
                    self.connection = Some(connection);
                }
                Err(failure.of_mail(step, now))
            }
        }
    }
}

/// MAIL, RCPT, DATA, up to 354.
async fn envelope(connection: &mut Connection, email: &Email, message: &WireMessage) -> Result<(), Stopped> {
    let (sender, recipient) = (email.sender.on_the_wire(), email.recipient.on_the_wire());
    let mail = mail_command(connection, &sender, &recipient, message).map_err(Stopped::Unfit)?;
    let rcpt = format!("RCPT TO:<{recipient}>\r\n");
    if connection.extensions().pipelining {
        connection.write(format!("{mail}{rcpt}").as_bytes()).await.map_err(Stopped::at("MAIL and RCPT"))?;
        let patience = connection.command_timeout();
        let mail_answer = connection.answer(patience).await;
        if let Err(failure @ Failure::Broke(_)) = mail_answer {
            return Err(Stopped::at("MAIL")(failure));
        }
        // Read even if MAIL's answer is no, else it would be taken for another's.
        let rcpt_answer = connection.answer(patience).await;
        mail_answer.and_then(agreed).map_err(Stopped::at("MAIL"))?;
        rcpt_answer.and_then(agreed).map_err(Stopped::at("RCPT"))?;
    } else {
        connection.command(&mail).await.and_then(agreed).map_err(Stopped::at("MAIL"))?;
        connection.command(&rcpt).await.and_then(agreed).map_err(Stopped::at("RCPT"))?;
    }
    let answer = connection.command("DATA\r\n").await.map_err(Stopped::at("DATA"))?;
    let confused = match answer.code {
        354 if connection.is_in_step() => return Ok(()),
        354 => "the server said more than 354".to_owned(),
        code => format!("the server answered {code} instead of 354"),
    };
    Err(Stopped::at("DATA")(Failure::Broke(confused)))
}

/// A yes is 2xx: a server that goes on asking (3xx) is elsewhere in the conversation than we are.
fn agreed(answer: Answer) -> Result<Answer, Failure> {
    match answer.code {
        200..300 => Ok(answer),
        code => Err(Failure::Broke(format!("the server answered {code} {}", answer.text))),
    }
}

/// `MAIL FROM` with what the server needs to know of the message; an error where it cannot take it.
fn mail_command(
    connection: &Connection,
    sender: &str,
    recipient: &str,
    message: &WireMessage,
) -> Result<String, String> {
    let extensions = connection.extensions();
    let mut command = format!("MAIL FROM:<{sender}>");
    if extensions.size.is_some() {
        if extensions.is_too_large(message.before_dot) {
            return Err(format!(
                "the message has {} bytes, and the server takes at most {}",
                message.before_dot,
                extensions.size.unwrap_or_default()
            ));
        }
        // Writing to a string cannot fail.
        write!(command, " SIZE={}", message.before_dot).ok();
    }
    if message.eight_bit {
        if !extensions.eight_bit_mime {
            return Err(
                "the message has bytes beyond ASCII, and the server does not offer 8BITMIME".to_owned()
            );
        }
        command.push_str(" BODY=8BITMIME");
    }
    let international = [sender, recipient].into_iter().find(|address| !address.is_ascii());
    if international.is_some() || message.eight_bit_headers {
        if !extensions.smtputf8 {
            let what = if international == Some(sender) {
                "the sender's address"
            } else if international.is_some() {
                "the address"
            } else {
                "a header of the message"
            };
            return Err(format!("{what} is not in ASCII, and the server does not offer SMTPUTF8"));
        }
        command.push_str(" SMTPUTF8");
    }
    command.push_str("\r\n");
    Ok(command)
}

fn uncertain(failure: Failure, now: Timestamp) -> TryOutcome {
    let text = match failure {
        Failure::Broke(text) => text,
        Failure::Said(answer) => answer.text,
    };
    let text = format!("no clear answer to the message, which was sent whole: {text}");
    TryOutcome::Uncertain(Reply { server_failed: true, ..reply::failure(text, true, now) })
}
