//! JSON lines to contacts and events.

use serde_json::{Map, Value};

use super::contact_row::ContactRow;
use super::event_row::EventFacts;
use super::lines::{Lines, Next};
use super::options::Content;
use super::reading::{KEPT_OF_TOO_LONG, Reading, Stop};
use super::reason::Reason;
use super::rejects;
use super::table::LONGEST_RECORD;
use super::values::Given;
use super::vocabulary::Meaning;

impl Reading {
    /// Reads all lines.
    pub(super) fn lines(&mut self, lines: &mut Lines) -> Result<(), Stop> {
        loop {
            let next = lines.advance().map_err(|error| self.unreadable(lines.line(), error))?;
            let text = lines.text();
            let (kept, result) = match next {
                Next::End => return self.flush(),
                Next::TooLong => (
                    &text[..KEPT_OF_TOO_LONG],
                    Err(Reason::of(format!("the line is longer than {LONGEST_RECORD} bytes"))),
                ),
                Next::Line => match serde_json::from_slice(text) {
                    Ok(Value::Object(object)) => {
                        let object = row_of_reject(object);
                        (text, self.object(&object))
                    }
                    Ok(_) => (text, Err(Reason::of("the line is not a JSON object"))),
                    Err(error) => {
                        (text, Err(Reason::of(format!("the line is not JSON ({})", category(&error)))))
                    }
                },
            };
            self.batch.originals.push_cell(kept);
            self.note(lines.line(), result)?;
        }
    }

    fn object(&mut self, object: &Map<String, Value>) -> Result<(), Reason> {
        for pattern in &self.reject_where {
            let cell = object.get(&pattern.column).and_then(|value| Given::Json(value).scalar());
            if let Some(cell) = cell.filter(|cell| pattern.matches(cell)) {
                let kind = format!("`{}` is rejected by --reject-where {}", pattern.column, pattern.pattern);
                return Err(Reason::with(kind, &cell));
            }
        }
        match self.content {
            Content::Contacts => {
                let mut row = ContactRow::default();
                self.members_of_contact(object, &mut row, true)?;
                self.batch.contacts.push(row.finish(&self.defaults)?);
            }
            Content::Events => {
                let mut facts = EventFacts::default();
                let mut members: Vec<(String, &str, &Value)> = Vec::with_capacity(object.len());
                for (name, value) in object {
                    match (name.as_str(), value) {
                        ("properties", Value::Object(properties)) => members.extend(
                            properties
                                .iter()
                                .map(|(name, value)| (self.vocabulary.property(name), name.as_str(), value)),
                        ),
                        _ => match self.vocabulary.meaning(name, Content::Events) {
                            Meaning::Fact(fact) => {
                                facts.take(fact, Given::Json(value), name, self.defaults.time_zone)?;
                            }
                            Meaning::Property(property) => members.push((property, name, value)),
                            Meaning::Attribute(_) | Meaning::Nothing => {}
                        },
                    }
                }
                self.events.name(&mut facts)?;
                self.properties.clear();
                for (property, name, value) in members {
                    let given = Given::Json(value);
                    self.events.property(&facts, &mut self.properties, &property, given, name)?;
                }
                self.batch.events.push(self.events.finish(facts, &mut self.properties)?);
            }
        }
        Ok(())
    }

    /// `traits` (as in calls of the Segment API) and `consent` may hold some of the members.
    fn members_of_contact(
        &self,
        object: &Map<String, Value>,
        row: &mut ContactRow,
        outermost: bool,
    ) -> Result<(), Reason> {
        for (name, value) in object {
            match (name.as_str(), value) {
                ("traits" | "attributes", Value::Object(inner)) if outermost => {
                    self.members_of_contact(inner, row, false)?;
                }
                ("consent", Value::Object(inner)) => {
                    for (purpose, value) in inner {
                        let name = format!("consent.{purpose}");
                        match self.vocabulary.meaning(&name, Content::Contacts) {
                            Meaning::Fact(fact) => {
                                row.fact(fact, Given::Json(value), &name, &self.defaults)?;
                            }
                            _ => return Err(Reason::of(format!("`{name}` is no consent that is known"))),
                        }
                    }
                }
                _ => match self.vocabulary.meaning(name, Content::Contacts) {
                    Meaning::Fact(fact) => row.fact(fact, Given::Json(value), name, &self.defaults)?,
                    Meaning::Attribute(field) => {
                        row.attribute(&field, Given::Json(value), name, &self.defaults)?;
                    }
                    Meaning::Property(_) | Meaning::Nothing => {}
                },
            }
        }
        Ok(())
    }
}

/// A line of a rejects file is read as the row that is in it.
fn row_of_reject(mut object: Map<String, Value>) -> Map<String, Value> {
    let is_reject = object.len() == 3 && rejects::COLUMNS.iter().all(|name| object.contains_key(*name));
    match object.get_mut(rejects::ROW) {
        Some(Value::Object(row)) if is_reject => std::mem::take(row),
        _ => object,
    }
}

fn category(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line").map_or(text.as_str(), |(what, _)| what).to_owned()
}
