//! One recipient whom the server cannot bear: tried until the campaign's patience is over, and nobody else waits.

use campaignd::clock::Clock;

use crate::engine::handover::{people, request_with, smtp};
use crate::engine::shop::{add, at, person, runs, start};
use crate::support::database::on_both;
use crate::support::smtp::{Action, SmtpServer, Step, say};

const HELLO: &str = "
campaigns:
  hello: { audience: everyone, template: letter, repeat: every_run, retry: { for: 4 hours } }
";

const NOON: &str = "2026-03-02 12:00";

#[test]
fn a_recipient_whom_the_server_cannot_bear_is_given_up_and_holds_nobody_up() {
    on_both(|database| async move {
        let answers = [
            say("421 4.3.2 shutting down"),
            Action::SayAndDrop("421 4.3.2 shutting down".to_owned()),
            say("500 5.5.2 what"),
            say("503 5.5.1 out of order"),
            say("hello"),
            Action::Drop,
        ];
        let mut everybody = people(6);
        everybody.push(person("a_poison"));
        add(&database.store, &everybody, at("2026-03-02 11:00")).await;
        for answer in answers {
            database.execute("DELETE FROM deliveries; DELETE FROM runs").await;
            let said = answer.clone();
            let server = SmtpServer::scripted(move |step| {
                matches!(step, Step::Rcpt(address) if address.starts_with("a_poison")).then(|| said.clone())
            })
            .await;
            let engine = start(&database.store, HELLO, smtp(server.port(), 1), at(NOON)).await;
            request_with(&database.store, HELLO, at(NOON)).await;
            let (_, clock) = Clock::set_at(at(NOON));
            engine.run_until(&clock, at("2026-03-02 12:01")).await.expect("the time passes");
            let accepted = "SELECT address FROM deliveries WHERE state = 'accepted'";
            assert_eq!(database.rows(accepted).await.len(), 6, "{answer:?}: all others have their mail");

            engine.run_until(&clock, at("2026-03-02 18:00")).await.expect("the time passes");
            let poison =
                "SELECT state, reason, CAST(attempts AS TEXT) FROM deliveries WHERE state <> 'accepted'";
            assert_eq!(database.rows(poison).await, ["refused | gave_up | 10"], "{answer:?}");
            assert_eq!(runs(&database).await, ["Mon 2026-03-02 12:00 hello finished"]);
            assert_eq!(server.copies().into_values().sum::<usize>(), 6);
            engine.stop(clock.now()).await.expect("it stops");
        }
    });
}
