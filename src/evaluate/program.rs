//! The program: conditions, traits and scores that are evaluated together over one read of a history.

use super::answer::{Answer, Known, Outcome};
use super::certain::{Certainties, Open};
use super::check::{Check, NumberTest};
use super::events::{Measured, Rows, Summed};
use super::fold::Fold;
use super::follow::Followed;
use super::moment::{Moments, Spans};
use super::run::Run;
use super::score::{CompiledScore, Standing};
use super::slots::{Reader, Slot, Texts};
use crate::domain::condition::{AttributeRef, Bucket, Condition};
use crate::domain::consent::{ConsentState, Purpose};
use crate::domain::contact::ContactView;
use crate::domain::event::EventNameId;
use crate::domain::history::{Event, History};
use crate::domain::name::{ScoreName, TraitName};
use crate::domain::population::Population;
use crate::domain::ranking::{Ranked, Ranking};
use crate::domain::score::ScoreValue;
use crate::domain::time::{Timestamp, Zone};
use crate::domain::value::Value;

/// What a program is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// Conditions.
    pub conditions: &'a [&'a Condition],
    /// Traits.
    pub traits: &'a [TraitName],
    /// Scores.
    pub scores: &'a [ScoreName],
    /// Rankings: what contacts would be ranked by.
    pub rankings: &'a [Ranking],
}

/// Conditions, traits and scores, compiled to be evaluated together over one read of a history. Made by
/// [`Program::compile`].
#[derive(Debug)]
pub struct Program {
    /// No two programs have the same; a [`Scratch`] knows by it whose memory it holds.
    pub(super) id: u64,
    pub(super) zone: Zone,
    /// Every part once; parts come before what they are part of.
    pub(super) nodes: Vec<Node>,
    /// The node of each condition that was asked for.
    pub(super) conditions: Vec<usize>,
    pub(super) traits: Vec<Option<Measured>>,
    /// Every score that matters, once.
    pub(super) scores: Vec<CompiledScore>,
    /// The place of each score that was asked for.
    pub(super) asked_scores: Vec<Option<usize>>,
    /// Every place in a ranking that matters, once.
    pub(super) ranked: Vec<Ranked>,
    /// One a ranking that was asked for; `None`: its trait is not declared.
    pub(super) rankings: Vec<Option<CompiledRanking>>,
    /// What is wanted of the attributes.
    pub(super) attributes: Reader,
    /// Built-in facts, whose slots come after those of the attributes; folded or not.
    pub(super) facts: Vec<(AttributeRef, bool)>,
    pub(super) streams: Vec<Stream>,
    pub(super) spans: Spans,
    /// How many different followers there are ([`Follow::id`](super::follow::Follow)).
    pub(super) followers: usize,
    /// How many different measures of events there are ([`Measured::id`]).
    pub(super) measures: usize,
    /// Whether the contact's zone matters.
    pub(super) uses_zone: bool,
}

/// A part of a condition.
#[derive(Debug)]
pub(super) enum Node {
    Constant(bool),
    All(Vec<usize>),
    Any(Vec<usize>),
    None(Vec<usize>),
    /// A test of an attribute's or fact's slot.
    Attribute(usize, Check),
    Consent(Purpose, ConsentState),
    /// A consent that was given at this instant or later.
    ConsentSince(Purpose, Timestamp),
    Bucket(Bucket),
    Events(Box<EventNode>),
    Ranked(Box<RankedNode>),
    Score(Box<ScoreNode>),
}

/// A test of what events amount to.
#[derive(Debug)]
pub(super) struct EventNode {
    pub(super) measured: Measured,
    pub(super) check: Check,
    /// The answer for a contact without such events.
    pub(super) of_nothing: bool,
}

/// A test of a place in a ranking.
#[derive(Debug)]
pub(super) struct RankedNode {
    pub(super) measured: Measured,
    /// Its place in [`Program::ranked`].
    pub(super) place: usize,
}

/// What contacts are ranked by.
#[derive(Debug)]
pub(super) struct CompiledRanking {
    pub(super) measured: Measured,
    /// The node of the segment whose members are ranked; `None`: all contacts.
    pub(super) among: Option<usize>,
}

/// A test of a score.
#[derive(Debug)]
pub(super) struct ScoreNode {
    /// Its place in [`Program::scores`].
    pub(super) score: usize,
    pub(super) test: NumberTest,
    /// The answer for a contact without events.
    pub(super) of_nothing: bool,
}

/// The events of one name on the wire, and what is wanted of their properties.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) name: EventNameId,
    /// Where it stands among the names of a history that holds what is needed and no more.
    pub(super) position: usize,
    pub(super) reader: Reader,
}

/// Memory that evaluations use again and again; one a thread.
#[derive(Debug, Default)]
pub struct Scratch(Box<Memory>);

#[derive(Debug, Default)]
struct Memory {
    program: Option<u64>,
    /// The population that `places` are of.
    population: Population,
    /// By place in a ranking: the test of its value; `None`: nobody is in.
    places: Vec<Option<Check>>,
    moments: Moments,
    texts: Texts,
    attributes: Vec<Option<Slot>>,
    rows: Vec<Rows>,
    /// By stream: the time of the newest event, those that are still to come too.
    newest: Vec<Option<Timestamp>>,
    fold: Fold,
    followed: Followed,
    certainties: Certainties,
    answers: Known<Answer>,
    amounts: Known<Summed>,
    standings: Vec<Standing>,
    outcomes: Vec<Outcome>,
    traits: Vec<Option<Value>>,
    scores: Vec<Option<ScoreValue>>,
    ranks: Vec<Option<i64>>,
}

/// What one contact's evaluation yields, in the order in which the program was asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation<'s> {
    /// One a condition.
    pub outcomes: &'s [Outcome],
    /// One a trait; `None`: missing.
    pub traits: &'s [Option<Value>],
    /// One a score; `None`: not declared.
    pub scores: &'s [Option<ScoreValue>],
    /// One a ranking: the value by which the contact is ranked, in millionths or microseconds; `None`: it
    /// is not.
    pub ranks: &'s [Option<i64>],
}

impl Stream {
    /// The contact's events of it.
    #[inline]
    pub(super) fn events<'h>(&self, history: &History<'h>) -> &'h [Event] {
        history.of_name_at(self.name, self.position)
    }
}

impl Program {
    /// The places in rankings of which an evaluation asks the population for thresholds.
    pub fn ranked(&self) -> &[Ranked] {
        &self.ranked
    }

    /// The tests of places in rankings by the thresholds of a population.
    fn places(&self, population: &Population) -> Vec<Option<Check>> {
        let in_days = |place| {
            self.nodes.iter().any(|node| match node {
                Node::Ranked(node) => node.place == place && node.measured.in_days,
                _ => false,
            })
        };
        let bounds = |ranked| population.threshold(ranked)?.bounds;
        let places = self.ranked.iter().enumerate();
        places.map(|(place, ranked)| Some(Check::of_place(bounds(ranked)?, in_days(place)))).collect()
    }

    /// Evaluates one contact at `now`. `history` holds what [`needs`](Self::needs) names, or more; `population`
    /// the thresholds of all that [`ranked`](Self::ranked) names: without one, nobody has that place.
    pub fn evaluate<'s>(
        &self,
        scratch: &'s mut Scratch,
        contact: &ContactView<'_>,
        history: &History<'_>,
        population: &Population,
        now: Timestamp,
    ) -> Evaluation<'s> {
        let scratch = &mut *scratch.0;
        scratch.begin(self, population, now);
        let newest = |stream: &Stream| stream.events(history).last().map(|event| event.at);
        scratch.newest.extend(self.streams.iter().map(newest));
        let certain = scratch.certainties.of(self, &scratch.newest);
        scratch.outcomes.extend_from_slice(&certain.outcomes);
        let mut run = Run {
            program: self,
            contact,
            history,
            certain: &certain.nodes,
            newest: &scratch.newest,
            moments: &mut scratch.moments,
            moment: if self.uses_zone { None } else { Some(Moments::INSTALLATION) },
            texts: &mut scratch.texts,
            attributes: &mut scratch.attributes,
            rows: &mut scratch.rows,
            fold: &mut scratch.fold,
            followed: &mut scratch.followed,
            places: &scratch.places,
            answers: &mut scratch.answers,
            amounts: &mut scratch.amounts,
            standings: &mut scratch.standings,
        };
        for Open { guard, asked } in &certain.open {
            if guard.is_some_and(|guard| run.answer(guard) == Answer::lasting(false)) {
                continue;
            }
            for (node, places) in asked {
                let outcome = run.answer(*node).into();
                for place in places {
                    scratch.outcomes[*place] = outcome;
                }
            }
        }
        scratch.traits.extend(self.traits.iter().map(|measured| run.value(measured.as_ref()?)));
        scratch.scores.extend(self.asked_scores.iter().map(|score| score.map(|score| run.score(score))));
        scratch.ranks.extend(self.rankings.iter().map(|ranking| run.rank(ranking.as_ref()?)));
        Evaluation {
            outcomes: &scratch.outcomes,
            traits: &scratch.traits,
            scores: &scratch.scores,
            ranks: &scratch.ranks,
        }
    }
}

impl Memory {
    /// Forgets the contact before.
    fn begin(&mut self, program: &Program, population: &Population, now: Timestamp) {
        if self.program != Some(program.id) || !self.population.is_same(population) {
            self.population = population.clone();
            self.places = program.places(population);
        }
        if self.program != Some(program.id) {
            self.program = Some(program.id);
            self.certainties.clear();
            self.rows.resize_with(program.streams.len(), Rows::default);
            self.standings.resize_with(program.scores.len(), Standing::default);
            self.moments.set(now, program.zone, &program.spans);
        } else if self.moments.now() != Some(now) {
            self.moments.set(now, program.zone, &program.spans);
        }
        self.texts.clear();
        self.attributes.clear();
        self.rows.iter_mut().for_each(Rows::clear);
        self.newest.clear();
        self.followed.clear(program.followers);
        self.answers.begin(program.nodes.len());
        self.amounts.begin(program.measures);
        self.outcomes.clear();
        self.standings.iter_mut().for_each(|standing| standing.is_known = false);
        self.traits.clear();
        self.scores.clear();
        self.ranks.clear();
    }
}
