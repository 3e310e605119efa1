//! What `status` says of campaigns that stopped by themselves, and of mails that wait for their hour.

use serde_json::Value;

use super::NewProject;
use crate::support::database::{TestDatabase, on_both};

const NEWS: &str = "
campaigns:
  news:
    audience: everyone
    from: Maison <hello@shop.example>
    template: thank_you
    data: { percent: 10 }
    limits: { per_hour: 60, max_refused: 3 }
";

#[test]
fn status_says_why_a_campaign_stopped_and_resume_lets_it_go_on() {
    on_both(|database: TestDatabase| async move {
        let project = NewProject::on(&database.address);
        project.write("campaigns/news.yaml", NEWS);
        project.fine(["check"]);
        project.fine(["status"]);
        database
            .execute(
                "INSERT INTO campaign_pauses (campaign, at, reason)
                 VALUES ('news', 1800000000000000, 'the server refused 12 of the last 230 mails')",
            )
            .await;
        let status = project.fine(["status"]).out;
        let said = "news was paused by itself: the server refused 12 of the last 230 mails.\n\
            `campaignd resume news` lets it go on.\n";
        assert!(status.contains(said) && status.contains("paused since 2027-01-15 08:00 UTC"), "{status}");
        let status: Value = serde_json::from_str(&project.fine(["status", "--json"]).out).expect("JSON");
        let news =
            status["upcoming"].as_array().and_then(|all| all.iter().find(|one| one["campaign"] == "news"));
        assert_eq!(
            news.map(|news| &news["paused_because"]),
            Some(&Value::from("the server refused 12 of the last 230 mails"))
        );
        project.fine(["resume", "news"]);
        assert!(!project.fine(["status"]).out.contains("by itself"));
    });
}
