//! `campaignd demo`: the same figures each time, whole mails, and everybody accounted for.

use std::collections::BTreeMap;
use std::fs;

use mail_parser::{HeaderName, MessageParser, MimeHeaders as _};
use serde_json::Value;

use super::campaignd;

#[test]
fn the_demo_twice_gives_the_same_and_every_mail_is_whole() {
    let parent = tempfile::tempdir().expect("a folder");
    let first = campaignd(parent.path(), ["demo", "--json"]);
    assert_eq!((first.exit, first.err.as_str()), (0, ""), "{}", first.out);
    let folder = parent.path().join("campaignd-demo");
    let mails = mails(&folder);
    let again = campaignd(parent.path(), ["demo", "--exit"]);
    assert_eq!((again.exit, again.err.as_str()), (0, ""), "{}", again.out);
    assert!(mails == self::mails(&folder), "the same seed gives the same mails");

    let json: Value = serde_json::from_str(&first.out).expect("JSON");
    assert_eq!(json["contacts"], 1_200);
    assert_eq!(json["mails"], mails.len());
    everybody_is_in_one_state(&json, mails.len() as u64);
    every_step_of_the_loop_is_there(&json);
    for (name, mail) in &mails {
        whole(name, mail);
    }

    the_readme_shows_it(&again.out);
    super::page::it_renders(&folder.join("report.html"));

    // What the demo leaves is a project like any other. Levels are those of the day of the last run.
    let said = campaignd(&folder, ["check", "--deny-warnings"]);
    assert_eq!(said.exit, 0, "{}", said.out);
    let said = campaignd(&folder, ["report", "--json"]);
    let mut report: Value = serde_json::from_str(&said.out).expect("JSON");
    let mut expected = json["report"].clone();
    for report in [&mut report, &mut expected] {
        report["levels"].take();
        for campaign in report["campaigns"].as_array_mut().expect("campaigns") {
            campaign["levels"].take();
        }
    }
    assert_eq!(report, expected, "the same seed gives the same figures");
    for call in [&["report", "--csv"][..], &["report", "goodbye", "--html", "-"], &["report", "reward"]] {
        let said = campaignd(&folder, call);
        assert_eq!((said.exit, said.err.as_str()), (0, ""), "{call:?}");
        assert!(said.out.len() > 500, "{}", said.out);
    }
}

/// Mails are opened, followed and answered by people and by machines, and that moves scores and segments.
fn every_step_of_the_loop_is_there(json: &Value) {
    let mut sums = [0; 7];
    for campaign in json["report"]["campaigns"].as_array().expect("campaigns") {
        let engagement = &campaign["engagement"];
        let counts = [
            &engagement["opened"]["deliveries"]["human"],
            &engagement["opened"]["deliveries"]["machine"],
            &engagement["opened"]["deliveries"]["unknown"],
            &engagement["clicked"]["deliveries"]["human"],
            &engagement["clicked"]["deliveries"]["machine"],
            &engagement["unsubscribed"]["deliveries"],
            &engagement["mails"]["none"],
        ];
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count.as_u64().expect("a count");
        }
        assert!(campaign["deliveries"]["accepted"].as_u64() > Some(0), "{campaign:#}");
        let opened = engagement["opened"]["rate"]["part"].as_u64();
        assert!(opened <= engagement["opened"]["rate"]["whole"].as_u64(), "{engagement:#}");
    }
    assert!(sums.iter().all(|sum| *sum > 0), "{sums:?}");
    assert!(json["orders_after_a_click"].as_u64() > Some(0));
    let moments = json["report"]["levels"][0]["moments"].as_array().expect("moments");
    assert_eq!(moments.len(), 7);
    for moment in &moments[1..] {
        assert!(moment["rose"].as_u64() > Some(0) && moment["fell"].as_u64() > Some(0), "{moment:#}");
    }
    let members = |name: &str| {
        let segments = json["segments"].as_array().expect("segments");
        segments.iter().find(|segment| segment["name"] == name).expect("it is declared")["members"].as_u64()
    };
    assert!(members("resting") > Some(0) && members("resting") <= members("ignored_the_last_ten"));
}

#[test]
fn a_folder_of_somebody_else_is_not_touched() {
    let parent = tempfile::tempdir().expect("a folder");
    let mine = parent.path().join("mine");
    fs::create_dir(&mine).expect("a folder");
    fs::write(mine.join("campaignd.db"), "mine").expect("a file");
    let said = campaignd(parent.path(), ["demo", "--dir", "mine"]);
    assert_eq!((said.exit, said.out.as_str()), (2, ""), "{}", said.err);
    assert_eq!(fs::read_dir(&mine).expect("the folder").count(), 1);
}

/// The demo's report in README.md is what is printed, with gaps at its `…`.
fn the_readme_shows_it(printed: &str) {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("README.md");
    let shown =
        readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the report");
    assert!(shown.lines().count() > 20, "{shown}");
    for part in shown.split("…\n") {
        assert!(printed.contains(part), "the README shows\n{part}\nbut the demo says\n{printed}");
    }
}

/// The mails by their file's name.
fn mails(project: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(project.join("outbox"))
        .expect("the outbox")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(path).expect("a mail"))
        })
        .collect()
}

/// The states of a run's deliveries add up to its audience, and accepted ones to the mails.
fn everybody_is_in_one_state(json: &Value, mails: u64) {
    let campaigns = json["report"]["campaigns"].as_array().expect("campaigns");
    assert_eq!(campaigns.len(), 8, "{json:#}");
    let mut accepted = 0;
    for campaign in campaigns {
        for run in campaign["runs"].as_array().expect("runs") {
            let count = |name: &str| run["deliveries"][name].as_u64().expect("a count");
            let states: u64 =
                ["accepted", "refused", "uncertain", "skipped"].iter().map(|name| count(name)).sum();
            assert_eq!(states, count("audience"), "{run:#}");
            assert_eq!(run["state"], "finished", "{run:#}");
            accepted += count("accepted");
        }
    }
    assert_eq!(accepted, mails);
    assert!(mails > 500, "{mails} mails");
}

/// A valid message with both parts and every header of marketing mail.
fn whole(name: &str, mail: &[u8]) {
    let message = MessageParser::default().parse(mail).unwrap_or_else(|| panic!("{name} is no message"));
    for header in [
        "Date",
        "Message-ID",
        "From",
        "To",
        "Subject",
        "MIME-Version",
        "List-Id",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "Feedback-ID",
    ] {
        let values =
            message.headers().iter().filter(|found| found.name().eq_ignore_ascii_case(header)).count();
        assert_eq!(values, 1, "{name}: header {header}");
    }
    let unsubscribe = message.header_raw(HeaderName::ListUnsubscribe).unwrap_or_default();
    assert!(unsubscribe.contains("<https://") && unsubscribe.contains("<mailto:"), "{name}: {unsubscribe}");
    let text = message.body_text(0).unwrap_or_else(|| panic!("{name} has no text"));
    let html = message.body_html(0).unwrap_or_else(|| panic!("{name} has no HTML"));
    for (part, body) in [("text", &text), ("HTML", &html)] {
        assert!(body.contains("12 rue des Courts"), "{name}: the {part} has no postal address");
        assert!(body.contains("https://mail.maison.example/"), "{name}: the {part} has no unsubscribe link");
        assert!(!body.contains("{{") && !body.contains("{%"), "{name}: the {part} is not rendered");
    }
    assert!(message.parts.iter().all(|part| part.content_type().is_some()), "{name}");
    assert!(
        mail.split(|byte| *byte == b'\n').all(|line| line.len() <= 998 + 1),
        "{name}: a line is too long"
    );
}
