//! What is legal and probably wrong: conditions that nobody meets, or everybody; absences that newcomers
//! meet. Said of conditions without an error, each at the declaration or the key that it belongs to.

use std::collections::BTreeSet;

use super::certainty::Certainty;
use super::newcomers::met_by_newcomers;
use crate::diagnostic::{Place, Problem};
use crate::domain::catalogue::Catalogue;
use crate::domain::condition::{Condition, EventLeaf};
use crate::domain::name::{CampaignName, SegmentName};
use crate::yaml::Reader;

/// A condition of a declaration.
#[derive(Debug)]
pub(super) struct Declared {
    /// What it says who is in.
    pub(super) of: Of,
    /// What it says.
    pub(super) condition: Condition,
    /// Where the declaration stands.
    pub(super) place: Place,
    /// The `did_not … within` that are written in it.
    pub(super) absences: Vec<Absence>,
    /// Of a part of it was said already that nobody meets it.
    pub(super) told: bool,
}

/// What a condition says who is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Of {
    /// A segment.
    Segment(SegmentName),
    /// The audience of a campaign.
    Audience(CampaignName),
    /// The next of a campaign's versions.
    Version(CampaignName),
}

/// A `did_not` with `within`.
#[derive(Debug)]
pub(super) struct Absence {
    /// What did not happen.
    pub(super) leaf: EventLeaf,
    /// Where `did_not` is written.
    pub(super) place: Place,
}

/// Judges all conditions of a catalogue without errors.
pub(super) fn judge(reader: &mut Reader, catalogue: &Catalogue, declared: &[Declared]) {
    let mut told: BTreeSet<SegmentName> = BTreeSet::new();
    // Those who are used before those who use them: what is wrong is said of the former.
    let mut waiting: Vec<&Declared> = declared.iter().collect();
    while !waiting.is_empty() {
        let names: BTreeSet<SegmentName> = waiting.iter().filter_map(|one| one.segment().cloned()).collect();
        let is_ready = |one: &&Declared| !names_any(&one.condition, &names);
        let (ready, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_ready);
        if ready.is_empty() {
            return; // a cycle, which was reported
        }
        let found: Vec<_> =
            ready.iter().filter(|one| one.told || is_told(reader, catalogue, &told, one)).collect();
        told.extend(found.into_iter().filter_map(|one| one.segment().cloned()));
        waiting = later;
    }
    for one in declared {
        let certainty = Certainty::new(catalogue, &told);
        for leaf in met_by_newcomers(&certainty, &one.condition) {
            if let Some(absence) = one.absences.iter().find(|absence| absence.leaf == *leaf) {
                warn_of_newcomers(reader, absence);
            }
        }
    }
    for (place, one) in declared.iter().enumerate() {
        if let Of::Version(campaign) = &one.of {
            warn_of_version(reader, &Certainty::new(catalogue, &told), &declared[..place], one, campaign);
        }
    }
}

impl Declared {
    const fn segment(&self) -> Option<&SegmentName> {
        match &self.of {
            Of::Segment(name) => Some(name),
            Of::Audience(_) | Of::Version(_) => None,
        }
    }
}

/// Says of a segment or an audience that nobody or everybody is in it, if that is so.
fn is_told(reader: &mut Reader, catalogue: &Catalogue, told: &BTreeSet<SegmentName>, one: &Declared) -> bool {
    let whose = match &one.of {
        Of::Segment(name) => format!("the segment `{name}`"),
        Of::Audience(name) => format!("the audience of `{name}`"),
        Of::Version(_) => return false,
    };
    let certainty = Certainty::new(catalogue, told);
    if let Some(reason) = certainty.nobody(&[(&one.condition, true)]) {
        let message = format!("nobody can be in {whose}: {reason}");
        reader.report(Problem::warning("matches-nobody", message, one.place.clone()));
    } else if certainty.is_everybody(&one.condition) || leaves_out_nobody(catalogue, &one.condition) {
        let message = format!("everybody is in {whose}, whatever they are and did");
        let problem = Problem::warning("matches-everybody", message, one.place.clone());
        reader.report(problem.hint(match one.condition {
            Condition::Score(..) => "a level means at least that level: write `less_than` the next one; if everybody is meant, write `everyone`",
            _ => "if that is meant, write `everyone`",
        }));
    } else {
        return false;
    }
    true
}

/// Whether it is everybody but those of segments in which nobody is.
fn leaves_out_nobody(catalogue: &Catalogue, condition: &Condition) -> bool {
    // What was told of those segments is looked at again: it is another thing that is wrong here.
    let untold = BTreeSet::new();
    matches!(condition, Condition::None(_)) && Certainty::new(catalogue, &untold).is_everybody(condition)
}

fn warn_of_newcomers(reader: &mut Reader, absence: &Absence) {
    let events = &absence.leaf.events;
    let Some(span) = events.window.within else { return };
    let message = format!(
        "this also holds for contacts who were created less than {span} ago and had no time for `{}`",
        events.event
    );
    let problem = Problem::warning("newcomers", message, absence.place.clone());
    reader.report(
        problem.hint(format!(
            "if they are not meant, add `attribute: {{ created_at: {{ older_than: {span} }} }}`"
        )),
    );
}

/// Says of a version that nobody of the audience gets it: it is not for them, or an earlier one takes them.
fn warn_of_version<'c>(
    reader: &mut Reader,
    certainty: &Certainty<'c>,
    before: &'c [Declared],
    version: &'c Declared,
    campaign: &CampaignName,
) {
    let audience = Of::Audience(campaign.clone());
    let of_campaign = |one: &&Declared| one.of == version.of || one.of == audience;
    let mut parts = vec![(&version.condition, true)];
    for one in before.iter().filter(of_campaign) {
        // A version behind one for everyone was warned of.
        if one.told || one.of != audience && one.condition == Condition::Everyone {
            return;
        }
        parts.push((&one.condition, one.of == audience));
    }
    if version.told
        || parts
            .iter()
            .any(|part| part.1 && certainty.nobody(&[*part]).is_some() && part.0 != &version.condition)
    {
        return;
    }
    if let Some(reason) = certainty.nobody(&parts) {
        let message = format!("nobody of the audience gets this version: {reason}");
        reader.report(Problem::warning("matches-nobody", message, version.place.clone()));
    }
}

fn names_any(condition: &Condition, names: &BTreeSet<SegmentName>) -> bool {
    match condition {
        Condition::Segment(name) => names.contains(name),
        Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) => {
            parts.iter().any(|part| names_any(part, names))
        }
        _ => false,
    }
}
