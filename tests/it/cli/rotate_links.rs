//! `campaignd key rotate-links`, and what becomes of the links of mails that were sent before.

use std::collections::BTreeMap;
use std::time::Duration;

use campaignd::app::signing::{self, KNOWN_BEFORE};
use campaignd::app::{Checked, Installation};
use campaignd::clock::Clock;
use campaignd::domain::delivery::DeliveryId;
use campaignd::domain::time::Timestamp;
use campaignd::links::Claims;

use super::NewProject;

#[test]
fn the_command_says_when_the_new_secret_signs() {
    let project = NewProject::create();
    let said = project.fine(["key", "rotate-links"]);
    insta::assert_snapshot!(said.out, @"links: signed by secret 1 in 10s");
    insta::assert_snapshot!(said.err, @"links in mails that were sent stay valid");
    let said = project.fine(["key", "rotate-links", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("it is JSON");
    assert_eq!((&json["version"], &json["secret"]), (&1.into(), &2.into()), "{json}");
    assert!(json["signs_from"].is_string(), "{json}");
}

#[test]
fn a_new_secret_signs_when_all_know_it_and_old_links_stay_valid() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let project = NewProject::create();
        let start = Timestamp::from_seconds(1_800_000_000);
        let (clock, hand) = Clock::set_at(start);
        let open = async || {
            let checked = Checked::read(project.folder(), &BTreeMap::new());
            let project = checked.project.expect("it is right");
            Installation::open(project, clock.clone()).await.expect("it opens")
        };
        // Two processes on one database; a daemon's renderer and its servers share one.
        let (first, second) = (open().await, open().await);
        let shared = first.clone();
        let claims = Claims::Unsubscribe(DeliveryId(7));
        let token = async |of: &Installation| of.links().await.expect("they are made").signer().mint(claims);
        let verified = async |by: &Installation, token: &str| {
            by.links().await.expect("they are made").signer().verify(token)
        };
        let renew = async |of: &Installation| of.renew_links().await.expect("they are read");
        let message_id = async |of: &Installation| {
            of.links().await.expect("they are made").signer().message_id(DeliveryId(7), "a.example")
        };
        let (old, id) = (token(&first).await, message_id(&first).await);
        assert_eq!(token(&second).await, old);

        let rotated = signing::rotate(&first).await.expect("there is a new one");
        assert_eq!((rotated.secret, rotated.signs_from), (1, start.plus(KNOWN_BEFORE)));
        hand.set(start.plus(KNOWN_BEFORE).minus(Duration::from_micros(1)));
        renew(&first).await;
        assert_eq!(token(&first).await, old, "somebody may not know the new one yet");
        renew(&second).await;
        hand.set(start.plus(KNOWN_BEFORE));
        renew(&first).await;
        let new = token(&shared).await;
        assert_ne!(new, old);
        for installation in [&first, &second, &open().await] {
            assert_eq!(verified(installation, &new).await, Ok(claims));
            assert_eq!(verified(installation, &old).await, Ok(claims));
            assert_eq!(message_id(installation).await, id);
        }
    });
}
