//! `caps` and `quiet_hours`: how much marketing mail one contact gets, and when none.

use chrono::NaiveTime;

use super::keys::{CAP, QUIET_HOURS};
use super::schedule::{ZoneOf, zone_or_contact};
use crate::diagnostic::{Place, Problem};
use crate::domain::caps::Cap;
use crate::domain::quiet_hours::QuietHours;
use crate::yaml::{Field, Fields, Reader};

/// The caps of one file.
pub(super) fn caps(reader: &mut Reader, field: Field<'_>) -> Vec<Cap> {
    let mut caps = Vec::new();
    for item in reader.items(field).unwrap_or_default() {
        let Some(fields) = Fields::read(reader, item, "a cap", &item.place, &CAP) else { continue };
        let most = u64::from(u32::MAX);
        let at_most = fields
            .require(reader, "at_most")
            .and_then(|field| reader.whole(field.value, "`at_most`", 1, most));
        let per = fields.require(reader, "per").and_then(|field| reader.span(field.value, "`per`"));
        if let (Some(at_most), Some(per)) = (at_most.and_then(|number| u32::try_from(number).ok()), per) {
            caps.push(Cap { at_most, per });
        }
    }
    caps
}

/// The quiet hours.
pub(super) fn quiet_hours(reader: &mut Reader, field: Field<'_>) -> Option<QuietHours> {
    let fields = Fields::read(reader, field.value, "`quiet_hours`", &field.name.place, &QUIET_HOURS)?;
    let from = fields.require(reader, "from").and_then(|field| time_of_day(reader, field));
    let to = fields.require(reader, "to").and_then(|field| time_of_day(reader, field));
    let zone = fields.get("time_zone").map(|field| zone_or_contact(reader, field));
    let zone = match zone {
        None | Some(Some(ZoneOf::Contact)) => None,
        Some(Some(ZoneOf::All(zone))) => Some(zone),
        Some(None) => return None,
    };
    let (from, to) = (from?, to?);
    if from == to {
        let message = "quiet hours that end when they begin leave no time, or all of it";
        reader.report(Problem::error("wrong-bounds", message, field.value.place.clone()));
        return None;
    }
    Some(QuietHours { from, to, zone })
}

/// Reports that quiet hours are written in two files.
pub(super) fn duplicate_quiet_hours(reader: &mut Reader, field: Field<'_>, first: &Place) {
    let message = "`quiet_hours` are written in two files";
    let problem = Problem::error("duplicate-key", message, field.name.place.clone());
    reader.report(problem.related("first written here", first.clone()));
}

fn time_of_day(reader: &mut Reader, field: Field<'_>) -> Option<NaiveTime> {
    let expected = "a time of day like `21:00`";
    let text = reader.scalar(field.value, &field.subject(), expected)?.text.trim();
    let time = (text.len() == 5).then(|| NaiveTime::parse_from_str(text, "%H:%M").ok()).flatten();
    if time.is_none() {
        let message = format!("{} must be {expected}, not {}", field.subject(), field.value.describe());
        let hint = (text == "24:00").then(|| "midnight is `00:00`".to_owned());
        reader.report(Problem::error("wrong-date", message, field.value.place.clone()).maybe_hint(hint));
    }
    time
}
