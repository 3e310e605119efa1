//! The conversation byte by byte: what goes out together, and answers as no server of the library gives them.

use std::time::Duration;

use campaignd::send::{Lane, SmtpTimeouts};
use insta::assert_snapshot;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{deliver, email_to, lane_with, line, options};
use crate::support::smtp::SmtpServer;

/// The other end of a connection, played by the test.
struct Player {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Player {
    /// Reads until the client has said this, and not a byte more; gives all since the last time.
    async fn hears(&mut self, end: &str) -> String {
        while !self.read.ends_with(end.as_bytes()) {
            let mut bytes = [0; 4_096];
            let heard = tokio::time::timeout(Duration::from_secs(20), self.socket.read(&mut bytes)).await;
            let count =
                heard.unwrap_or_else(|_| panic!("heard only {:?}", String::from_utf8_lossy(&self.read)));
            let count = count.expect("it is read");
            assert!(count > 0, "the client left after {:?}", String::from_utf8_lossy(&self.read));
            self.read.extend_from_slice(&bytes[..count]);
        }
        String::from_utf8(std::mem::take(&mut self.read)).expect("commands are text")
    }

    async fn says(&mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).await.expect("the client listens");
    }

    /// Up to the first mail, with these extensions.
    async fn greets(&mut self, extensions: &str) {
        self.says("220 mail.shop.example\r\n").await;
        self.hears("EHLO client.shop.example\r\n").await;
        self.says(&format!("250-mail.shop.example\r\n{extensions}250 HELP\r\n")).await;
    }

    /// Takes a whole message.
    async fn takes(&mut self) {
        self.hears("\r\n.\r\n").await;
        self.says("250 2.0.0 queued\r\n").await;
    }
}

const GROUP: &str = "MAIL FROM:<news@shop.example>\r\nRCPT TO:<anna@shop.example>\r\nDATA\r\n";

/// A listener, and a lane to it.
async fn stage() -> (TcpListener, Lane) {
    let server = SmtpServer::start().await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, lane_with(campaignd::send::SmtpOptions { port, ..options(&server) }))
}

async fn accept(listener: &TcpListener) -> Player {
    let (socket, _) = listener.accept().await.expect("a connection");
    Player { socket, read: Vec::new() }
}

async fn mail(lane: &mut Lane, number: usize) -> String {
    line(&deliver(lane, &email_to("anna@shop.example", number)).await)
}

#[test]
fn waits_are_those_of_the_rfc() {
    let timeouts = SmtpTimeouts::default();
    let minutes = [timeouts.greeting, timeouts.command, timeouts.data, timeouts.block, timeouts.final_reply]
        .map(|wait| wait.as_secs() / 60);
    // RFC 5321 section 4.5.3.2: greeting, MAIL and RCPT, DATA, a block, the final dot.
    assert_eq!(minutes, [5, 5, 2, 3, 10]);
}

#[tokio::test]
async fn a_mail_is_two_round_trips_where_the_server_lets_it() {
    let (listener, mut lane) = stage().await;
    let server = async {
        let mut player = accept(&listener).await;
        player.greets("250-PIPELINING\r\n").await;
        for _ in 0..3 {
            // No answer before all three are here.
            assert_eq!(player.hears("DATA\r\n").await, GROUP);
            player.says("250 ok\r\n250 ok\r\n354 go\r\n").await;
            player.takes().await;
        }
    };
    let client = async {
        for number in 0..3 {
            assert_eq!(mail(&mut lane, number).await, "accepted 250 [2.0.0]: 2.0.0 queued");
        }
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_server_that_does_not_offer_it_is_asked_one_thing_after_the_other() {
    let (listener, mut lane) = stage().await;
    let server = async {
        let mut player = accept(&listener).await;
        player.greets("").await;
        for (heard, answer) in [
            ("MAIL FROM:<news@shop.example>\r\n", "250 ok\r\n"),
            ("RCPT TO:<anna@shop.example>\r\n", "250 ok\r\n"),
            ("DATA\r\n", "354 go\r\n"),
        ] {
            assert_eq!(player.hears("\r\n").await, heard);
            player.says(answer).await;
        }
        player.takes().await;
    };
    let ((), outcome) = tokio::join!(server, mail(&mut lane, 1));
    assert_eq!(outcome, "accepted 250 [2.0.0]: 2.0.0 queued");
}

#[tokio::test]
async fn a_refused_recipient_in_a_group_costs_no_connection() {
    for (data, then) in
        [("503 5.5.1 no recipient\r\n", None), ("354 go\r\n", Some("554 5.5.1 for nobody\r\n"))]
    {
        let (listener, mut lane) = stage().await;
        let server = async {
            let mut player = accept(&listener).await;
            player.greets("250-PIPELINING\r\n").await;
            player.hears("DATA\r\n").await;
            player.says(&format!("250 ok\r\n550 5.1.1 no such user\r\n{data}")).await;
            if let Some(answer) = then {
                // A server that waits for a message all the same gets none: a dot alone.
                assert_eq!(player.hears("\r\n").await, ".\r\n");
                player.says(answer).await;
            }
            assert_eq!(player.hears("\r\n").await, "RSET\r\n");
            player.says("250 ok\r\n").await;
            assert_eq!(player.hears("DATA\r\n").await, GROUP);
            player.says("250 ok\r\n250 ok\r\n354 go\r\n").await;
            player.takes().await;
        };
        let client = async {
            assert_eq!(mail(&mut lane, 1).await, "refused 550 [5.1.1]: 5.1.1 no such user");
            assert_eq!(mail(&mut lane, 2).await, "accepted 250 [2.0.0]: 2.0.0 queued");
        };
        tokio::join!(server, client);
    }
}

#[tokio::test]
async fn a_server_that_takes_a_message_for_nobody_is_left() {
    let (listener, mut lane) = stage().await;
    let server = async {
        let mut player = accept(&listener).await;
        player.greets("250-PIPELINING\r\n").await;
        player.hears("DATA\r\n").await;
        player.says("250 ok\r\n550 5.1.1 no such user\r\n354 go\r\n").await;
        player.hears(".\r\n").await;
        player.says("250 2.0.0 thank you\r\n").await;
        let mut player = accept(&listener).await;
        player.greets("250-PIPELINING\r\n").await;
        player.hears("DATA\r\n").await;
        player.says("250 ok\r\n250 ok\r\n354 go\r\n").await;
        player.takes().await;
    };
    let client = async {
        assert_eq!(mail(&mut lane, 1).await, "refused 550 [5.1.1]: 5.1.1 no such user");
        assert_eq!(mail(&mut lane, 2).await, "accepted 250 [2.0.0]: 2.0.0 queued");
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn answers_may_come_byte_by_byte() {
    let (listener, mut lane) = stage().await;
    let server = async {
        let mut player = accept(&listener).await;
        player.socket.set_nodelay(true).expect("an option");
        player.greets("250-PIPELINING\r\n").await;
        player.hears("DATA\r\n").await;
        for byte in "250-yes\r\n250 ok\r\n250\r\n354 go\r\n".chars() {
            player.says(&byte.to_string()).await;
            tokio::task::yield_now().await;
        }
        player.takes().await;
    };
    let ((), outcome) = tokio::join!(server, mail(&mut lane, 1));
    assert_eq!(outcome, "accepted 250 [2.0.0]: 2.0.0 queued");
}

/// One mail to a server that answers the group of commands so.
async fn answered(answers: String) -> String {
    let (listener, mut lane) = stage().await;
    let server = async {
        let mut player = accept(&listener).await;
        player.greets("250-PIPELINING\r\n").await;
        player.hears("DATA\r\n").await;
        player.says(&answers).await;
        // The client leaves, or says something else.
        let mut rest = Vec::new();
        player.socket.read_to_end(&mut rest).await.ok();
    };
    let client = async {
        let outcome = mail(&mut lane, 1).await;
        drop(lane);
        outcome
    };
    tokio::join!(server, client).1
}

#[tokio::test]
async fn answers_that_are_none_end_the_conversation() {
    assert_snapshot!(answered("250-and so on\r\n".repeat(150)).await, @"deferred (server?): MAIL: the server's answer has no end");
    assert_snapshot!(answered("250 ok, ".repeat(5_000)).await, @"deferred (server?): MAIL: the server's answer has no end");
    assert_snapshot!(answered("250 ok\r\n250-yes\r\n550 no\r\n".to_owned()).await, @"deferred (server?): RCPT: the server's answer is no SMTP reply");
    assert_snapshot!(answered("250 ok\r\n250 ok\r\n".to_owned() + &"354 go\r\n".repeat(2)).await, @"deferred (server?): DATA: the server said more than 354");
    assert_snapshot!(answered("421 4.3.2 shutting down\r\n".to_owned()).await, @"deferred (server?) 421 [4.3.2]: 4.3.2 shutting down");
}

#[tokio::test]
async fn a_connection_that_nobody_needs_is_closed() {
    let server = SmtpServer::start().await;
    let timeouts = SmtpTimeouts { idle: Duration::ZERO, ..SmtpTimeouts::default() };
    let mut lane = lane_with(campaignd::send::SmtpOptions { timeouts, ..options(&server) });
    mail(&mut lane, 1).await;
    lane.close_if_idle().await;
    assert_eq!(server.commands().last().map(String::as_str), Some("QUIT"));
    // One that was used lately stays.
    let mut lane = super::lane_to(&server);
    mail(&mut lane, 2).await;
    lane.close_if_idle().await;
    mail(&mut lane, 3).await;
    assert_eq!((server.connections(), server.mails().len()), (2, 3));
}
