//! What follows an event, or does not: `then` and `then_not`.
//!
//! Whether an event counts depends on the instant of asking in two ways: what is recorded for later does
//! not follow yet, and while something may still follow, nothing is decided of `then_not`. So each
//! answer knows until when it is good.

use super::answer::{Answer, NEVER};
use super::check::Check;
use super::events::Past;
use super::slots::Slot;
use super::table::Table;
use crate::domain::calendar;
use crate::domain::history::Event;
use crate::domain::time::{Span, Timestamp};

/// A compiled [`Follower`](crate::domain::condition::Follower).
#[derive(Debug)]
pub(super) struct Follow {
    /// Its place among all of a program, under which answers are kept.
    pub(super) id: usize,
    pub(super) negated: bool,
    /// The place of its stream; `None`: an event that has not happened to anybody.
    pub(super) stream: Option<usize>,
    /// Tests of slots of its row, all of which hold.
    pub(super) filter: Vec<(usize, Check)>,
    /// It comes in [first, first + span).
    pub(super) within: Option<Span>,
    /// A slot of the first one's row and one of its own, whose values are equal.
    pub(super) same: Option<(usize, usize)>,
    pub(super) then: Option<Box<Self>>,
}

/// The answers of one contact's events, as far as they are known; by follower, then by the place of
/// the first event.
#[derive(Debug, Default)]
pub(super) struct Followed(Vec<Vec<Option<Answer>>>);

impl Followed {
    /// Forgets the contact before. `followers`: how many the program has.
    pub(super) fn clear(&mut self, followers: usize) {
        self.0.resize_with(followers, Vec::new);
        self.0.iter_mut().for_each(Vec::clear);
    }

    fn known(&mut self, follow: &Follow, place: usize) -> &mut Option<Answer> {
        let answers = &mut self.0[follow.id];
        if answers.len() <= place {
            answers.resize(place + 1, None);
        }
        &mut answers[place]
    }
}

/// Events of one value of `per`, which count as one.
#[derive(Debug, Default)]
struct Group {
    /// Their places, in order of time.
    places: Vec<usize>,
}

impl Past<'_> {
    /// Whether the event at `place` of the stream counts by what follows it.
    pub(super) fn is_followed(&mut self, follow: &Follow, place: usize) -> Answer {
        if let Some(known) = self.followed.known(follow, place) {
            return *known;
        }
        let answer = self.follows(follow, &[place], None);
        *self.followed.known(follow, place) = Some(answer);
        answer
    }

    /// Of the events at `places`, which `per` groups by a slot, those that count by what follows them
    /// as one.
    pub(super) fn followed_groups(
        &mut self,
        follow: &Follow,
        per: usize,
        places: &[usize],
        until: &mut Timestamp,
    ) -> Vec<usize> {
        let mut groups: Table<Group> = Table::default();
        for place in places {
            let key = self.slot(*place, per);
            if key != Slot::Missing {
                groups.entry(key, self.texts).1.places.push(*place);
            }
        }
        let mut counted = Vec::new();
        for group in groups.into_rows() {
            let followed = self.follows(follow, &group.places, Some(per));
            *until = followed.until.min(*until);
            if followed.holds {
                counted.extend(group.places);
            }
        }
        counted
    }

    /// Whether the events at `places`, which are one, count by what follows the first of them. `per`: the
    /// slot whose value they share, if it made them one.
    fn follows(&mut self, follow: &Follow, places: &[usize], per: Option<usize>) -> Answer {
        let Some(first) = places.first().map(|place| self.events[*place]) else {
            return Answer::lasting(false);
        };
        let deadline = follow.within.map_or(NEVER, |within| match within {
            Span::Seconds(seconds) => first.at.plus(std::time::Duration::from_secs(seconds)),
            Span::Months(_) => calendar::step_forward(first.at, within, self.moment.zone),
        });
        let followed = self.is_followed_before(follow, deadline, first, places, per);
        if !follow.negated {
            followed
        } else if followed.holds || deadline == NEVER || deadline <= self.moment.now {
            followed.negated()
        } else {
            // Until the time is over it does not count, whatever follows.
            Answer::until(false, deadline)
        }
    }

    fn is_followed_before(
        &mut self,
        follow: &Follow,
        deadline: Timestamp,
        first: Event,
        places: &[usize],
        per: Option<usize>,
    ) -> Answer {
        let Some(stream) = follow.stream else { return Answer::lasting(false) };
        let values: Option<Vec<Slot>> = follow.same.map(|(own, _)| {
            let values = places.iter().map(|place| self.slot(*place, own));
            values.filter(|value| *value != Slot::Missing).collect()
        });
        let group = per.filter(|_| stream == self.stream).map(|per| (per, self.slot(places[0], per)));
        let Some(mut later) = self.another(stream) else { return Answer::lasting(false) };
        let order = |event: &Event| (event.at, event.arrival);
        let mut decided = Answer::lasting(false);
        for place in later.events.partition_point(|event| order(event) <= order(&first))..later.events.len() {
            let at = later.events[place].at;
            if at >= deadline {
                break;
            }
            if at > later.moment.now {
                // It does not exist yet; those after it come later still.
                return decided.or(Answer::until(false, at));
            }
            if let (Some((_, slot)), Some(values)) = (follow.same, &values)
                && !later.has_one_of(place, slot, values)
            {
                continue;
            }
            // What `per` makes one does not follow itself.
            if group.is_some_and(|(per, value)| later.has_one_of(place, per, &[value])) {
                continue;
            }
            decided = decided.or(later.can_follow(follow, place));
            if decided == Answer::lasting(true) {
                break;
            }
        }
        decided
    }

    /// Whether the event at `place` is one that may follow, and is itself followed by what must follow it.
    fn can_follow(&mut self, follow: &Follow, place: usize) -> Answer {
        let passes = self.passes(&follow.filter, place);
        match &follow.then {
            Some(then) => Answer::all([passes, self.is_followed(then, place)].into_iter()),
            None => passes,
        }
    }

    fn has_one_of(&mut self, place: usize, slot: usize, values: &[Slot]) -> bool {
        let found = self.slot(place, slot);
        values.iter().any(|value| self.texts.equal(*value, found))
    }
}
