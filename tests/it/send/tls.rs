//! Encryption and logging in: nothing goes out in the clear unless the settings say so.

use std::path::PathBuf;

use campaignd::domain::delivery::TryOutcome;
use campaignd::send::{SmtpCredentials, SmtpOptions, SmtpTls, Transport};
use insta::assert_snapshot;

use super::{deliver, email_to, lane_with, line, options};
use crate::support::smtp::{Action, SmtpServer, SmtpServerOptions, Step, certificate};

/// The server's certificate as a file that the client trusts.
fn ca_file(folder: &tempfile::TempDir, pem: &str) -> PathBuf {
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, pem).expect("a file");
    path
}

fn credentials(password: &str) -> SmtpCredentials {
    SmtpCredentials { username: "shop".to_owned(), password: password.into() }
}

#[tokio::test]
async fn starttls_is_required_by_default() {
    assert_eq!(SmtpTls::default(), SmtpTls::Required);
    let server = SmtpServer::start().await;
    let mut lane = lane_with(SmtpOptions {
        tls: SmtpTls::Required,
        credentials: Some(credentials("secret")),
        ..options(&server)
    });
    let outcome = line(&deliver(&mut lane, &email_to("anna@shop.example", 1)).await);
    assert_snapshot!(outcome.replace(&server.port().to_string(), "PORT"), @"deferred (server): starting TLS with 127.0.0.1:PORT: the server does not offer STARTTLS, and the settings require it (tls: required)");
    // A server that does not offer it learns nothing: no password, no address.
    assert_snapshot!(server.commands().join(", "), @"EHLO client.shop.example");
}

#[tokio::test]
async fn mails_go_under_tls_and_after_a_login() {
    let folder = tempfile::tempdir().unwrap();
    for (tls, mechanisms) in
        [(SmtpTls::Required, "PLAIN LOGIN"), (SmtpTls::Required, "LOGIN"), (SmtpTls::Implicit, "PLAIN")]
    {
        let (config, pem) = certificate();
        let server = SmtpServer::start_with(SmtpServerOptions {
            starttls: (tls == SmtpTls::Required).then(|| config.clone()),
            implicit_tls: (tls == SmtpTls::Implicit).then_some(config),
            auth: Some((mechanisms, "shop", "secret")),
            ..Default::default()
        })
        .await;
        let options = SmtpOptions {
            tls,
            credentials: Some(credentials("secret")),
            ca_file: Some(ca_file(&folder, &pem)),
            ..options(&server)
        };
        for host in ["127.0.0.1", "localhost"] {
            let mut lane = lane_with(SmtpOptions { host: host.to_owned(), ..options.clone() });
            for number in 0..3 {
                let mut email = email_to("anna@shop.example", number);
                email.bytes.extend_from_slice(&b"a long message\r\n".repeat(10_000));
                let outcome = deliver(&mut lane, &email).await;
                assert!(matches!(outcome, TryOutcome::Accepted(_)), "{tls:?} {mechanisms}: {outcome:?}");
                assert_eq!(server.mails().last().unwrap().bytes, email.bytes);
            }
            lane.close().await;
        }
        assert_eq!(server.connections(), 2);
        let mails = server.mails();
        assert!(mails.iter().all(|mail| mail.encrypted && mail.user.as_deref() == Some("shop")));

        // A wrong password is nobody's refusal.
        let mut lane = lane_with(SmtpOptions { credentials: Some(credentials("wrong")), ..options });
        let outcome = line(&deliver(&mut lane, &email_to("anna@shop.example", 9)).await);
        assert_eq!(outcome, "deferred (server) 535 [5.7.8]: 5.7.8 wrong");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (config, _) = certificate();
    let (_, other) = certificate();
    let server =
        SmtpServer::start_with(SmtpServerOptions { starttls: Some(config), ..Default::default() }).await;
    for ca_file in [None, Some(ca_file(&folder, &other))] {
        let mut lane = lane_with(SmtpOptions { tls: SmtpTls::Required, ca_file, ..options(&server) });
        let outcome = line(&deliver(&mut lane, &email_to("anna@shop.example", 1)).await);
        assert!(outcome.starts_with("deferred (server): starting TLS with 127.0.0.1:"), "{outcome}");
        assert!(outcome.contains("certificate"), "{outcome}");
    }
    assert_eq!(server.mails(), []);
    assert!(!server.commands().iter().any(|command| command.starts_with("MAIL")));
}

/// A reply that is slipped in behind STARTTLS's, in the clear, must not be read as if it were encrypted.
#[tokio::test]
async fn replies_slipped_in_before_the_encryption_end_the_conversation() {
    let folder = tempfile::tempdir().unwrap();
    let (config, pem) = certificate();
    let server = SmtpServer::start_with(SmtpServerOptions {
        starttls: Some(config),
        script: Box::new(|step| match step {
            Step::StartTls => Some(Action::SayRaw(b"220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n".to_vec())),
            _ => None,
        }),
        ..Default::default()
    })
    .await;
    let ca_file = Some(ca_file(&folder, &pem));
    let mut lane = lane_with(SmtpOptions { tls: SmtpTls::Required, ca_file, ..options(&server) });
    let outcome = line(&deliver(&mut lane, &email_to("anna@shop.example", 1)).await);
    assert_snapshot!(outcome.replace(&server.port().to_string(), "PORT"), @"deferred (server): starting TLS with 127.0.0.1:PORT: something was sent between STARTTLS and the encrypted conversation");
    assert_eq!(server.mails(), []);
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_anything_is_connected() {
    let server = SmtpServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let refusal = |options: SmtpOptions| {
        let text = Transport::smtp(options).expect_err("refused").to_string();
        text.replace(&folder.path().display().to_string(), "FOLDER")
    };
    let secret = Some(credentials("secret"));
    assert_snapshot!(refusal(SmtpOptions { host: "relay.example".to_owned(), credentials: secret, ..options(&server) }), @"a password must not be sent to relay.example without TLS; set `tls: required` or `tls: implicit`");
    assert_snapshot!(refusal(SmtpOptions { host: "no host".to_owned(), ..options(&server) }), @"`no host` is no host name and no IP address");
    assert_snapshot!(refusal(SmtpOptions { hello_name: Some("a\r\nMAIL".to_owned()), ..options(&server) }), @r#""a\r\nMAIL" is no host name for EHLO"#);
    let with_file =
        |path: PathBuf| SmtpOptions { tls: SmtpTls::Required, ca_file: Some(path), ..options(&server) };
    assert_snapshot!(refusal(with_file(folder.path().join("missing.pem"))), @"reading the certificates in FOLDER/missing.pem failed: I/O error: No such file or directory (os error 2)");
    assert_snapshot!(refusal(with_file(ca_file(&folder, "no certificate"))), @"FOLDER/ca.pem has no certificate; it must be a PEM file");
    assert_eq!(server.connections(), 0);
    // Passwords do not show.
    let shown = format!("{:?}", SmtpOptions { credentials: Some(credentials("secret")), ..options(&server) });
    assert!(!shown.contains("secret"), "{shown}");
}
