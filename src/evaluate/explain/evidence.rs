//! Which events counted: those that the evaluator's own window, filter and followers let through.

use super::reading::ReadEvents;
use super::tree::{Counted, Evidence, WindowEnd};
use crate::domain::contact::ContactView;
use crate::domain::history::History;
use crate::domain::time::{Timestamp, Zone};
use crate::evaluate::answer::{Answer, Known, NEVER};
use crate::evaluate::events::{ALWAYS, Measured, Past, Rows, Summed};
use crate::evaluate::fold::Fold;
use crate::evaluate::follow::Followed;
use crate::evaluate::moment::{MICROSECOND, Moment, Moments};
use crate::evaluate::program::Program;
use crate::evaluate::slots::{Slot, Texts};
use crate::evaluate::table::Table;

/// So many of the events that counted are shown.
const SHOWN: usize = 3;

/// One contact at one instant, to be looked into.
pub(super) struct Looking<'a> {
    program: &'a Program,
    history: &'a History<'a>,
    moments: Moments,
    /// The place of the moment in the contact's zone.
    moment: usize,
    texts: Texts,
    rows: Vec<Rows>,
    fold: Fold,
    followed: Followed,
    amounts: Known<Summed>,
}

impl<'a> Looking<'a> {
    pub(super) fn new(
        program: &'a Program,
        contact: &ContactView<'_>,
        history: &'a History<'a>,
        now: Timestamp,
    ) -> Self {
        let mut moments = Moments::default();
        moments.set(now, program.zone, &program.spans);
        let moment = moments.place(contact.time_zone, &program.spans);
        let mut rows = Vec::new();
        rows.resize_with(program.streams.len(), Rows::default);
        let mut followed = Followed::default();
        followed.clear(program.followers);
        let mut amounts = Known::default();
        amounts.begin(program.measures);
        let (texts, fold) = (Texts::default(), Fold::default());
        Self { program, history, moments, moment, texts, rows, fold, followed, amounts }
    }

    pub(super) fn moment(&self) -> &Moment {
        self.moments.at(self.moment)
    }

    /// The contact's.
    pub(super) const fn history(&self) -> &'a History<'a> {
        self.history
    }

    /// The installation's zone.
    pub(super) const fn installation(&self) -> Zone {
        self.program.zone
    }

    /// The contact's.
    pub(super) fn zone(&self) -> Zone {
        self.moment().zone
    }

    /// The events that count for what is read, and where they lie.
    pub(super) fn evidence(&mut self, read: &ReadEvents) -> Evidence {
        let event = read.query.event.clone();
        let program = self.program;
        let Some(Some(measured)) = program.traits.get(read.place) else {
            let to = WindowEnd { at: self.moment().now, is_in: true };
            return Evidence { event, counted: 0, from: None, to, latest: Vec::new() };
        };
        let (from, to) = window_of(measured, self.moment());
        let mut evidence = Evidence { event, counted: 0, from, to, latest: Vec::new() };
        let Some(stream) = measured.stream else { return evidence };
        let events = program.streams[stream].events(self.history);
        if events.is_empty() {
            return evidence;
        }
        let mut past = Past {
            events,
            history: self.history,
            streams: &program.streams,
            stream,
            rows: &mut self.rows,
            texts: &mut self.texts,
            fold: &mut self.fold,
            followed: &mut self.followed,
            amounts: &mut self.amounts,
            moment: self.moments.at(self.moment),
        };
        let places = past.counted(measured);
        evidence.counted = past.groups(measured, &places) as u64;
        let latest = places.iter().rev().take(SHOWN);
        evidence.latest = latest.map(|place| past.shown(read, *place)).collect();
        evidence
    }
}

/// The stretch of time that events are taken from.
fn window_of(measured: &Measured, moment: &Moment) -> (Option<WindowEnd>, WindowEnd) {
    let within = measured.within.map(|back| WindowEnd { at: moment.cut(back), is_in: false });
    let since = (measured.from != ALWAYS).then_some(WindowEnd { at: measured.from, is_in: true });
    let from = match (within, since) {
        (Some(within), Some(since)) => Some(if since.at > within.at { since } else { within }),
        (within, since) => within.or(since),
    };
    let older_than = measured.older_than.map_or(moment.now, |back| moment.cut(back));
    let last = measured.to.minus(MICROSECOND);
    if measured.to == NEVER || older_than <= last {
        return (from, WindowEnd { at: older_than, is_in: true });
    }
    (from, WindowEnd { at: measured.to, is_in: false })
}

impl Past<'_> {
    /// The places of the events that count, in order of time.
    fn counted(&mut self, measured: &Measured) -> Vec<usize> {
        let (start, end) = self.window(measured);
        let start = measured.last.map_or(start, |last| start.max(end.saturating_sub(last)));
        let mut places: Vec<usize> = (start..end).collect();
        places.retain(|place| self.passes(&measured.filter, *place).holds);
        match (&measured.then, measured.measure.per) {
            (Some(then), Some(per)) => {
                places = self.followed_groups(then, per, &places, &mut NEVER.clone());
                places.sort_unstable();
            }
            (Some(then), None) => places.retain(|place| {
                let Answer { holds, .. } = self.is_followed(then, *place);
                holds
            }),
            (None, Some(per)) => places.retain(|place| self.slot(*place, per) != Slot::Missing),
            (None, None) => {}
        }
        places
    }

    /// How many these events are, once `per` has made some of them one.
    fn groups(&mut self, measured: &Measured, places: &[usize]) -> usize {
        let Some(per) = measured.measure.per else { return places.len() };
        let mut groups: Table<()> = Table::default();
        for place in places {
            let key = self.slot(*place, per);
            groups.entry(key, self.texts);
        }
        groups.rows.len()
    }

    fn shown(&mut self, read: &ReadEvents, place: usize) -> Counted {
        let value = |(name, slot): &(String, usize)| {
            let slot = self.slot(place, *slot);
            Some((name.clone(), self.texts.value(slot)?))
        };
        let properties = read.shown.iter().filter_map(value).collect();
        Counted { at: self.events[place].at, properties }
    }
}
