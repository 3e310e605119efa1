//! The folder and the list.

use campaignd::domain::delivery::TryOutcome;
use campaignd::send::{HandoverStopped, Transport};

use super::{deliver, email_to, line, now};

fn files(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn each_message_is_one_file_named_by_its_date_and_id() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outbox/today");
    let mut lane = Transport::folder(&path).open();
    for _ in 0..2 {
        // Handed over again, it is the same file.
        for number in 1..=2 {
            let outcome = deliver(&mut lane, &email_to("anna@shop.example", number)).await;
            assert_eq!(line(&outcome), "accepted: written to the folder");
        }
    }
    assert_eq!(files(&path), ["20261123T073949Z-1@shop.example.eml", "20261123T073949Z-2@shop.example.eml"]);
    let written = std::fs::read(path.join("20261123T073949Z-1@shop.example.eml")).unwrap();
    assert_eq!(written, email_to("anna@shop.example", 1).bytes);
}

#[tokio::test]
async fn ids_that_are_no_file_names_become_some() {
    let folder = tempfile::tempdir().unwrap();
    let mut lane = Transport::folder(folder.path()).open();
    for id in ["<../../etc/passwd>", "<a/b@x>", "<a_b@x>", &format!("<{}@x>", "é".repeat(400))] {
        let mut email = email_to("anna@shop.example", 1);
        email.message_id = id.to_owned();
        email.bytes = b"Subject: no date\r\n\r\nDate: Mon, 23 Nov 2026 07:39:49 +0000\r\n".to_vec();
        deliver(&mut lane, &email).await;
    }
    let names = files(folder.path());
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("undated-") && name.len() < 200), "{names:?}");
}

#[tokio::test]
async fn nothing_is_left_when_the_ledger_says_stop() {
    let folder = tempfile::tempdir().unwrap();
    let mut lane = Transport::folder(folder.path()).open();
    let stop = || async { Err(HandoverStopped { reason: "the lease ran out".to_owned() }) };
    let outcome = lane.deliver(&email_to("anna@shop.example", 1), stop, now()).await;
    assert_eq!(line(&outcome), "deferred: the handover was stopped: the lease ran out");
    assert_eq!(files(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_defers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    std::fs::write(&file, "").unwrap();
    let outcome = deliver(&mut Transport::folder(&file).open(), &email_to("anna@shop.example", 1)).await;
    assert!(line(&outcome).starts_with("deferred (server): writing "), "{}", line(&outcome));
}

#[tokio::test]
async fn the_list_keeps_every_copy() {
    let (transport, list) = Transport::memory();
    assert!(!transport.mails_people() && transport.connections() == 1);
    let mut lane = transport.open();
    for number in [1, 1, 2] {
        let outcome = deliver(&mut lane, &email_to("anna@shop.example", number)).await;
        assert!(matches!(outcome, TryOutcome::Accepted(_)));
    }
    assert_eq!(list.sent().len(), 3);
    assert_eq!(list.take()[2].message_id, "<2@shop.example>");
    assert_eq!(list.sent(), []);
}
