//! A small project through the commands: data in, who is in, mails out, figures.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::{NewProject, campaignd, command};
use crate::support::database::on_both;

#[test]
fn init_overwrites_nothing() {
    let project = NewProject::create();
    project.write("orders.csv", "mine");
    let said = campaignd(project.folder(), ["init"]);
    assert_eq!((said.exit, said.out.as_str()), (2, ""));
    insta::assert_snapshot!(said.err, @r"
    error: ./campaignd.yaml and 6 more files exist already
    hint: name a new folder; nothing was written
    ");
    assert_eq!(std::fs::read_to_string(project.folder().join("orders.csv")).expect("the file"), "mine");
}

#[test]
fn from_files_to_mails_and_figures() {
    insta::allow_duplicates! {
        on_both(|database| async move { to_mails_and_figures(&NewProject::on(&database.address)) });
    }
}

fn to_mails_and_figures(project: &NewProject) {
    let said = project.fine(["import", "contacts.csv"]);
    insta::assert_snapshot!(said.out, @r"
    contacts.csv: 5 rows: 5 new contacts, 0 changed, 0 as known
    ");
    let said = project.fine(["import", "contacts.csv"]);
    assert!(said.out.contains("5 as known"), "{}", said.out);
    let said = project.fine(["import", "orders.csv", "--event", "purchase", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(json["files"][0]["events"]["added"], 7, "{json:#}");

    let said = project.fine(["segment"]);
    insta::assert_snapshot!(said.out, @r#"
    segment   contacts    share  meaning
    regulars         4   80.0 %  At least 100 spent in a year, and bought something lately
    everyone         5  100.0 %
    "#);
    let said = project.fine(["segment", "regulars", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(
        (&json["segment"]["members"], &json["segment"]["contacts"]),
        (&4.into(), &5.into()),
        "{json:#}"
    );
    let said = campaignd(project.folder(), ["segment", "regulrs"]);
    assert_eq!(said.exit, 2);
    insta::assert_snapshot!(said.err, @r"
    error: no segment is called `regulrs`
    hint: did you mean `regulars`?
    ");

    let said = project.fine(["preview", "thank_you", "--contact", "ADA@shop.example"]);
    assert!(said.out.contains("Subject:  Ada, 10 % for you") && said.out.contains("€107"), "{}", said.out);
    let said = project.fine(["preview", "thank_you", "--contact", "1", "--eml"]);
    assert!(said.out.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{}", said.out);
    // Of whom it may be recorded, the mail has a pixel.
    assert!(!said.out.contains("/o/AQ"), "{}", said.out);
    project.write("agreed.csv", "id,email,first_name,consent.tracking\n1,ada@shop.example,Ada,yes\n");
    project.fine(["import", "agreed.csv"]);
    let said = project.fine(["preview", "thank_you", "--contact", "1", "--eml"]);
    assert!(said.out.contains("<img src=3D\"https://mail.shop.example/o/AQ"), "{}", said.out);
    let said = campaignd(project.folder(), ["preview", "thank_you", "--contact", "nobody"]);
    assert_eq!(said.exit, 2, "{}", said.err);

    let said = campaignd(project.folder(), ["send", "thank_you"]);
    assert_eq!((said.exit, said.out.as_str()), (2, ""), "nobody can be asked: {}", said.err);
    let said = project.fine(["send", "thank_you", "--yes"]);
    insta::assert_snapshot!(said.out, @r"
    run 1 of thank_you: finished: 2 accepted, 2 skipped
    ");
    assert_eq!(project.mails(), 2);
    let said = project.fine(["send", "thank_you", "--yes", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(json["deliveries"], serde_json::json!({ "skipped": 4 }), "at most every 90 days");
    assert_eq!(project.mails(), 2);

    let said = project.fine(["report", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    let campaign = &json["campaigns"][0];
    assert_eq!(campaign["runs"].as_array().map(Vec::len), Some(2), "{json:#}");
    assert_eq!(campaign["deliveries"]["accepted"], 2, "{json:#}");
    assert_eq!(
        campaign["deliveries"]["skipped_by_reason"],
        serde_json::json!({ "already_sent": 2, "no_address": 2, "not_consented": 2 })
    );
    let csv = project.fine(["report", "--csv"]).out;
    assert!(csv.lines().count() > 4 && csv.contains("thank_you"), "{csv}");
    let said = campaignd(project.folder(), ["report", "thank_yuo"]);
    assert_eq!(said.exit, 2);
    assert!(said.err.contains("did you mean `thank_you`?"), "{}", said.err);
}

#[test]
fn it_is_said_why_mails_wait() {
    on_both(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        project.write("outbox", "a file where the folder should be");
        let mut sending = command(project.folder())
            .args(["send", "thank_you", "--yes"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut said = String::new();
        BufReader::new(sending.stderr.take().expect("it is piped")).read_line(&mut said).expect("text");
        sending.kill().expect("it is still trying");
        sending.wait().expect("it ends");
        assert!(said.starts_with("2 mails wait; next try at "), "{said}");
        assert!(said.contains("outbox"), "{said}");
        let status: serde_json::Value =
            serde_json::from_str(&project.fine(["status", "--json"]).out).expect("JSON");
        let waiting = status["waiting"][0].clone();
        assert_eq!(waiting["for"], "server", "{waiting:#}");
        assert!(waiting["last_reply"].as_str().is_some_and(|reply| reply.contains("outbox")), "{waiting:#}");
    });
}

#[test]
fn rejected_rows_are_an_answer_of_no() {
    let project = NewProject::create();
    project.write("more.csv", "id,email\n7,gil@shop.example\n8,gil@shop.example\n9,no address\n");
    let said = campaignd(project.folder(), ["import", "more.csv"]);
    assert_eq!((said.exit, said.err.as_str()), (1, ""));
    insta::assert_snapshot!(said.out, @r"
    more.csv: 3 rows: 1 new contact, 0 changed, 0 as known
      2 rows rejected:
              1  `email` is not an e-mail address (white space is in it)
              1  address taken: it belongs to a contact with another id
      each with its line and reason in more.rejects.csv
    ");
    assert!(project.folder().join("more.rejects.csv").exists());
    project.fine(["import", "more.csv", "--allow-rejects"]);
    let said = campaignd(project.folder(), ["import", "orders.csv", "nowhere.csv", "--event", "purchase"]);
    assert_eq!((said.exit, said.out.as_str()), (2, ""), "nothing before all is there: {}", said.err);
    let said = project.fine(["import", "orders.csv", "--event", "purchse"]);
    insta::assert_snapshot!(said.err, @"note: the event `purchse` is not declared: it is kept, and found by nothing until it is; did you mean `purchase`?");
    let said = campaignd(project.folder(), ["import", "nowhere.csv"]);
    assert_eq!((said.exit, said.out.as_str()), (2, ""), "{}", said.err);
    let said = campaignd(project.folder(), ["import", "more.csv", "--consent", "marketing=perhaps"]);
    assert_eq!((said.exit, said.out.as_str()), (2, ""), "{}", said.err);
}

#[test]
fn a_run_that_is_too_large_waits_for_a_decision() {
    insta::allow_duplicates! {
        on_both(|database| async move { waits_for_a_decision(&NewProject::with_data_on(&database.address)) });
    }
}

fn waits_for_a_decision(project: &NewProject) {
    let yaml = project.read("campaigns/thank_you.yaml").replace("max_recipients: 1000", "max_recipients: 1");
    project.write("campaigns/thank_you.yaml", &yaml);
    let said = campaignd(project.folder(), ["send", "thank_you", "--yes"]);
    assert_eq!(said.exit, 1, "{}", said.err);
    assert!(said.out.contains("run 1 of thank_you: held"), "{}", said.out);
    assert_eq!(project.mails(), 0);
    let status = project.fine(["status"]);
    assert!(status.out.contains("held") && status.out.contains("campaignd approve"), "{}", status.out);

    let said = project.fine(["cancel", "1", "--note", "too many"]);
    insta::assert_snapshot!(said.out, @r"
    run 1 of thank_you: cancelled; 2 mails are not sent
    ");
    let said = campaignd(project.folder(), ["approve", "1"]);
    assert_eq!(said.exit, 2);
    insta::assert_snapshot!(said.err, @r"
    error: run 1 of `thank_you` is cancelled
    hint: only a run that is held can be approved
    ");
    assert_eq!(campaignd(project.folder(), ["approve", "99"]).exit, 2);
    assert_eq!(campaignd(project.folder(), ["cancel", "1"]).exit, 2);
    assert_eq!(project.mails(), 0);
}

#[test]
fn campaigns_and_runs_are_paused_and_go_on() {
    insta::allow_duplicates! {
        on_both(|database| async move { pauses(&NewProject::with_data_on(&database.address)) });
    }
}

fn pauses(project: &NewProject) {
    let said = project.fine(["pause", "thank_you"]);
    insta::assert_snapshot!(said.out, @"thank_you: paused; its mails wait, and runs that come due meanwhile are missed; `campaignd resume thank_you` lets it go on");
    let again = campaignd(project.folder(), ["pause", "thank_you"]);
    assert_eq!(again.exit, 2);
    insta::assert_snapshot!(again.err, @r#"
    error: thank_you is paused already
    hint: `campaignd resume thank_you` ends the pause
    "#);
    let status = project.fine(["status"]).out;
    assert!(status.contains("paused since"), "{status}");
    let said = campaignd(project.folder(), ["send", "thank_you", "--yes"]);
    assert_eq!(said.exit, 2);
    insta::assert_snapshot!(said.err, @r#"
    error: thank_you is paused
    hint: `campaignd resume thank_you` ends the pause
    "#);
    let said = project.fine(["resume", "thank_you"]);
    insta::assert_snapshot!(said.out, @"thank_you: resumed; it goes on when `campaignd run` is started");
    project.fine(["send", "thank_you", "--yes"]);
    assert_eq!(project.mails(), 2);
    for (words, exit) in
        [(["pause", "1"], 2), (["resume", "1"], 2), (["pause", "99"], 2), (["resume", "thank_you"], 2)]
    {
        let said = campaignd(project.folder(), words);
        assert_eq!((said.exit, said.out.as_str()), (exit, ""), "{words:?}: {}", said.err);
    }
    let said = campaignd(project.folder(), ["pause", "thank_yuo"]);
    assert!(said.err.contains("did you mean `thank_you`"), "{}", said.err);
}

#[test]
fn check_warns_of_a_campaign_that_was_renamed() {
    on_both(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        let daemon = super::daemon::Daemon::start(&project);
        project.until_mails(0);
        let known = "SELECT name FROM campaigns WHERE templates IS NOT NULL";
        let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
        while database.rows(known).await.is_empty() {
            assert!(std::time::Instant::now() < deadline, "the daemon looks at the clock");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(daemon.stop("-TERM"), Some(0));
        let yaml = project.read("campaigns/thank_you.yaml");
        project.write("campaigns/thank_you.yaml", &yaml.replace("  thank_you:", "  thanks:"));
        let said = project.fine(["check"]).out;
        assert!(said.contains("renamed-campaign") && said.contains("renamed_from: thank_you"), "{said}");
    });
}

#[test]
fn a_database_that_is_away_is_nobodys_mistake() {
    let project = NewProject::create();
    let mut command = super::command(project.folder());
    command.args(["status"]).env("CAMPAIGND_DATABASE", "postgres://nobody@127.0.0.1:1/nowhere");
    let said = super::said(command.output().expect("the program starts"));
    assert_eq!((said.exit, said.out.as_str()), (3, ""), "{}", said.err);
    assert!(said.err.contains("127.0.0.1:1"), "{}", said.err);
}

#[test]
fn a_renamed_campaign_that_is_sent_by_hand_mails_nobody_twice() {
    on_both(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        project.fine(["send", "thank_you", "--yes"]);
        assert_eq!(project.mails(), 2);
        project.fine(["pause", "thank_you"]);
        let yaml = project.read("campaigns/thank_you.yaml");
        let renamed = yaml.replace("thank_you:", "thanks:");
        assert_ne!(renamed, yaml);
        project.write("campaigns/thank_you.yaml", &renamed);
        let said = campaignd(project.folder(), ["check"]);
        assert!(said.out.contains("write `renamed_from: thank_you`"), "{} {}", said.out, said.err);
        let renamed = yaml.replace("thank_you:", "thanks:\n    renamed_from: thank_you");
        project.write("campaigns/thank_you.yaml", &renamed);
        let said = campaignd(project.folder(), ["send", "thanks", "--yes"]);
        assert_eq!((said.exit, said.out.as_str()), (2, ""), "{}", said.err);
        assert!(said.err.contains("thank_you is paused"), "{}", said.err);
        project.fine(["resume", "thank_you"]);
        let said = project.fine(["send", "thanks", "--yes", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(json["deliveries"], serde_json::json!({ "skipped": 4 }));
        assert_eq!(project.mails(), 2);
    });
}

#[test]
fn an_approved_run_is_sent_by_the_next_daemon() {
    on_both(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        let yaml =
            project.read("campaigns/thank_you.yaml").replace("max_recipients: 1000", "max_recipients: 1");
        project.write("campaigns/thank_you.yaml", &yaml);
        assert_eq!(campaignd(project.folder(), ["send", "thank_you", "--yes"]).exit, 1);
        let said = project.fine(["approve", "1"]).out;
        assert_eq!(said, "run 1 of thank_you: approved; it is sent when `campaignd run` is started\n");
        let daemon = super::daemon::Daemon::start(&project);
        project.until_mails(2);
        assert_eq!(daemon.stop("-TERM"), Some(0));
        let status = project.fine(["status"]).out;
        assert!(status.contains("2 accepted, 2 skipped"), "{status}");
    });
}

#[test]
fn wrong_files_keep_nobody_from_stopping_a_campaign() {
    on_both(|database| async move {
        let project = NewProject::on(&database.address);
        project.fine(["import", "contacts.csv"]);
        project.fine(["send", "thank_you", "--yes"]);
        let whole =
            std::fs::read_to_string(project.folder().join("campaigns/thank_you.yaml")).expect("the file");
        project.write("campaigns/thank_you.yaml", &whole.replace("template:", "tempalte:"));
        project.write("campaigns/torn.yaml", "campaigns: { news: [");
        assert_eq!(campaignd(project.folder(), ["check"]).exit, 2);
        for call in [&["send", "thank_you", "--yes"][..], &["resume", "thank_you"], &["approve", "1"]] {
            assert_eq!(campaignd(project.folder(), call).exit, 2, "{call:?} sends mails");
        }
        for call in [
            &["pause", "thank_you"][..],
            &["status"],
            &["suppress", "ada@shop.example"],
            &["forget", "ada@shop.example", "--yes"],
            &["key", "list"],
        ] {
            let said = campaignd(project.folder(), call);
            assert_eq!(said.exit, 0, "{call:?}: {}", said.err);
            assert!(
                said.err.starts_with("warning: ") && said.err.contains("`campaignd check`"),
                "{}",
                said.err
            );
        }
        project.write("campaignd.yaml", "public_url: 7\n");
        assert_eq!(campaignd(project.folder(), ["pause", "thank_you"]).exit, 2);
    });
}

#[test]
fn places_in_rankings_are_shown_with_their_date() {
    on_both(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        project.write(
            "campaigns/ranks.yaml",
            "\
traits: { spent: { of: purchase, total: amount } }
segments:
  best: { match: { ranked: { trait: spent, top: 2 } } }
  fourth: { match: { ranked: { trait: spent, quintile: 4 } } }
",
        );
        let said = project.fine(["segment", "best", "--json"]);
        let first: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        let rank = &first["segment"]["ranks"][0];
        assert_eq!((&rank["place"], &rank["contacts"]), (&"spent top 2".into(), &5.into()), "{first:#}");
        assert_eq!(rank["values"], serde_json::json!({ "at_least": 189.0 }), "{first:#}");
        assert_eq!(first["segment"]["members"], 3, "two spent the same: {first:#}");
        // Asked again, it is the same ranking; as of another instant it is another one, and that is said.
        let said = project.fine(["segment", "best", "--json"]);
        let again: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(again["segment"]["ranks"], first["segment"]["ranks"]);
        let said = project.fine(["segment", "best", "--at", "2001-01-01", "--json"]);
        assert!(said.err.contains("contacts are ranked anew for that instant"), "{}", said.err);
        let past: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(past["segment"]["ranks"][0]["contacts"], 0, "{past:#}");
        let said = project.fine(["segment", "best"]);
        assert!(said.out.contains("spent top 2") && said.out.contains("189 or more"), "{}", said.out);
        let said = project.fine(["segment", "fourth"]);
        assert!(said.out.contains("189 or more, under 240"), "{}", said.out);
    });
}
