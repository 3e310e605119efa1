//! Secrets, campaigns, suppressions.

use campaignd::domain::delivery::{SuppressionCause, SuppressionScope};
use campaignd::domain::name::CampaignName;
use campaignd::domain::suppression::SuppressionTarget;
use campaignd::domain::time::Timestamp;
use campaignd::store::suppressions::{self, Suppression};
use campaignd::store::{campaigns, secrets};
use secrecy::ExposeSecret as _;

use crate::support::database::on_both;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const LATER: Timestamp = Timestamp::from_seconds(1_800_000_060);

#[test]
fn the_first_signing_secret_is_made_once_and_others_are_added() {
    on_both(|database| async move {
        let again = database.open_again().await;
        let read = async |store, fresh| {
            let secrets = secrets::signing_secrets(store, [fresh; 32], LATER).await.expect("they are read");
            secrets.iter().map(|one| (one.number, one.secret.expose_secret()[0])).collect::<Vec<_>>()
        };
        assert_eq!(read(&database.store, 7).await, [(0, 7)]);
        assert_eq!(read(&again, 9).await, [(0, 7)]);
        for number in 1..=12 {
            let added = secrets::add_signing_secret(&again, [number; 32], NOW).await.expect("it is added");
            assert_eq!(added, Some(number));
        }
        let all = read(&database.store, 0).await;
        assert_eq!((all.len(), all[2], all[12]), (13, (2, 2), (12, 12)));
        for number in 13..=255 {
            secrets::add_signing_secret(&again, [number; 32], NOW).await.expect("it is added");
        }
        assert_eq!(secrets::add_signing_secret(&again, [0; 32], NOW).await.expect("none is left"), None);
        assert_eq!(read(&database.store, 0).await.len(), 256);
    });
}

#[test]
fn a_campaign_is_activated_once_and_never_goes_back() {
    on_both(|database| async move {
        let name = CampaignName::parse("vip").expect("it is a name");
        for now in [NOW, LATER] {
            let known = campaigns::activate(&database.store, &name, now).await.expect("it is kept");
            assert_eq!((known.activated_at, known.considered_until), (NOW, NOW));
        }
        for until in [LATER, NOW] {
            campaigns::considered(&database.store, &name, until).await.expect("it is noted");
        }
        let all = campaigns::all(&database.store).await.expect("they are listed");
        assert_eq!(all.iter().map(|known| known.considered_until).collect::<Vec<_>>(), [LATER]);
    });
}

#[test]
fn suppressions_are_added_once() {
    on_both(|database| async move {
        let suppression = |address: &str, cause| Suppression {
            target: SuppressionTarget::address(address),
            cause,
            scope: SuppressionScope::Marketing,
            at: NOW,
            source: "it's \"quoted\", with a \\".to_owned(),
        };
        let both = [
            suppression("b@example.org", SuppressionCause::Import),
            suppression("a@example.org", SuppressionCause::Unsubscribe),
        ];
        let store = &database.store;
        assert_eq!(suppressions::add(store, &both).await.expect("they are added"), 2);
        assert_eq!(suppressions::add(store, &both).await.expect("nothing is new"), 0);
        let found =
            suppressions::among(store, &["A@Example.org", "c@example.org"]).await.expect("they are asked");
        assert_eq!(found.len(), 1);
        assert_eq!(found["A@Example.org"], both[1..]);
        assert_eq!(suppressions::all(store).await.expect("they are listed").len(), 2);
        assert_eq!(
            database.rows("SELECT address, cause FROM suppressions ORDER BY address").await,
            ["a@example.org | unsubscribe", "b@example.org | import"]
        );
    });
}
