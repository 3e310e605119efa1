//! The addresses that stand in mails: numbered by what they are, not by when they come.

use campaignd::domain::delivery::RunId;
use campaignd::domain::link::{Link, LinkNumber};
use campaignd::store::links;

use crate::support::database::on_both;

#[test]
fn an_address_has_the_same_number_whoever_asks_and_when() {
    on_both(|database| async move {
        let store = &database.store;
        let (run, other) = (RunId(1), RunId(2));
        let urls = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (a, b) = ("https://maison.example/a?x=1&y='\"", "https://maison.example/é");
        let first = links::intern(store, run, &urls(&[a, b, a])).await.expect("they are noted");
        assert_eq!(first[0], first[2]);
        assert_eq!(first[0], LinkNumber::first_choice(run, a));
        let again = database.open_again().await;
        assert_eq!(
            links::intern(&again, run, &urls(&[b, a])).await.expect("they are known"),
            [first[1], first[0]]
        );
        assert_eq!(links::intern(store, run, &[]).await.expect("nothing to do"), []);
        assert_ne!(links::intern(store, other, &urls(&[a])).await.expect("it is noted"), first[..1]);

        let link = links::by_number(&again, first[1]).await.expect("it is looked up");
        assert_eq!(link, Some(Link { run, url: b.to_owned() }));
        assert_eq!(links::by_number(store, LinkNumber(5)).await.expect("it is looked up"), None);
        let mut all = vec![(first[0], a.to_owned()), (first[1], b.to_owned())];
        all.sort();
        assert_eq!(links::of_run(store, run).await.expect("they are listed"), all);
    });
}

#[test]
fn two_addresses_that_want_one_number_have_two() {
    // Found by trying: the first 40 bits of both hashes are equal.
    const TWINS: [&str; 2] = ["https://maison.example/14324", "https://maison.example/1160483"];
    on_both(|database| async move {
        let store = &database.store;
        let run = RunId(1);
        assert_eq!(LinkNumber::first_choice(run, TWINS[0]), LinkNumber::first_choice(run, TWINS[1]));
        let twins = TWINS.map(str::to_owned);
        let numbers = links::intern(store, run, &twins).await.expect("they are noted");
        assert_eq!(numbers[1].0.abs_diff(numbers[0].0), 1);
        assert_eq!(links::intern(store, run, &twins).await.expect("they are known"), numbers);
        for (number, url) in numbers.into_iter().zip(twins) {
            let link = links::by_number(store, number).await.expect("it is looked up");
            assert_eq!(link, Some(Link { run, url }));
        }
    });
}
