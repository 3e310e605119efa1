//! `sender: { bounces }`: every mail has an envelope sender of its own, under TLS or not, at every try.

use super::NewProject;
use crate::support::database::{TestDatabase, on_both};
use crate::support::smtp::{SmtpServer, TakenMail};

const NEWS: &str = "
campaigns:
  news: { audience: everyone, repeat: every_run, from: Maison <hello@shop.example>, template: thank_you, data: { percent: 10 } }
";

#[test]
fn each_mail_says_where_it_comes_back_to_and_whose_it_was() {
    on_both(|database: TestDatabase| async move {
        let project = NewProject::on(&database.address);
        let people: Vec<String> = (1..=3).map(|n| format!("{n},p{n}@shop.example,yes\n")).collect();
        project.write("people.csv", &format!("id,email,consent.marketing\n{}", people.concat()));
        project.fine(["import", "people.csv"]);
        project.write("campaigns/news.yaml", NEWS);
        let server = SmtpServer::start().await;
        let transport =
            format!("transport: {{ smtp: {{ host: 127.0.0.1, port: {}, tls: none }} }}\n", server.port());
        let settings = project.read("campaignd.yaml");
        project.write("campaignd.yaml", &format!("{settings}\n{transport}"));
        project.fine(["send", "news", "--yes"]);
        let senders = |mails: &[TakenMail]| {
            let mut senders: Vec<String> = mails.iter().map(|mail| mail.sender.clone()).collect();
            senders.sort_unstable();
            senders.dedup();
            senders
        };
        assert_eq!(
            senders(&server.mails()),
            ["hello@shop.example"],
            "without the setting: as the campaign says"
        );

        let settings = settings.replace("sender: {", "sender: { bounces: back@shop.example,");
        project.write("campaignd.yaml", &format!("{settings}\n{transport}"));
        project.fine(["send", "news", "--yes"]);
        let mails = &server.mails()[3..];
        assert_eq!(senders(mails).len(), 3, "{mails:?}");
        for mail in mails {
            let token = mail.sender.strip_prefix("back+").and_then(|rest| rest.strip_suffix("@shop.example"));
            let token = token.unwrap_or_else(|| panic!("{}", mail.sender));
            assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{token}");
            let message = String::from_utf8_lossy(&mail.bytes);
            assert!(message.contains("\r\nFrom: Maison <hello@shop.example>\r\n"), "{message}");
            assert!(!message.contains(token), "who reads the mail learns nothing of it");
        }
    });
}
