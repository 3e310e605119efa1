//! Connections: kept, given up, opened again.

use std::time::{Duration, Instant};

use campaignd::domain::delivery::TryOutcome;
use campaignd::send::{SmtpOptions, SmtpTimeouts, Transport};
use insta::assert_snapshot;

use super::{deliver, email_to, lane_to, lane_with, line, options};
use crate::support::smtp::{Action, SmtpServer, SmtpServerOptions, Step, say};

#[tokio::test]
async fn a_lane_keeps_its_connection_and_says_goodbye() {
    let server = SmtpServer::start().await;
    let mut lane = lane_to(&server);
    assert_eq!(server.connections(), 0, "nothing is connected before it is needed");
    for number in 0..20 {
        let outcome = deliver(&mut lane, &email_to("anna@shop.example", number)).await;
        assert!(matches!(outcome, TryOutcome::Accepted(_)), "{outcome:?}");
    }
    lane.close().await;
    assert_eq!((server.connections(), server.mails().len()), (1, 20));
    let commands = server.commands();
    assert_eq!(commands.last().map(String::as_str), Some("QUIT"));
    assert!(!commands.iter().any(|command| command == "NOOP" || command == "RSET"), "{commands:?}");
}

#[tokio::test]
async fn a_refused_recipient_does_not_cost_the_connection() {
    let server = SmtpServer::scripted(|step| match step {
        Step::Rcpt("nobody@shop.example") => Some(say("550 5.1.1 no such user")),
        _ => None,
    })
    .await;
    let mut lane = lane_to(&server);
    deliver(&mut lane, &email_to("nobody@shop.example", 1)).await;
    deliver(&mut lane, &email_to("anna@shop.example", 2)).await;
    assert_eq!(server.connections(), 1);
    assert_eq!(server.mails().len(), 1);
    assert!(server.commands().contains(&"RSET".to_owned()));
}

#[tokio::test]
async fn a_server_that_takes_two_mails_a_connection_gets_all_of_them() {
    // The third MAIL of a connection is answered 421, as Exim and Exchange do.
    let mails = std::sync::atomic::AtomicUsize::new(0);
    let server = SmtpServer::scripted(move |step| {
        use std::sync::atomic::Ordering::SeqCst;
        match step {
            Step::Greeting => {
                mails.store(0, SeqCst);
                None
            }
            Step::Mail(_) if mails.fetch_add(1, SeqCst) == 2 => {
                Some(Action::SayAndDrop("421 4.7.0 too many messages in this connection".to_owned()))
            }
            _ => None,
        }
    })
    .await;
    let mut lane = lane_to(&server);
    for number in 0..7 {
        let outcome = deliver(&mut lane, &email_to("anna@shop.example", number)).await;
        assert!(matches!(outcome, TryOutcome::Accepted(_)), "{outcome:?}");
    }
    assert_eq!((server.connections(), server.mails().len()), (4, 7));
    assert!(server.copies().values().all(|copies| *copies == 1));
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_opened_again() {
    // The server says goodbye right behind its answer, as one with a short patience does.
    let server = SmtpServer::scripted(|step| match step {
        Step::Dot("first@shop.example") => {
            Some(Action::SayRaw(b"250 2.0.0 queued\r\n421 4.4.2 timeout\r\n".to_vec()))
        }
        _ => None,
    })
    .await;
    let mut lane = lane_to(&server);
    deliver(&mut lane, &email_to("first@shop.example", 1)).await;
    let outcome = deliver(&mut lane, &email_to("second@shop.example", 2)).await;
    assert!(matches!(outcome, TryOutcome::Accepted(_)), "{outcome:?}");
    assert_eq!((server.connections(), server.mails().len()), (2, 2));
}

#[tokio::test]
async fn a_connection_that_idled_too_long_is_opened_again() {
    let server = SmtpServer::start().await;
    let timeouts = SmtpTimeouts { idle: Duration::ZERO, ..SmtpTimeouts::default() };
    let mut lane = lane_with(SmtpOptions { timeouts, ..options(&server) });
    for number in 0..3 {
        deliver(&mut lane, &email_to("anna@shop.example", number)).await;
    }
    assert_eq!((server.connections(), server.mails().len()), (3, 3));
}

#[tokio::test]
async fn a_server_that_is_absent_defers_and_is_found_when_it_returns() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = SmtpServer::start().await;
    let mut lane = lane_with(SmtpOptions { port: address.port(), ..options(&server) });
    let outcome = line(&deliver(&mut lane, &email_to("anna@shop.example", 1)).await);
    assert_snapshot!(outcome.replace(&address.port().to_string(), "PORT"), @"deferred (server): connecting to 127.0.0.1:PORT: Connection refused (os error 111)");

    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let server = SmtpServer::start_on(listener, SmtpServerOptions::default());
    let outcome = deliver(&mut lane, &email_to("anna@shop.example", 1)).await;
    assert!(matches!(outcome, TryOutcome::Accepted(_)), "{outcome:?}");
    assert_eq!(server.mails().len(), 1);
}

/// Nagle's delay would cost 40 ms a mail: with it, this takes 2 s at the least.
#[tokio::test]
async fn mails_follow_each_other_without_delay() {
    let server = SmtpServer::start().await;
    let transport = Transport::smtp(SmtpOptions { connections: 4, ..options(&server) }).unwrap();
    assert_eq!(transport.connections(), 4);
    let started = Instant::now();
    let lanes = (0..transport.connections()).map(|lane_number| {
        let mut lane = transport.open();
        async move {
            for number in 0..50 {
                deliver(&mut lane, &email_to("anna@shop.example", lane_number * 50 + number)).await;
            }
        }
    });
    futures_util::future::join_all(lanes).await;
    assert_eq!((server.connections(), server.mails().len()), (4, 200));
    assert!(started.elapsed() < Duration::from_millis(1_500), "200 mails took {:?}", started.elapsed());
}

#[tokio::test]
async fn a_try_that_is_given_up_leaves_no_half_a_conversation() {
    let server = SmtpServer::scripted(|step| match step {
        Step::Rcpt("slow@shop.example") => Some(Action::BeSilent),
        _ => None,
    })
    .await;
    let mut lane = lane_to(&server);
    deliver(&mut lane, &email_to("anna@shop.example", 1)).await;
    let slow = email_to("slow@shop.example", 2);
    let given_up = tokio::time::timeout(Duration::from_millis(100), deliver(&mut lane, &slow)).await;
    assert!(given_up.is_err());
    let outcome = deliver(&mut lane, &email_to("bert@shop.example", 3)).await;
    assert!(matches!(outcome, TryOutcome::Accepted(_)), "{outcome:?}");
    assert_eq!((server.connections(), server.mails().len()), (2, 2));
}
