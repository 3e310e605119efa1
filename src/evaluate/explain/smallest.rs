//! What decides, and the least that turns the whole answer.

use super::tree::{Means, Part, PartKind};

/// What turning some leaves takes. Fewer leaves come first, then what somebody can do, then what is near.
#[derive(Debug, Clone, PartialEq)]
struct Price {
    leaves: Vec<usize>,
    by_time: usize,
    distance: f64,
}

impl Price {
    const NOTHING: Self = Self { leaves: Vec::new(), by_time: 0, distance: 0.0 };

    fn and(mut self, more: Self) -> Self {
        self.leaves.extend(more.leaves);
        Self { by_time: self.by_time + more.by_time, distance: self.distance + more.distance, ..self }
    }

    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let counts = (self.leaves.len(), self.by_time).cmp(&(other.leaves.len(), other.by_time));
        counts.then(self.distance.total_cmp(&other.distance))
    }
}

/// Marks the parts on which the answer of the whole rests.
pub(super) fn mark_decisive(part: &mut Part) {
    part.decides = true;
    // Of `all` those that fail decide, of the others those that hold; if there is none, all of them.
    let decisive = matches!(part.kind, PartKind::Any | PartKind::None);
    let some_decide = part.parts.iter().any(|part| part.holds == decisive);
    for part in part.parts.iter_mut().filter(|part| !some_decide || part.holds == decisive) {
        mark_decisive(part);
    }
}

/// The leaves that turn the answer of a part when they are changed together; `None`: it can't be turned.
pub(super) fn to_turn(part: &Part) -> Option<Vec<usize>> {
    price(part).map(|mut price| {
        price.leaves.sort_unstable();
        price.leaves.dedup();
        price.leaves
    })
}

/// The other leaves that rest on what these do.
pub(super) fn touched(parts: &[&Part], leaves: &[usize]) -> Vec<usize> {
    let (changed, others): (Vec<&Part>, Vec<&Part>) =
        parts.iter().copied().partition(|part| leaves.contains(&part.number));
    let changed: Vec<&String> = changed.into_iter().flat_map(rests_on).collect();
    let is_touched = |part: &Part| rests_on(part).iter().any(|name| changed.contains(&name));
    others.into_iter().filter(|part| is_touched(part)).map(|part| part.number).collect()
}

fn rests_on(part: &Part) -> &[String] {
    part.leaf.as_ref().map_or(&[], |leaf| &leaf.rests_on)
}

fn price(part: &Part) -> Option<Price> {
    let decisive = match part.kind {
        PartKind::Leaf => return of_leaf(part),
        PartKind::Everyone => return None,
        PartKind::Segment => return price(part.parts.first()?),
        PartKind::All | PartKind::Did | PartKind::Ranked => false,
        PartKind::Any | PartKind::None => true,
    };
    if part.parts.iter().any(|part| part.holds == decisive) {
        // Not one may decide any more.
        let mut deciding = part.parts.iter().filter(|part| part.holds == decisive);
        return deciding.try_fold(Price::NOTHING, |sum, part| Some(sum.and(price(part)?)));
    }
    // One that decides is enough.
    part.parts.iter().filter_map(price).min_by(Price::order)
}

fn of_leaf(part: &Part) -> Option<Price> {
    let change = part.leaf.as_ref()?.change.as_ref()?;
    Some(Price {
        leaves: vec![part.number],
        by_time: usize::from(change.means == Means::Time),
        distance: change.distance,
    })
}
