//! `campaignd uncertain`: what is listed, what somebody's word settles, and what it does not.

use serde_json::{Value, json};

use super::{NewProject, campaignd};
use crate::support::database::{TestDatabase, on_both};

const NEWS: &str = "
campaigns:
  news: { audience: everyone, repeat: every_run, from: Maison <hello@shop.example>, template: thank_you, data: { percent: 10 } }
";

/// Two runs to four people, of which nobody knows how they ended.
async fn doubted(database: &TestDatabase) -> NewProject {
    let project = NewProject::on(&database.address);
    let people: Vec<String> = (1..=4).map(|n| format!("{n},p{n}@shop.example,yes\n")).collect();
    project.write("people.csv", &format!("id,email,consent.marketing\n{}", people.concat()));
    project.fine(["import", "people.csv"]);
    project.write("campaigns/news.yaml", NEWS);
    let none = campaignd(project.folder(), ["uncertain"]);
    assert_eq!((none.exit, none.out.as_str(), none.err.as_str()), (0, "", "no delivery is uncertain\n"));
    project.fine(["send", "news", "--yes"]);
    project.fine(["send", "news", "--yes"]);
    database
        .execute(
            "UPDATE deliveries SET state = 'uncertain', recorded_at = NULL, reply_text = 'the connection broke';
             DELETE FROM events; DELETE FROM event_messages",
        )
        .await;
    project
}

async fn states(database: &TestDatabase) -> Vec<String> {
    database
        .rows("SELECT CAST(id AS TEXT), state, COALESCE(reason, settled_by) FROM deliveries ORDER BY id")
        .await
}

#[test]
fn uncertain_mails_are_listed_and_settled_by_hand() {
    on_both(|database: TestDatabase| async move {
        let project = doubted(&database).await;
        let listed = project.fine(["uncertain"]).out;
        assert_eq!(listed.lines().count(), 11, "{listed}");
        assert!(listed.contains("p3@shop.example") && listed.contains("--accepted DELIVERY…"), "{listed}");
        let status = project.fine(["status"]).out;
        assert!(status.contains("8 mails are uncertain: `campaignd uncertain` lists"), "{status}");
        let report = project.fine(["report"]).out;
        assert!(report.contains("`campaignd uncertain` lists them"), "{report}");

        let one: Value =
            serde_json::from_str(&project.fine(["uncertain", "--run", "2", "--json"]).out).unwrap();
        let rows = one["uncertain"].as_array().unwrap();
        assert_eq!((one["version"].as_i64(), rows.len()), (Some(1), 4));
        let message_id = rows[0]["message_id"].as_str().unwrap().to_owned();
        assert!(message_id.starts_with('<') && rows[0]["handed_over_at"].is_string(), "{one}");
        assert_eq!(
            (&rows[0]["delivery"], &rows[0]["contact"], &rows[0]["reply"], &rows[0]["sent_again"]),
            (&json!(5), &json!("1"), &json!("the connection broke"), &json!(false))
        );

        // By number; a number that is not uncertain changes nothing, and is said.
        let said = project.fine(["uncertain", "--accepted", "1", "2"]);
        assert_eq!(said.out, "2 deliveries are accepted now\n");
        let said = campaignd(project.folder(), ["uncertain", "--refused", "2", "3", "99"]);
        assert_eq!((said.exit, said.out.as_str()), (1, "1 delivery is refused now\n"));
        assert_eq!(said.err, "error: not uncertain, and left as it is: 2, 99\n");
        let expected =
            ["1 | accepted | hand", "2 | accepted | hand", "3 | refused | rejected", "4 | uncertain | -"];
        assert_eq!(states(&database).await[..4], expected);
        let sent = "SELECT external_id FROM event_log WHERE name = 'email_sent' ORDER BY 1";
        assert_eq!(database.rows(sent).await, ["1", "2"], "what was accepted is an event at once");

        // By run, by campaign.
        let said = project.fine(["uncertain", "--refused", "--run", "2", "--json"]);
        let said: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(
            said,
            json!({"version": 1, "state": "refused", "settled": [5, 6, 7, 8], "not_uncertain": []})
        );
        assert_eq!(
            project.fine(["uncertain", "--accepted", "--campaign", "news"]).out,
            "1 delivery is accepted now\n"
        );
        assert_eq!(campaignd(project.folder(), ["uncertain"]).err, "no delivery is uncertain\n");
    });
}

#[test]
fn a_call_that_names_nothing_or_too_much_settles_nothing() {
    on_both(|database: TestDatabase| async move {
        let project = doubted(&database).await;
        for (words, message) in [
            (&["--accepted"][..], "no delivery is named"),
            (&["--accepted", "1", "--run", "2"], "deliveries are named twice"),
            (&["--accepted", "1", "--refused", "2"], "cannot be used with"),
            (&["--accepted", "x"], "invalid value"),
            (&["--refused", "--run", "77"], "there is no run 77"),
            (&["--refused", "--campaign", "newz"], "no campaign is called `newz`"),
        ] {
            let said = campaignd(project.folder(), ["uncertain"].iter().chain(words));
            assert_eq!(said.exit, 2, "{words:?}: {}", said.err);
            assert!(said.err.contains(message), "{words:?}: {}", said.err);
        }
        assert!(states(&database).await.iter().all(|row| row.contains("uncertain")));
    });
}
