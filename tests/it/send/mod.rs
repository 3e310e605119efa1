//! Handing mails over: what each way of failing means, and that nothing is sent twice or in the clear.

mod aiosmtpd;
mod folder;
mod lanes;
mod phases;
mod pipelining;
mod tls;

use campaignd::domain::address::EmailAddress;
use campaignd::domain::delivery::{Fault, Reply, TryOutcome};
use campaignd::domain::email::Email;
use campaignd::domain::time::Timestamp;
use campaignd::send::{HandoverStopped, Lane, SmtpOptions, SmtpTimeouts, SmtpTls, Transport};

use crate::support::smtp::SmtpServer;

fn now() -> Timestamp {
    Timestamp::from_seconds(1_795_420_000)
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A small mail to somebody; `number` makes its Message-ID.
fn email_to(recipient: &str, number: usize) -> Email {
    let message_id = format!("<{number}@shop.example>");
    let text = format!(
        "From: Shop <news@shop.example>\r\nTo: somebody\r\nSubject: hello\r\n\
         Date: Mon, 23 Nov 2026 07:39:49 +0000\r\nMessage-ID: {message_id}\r\n\r\n.first\r\nhello\r\n"
    );
    Email {
        sender: address("news@shop.example"),
        recipient: address(recipient),
        message_id,
        bytes: text.into_bytes(),
    }
}

fn options(server: &SmtpServer) -> SmtpOptions {
    SmtpOptions {
        host: "127.0.0.1".to_owned(),
        port: server.port(),
        tls: SmtpTls::None,
        credentials: None,
        connections: 1,
        ca_file: None,
        hello_name: Some("client.shop.example".to_owned()),
        timeouts: SmtpTimeouts::default(),
    }
}

fn lane_to(server: &SmtpServer) -> Lane {
    lane_with(options(server))
}

fn lane_with(options: SmtpOptions) -> Lane {
    Transport::smtp(options).unwrap_or_else(|error| panic!("{error}")).open()
}

async fn deliver(lane: &mut Lane, email: &Email) -> TryOutcome {
    lane.deliver(email, || async { Ok::<(), HandoverStopped>(()) }, now()).await
}

/// An outcome as a line: what, whose failure, code, enhanced code, text.
fn line(outcome: &TryOutcome) -> String {
    let (word, reply) = match outcome {
        TryOutcome::Accepted(reply) => ("accepted", reply),
        TryOutcome::Deferred(reply) => ("deferred", reply),
        TryOutcome::Refused(reply) => ("refused", reply),
        TryOutcome::Uncertain(reply) => ("uncertain", reply),
    };
    let Reply { code, enhanced, text, fault, .. } = reply;
    let code = code.map(|code| format!(" {code}")).unwrap_or_default();
    let enhanced = enhanced.as_ref().map(|enhanced| format!(" [{enhanced}]")).unwrap_or_default();
    let whose = match fault {
        Fault::Mail => "",
        Fault::Server => " (server)",
        Fault::Either => " (server?)",
        Fault::Campaign => " (campaign)",
    };
    format!("{word}{whose}{code}{enhanced}: {text}")
}
