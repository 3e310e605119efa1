//! Whether a name that a template uses exists.

use serde_json::Value as Json;

use super::renderer::BUILT_IN;
use super::uses::{COMPONENT, Part, Use};
use crate::diagnostic::{Problem, did_you_mean, nearest};
use crate::domain::campaign::Campaign;
use crate::domain::catalogue::Catalogue;
use crate::domain::name::ScoreName;
use crate::domain::value::ValueType;

/// What templates know.
const ROOTS: [&str; 8] = ["contact", "traits", "scores", "data", "campaign", "links", "sender", "now"];

/// The problem with a use, if it has one.
pub(super) fn problem(one: &Use<'_>, catalogue: &Catalogue, campaign: &Campaign) -> Option<Problem> {
    match one.root.as_str() {
        "contact" => {
            let declared = catalogue.attributes.iter().map(|(name, one)| (name.as_str(), one.value_type));
            let known = declared.chain(BUILT_IN.map(|name| (name, ValueType::Text))).collect::<Vec<_>>();
            typed(one, &known, "declare it under `attributes`")
        }
        "traits" => {
            let known = catalogue.traits.iter().map(|(name, one)| (name.as_str(), one.value_type));
            typed(one, &known.collect::<Vec<_>>(), "declare it under `traits`")
        }
        "campaign" => fixed(one, &["name", "description", "purpose", "version"]),
        "links" => fixed(one, &["unsubscribe", "preferences"]),
        "sender" => fixed(one, &["name", "email", "postal_address"]),
        "now" => fixed(one, &[]),
        "data" => data(one, campaign),
        "scores" => {
            let levels = catalogue.scores.iter().filter(|(_, score)| !score.levels.is_empty());
            let levels: Vec<_> = levels.map(|(name, _)| level_of(name)).collect();
            let levels = levels.iter().map(|name| (name.as_str(), ValueType::Text));
            let values = catalogue.scores.keys().map(|name| (name.as_str(), ValueType::Number));
            typed(one, &values.chain(levels).collect::<Vec<_>>(), "declare it under `scores`")
        }
        root => Some(unknown_root(one, root, catalogue, campaign)),
    }
}

/// Under which name templates find the level of a score.
pub(super) fn level_of(score: &ScoreName) -> String {
    format!("{score}_level")
}

fn unknown_root(one: &Use<'_>, root: &str, catalogue: &Catalogue, campaign: &Campaign) -> Problem {
    if let Some(name) = root.strip_prefix(COMPONENT) {
        let message = format!("`{name}` is not an argument of this component");
        return report(one, 0, "unknown-name", &message)
            .hint("a component sees its own arguments only: pass it what it needs");
    }
    let attribute = catalogue.attributes.keys().any(|name| name.as_str() == root) || BUILT_IN.contains(&root);
    let hint = if attribute {
        format!("write `contact.{root}`")
    } else if catalogue.traits.keys().any(|name| name.as_str() == root) {
        format!("write `traits.{root}`")
    } else if catalogue.scores.keys().any(|name| name.as_str() == root) {
        format!("write `scores.{root}`")
    } else if campaign.data.contains_key(root) {
        format!("write `data.{root}`")
    } else {
        did_you_mean(root, ROOTS)
            .unwrap_or_else(|| format!("templates know {}", ROOTS.map(|name| format!("`{name}`")).join(", ")))
    };
    report(one, 0, "unknown-name", &format!("`{root}` is not defined")).hint(hint)
}

/// A part of attributes or traits.
fn typed(one: &Use<'_>, known: &[(&str, ValueType)], otherwise: &str) -> Option<Problem> {
    let field = one.field()?;
    let Some((_, value_type)) = known.iter().find(|(name, _)| *name == field) else {
        let code = match one.root.as_str() {
            "contact" => "unknown-attribute",
            "scores" => "unknown-score",
            _ => "unknown-trait",
        };
        let message = format!("`{}.{field}` is not declared", one.root);
        let hint = did_you_mean(field, known.iter().map(|(name, _)| *name));
        return reported(one, 1, code, &message)
            .map(|problem| problem.hint(hint.unwrap_or_else(|| otherwise.to_owned())));
    };
    let deeper = one.parts.iter().skip(1).position(|part| matches!(part, Part::Field(_)))?;
    let message = format!("`{}.{field}` is of type {} and has no fields", one.root, value_type.word());
    reported(one, deeper + 2, "unknown-name", &message)
}

fn fixed(one: &Use<'_>, known: &[&str]) -> Option<Problem> {
    let field = one.field()?;
    if known.contains(&field) {
        return None;
    }
    let hint = did_you_mean(field, known.iter().copied())
        .or_else(|| (!known.is_empty()).then(|| format!("`{}` has {}", one.root, known.join(", "))));
    let message = format!("`{}.{field}` is not defined", one.root);
    reported(one, 1, "unknown-name", &message).map(|problem| problem.maybe_hint(hint))
}

/// A part of the campaign's `data`, as far down as it goes.
fn data(one: &Use<'_>, campaign: &Campaign) -> Option<Problem> {
    let mut path = "data".to_owned();
    let mut nodes: Vec<&Json> = Vec::new();
    for (depth, part) in one.parts.iter().enumerate() {
        match part {
            Part::Item => {
                if depth == 0 {
                    nodes.extend(campaign.data.values());
                }
                nodes = nodes
                    .into_iter()
                    .flat_map(|node| match node {
                        Json::Array(items) => items.iter().collect(),
                        Json::Object(members) => members.values().collect(),
                        _ => Vec::new(),
                    })
                    .collect();
                if nodes.is_empty() {
                    return None;
                }
                path.push_str("[…]");
            }
            Part::Field(name) => {
                let objects: Vec<&serde_json::Map<String, Json>> = if depth == 0 {
                    vec![&campaign.data]
                } else {
                    nodes.iter().filter_map(|node| node.as_object()).collect()
                };
                let found: Vec<&Json> = objects.iter().filter_map(|object| object.get(name)).collect();
                let keys = || objects.iter().flat_map(|object| object.keys().map(String::as_str));
                path = format!("{path}.{name}");
                if found.is_empty() {
                    // A layout that several campaigns share may ask for what only some of them say.
                    if one.guarded && nearest(name, keys()).is_none() {
                        return None;
                    }
                    let message = format!("`{path}` is not in the data of `{}`", campaign.name);
                    let hint = did_you_mean(name, keys());
                    let hint = hint.unwrap_or_else(|| "write it under the campaign's `data`".to_owned());
                    return reported(one, depth + 1, "unknown-data", &message).map(|one| one.hint(hint));
                }
                if depth > 0 && found.len() < nodes.len() && !one.guarded {
                    let message = format!("`{path}` is not in every item of the data of `{}`", campaign.name);
                    return reported(one, depth + 1, "unknown-data", &message);
                }
                nodes = found;
            }
        }
    }
    None
}

/// A problem at a part, if it is written here (and not where a name was given to a path).
fn reported(one: &Use<'_>, part: usize, code: &'static str, message: &str) -> Option<Problem> {
    let at = one.places.get(part)?.clone()?;
    Some(Problem::error(code, message, one.source.place(at)))
}

fn report(one: &Use<'_>, part: usize, code: &'static str, message: &str) -> Problem {
    let at = one.places.get(part).cloned().flatten().unwrap_or_default();
    Problem::error(code, message, one.source.place(at))
}
