//! `campaignd status` of a daemon that holds its lock and writes nothing.

use campaignd::domain::time::Timestamp;
use campaignd::store::incarnations::Incarnation;
use serde_json::{Value, json};

use super::NewProject;
use crate::support::database::{TestDatabase, on_both};

#[test]
fn a_daemon_that_writes_nothing_is_told_with_the_cause() {
    on_both(|database: TestDatabase| async move {
        let project = NewProject::on(&database.address);
        let daemon = async || {
            serde_json::from_str::<Value>(&project.fine(["status", "--json"]).out).expect("JSON")["daemon"]
                .clone()
        };
        assert_eq!(
            daemon().await,
            json!({ "running_since": null, "silent_since": null, "cannot_write": null })
        );
        // Its last sign of life was its start.
        let start = Timestamp::from_micros(1_700_000_000_000_000);
        let sender = Incarnation::begin(&database.store, start).await.expect("a sender");
        let shown = project.fine(["status"]).out;
        assert!(
            shown.contains("but it has written nothing since 2023-11-14")
                && shown.contains("can be written from here"),
            "{shown}"
        );
        database.fill_up("counters").await;
        let shown = project.fine(["status"]).out;
        assert!(shown.contains("hands nothing over") && shown.contains("No space left on device"), "{shown}");
        let silent = daemon().await;
        assert_eq!(silent["silent_since"], silent["running_since"]);
        assert!(
            silent["cannot_write"].as_str().is_some_and(|cause| cause.contains("No space left")),
            "{silent}"
        );
        database.make_room("counters").await;
        assert_eq!(daemon().await["cannot_write"], Value::Null);

        // A sign of life of this minute.
        let beat = "UPDATE incarnations SET heartbeat_at = 4102444800000000";
        database.execute(beat).await;
        assert!(!project.fine(["status"]).out.contains("written nothing"), "it lives");
        sender.end(&database.store, start).await.expect("it ends");
        assert!(project.fine(["status"]).out.contains("not running"), "it ended");
    });
}
