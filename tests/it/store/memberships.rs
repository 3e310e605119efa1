//! Memberships are kept with the time of entering, and what changes is logged.

use campaignd::domain::contact::ContactId;
use campaignd::domain::name::SegmentName;
use campaignd::domain::time::Timestamp;
use campaignd::store::contacts::ChangeMark;
use campaignd::store::memberships::{self, EntryCause, Evaluated, SegmentChange, SegmentId};
use campaignd::store::reviews::{self, ReviewGroup, Reviews};
use campaignd::store::{Store, StoreError};

use crate::support::database::on_both;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// How a segment was evaluated last.
async fn evaluated(store: &Store, segment: SegmentId) -> Option<Evaluated> {
    let names = ["quiet", "best"].map(|name| SegmentName::parse(name).expect("a name"));
    let known = memberships::ensure_segments(store, &names).await.expect("they are known");
    known.into_iter().find(|known| known.id == segment).and_then(|known| known.evaluated)
}

async fn apply(store: &Store, segment: SegmentId, moves: (&[i64], &[i64]), reviews: &Reviews, now: i64) {
    let before = evaluated(store, segment).await;
    apply_after(store, segment, before, moves, reviews, now).await.expect("the memberships are written");
}

async fn apply_after(
    store: &Store,
    segment: SegmentId,
    before: Option<Evaluated>,
    (entered, left): (&[i64], &[i64]),
    reviews: &Reviews,
    now: i64,
) -> Result<(), StoreError> {
    let change = SegmentChange {
        before,
        cause: EntryCause::Data,
        other_causes: Vec::new(),
        segment,
        entered: entered.iter().copied().map(ContactId).collect(),
        left: left.iter().copied().map(ContactId).collect(),
        gone: std::iter::empty().collect(),
        evaluated: Evaluated {
            at: at(now),
            fingerprint: "f".to_owned(),
            mark: ChangeMark { contacts: 1, events: now },
        },
    };
    memberships::apply(store, &[change], &[], ReviewGroup::SHARED, reviews, at(now)).await
}

/// `contact@entered` of every member.
async fn members(store: &Store, segment: SegmentId) -> Vec<String> {
    let members = memberships::members(store, segment).await.expect("the members are read");
    assert_eq!(memberships::count(store, segment).await.expect("they are counted"), members.len() as u64);
    members
        .iter()
        .map(|member| format!("{}@{}", member.contact.0, member.entered_at.micros() / 1_000_000))
        .collect()
}

#[test]
fn who_stays_keeps_the_time_of_entering() {
    on_both(|database| async move {
        let store = &database.store;
        let names = ["quiet", "best"].map(|name| SegmentName::parse(name).expect("a name"));
        let known = memberships::ensure_segments(store, &names).await.expect("they are known");
        assert_eq!(known.iter().map(|known| known.kept.to_string()).collect::<Vec<_>>(), ["quiet", "best"]);
        let again = memberships::ensure_segments(store, &names).await.expect("they are known");
        assert_eq!(known, again);
        let segment = known[0].id;

        let far = 5_000_000;
        apply(store, segment, (&[1, 2, 4_095, 4_096, far], &[]), &Reviews::Keep, 100).await;
        assert_eq!(members(store, segment).await, ["1@100", "2@100", "4095@100", "4096@100", "5000000@100"]);
        let entered = memberships::lately_entered(store, segment, 9).await.expect("it is read");
        assert!(entered.is_empty(), "a first evaluation does not say when anybody came");

        apply(store, segment, (&[3, 9_000], &[2, far]), &Reviews::Keep, 200).await;
        assert_eq!(members(store, segment).await, ["1@100", "3@200", "4095@100", "4096@100", "9000@200"]);
        let entered = memberships::lately_entered(store, segment, 9).await.expect("it is read");
        assert_eq!(entered.iter().map(|passage| passage.contact.0).collect::<Vec<_>>(), [3, 9_000]);
        let left = memberships::lately_left(store, segment, 1).await.expect("it is read");
        assert_eq!(left.iter().map(|passage| passage.contact.0).collect::<Vec<_>>(), [2]);
        let among = [ContactId(1), ContactId(2), ContactId(9_000)];
        let among = memberships::members_among(store, &[segment], &among).await.expect("they are read");
        assert_eq!(among[0].iter().map(|member| member.contact.0).collect::<Vec<_>>(), [1, 9_000]);
        let known = memberships::ensure_segments(store, &names).await.expect("they are known");
        let evaluated = known[0].evaluated.as_ref().expect("it was evaluated");
        assert_eq!((evaluated.at, evaluated.mark.events), (at(200), 200));
        assert_eq!(known[1].evaluated, None);

        apply(store, segment, (&[], &[1, 3, 4_095, 4_096, 9_000]), &Reviews::Keep, 300).await;
        assert!(members(store, segment).await.is_empty());
    });
}

#[test]
fn who_is_to_be_looked_at_again_is_found_in_time() {
    on_both(|database| async move {
        let store = &database.store;
        let names = [SegmentName::parse("quiet").expect("a name")];
        let known = memberships::ensure_segments(store, &names).await.expect("they are known");
        let segment = known[0].id;
        let due = async |now| {
            let due =
                reviews::due_for_review(store, ReviewGroup::SHARED, at(now)).await.expect("they are found");
            due.iter().map(|contact| contact.0).collect::<Vec<_>>()
        };
        let all = [(1, 50), (2, 10), (4_096, 10), (9_000, 99)];
        let all = all.iter().map(|(contact, review)| (ContactId(*contact), at(*review))).collect();
        apply(store, segment, (&[], &[]), &Reviews::All(all), 1).await;
        assert_eq!(due(9).await, [] as [i64; 0]);
        assert_eq!(due(10).await, [2, 4_096]);
        let some = |some: &[(i64, Option<i64>)]| Reviews::Some {
            exactly: some.iter().map(|(contact, review)| (ContactId(*contact), review.map(at))).collect(),
            at_latest: Vec::new(),
        };
        apply(store, segment, (&[], &[]), &some(&[(2, None), (3, Some(20)), (4_096, Some(70))]), 10).await;
        assert_eq!(due(70).await, [1, 3, 4_096]);
        apply(store, segment, (&[], &[]), &some(&[(9_000, None)]), 11).await;
        assert_eq!(due(1_000).await, [1, 3, 4_096]);
        apply(store, segment, (&[], &[]), &Reviews::All(vec![(ContactId(7), at(5))]), 12).await;
        assert_eq!(due(1_000).await, [7]);
    });
}

#[test]
fn who_stood_still_over_an_evaluation_undoes_nothing() {
    on_both(|database| async move {
        let store = &database.store;
        let names = ["quiet", "best"].map(|name| SegmentName::parse(name).expect("a name"));
        let known = memberships::ensure_segments(store, &names).await.expect("they are known");
        let (segment, other) = (known[0].id, known[1].id);
        let reviews = |contact| Reviews::All(vec![(ContactId(contact), at(900))]);
        let standing = async || {
            let rows = "SELECT CAST(id AS TEXT), COALESCE(CAST(evaluated_at AS TEXT), '-') FROM segments ORDER BY id";
            let due =
                reviews::due_for_review(store, ReviewGroup::SHARED, at(1_000)).await.expect("they are read");
            let left = memberships::lately_left(store, segment, 9).await.expect("they are read");
            (members(store, segment).await, members(store, other).await, due, left, database.rows(rows).await)
        };

        // Two go out from nothing, two from the first evaluation, one from declarations that had changed since.
        apply(store, segment, (&[1, 2], &[]), &reviews(1), 100).await;
        let first = evaluated(store, segment).await;
        let written = standing().await;
        let late = apply_after(store, segment, None, (&[7], &[]), &reviews(7), 90).await;
        assert!(matches!(late, Err(StoreError::EvaluatedMeanwhile)), "{late:?}");
        assert_eq!(standing().await, written);

        apply(store, segment, (&[3], &[1]), &reviews(3), 200).await;
        let written = standing().await;
        let late = apply_after(store, segment, first, (&[4], &[2]), &reviews(4), 150).await;
        assert!(matches!(late, Err(StoreError::EvaluatedMeanwhile)), "{late:?}");
        assert_eq!(standing().await, written);

        let before = evaluated(store, segment).await;
        memberships::reset(store).await.expect("all is to be evaluated anew");
        let late = apply_after(store, segment, before, (&[5], &[]), &Reviews::Keep, 300).await;
        assert!(late.is_err_and(|error| error.is_unavailable()), "the next evaluation finds all asked anew");
        apply(store, segment, (&[5], &[]), &Reviews::Keep, 300).await;
        assert_eq!(members(store, segment).await, ["2@100", "3@200", "5@300"]);
    });
}
