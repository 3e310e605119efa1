//! The JSON that is kept of a call: what it came with, under the names on the wire.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::ingest::vocabulary::EventFields;

/// The members of a JSON object by name; of what is none, nothing.
pub(super) type Members<'a> = BTreeMap<String, &'a RawValue>;

/// Reads an object.
pub(super) fn members<'a>(raw: Option<&&'a RawValue>) -> Members<'a> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// Of `context` not kept: addresses of networks are personal and of no use here, the library says
/// nothing of the contact, traits are for identify calls.
const NOT_KEPT: [&str; 3] = ["ip", "library", "traits"];

/// The context of a call, with that of its batch for what it does not say itself.
pub(super) fn context<'a>(own: Members<'a>, of_batch: Members<'a>) -> Members<'a> {
    let mut context = of_batch;
    context.extend(own);
    context.retain(|name, raw| {
        !NOT_KEPT.contains(&name.as_str()) && !matches!(raw.get(), "null" | "{}" | "[]" | "\"\"")
    });
    context
}

/// What is kept of a call: its properties, `more` where they do not say it themselves, and the context.
pub(super) fn kept(
    properties: &Members<'_>,
    more: &[(&str, Option<&&RawValue>)],
    context: &Members<'_>,
    declared: Option<&EventFields>,
) -> String {
    let mut json = String::new();
    for (name, raw) in properties {
        push(&mut json, wire_name(name, properties, declared), raw.get());
    }
    for (name, raw) in more {
        if let Some(raw) = raw.filter(|raw| raw.get() != "null" && !properties.contains_key(*name)) {
            push(&mut json, name, raw.get());
        }
    }
    if !context.is_empty() && !properties.contains_key("context") {
        let mut nested = String::new();
        for (name, raw) in context {
            push(&mut nested, name, raw.get());
        }
        nested.push('}');
        push(&mut json, "context", &nested);
    }
    if !json.is_empty() {
        json.push('}');
    }
    json
}

/// A property that is sent under its declared name is kept under its name on the wire.
fn wire_name<'a>(name: &'a str, properties: &Members<'_>, declared: Option<&'a EventFields>) -> &'a str {
    match declared.and_then(|declared| declared.properties.get(name)) {
        Some(field) if !properties.contains_key(&field.wire_name) => &field.wire_name,
        _ => name,
    }
}

fn push(json: &mut String, name: &str, raw: &str) {
    json.push(if json.is_empty() { '{' } else { ',' });
    crate::ingest::values::push_text(json, name);
    json.push(':');
    json.push_str(raw);
}
