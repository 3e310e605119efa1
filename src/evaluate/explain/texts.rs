//! Texts that a test may answer one way or the other: those that it names, and some that are put together
//! of what it looks for.

use std::collections::HashSet;

use crate::domain::condition::{Operator, Test, TextMatch};
use crate::domain::value::Value;

/// So many are put together at most.
const MOST_MADE: usize = 2_000;

/// The texts that a test names, in the order of writing.
pub(super) fn named(test: &Test) -> Vec<String> {
    let text_of = |value: &Value| if let Value::Text(text) = value { Some(text.clone()) } else { None };
    let of_operator = |operator: &Operator| -> Vec<String> {
        match operator {
            Operator::Is(value) | Operator::IsNot(value) => text_of(value).into_iter().collect(),
            Operator::In(values) | Operator::NotIn(values) => values.iter().filter_map(text_of).collect(),
            Operator::Blank(_) => vec![String::new(), "-".to_owned()],
            _ => Vec::new(),
        }
    };
    let mut seen = HashSet::new();
    test.operators.iter().flat_map(of_operator).filter(|text| seen.insert(text.clone())).collect()
}

/// Texts with what a test looks for at their beginning, in them and at their end.
pub(super) fn made(test: &Test) -> Vec<String> {
    let mut parts = Parts::default();
    for operator in &test.operators {
        match operator {
            Operator::Matches(TextMatch::Contains(part), _) => parts.insides.push(part.clone()),
            Operator::Matches(TextMatch::StartsWith(part), _) => parts.fronts.push(part.clone()),
            Operator::Matches(TextMatch::EndsWith(part), _) => parts.backs.push(part.clone()),
            Operator::Matches(TextMatch::Like(pattern), _) => parts.add_pattern(pattern),
            _ => {}
        }
    }
    parts.put_together(&named(test))
}

#[derive(Default)]
struct Parts {
    fronts: Vec<String>,
    insides: Vec<String>,
    backs: Vec<String>,
    wholes: Vec<String>,
}

impl Parts {
    /// What a `like` pattern asks for between its `%`.
    fn add_pattern(&mut self, pattern: &str) {
        let mut pieces = vec![String::new()];
        let mut characters = pattern.chars().peekable();
        while let Some(character) = characters.next() {
            let last = pieces.len() - 1;
            match character {
                '%' => pieces.push(String::new()),
                '_' => pieces[last].push('x'),
                '\\' => pieces[last]
                    .push(characters.next_if(|next| matches!(next, '%' | '_' | '\\')).unwrap_or('\\')),
                other => pieces[last].push(other),
            }
        }
        if let [whole] = &pieces[..] {
            self.wholes.push(whole.clone());
            return;
        }
        self.wholes.push(pieces.concat());
        let (first, last) = (pieces.remove(0), pieces.pop().unwrap_or_default());
        self.fronts.push(first);
        self.backs.push(last);
        self.insides.append(&mut pieces);
    }

    fn put_together(mut self, named: &[String]) -> Vec<String> {
        let mut made: Vec<String> = ["x", "other", "", " ", "7"].map(str::to_owned).to_vec();
        made.append(&mut self.wholes);
        // What a text that is named has beside itself.
        let beside = |text: &String| [text.to_uppercase(), text.to_lowercase(), format!("{text}x")];
        made.extend(named.iter().flat_map(beside).take(MOST_MADE));
        let all = self.insides.concat();
        self.insides.extend([String::new(), all]);
        self.fronts.insert(0, String::new());
        self.backs.insert(0, String::new());
        for front in &self.fronts {
            for inside in &self.insides {
                for back in &self.backs {
                    made.extend(["", "x"].map(|filler| format!("{front}{filler}{inside}{back}")));
                    made.push(format!("{front}{inside}x{back}"));
                }
            }
            if made.len() > MOST_MADE {
                break;
            }
        }
        let named: HashSet<&String> = named.iter().collect();
        made.retain(|text| !named.contains(text));
        made
    }
}
