//! A lane breaks off in the middle of a mail, as by a mistake of ours: its mail is taken back, and the others go on.

use std::collections::BTreeMap;

use super::checker::agree;
use super::daemon::{Project, add_people, is_over, until};
use super::server::FaultyServer;
use crate::support::database::on_both;

#[test]
fn a_lane_that_breaks_costs_one_mail_its_certainty_and_nobody_anything_else() {
    on_both(|database| async move {
        add_people(&database, 12).await;
        // Where, and how many mails nobody can be sure of behind it.
        let places = [
            ("the server waits for the message", 0),
            ("the message may go", 1),
            ("the message is answered", 1),
        ];
        for (number, (place, unsure)) in places.into_iter().enumerate() {
            let folder = tempfile::tempdir().expect("a folder");
            let server = FaultyServer::well(folder.path()).await;
            let campaign = format!("news_{number}");
            let project = Project::new(&database, server.port(), 1, &campaign);
            let mut daemon = project.daemon(Some(&format!("break {place} 3")));
            until(place, "the end of the run", async || {
                assert_eq!(daemon.ended(), None, "{place}: the daemon ended: {}", project.log());
                is_over(&database, &campaign).await
            })
            .await;
            assert!(daemon.has_said("a lane broke"), "{place}: {}", project.log());
            daemon.stop(place).await;
            let states = agree(place, &database, &server.journal(), unsure).await;
            let mut expected = BTreeMap::from([("accepted".to_owned(), 12 - unsure)]);
            if unsure > 0 {
                expected.insert("uncertain".to_owned(), unsure);
            }
            assert_eq!(states, expected, "{place}");
        }
    });
}
