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
fn the_signing_secret_is_made_once() {
    on_both(|database| async move {
        let first = secrets::signing_secret(&database.store, [7; 32], NOW).await.expect("it is made");
        let again = secrets::signing_secret(&database.open_again().await, [9; 32], NOW).await;
        assert_eq!(first.expose_secret(), [7; 32]);
        assert_eq!(again.expect("it is read").expose_secret(), [7; 32]);
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
