//! What each answer, and each way of not answering, means at each step.

use std::time::Duration;

use campaignd::send::{HandoverStopped, SmtpOptions, SmtpTimeouts, SmtpTls};
use insta::assert_snapshot;

use super::{deliver, email_to, lane_to, lane_with, line, now, options};
use crate::support::smtp::{Action, SmtpServer, SmtpServerOptions, Step, say};

/// One mail at a server that does `action` at a step; then another, at the same lane. Returns how
/// the first ended, whether the second went over the same connection, and copies of the first.
async fn at(step: &'static str, action: Action) -> String {
    let server = SmtpServer::scripted(move |now| {
        let name = match now {
            Step::Greeting => "greeting",
            Step::Ehlo(_) => "EHLO",
            Step::Mail(line) if line.contains("news@") => "MAIL",
            Step::Rcpt("first@shop.example") => "RCPT",
            Step::Data => "DATA",
            Step::Dot("first@shop.example") => "dot",
            _ => return None,
        };
        (name == step).then(|| action.clone())
    })
    .await;
    let timeouts = SmtpTimeouts {
        greeting: Duration::from_millis(300),
        command: Duration::from_millis(300),
        data: Duration::from_millis(300),
        final_reply: Duration::from_millis(300),
        ..SmtpTimeouts::default()
    };
    let mut lane = lane_with(SmtpOptions { timeouts, ..options(&server) });
    let first = line(&deliver(&mut lane, &email_to("first@shop.example", 1)).await);
    let first = first.replace(&server.port().to_string(), "PORT");
    let connections = server.connections();
    deliver(&mut lane, &email_to("second@shop.example", 2)).await;
    let kept = if server.connections() == connections { "kept" } else { "new connection" };
    format!(
        "{first} | {kept}, {} taken",
        server.copies().get("<1@shop.example>").copied().unwrap_or_default()
    )
}

#[tokio::test]
async fn before_mail_it_is_the_server_that_fails() {
    assert_snapshot!(at("greeting", say("554 5.3.2 no service")).await, @"deferred (server) 554 [5.3.2]: 5.3.2 no service | new connection, 0 taken");
    assert_snapshot!(at("greeting", say("421 4.3.2 too busy")).await, @"deferred (server) 421 [4.3.2]: 4.3.2 too busy | new connection, 0 taken");
    assert_snapshot!(at("greeting", Action::Drop).await, @"deferred (server): greeting 127.0.0.1:PORT: the server closed the connection | new connection, 0 taken");
    assert_snapshot!(at("greeting", Action::BeSilent).await, @"deferred (server): greeting 127.0.0.1:PORT: waited 0.3 s for the greeting | new connection, 0 taken");
    assert_snapshot!(at("greeting", say("HTTP/1.1 400 Bad Request")).await, @"deferred (server): greeting 127.0.0.1:PORT: the server's answer is no SMTP reply | new connection, 0 taken");
    assert_snapshot!(at("EHLO", say("550 5.7.1 go away")).await, @"deferred (server) 550 [5.7.1]: 5.7.1 go away | new connection, 0 taken");
    assert_snapshot!(at("EHLO", Action::Drop).await, @"deferred (server): greeting 127.0.0.1:PORT: the server closed the connection | new connection, 0 taken");
}

#[tokio::test]
async fn answers_about_the_mail_are_about_the_mail() {
    assert_snapshot!(at("MAIL", say("550 5.7.1 sender unknown")).await, @"refused 550 [5.7.1]: 5.7.1 sender unknown | kept, 0 taken");
    assert_snapshot!(at("MAIL", say("451 4.3.0 later")).await, @"deferred 451 [4.3.0]: 4.3.0 later | kept, 0 taken");
    assert_snapshot!(at("RCPT", say("550 5.1.1 no such user")).await, @"refused 550 [5.1.1]: 5.1.1 no such user | kept, 0 taken");
    assert_snapshot!(at("RCPT", say("550-5.1.1 no such user\n550 5.1.1 see https://shop.example/help")).await, @"refused 550 [5.1.1]: 5.1.1 no such user see https://shop.example/help | kept, 0 taken");
    assert_snapshot!(at("RCPT", say("450 4.2.0 greylisted")).await, @"deferred 450 [4.2.0]: 4.2.0 greylisted | kept, 0 taken");
    assert_snapshot!(at("RCPT", say("501 no enhanced code")).await, @"refused 501: no enhanced code | kept, 0 taken");
    assert_snapshot!(at("DATA", say("554 5.5.1 no valid recipients")).await, @"refused 554 [5.5.1]: 5.5.1 no valid recipients | kept, 0 taken");
    assert_snapshot!(at("DATA", say("451 4.3.0 later")).await, @"deferred 451 [4.3.0]: 4.3.0 later | kept, 0 taken");
    assert_snapshot!(at("dot", say("554 5.7.1 looks like spam")).await, @"refused 554 [5.7.1]: 5.7.1 looks like spam | kept, 0 taken");
    assert_snapshot!(at("dot", say("452 4.3.1 disk full")).await, @"deferred 452 [4.3.1]: 4.3.1 disk full | kept, 0 taken");
    assert_snapshot!(at("dot", say("250")).await, @"accepted 250:  | kept, 1 taken");
}

#[tokio::test]
async fn what_is_about_the_server_or_our_login_refuses_nobody() {
    assert_snapshot!(at("MAIL", say("530 5.7.0 authentication required")).await, @"deferred (server) 530 [5.7.0]: 5.7.0 authentication required | new connection, 0 taken");
    assert_snapshot!(at("MAIL", say("503 5.5.1 out of order")).await, @"deferred (server?) 503 [5.5.1]: 5.5.1 out of order | new connection, 0 taken");
    assert_snapshot!(at("RCPT", say("421 4.7.0 too many")).await, @"deferred (server?) 421 [4.7.0]: 4.7.0 too many | new connection, 0 taken");
    assert_snapshot!(at("RCPT", say("502 5.5.2 unknown command")).await, @"deferred (server?) 502 [5.5.2]: 5.5.2 unknown command | new connection, 0 taken");
    assert_snapshot!(at("dot", Action::SayAndDrop("421 4.3.2 shutting down".to_owned())).await, @"deferred (server?) 421 [4.3.2]: 4.3.2 shutting down | new connection, 0 taken");
}

#[tokio::test]
async fn connections_that_break_before_the_dot_sent_nothing() {
    assert_snapshot!(at("MAIL", Action::Drop).await, @"deferred (server?): MAIL: the server closed the connection | new connection, 0 taken");
    assert_snapshot!(at("MAIL", Action::BeSilent).await, @"deferred (server?): MAIL: waited 0.3 s for an answer | new connection, 0 taken");
    assert_snapshot!(at("RCPT", Action::Drop).await, @"deferred (server?): RCPT: the server closed the connection | new connection, 0 taken");
    assert_snapshot!(at("DATA", Action::Drop).await, @"deferred (server?): DATA: the server closed the connection | new connection, 0 taken");
    assert_snapshot!(at("DATA", say("250 what?")).await, @"deferred (server?): DATA: the server answered 250 instead of 354 | new connection, 0 taken");
    assert_snapshot!(at("DATA", say("354 go\n250 queued before it was sent")).await, @"deferred (server?): DATA: the server said more than 354 | new connection, 0 taken");
    assert_snapshot!(at("RCPT", say("354 go ahead")).await, @"deferred (server?): RCPT: the server answered 354 go ahead | new connection, 0 taken");
    assert_snapshot!(at("RCPT", say("bonjour")).await, @"deferred (server?): RCPT: the server's answer is no SMTP reply | new connection, 0 taken");
}

#[tokio::test]
async fn after_the_dot_without_a_clear_answer_nobody_knows() {
    assert_snapshot!(at("dot", Action::Drop).await, @"uncertain (server): no clear answer to the message, which was sent whole: the server closed the connection | new connection, 0 taken");
    assert_snapshot!(at("dot", Action::TakeAndDrop).await, @"uncertain (server): no clear answer to the message, which was sent whole: the server closed the connection | new connection, 1 taken");
    assert_snapshot!(at("dot", Action::BeSilent).await, @"uncertain (server): no clear answer to the message, which was sent whole: waited 0.3 s for an answer | new connection, 0 taken");
    assert_snapshot!(at("dot", say("bonjour")).await, @"uncertain (server): no clear answer to the message, which was sent whole: the server's answer is no SMTP reply | new connection, 0 taken");
    assert_snapshot!(at("dot", say("354 more")).await, @"uncertain (server): no clear answer to the message, which was sent whole: the server answered 354 more | new connection, 0 taken");
    assert_snapshot!(at("dot", Action::SayRaw(b"250 half a li".to_vec())).await, @"uncertain (server): no clear answer to the message, which was sent whole: waited 0.3 s for an answer | new connection, 1 taken");
}

#[tokio::test]
async fn answers_are_read_though_they_are_untidy() {
    assert_snapshot!(at("RCPT", Action::SayRaw(b"550 5.1.1 Empf\xe4nger unbekannt\n".to_vec())).await, @"refused 550 [5.1.1]: 5.1.1 Empf�nger unbekannt | kept, 0 taken");
    assert_snapshot!(at("dot", Action::SayRaw(b"250 gr\xfc\xdfe\r\n".to_vec())).await, @"accepted 250: gr��e | kept, 1 taken");
    let long = format!("550 5.7.1 {}", "blocked ".repeat(200));
    let outcome = at("RCPT", say(&long)).await;
    assert!(outcome.contains("block…") && outcome.chars().count() < 580, "{outcome}");
}

#[tokio::test]
async fn the_message_arrives_as_it_was_and_its_envelope_is_its_own() {
    let server = SmtpServer::start().await;
    let email = email_to("anna@müller.example", 7);
    let outcome = deliver(&mut lane_to(&server), &email).await;
    assert_snapshot!(line(&outcome), @"accepted 250 [2.0.0]: 2.0.0 queued");
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].sender, "news@shop.example");
    assert_eq!(mails[0].recipient, "anna@xn--mller-kva.example");
    assert_eq!(mails[0].message_id, email.message_id);
    assert_eq!(mails[0].bytes, email.bytes);
    assert_snapshot!(server.commands().join("\n"), @r"
EHLO client.shop.example
MAIL FROM:<news@shop.example> SIZE=149
RCPT TO:<anna@xn--mller-kva.example>
DATA
");
}

#[tokio::test]
async fn what_the_server_cannot_take_is_said_in_clear_words_and_whose_it_is() {
    let check = async |extensions: Vec<&'static str>, recipient: &str, body: &str| {
        let server = SmtpServer::start_with(SmtpServerOptions { extensions, ..Default::default() }).await;
        let mut email = email_to(recipient, 1);
        email.bytes.extend_from_slice(body.as_bytes());
        let outcome = line(&deliver(&mut lane_to(&server), &email).await);
        let mail = server.commands().into_iter().find(|command| command.starts_with("MAIL"));
        format!("{outcome} | {}", mail.unwrap_or_default())
    };
    let all = || vec!["SIZE 1000", "8BITMIME", "SMTPUTF8"];
    assert_snapshot!(check(all(), "élodie@shop.example", "").await, @"accepted 250 [2.0.0]: 2.0.0 queued | MAIL FROM:<news@shop.example> SIZE=149 SMTPUTF8");
    assert_snapshot!(check(vec![], "élodie@shop.example", "").await, @"refused: the address is not in ASCII, and the server does not offer SMTPUTF8 |");
    assert_snapshot!(check(vec![], "anna@shop.example", "").await, @"accepted 250 [2.0.0]: 2.0.0 queued | MAIL FROM:<news@shop.example>");
    assert_snapshot!(check(all(), "anna@shop.example", "é").await, @"accepted 250 [2.0.0]: 2.0.0 queued | MAIL FROM:<news@shop.example> SIZE=153 BODY=8BITMIME");
    assert_snapshot!(check(vec![], "anna@shop.example", "é").await, @"deferred (campaign): a message has bytes beyond ASCII, and the server does not offer 8BITMIME |");
    assert_snapshot!(check(all(), "anna@shop.example", &"long ".repeat(300)).await, @"deferred (campaign): a message has 1651 bytes, and the server takes at most 1000 |");
}

#[tokio::test]
async fn nothing_goes_out_when_the_ledger_says_stop() {
    let server = SmtpServer::start().await;
    let mut lane = lane_to(&server);
    let stop = || async { Err(HandoverStopped { reason: "the lease ran out".to_owned() }) };
    let outcome = lane.deliver(&email_to("anna@shop.example", 1), stop, now()).await;
    assert_snapshot!(line(&outcome), @"deferred: the handover was stopped: the lease ran out");
    assert_eq!(server.mails(), []);
    // The broken conversation is not gone on with.
    deliver(&mut lane, &email_to("bert@shop.example", 2)).await;
    assert_eq!(server.connections(), 2);
    assert_eq!(server.copies().into_keys().collect::<Vec<_>>(), ["<2@shop.example>"]);
}

#[tokio::test]
async fn the_ledger_is_asked_after_the_server_agreed_and_before_the_message() {
    use std::sync::Arc;
    let server = Arc::new(SmtpServer::start().await);
    let seen = Arc::clone(&server);
    let before_dot = || async move {
        assert_eq!(seen.commands().last().map(String::as_str), Some("DATA"));
        assert_eq!(seen.mails(), []);
        Ok(())
    };
    lane_to(&server).deliver(&email_to("anna@shop.example", 1), before_dot, now()).await;
    assert_eq!(server.mails().len(), 1);
    // It is not asked at all for a mail that the server refuses before.
    let server = SmtpServer::scripted(|step| match step {
        Step::Rcpt(_) => Some(say("550 5.1.1 no such user")),
        _ => None,
    })
    .await;
    let never = || async { panic!("asked for a refused mail") };
    lane_to(&server).deliver(&email_to("anna@shop.example", 1), never, now()).await;
}

#[tokio::test]
async fn a_server_that_takes_its_word_back_before_the_message_gets_none() {
    use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (asked, is_asked) = tokio::sync::oneshot::channel::<()>();
    let (said, is_said) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("a connection");
        socket.set_nodelay(true).expect("an option");
        let mut stream = BufReader::new(socket);
        stream.write_all(b"220 mail.shop.example\r\n").await.expect("it is said");
        let mut line = String::new();
        while stream.read_line(&mut line).await.is_ok_and(|count| count > 0) {
            let data = line.starts_with("DATA");
            let answer: &[u8] = if data { b"354 go ahead\r\n" } else { b"250 ok\r\n" };
            stream.write_all(answer).await.expect("it is said");
            if data {
                break;
            }
            line.clear();
        }
        is_asked.await.expect("the ledger is asked");
        stream.write_all(b"421 4.3.2 shutting down\r\n").await.expect("it is said");
        said.send(()).expect("somebody waits");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.expect("the other side closes");
        rest
    });
    let before_dot = || async {
        asked.send(()).expect("the server waits");
        is_said.await.expect("the server speaks");
        // The socket is looked at once more by the runtime.
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        Ok(())
    };
    let options = SmtpOptions {
        host: "127.0.0.1".to_owned(),
        port,
        tls: SmtpTls::None,
        credentials: None,
        connections: 1,
        ca_file: None,
        hello_name: None,
        timeouts: SmtpTimeouts::default(),
    };
    let mut lane = lane_with(options);
    let outcome = lane.deliver(&email_to("anna@shop.example", 1), before_dot, now()).await;
    assert_snapshot!(line(&outcome), @"deferred (server?) 421 [4.3.2]: 4.3.2 shutting down");
    assert_eq!(server.await.expect("the server ends"), b"", "nothing of the message went out");
}

#[tokio::test]
async fn a_sender_whose_lease_is_over_lets_nothing_out() {
    use campaignd::send::{Lease, Transport};
    let server = SmtpServer::start().await;
    let lease = Lease::default();
    let mut lane = Transport::smtp(options(&server)).expect("a usable server").open_under(&lease);
    // It runs out while the ledger takes the note.
    let before_dot = || async {
        lease.hold_until(std::time::Instant::now());
        Ok(())
    };
    let outcome = lane.deliver(&email_to("anna@shop.example", 1), before_dot, now()).await;
    assert_snapshot!(line(&outcome), @"deferred: this daemon gave no sign of life for too long");
    // What was begun before is not ended by those who come next.
    lease.hold_until(std::time::Instant::now() + Duration::from_mins(1));
    deliver(&mut lane, &email_to("bert@shop.example", 2)).await;
    assert_eq!(server.copies().into_keys().collect::<Vec<_>>(), ["<2@shop.example>"]);
}
