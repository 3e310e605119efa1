//! Segments: named conditions without cycles.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::Conditions;
use super::facts::description;
use super::judge::Of;
use super::keys::SEGMENT;
use crate::diagnostic::Problem;
use crate::domain::catalogue::Segment;
use crate::domain::name::SegmentName;
use crate::yaml::{Entry, Fields, Name, Reader};

/// Reads all segments and reports those that contain themselves.
pub(super) fn read<'n>(
    reader: &mut Reader,
    conditions: &mut Conditions<'_>,
    entries: impl Iterator<Item = &'n Entry>,
) -> BTreeMap<SegmentName, Segment> {
    let mut segments = BTreeMap::new();
    let mut graph: BTreeMap<String, Uses> = BTreeMap::new();
    for entry in entries {
        let before = conditions.used.len();
        let segment = one(reader, conditions, entry);
        let levels = segment.as_ref().map_or(1, |(_, segment)| segment.condition.levels());
        segments.extend(segment);
        let used = conditions.used[before..].to_vec();
        graph.insert(entry.key.text.clone(), Uses { levels, used });
    }
    report_cycles(reader, &graph);
    segments
}

fn one(
    reader: &mut Reader,
    conditions: &mut Conditions<'_>,
    entry: &Entry,
) -> Option<(SegmentName, Segment)> {
    let name = &entry.key;
    let called = format!("the segment `{}`", name.text);
    let fields = Fields::read(reader, &entry.value, &called, &name.place, &SEGMENT)?;
    let description = description(reader, &fields);
    let field = fields.require(reader, "match")?;
    let parsed = SegmentName::parse(&name.text).ok();
    let condition = conditions.whole(reader, field, &name.place, parsed.clone().map(Of::Segment));
    let refresh = match fields.get("refresh") {
        Some(field) => reader.cadence(field.value, "`refresh`").map(Some),
        None => Some(None),
    };
    Some((parsed?, Segment { condition: condition?, refresh: refresh?, description }))
}

/// Segments are no deeper in each other.
const MAX_NESTING: usize = 100;

/// Nor are their conditions, all levels of a chain together: those who unfold them go as deep.
const MAX_LEVELS: usize = 400;

/// What a segment is made of.
struct Uses {
    /// The levels of its own condition.
    levels: usize,
    /// The segments that it names.
    used: Vec<Name>,
}

/// How deep a segment is, the segments in it included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Depth {
    nesting: usize,
    levels: usize,
}

/// Each cycle is reported once, at the place where it closes. So is a chain that is too long.
fn report_cycles(reader: &mut Reader, graph: &BTreeMap<String, Uses>) {
    // Those that were followed to their end.
    let mut done: BTreeMap<&str, Depth> = BTreeMap::new();
    for start in graph.keys() {
        if done.contains_key(start.as_str()) {
            continue;
        }
        // The path from `start`, with the next use of each segment on it that is to be followed.
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        while let Some((segment, next)) = path.last_mut() {
            let Some(used) = graph.get(*segment).and_then(|uses| uses.used.get(*next)) else {
                let depth = graph.get(*segment).map(|uses| depth(reader, segment, uses, &done));
                done.insert(*segment, depth.unwrap_or(Depth { nesting: 0, levels: 0 }));
                path.pop();
                continue;
            };
            *next += 1;
            if let Some(position) = path.iter().position(|(on, _)| *on == used.text) {
                let cycle: Vec<_> =
                    path[position..].iter().map(|(on, _)| *on).chain([used.text.as_str()]).collect();
                let message = match cycle.as_slice() {
                    [only, _] => format!("the segment `{only}` contains itself"),
                    _ => format!("segments contain each other: {}", cycle.join(" → ")),
                };
                let problem = Problem::error("segment-cycle", message, used.place.clone());
                reader.report(problem.hint("one of them must do without the other"));
            } else if !done.contains_key(used.text.as_str()) && graph.contains_key(&used.text) {
                path.push((&used.text, 0));
            }
        }
    }
}

/// How deep a segment is whose segments were followed. The first in a chain to be too deep is reported.
fn depth(reader: &mut Reader, segment: &str, own: &Uses, done: &BTreeMap<&str, Depth>) -> Depth {
    let inner = |depth: fn(&Depth) -> usize| {
        let depths = own.used.iter().filter_map(|used| Some((depth(done.get(used.text.as_str())?), used)));
        depths.max_by_key(|(depth, _)| *depth)
    };
    let (deepest, tallest) = (inner(|depth| depth.nesting), inner(|depth| depth.levels));
    let depth = Depth {
        nesting: deepest.map_or(0, |(nesting, _)| nesting + 1),
        levels: own.levels + tallest.map_or(0, |(levels, _)| levels),
    };
    match (deepest, tallest) {
        (Some((_, inner)), _) if depth.nesting == MAX_NESTING => {
            let message = format!("`{segment}` has more than {MAX_NESTING} segments in each other");
            reader.report(Problem::error("too-deep", message, inner.place.clone()));
        }
        (_, Some((levels, inner)))
            if depth.nesting < MAX_NESTING && depth.levels > MAX_LEVELS && levels <= MAX_LEVELS =>
        {
            let message =
                format!("`{segment}` has more than {MAX_LEVELS} levels, with those of the segments in it");
            reader.report(Problem::error("too-deep", message, inner.place.clone()));
        }
        _ => {}
    }
    depth
}

/// Segments that neither a campaign nor another segment names.
pub(super) fn warn_of_unused<'n>(
    reader: &mut Reader,
    entries: impl Iterator<Item = &'n Entry>,
    used: &[Name],
) {
    let used: BTreeSet<&str> = used.iter().map(|name| name.text.as_str()).collect();
    for entry in entries.filter(|entry| !used.contains(entry.key.text.as_str())) {
        let message = format!("no campaign and no segment uses `{}`", entry.key.text);
        reader.report(Problem::warning("unused-segment", message, entry.key.place.clone()));
    }
}
