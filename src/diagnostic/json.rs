//! Problems for programs.

use serde_json::{Map, Value, json};

use super::{Place, Problem};

/// All problems as a JSON object, stable under its `version`:
///
/// ```json
/// { "version": 1, "errors": 1, "warnings": 0, "problems": [ {
///     "severity": "error", "code": "unknown-key", "message": "…", "hint": "…",
///     "file": "campaigns/a.yaml", "line": 3, "column": 5, "length": 7,
///     "related": [ { "label": "first declared here", "file": "…", "line": 1, "column": 1, "length": 3 } ]
/// } ] }
/// ```
///
/// `file`, `line`, `column` and `length` are absent where a problem has no place; `hint` and
/// `related` where there are none. Columns and lengths count characters.
pub fn render(problems: &[Problem]) -> Value {
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    json!({
        "version": 1,
        "errors": errors,
        "warnings": problems.len() - errors,
        "problems": problems.iter().map(problem).collect::<Vec<_>>(),
    })
}

fn problem(problem: &Problem) -> Value {
    let mut object = Map::new();
    object.insert("severity".into(), problem.severity.word().into());
    object.insert("code".into(), problem.code.into());
    object.insert("message".into(), problem.message.clone().into());
    if let Some(hint) = &problem.hint {
        object.insert("hint".into(), hint.clone().into());
    }
    if let Some(at) = &problem.place {
        place(&mut object, at);
    }
    if !problem.related.is_empty() {
        let related = problem.related.iter().map(|related| {
            let mut object = Map::new();
            object.insert("label".into(), related.label.clone().into());
            place(&mut object, &related.place);
            Value::Object(object)
        });
        object.insert("related".into(), related.collect());
    }
    Value::Object(object)
}

fn place(object: &mut Map<String, Value>, place: &Place) {
    object.insert("file".into(), place.file.as_ref().into());
    object.insert("line".into(), place.line.into());
    object.insert("column".into(), place.column.into());
    object.insert("length".into(), place.length.into());
}
