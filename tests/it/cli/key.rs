//! `campaignd key`: made, listed, revoked; and what was refused.

use serde_json::Value;

use super::{NewProject, campaignd};
use crate::support::database::on_both;

#[test]
fn a_key_is_shown_once() {
    on_both(|database| async move {
        let project = NewProject::on(&database.address);
        let made = project.fine(["key", "create", "shop-backend"]);
        let key = made.out.trim();
        assert!(key.starts_with("cwk_") && key.len() == 47, "{key}");
        assert_eq!(made.err, "keep it: it is not stored and cannot be shown again\n");
        let other: Value =
            serde_json::from_str(&project.fine(["key", "create", "app", "--json"]).out).unwrap();
        assert_ne!(other["key"], key);
        let stored = database.rows("SELECT hash || hint FROM write_keys").await.join(" ");
        assert!(!stored.contains(&key[10..]), "{stored}");

        let listed = project.fine(["key", "list"]).out;
        assert!(
            listed.contains("shop-backend") && listed.contains("never") && !listed.contains(key),
            "{listed}"
        );
        let again = campaignd(project.folder(), ["key", "create", "app"]);
        assert_eq!(again.exit, 2);
        assert_eq!(
            again.err,
            "error: there is a key `app` already\nhint: give the new one another name, or revoke that one first: `campaignd key revoke app`\n"
        );
        let nameless = campaignd(project.folder(), ["key", "create", " "]);
        assert_eq!(nameless.exit, 2, "{}", nameless.err);

        project.fine(["key", "revoke", "app"]);
        let unknown = campaignd(project.folder(), ["key", "revoke", "shop-backnd"]);
        assert_eq!(unknown.exit, 2);
        assert_eq!(
            unknown.err,
            "error: no key is called `shop-backnd`\nhint: did you mean `shop-backend`?\n"
        );
        project.fine(["key", "create", "app"]);
        let listed: Value = serde_json::from_str(&project.fine(["key", "list", "--json"]).out).unwrap();
        let states: Vec<_> = listed["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| (key["name"].as_str().unwrap(), key["revoked_at"].is_null()))
            .collect();
        assert_eq!(states, [("shop-backend", true), ("app", false), ("app", true)]);

        assert_eq!(project.fine(["key", "rejects"]).err, "no call was refused\n");
        database
            .execute(
                "INSERT INTO ingest_rejects (digest, at, write_key, kind, reason, payload)
                 VALUES ('d', 1000000000000000, 1, 'kind', 'why', '{}')",
            )
            .await;
        let rejects = project.fine(["key", "rejects"]).out;
        assert!(rejects.contains("shop-backend  why"), "{rejects}");
        let rejects: Value = serde_json::from_str(&project.fine(["key", "rejects", "--json"]).out).unwrap();
        assert_eq!(rejects["rejects"][0]["reason"], "why");
        assert!(!project.fine(["status"]).out.contains("ingest API"), "that call came in long ago");
        database.execute("UPDATE ingest_rejects SET at = 4102444800000000").await;
        let shown = project.fine(["status"]).out;
        assert!(
            shown.contains("1 call of the ingest API refused, in whole or in part, within 7 days: see `campaignd key rejects`"),
            "{shown}"
        );
    });
}
