//! A mail server that others wrote.

use std::collections::BTreeMap;

use super::{email_to, line};
use crate::send::deliver;
use crate::support::aiosmtpd::Aiosmtpd;
use campaignd::send::{SmtpOptions, SmtpTimeouts, SmtpTls, Transport};

#[tokio::test]
async fn aiosmtpd_takes_refuses_and_defers() {
    let server = Aiosmtpd::start();
    let transport = Transport::smtp(SmtpOptions {
        host: "127.0.0.1".to_owned(),
        port: server.port(),
        tls: SmtpTls::None,
        credentials: None,
        connections: 1,
        ca_file: None,
        hello_name: None,
        timeouts: SmtpTimeouts::default(),
    })
    .unwrap();
    let mut lane = transport.open();
    let mut outcomes = Vec::new();
    for (number, recipient) in [
        "anna@shop.example",
        "anna.refused-at-rcpt@shop.example",
        "anna.refused-at-end@shop.example",
        "anna.deferred-once@shop.example",
        "anna.deferred-once@shop.example",
        "élodie@shop.example",
        "bert@müller.example",
    ]
    .into_iter()
    .enumerate()
    {
        let email = email_to(recipient, number);
        outcomes.push(line(&deliver(&mut lane, &email).await));
    }
    lane.close().await;
    insta::assert_snapshot!(outcomes.join("\n"), @r"
accepted 250 [2.0.0]: 2.0.0 taken
refused 550 [5.1.1]: 5.1.1 no such user
refused 550 [5.7.1]: 5.7.1 not wanted here
deferred 451 [4.7.1]: 4.7.1 greylisted, try again
accepted 250 [2.0.0]: 2.0.0 taken
accepted 250 [2.0.0]: 2.0.0 taken
accepted 250 [2.0.0]: 2.0.0 taken
");
    let taken: BTreeMap<String, String> =
        server.mails().into_iter().map(|mail| (mail.message_id, mail.recipient)).collect();
    let expected = [
        ("<0@shop.example>", "anna@shop.example"),
        ("<4@shop.example>", "anna.deferred-once@shop.example"),
        ("<5@shop.example>", "élodie@shop.example"),
        ("<6@shop.example>", "bert@xn--mller-kva.example"),
    ];
    assert_eq!(taken, expected.map(|(id, recipient)| (id.to_owned(), recipient.to_owned())).into());
}
