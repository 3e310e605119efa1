//! When a campaign runs, and between which days.

use super::keys::SCHEDULE;
use crate::diagnostic::Problem;
use crate::domain::calendar;
use crate::domain::campaign::Moment;
use crate::domain::schedule::Schedule;
use crate::domain::time::Zone;
use crate::yaml::{Field, Fields, Kind, Reader, dates};

/// In which zone times are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ZoneOf {
    /// In this one.
    All(Zone),
    /// In each contact's own.
    Contact,
}

/// When a campaign runs, and the zone if one is given.
pub(super) fn read(reader: &mut Reader, field: Field<'_>) -> (Option<Schedule>, Option<ZoneOf>) {
    let errors = reader.errors();
    let Some(fields) = Fields::read(reader, field.value, "`schedule`", &field.name.place, &SCHEDULE) else {
        return (None, None);
    };
    let zone = fields.get("time_zone").and_then(|field| zone_or_contact(reader, field));
    let on_entry = fields.get("on_entry").filter(|field| {
        let is_true = reader.boolean(field.value, "`on_entry`");
        if is_true == Some(false) {
            let problem = Problem::error("wrong-value", "`on_entry` is `true`", field.value.place.clone());
            reader.report(problem.hint("leave it out, and write `cron` or `at`"));
        }
        true
    });
    let include_current = fields.get("include_current");
    if let (Some(field), None) = (include_current, on_entry) {
        let message = "`include_current` belongs to `on_entry: true`";
        reader.report(Problem::error("wrong-value", message, field.name.place.clone()).hint("leave it out"));
    }
    if let (Some(field), Some(_)) = (fields.get("time_zone"), on_entry) {
        let message = "`on_entry` has no times that are read in a zone";
        let problem = Problem::error("wrong-value", message, field.name.place.clone());
        reader.report(problem.hint("leave `time_zone` out; `quiet_hours` say when nobody is mailed"));
    }
    let include_current =
        include_current.and_then(|field| reader.boolean(field.value, "`include_current`")).unwrap_or(false);
    let written: Vec<_> = [fields.get("cron"), fields.get("at"), on_entry].into_iter().flatten().collect();
    if let [_, second, ..] = written.as_slice() {
        let message = "a schedule has one of `cron`, `at` and `on_entry`";
        let problem = Problem::error("ambiguous", message, second.name.place.clone());
        reader.report(problem.hint("make two campaigns of it"));
        return (None, zone);
    }
    let schedule = match written.first() {
        Some(field) if field.key.name == "cron" => {
            reader.cron_line(field.value, "`cron`").map(Schedule::Cron)
        }
        Some(field) if field.key.name == "at" => local_time(reader, *field).map(Schedule::At),
        Some(_) => Some(Schedule::OnEntry { include_current }),
        None => {
            if reader.errors() == errors {
                let message = "a schedule needs `cron`, `at` or `on_entry`";
                let problem = Problem::error("missing-key", message, field.name.place.clone());
                reader.report(problem.hint(format!("for example `{}`", field.key.example)));
            }
            None
        }
    };
    (schedule, zone)
}

fn local_time(reader: &mut Reader, field: Field<'_>) -> Option<chrono::NaiveDateTime> {
    let node = field.value;
    if let Kind::Scalar(scalar) = &node.kind {
        let text = scalar.text.trim();
        let hint = if dates::instant(text).is_some() {
            "leave out the offset and give the zone as `time_zone`".to_owned()
        } else if dates::date(text).is_some() {
            format!("add the time of day: `{text}T10:00`")
        } else {
            return reader.local_time(node, "`at`");
        };
        let message = format!("`at` must be {}, not `{text}`", field.key.value);
        reader.report(Problem::error("wrong-date", message, node.place.clone()).hint(hint));
        return None;
    }
    reader.local_time(node, "`at`")
}

/// A zone, or the word `contact`.
pub(super) fn zone_or_contact(reader: &mut Reader, field: Field<'_>) -> Option<ZoneOf> {
    if matches!(&field.value.kind, Kind::Scalar(scalar) if scalar.text == "contact") {
        return Some(ZoneOf::Contact);
    }
    reader.zone(field.value, "`time_zone`").map(ZoneOf::All)
}

/// A day or a time. A day begins with its first instant, and `ends` with its last.
pub(super) fn moment(reader: &mut Reader, field: Field<'_>, zone: ZoneOf, ends: bool) -> Option<Moment> {
    let expected = "a date like `2026-12-24`, or a time like `2026-12-24T10:00`";
    let text = &reader.scalar(field.value, &field.subject(), expected)?.text;
    let local = match dates::date(text) {
        Some(day) => {
            let day = if ends { day.succ_opt().unwrap_or(day) } else { day };
            Some(day.and_time(chrono::NaiveTime::MIN))
        }
        None => dates::local_time(text),
    };
    let moment = match (local, zone) {
        (Some(local), ZoneOf::Contact) => Some(Moment::Local(local)),
        (Some(local), ZoneOf::All(zone)) => Some(Moment::Instant(calendar::resolve(local, zone))),
        (None, _) => dates::instant(text).map(Moment::Instant),
    };
    if moment.is_none() {
        reader.wrong_date(field.value, &field.subject(), text, expected);
    }
    moment
}
