//! The dated cases of `time_cases.yaml`: cron lines and conditions, each a list of what is so at which
//! instant, all through one [`check`].

use campaignd::declare::{self, SourceFile};
use campaignd::domain::catalogue::EvaluationSettings;
use campaignd::domain::condition::Condition;
use campaignd::domain::consent::{Consent, ConsentState};
use campaignd::domain::contact::Contact;
use campaignd::domain::name::SegmentName;
use campaignd::domain::population::Population;
use campaignd::domain::schedule::{CronLine, Schedule};
use campaignd::domain::time::{Timestamp, Zone};
use campaignd::evaluate::{Outcome, Scratch};
use chrono::{DateTime, Utc};

use crate::evaluate::person::{compile, nobody, outcomes};
use crate::evaluate::plain::{Happening, World};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    cron: Vec<CronCase>,
    declarations: String,
    conditions: Vec<ConditionCase>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct CronCase {
    name: String,
    line: String,
    zone: String,
    after: String,
    due: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionCase {
    name: String,
    condition: String,
    /// The contact's.
    zone: Option<String>,
    installation: Option<String>,
    #[serde(default)]
    attributes: Option<String>,
    /// Since when there is consent to marketing.
    agreed: Option<String>,
    /// `INSTANT NAME` or `INSTANT NAME PROPERTIES`
    #[serde(default)]
    events: Vec<String>,
    /// `INSTANT yes|no`, then nothing, `until INSTANT` or `for good`
    answers: Vec<String>,
}

fn instant(text: &str) -> Timestamp {
    Timestamp::from(text.parse::<DateTime<Utc>>().unwrap_or_else(|error| panic!("{text}: {error}")))
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What is found is what the case says, line by line; what is found may say more in the end of a line.
fn check(case: &str, found: &[String], expected: &[String]) {
    assert!(!expected.is_empty(), "`{case}` says nothing");
    assert_eq!(found.len(), expected.len(), "{case}: {found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        let more = found.strip_prefix(expected.as_str());
        assert!(
            more.is_some_and(|more| more.is_empty() || more.starts_with(' ')),
            "{case}: {found}, not {expected}"
        );
    }
}

#[test]
fn dated_cases() {
    let cases: Cases =
        serde_yaml::from_str(include_str!("../time_cases.yaml")).unwrap_or_else(|error| panic!("{error}"));
    assert!(cases.cron.len() >= 30 && cases.conditions.len() >= 60, "both kinds are well covered");
    for case in &cases.cron {
        check(&case.name, &case.found(), &case.due);
    }
    for case in &cases.conditions {
        check(&case.name, &case.found(&cases.declarations), &case.answers);
    }
}

impl CronCase {
    /// As many due instants as are expected, each of which is also found from behind.
    fn found(&self) -> Vec<String> {
        let line = CronLine::parse(&self.line).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let (schedule, zone) = (Schedule::Cron(line), zone(&self.zone));
        let next = |after| schedule.next_after(after, zone);
        let due: Vec<_> = std::iter::successors(next(instant(&self.after)), |due| next(*due))
            .take(self.due.len())
            .collect();
        for due in &due {
            assert_eq!(schedule.previous_at_or_before(*due, zone), Some(*due), "{}", self.name);
        }
        due.iter().map(Timestamp::to_string).collect()
    }
}

impl ConditionCase {
    /// What the condition says at the instants of the answers. The plain evaluator says the same, `none`
    /// of the condition the opposite for as long, and each answer is good until it says.
    fn found(&self, declarations: &str) -> Vec<String> {
        let installation = self.installation.as_deref().map_or(Zone::UTC, zone);
        let file = |name: &str, text: String| SourceFile { name: name.into(), bytes: text.into_bytes() };
        let asked = format!("segments: {{ asked: {{ match: {} }} }}\n", self.condition);
        let files = [file("declarations.yaml", declarations.to_owned()), file("case.yaml", asked)];
        let loaded = declare::read(&files, installation);
        let catalogue = loaded.catalogue.unwrap_or_else(|| panic!("{}: {:#?}", self.name, loaded.problems));
        let asked = Condition::Segment(SegmentName::parse("asked").expect("a name"));
        let none = Condition::None(vec![asked.clone()]);
        let settings = EvaluationSettings { time_zone: installation };
        let program = compile(&catalogue, settings, &[&asked, &none]);

        let contact = self.contact();
        let events: Vec<_> = self.events.iter().map(|event| happening(event)).collect();
        let mut scratch = Scratch::default();
        let population = Population::default();
        let at = |answer: &String| instant(answer.split(' ').next().unwrap_or_default());
        let answers: Vec<_> = self
            .answers
            .iter()
            .map(at)
            .map(|now| {
                let found = outcomes(&program, &mut scratch, &contact, &events, &population, now);
                let (asked, opposite) = (found[0], found[1]);
                assert_ne!(asked.holds, opposite.holds, "{} at {now}, and none of it", self.name);
                assert_eq!(asked.until, opposite.until, "{} at {now}, and none of it", self.name);
                let world = World {
                    catalogue: &catalogue,
                    contact: &contact,
                    events: &events,
                    installation,
                    population: &population,
                    now,
                };
                assert_eq!(world.holds(&none), opposite.holds, "{} at {now}, evaluated plainly", self.name);
                (now, asked)
            })
            .collect();
        for (place, (now, answer)) in answers.iter().enumerate() {
            assert!(answer.until.is_none_or(|until| until > *now), "{} at {now}: {answer:?}", self.name);
            let change = answers[place..].iter().find(|(_, later)| later.holds != answer.holds);
            let told = change.is_none_or(|(change, _)| answer.until.is_some_and(|until| until <= *change));
            assert!(told, "{} at {now}: {answer:?}, but changed by {change:?}", self.name);
        }
        answers.iter().map(|(now, answer)| line(*now, *answer)).collect()
    }

    fn contact(&self) -> Contact {
        let mut contact = nobody();
        contact.time_zone.clone_from(&self.zone);
        contact.attributes = self.attributes.clone().unwrap_or(contact.attributes);
        if let Some(agreed) = &self.agreed {
            contact.marketing = Consent { state: ConsentState::Yes, since: Some(instant(agreed)) };
        }
        contact
    }
}

fn line(now: Timestamp, answer: Outcome) -> String {
    let holds = if answer.holds { "yes" } else { "no" };
    match answer.until {
        Some(until) => format!("{now} {holds} until {until}"),
        None => format!("{now} {holds} for good"),
    }
}

fn happening(text: &str) -> Happening {
    let mut words = text.splitn(3, ' ');
    let at = instant(words.next().unwrap_or_default());
    let name = words.next().unwrap_or_else(|| panic!("{text}: no name")).to_owned();
    let properties = words.next().unwrap_or("{}");
    let properties = serde_json::from_str(properties).unwrap_or_else(|error| panic!("{text}: {error}"));
    Happening { name, at, properties }
}
