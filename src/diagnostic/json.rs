//! Problems for programs.

use super::Problem;

/// All problems as a JSON object, stable under its `version`:
/// `{ version, errors, warnings, problems: [{ severity, code, message, file, line, column, length, hint }] }`.
/// `file`, `line`, `column`, `length` are absent where a problem has no place, `hint` where there is none.
pub fn render(_problems: &[Problem]) -> serde_json::Value {
    todo!()
}
