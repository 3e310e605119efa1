//! `did_not … within` of contacts who have not been there for so long: it holds of whoever was created yesterday.
//!
//! Nothing is said where something else that must hold speaks of the contact's time with us, or of
//! anything that the contact did; nor of mails that the daemon had no occasion to send.

use super::certainty::Certainty;
use crate::domain::condition::{AttributeRef, Condition, EventLeaf, MeasureKind, Operator, Test};
use crate::domain::name::SegmentName;

/// What did not happen to a newcomer, as a matter of course and to nobody's surprise.
const OF_COURSE: [&str; 4] = ["email_sent", "email_bounced", "email_complained", "email_unsubscribed"];

/// The `did_not … within` of a condition of which newcomers are no small part. Segments in it are asked for
/// themselves; here they only tell whether newcomers are left out.
pub(super) fn met_by_newcomers<'c>(
    certainty: &Certainty<'c>,
    condition: &'c Condition,
) -> Vec<&'c EventLeaf> {
    let mut found = Vec::new();
    Newcomers { certainty }.walk(condition, true, false, &mut found);
    found
}

struct Newcomers<'a, 'c> {
    certainty: &'a Certainty<'c>,
}

impl<'c> Newcomers<'_, 'c> {
    fn walk(&self, condition: &'c Condition, wanted: bool, left_out: bool, found: &mut Vec<&'c EventLeaf>) {
        let (Condition::All(parts) | Condition::Any(parts) | Condition::None(parts)) = condition else {
            match condition {
                Condition::Did(leaf) if wanted && !left_out && is_absence(leaf) => found.push(leaf),
                _ => {}
            }
            return;
        };
        let each = wanted != matches!(condition, Condition::None(_));
        // All of the parts hold; else one of them is enough.
        let together = each == matches!(condition, Condition::All(_));
        let left_out = left_out || together && parts.iter().any(|part| self.leaves_out(part, each));
        for part in parts {
            self.walk(part, each, left_out, found);
        }
    }

    /// Whether a condition that holds (or does not) leaves newcomers out, or says of them that they did something.
    fn leaves_out(&self, condition: &'c Condition, wanted: bool) -> bool {
        match (condition, wanted) {
            (Condition::All(parts), true) => parts.iter().any(|part| self.leaves_out(part, true)),
            (Condition::Any(parts), true) => parts.iter().all(|part| self.leaves_out(part, true)),
            (Condition::Any(parts), false) | (Condition::None(parts), true) => {
                parts.iter().any(|part| self.leaves_out(part, false))
            }
            (Condition::All(parts), false) => parts.iter().all(|part| self.leaves_out(part, false)),
            (Condition::None(parts), false) => parts.iter().all(|part| self.leaves_out(part, true)),
            (Condition::Segment(name), _) => self.of_segment(name, wanted),
            // Who has no value has no place in a ranking.
            (Condition::Attribute(AttributeRef::CreatedAt, _), _) | (Condition::Ranked(_), true) => true,
            (Condition::Attribute(_, test), true) => test.operators.iter().any(speaks_of_time),
            (Condition::Score(name, test), true) => self.certainty.asks_for_points(name, test),
            (leaf, wanted) => self.certainty.query((leaf, wanted), true).is_some(),
        }
    }

    fn of_segment(&self, name: &SegmentName, wanted: bool) -> bool {
        let unfolded = self.certainty.unfolded(name);
        // One that cannot be looked at may leave them out.
        unfolded.is_none_or(|condition| self.leaves_out(condition, wanted))
    }
}

/// `did_not` with a window that ends now, of something that says something of a contact.
fn is_absence(leaf: &EventLeaf) -> bool {
    let [measure] = leaf.measures.as_slice() else { return false };
    let never = measure.kind == MeasureKind::Times && is_never(&measure.test);
    never && leaf.events.window.within.is_some() && !OF_COURSE.contains(&leaf.events.event.as_str())
}

fn is_never(test: &Test) -> bool {
    use crate::domain::{number::Number, value::Value};
    matches!(test.operators.as_slice(), [Operator::Is(Value::Number(Number::ZERO))])
}

/// Of a date since when something is so: `member_since: { older_than: 1 year }`.
const fn speaks_of_time(operator: &Operator) -> bool {
    matches!(
        operator,
        Operator::OlderThan(_) | Operator::Ago(_) | Operator::Before(_) | Operator::BetweenDates(..)
    )
}
