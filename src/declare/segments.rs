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
    let mut graph: BTreeMap<String, Vec<Name>> = BTreeMap::new();
    for entry in entries {
        let before = conditions.used.len();
        if let Some((name, segment)) = one(reader, conditions, entry) {
            segments.insert(name, segment);
        }
        graph.insert(entry.key.text.clone(), conditions.used[before..].to_vec());
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

/// Segments are no deeper in each other: those who unfold them may go as deep.
const MAX_NESTING: usize = 100;

/// Each cycle is reported once, at the place where it closes. So is a chain that is too long.
fn report_cycles(reader: &mut Reader, graph: &BTreeMap<String, Vec<Name>>) {
    // Those that were followed to their end, with how deep the segments in them lie.
    let mut done: BTreeMap<&str, usize> = BTreeMap::new();
    for start in graph.keys() {
        if done.contains_key(start.as_str()) {
            continue;
        }
        // The path from `start`, with the next use of each segment on it that is to be followed.
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        while let Some((segment, next)) = path.last_mut() {
            let Some(used) = graph.get(*segment).and_then(|used| used.get(*next)) else {
                let used = graph.get(*segment).map(Vec::as_slice).unwrap_or_default();
                let deepest = used.iter().max_by_key(|used| done.get(used.text.as_str()));
                let depth =
                    deepest.and_then(|used| done.get(used.text.as_str())).map_or(0, |depth| depth + 1);
                if let (Some(used), true) = (deepest, depth == MAX_NESTING) {
                    let message = format!("`{segment}` has more than {MAX_NESTING} segments in each other");
                    reader.report(Problem::error("too-deep", message, used.place.clone()));
                }
                done.insert(*segment, depth);
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
