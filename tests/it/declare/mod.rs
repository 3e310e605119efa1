//! Declarations: what is understood, and what is said of the rest.

mod conditions;
mod files;
mod language;
mod messages;
mod mutations;
mod product;
mod scores;
mod warnings;

pub(crate) use mutations::assert_inside;

use campaignd::declare::{Loaded, SourceFile, read};
use campaignd::diagnostic::Problem;
use campaignd::domain::time::Zone;

/// Declares what the tests of conditions speak of.
pub(crate) const FACTS: &str = "\
attributes:
  country: text
  birth_date: date
  signed_up: datetime
  status: { type: text, one_of: [b2b, b2c] }
  interests: list
  income: { type: number, personal: true }
  subscribed: boolean
events:
  purchase:
    from: Order Completed
    properties:
      amount: { type: number, from: total }
      order: text
      product: text
      category: text
      at_work: boolean
  page_view:
    properties: { url: text, category: text, seconds: number }
traits:
  spend_12m: { of: purchase, total: amount, within: 12 months }
  favourite: { of: purchase, most_common: category }
  last_order_at: { of: purchase, last_at: true }
";

/// Reads files given as name and text, in Paris.
pub(crate) fn load(files: &[(&str, &str)]) -> Loaded {
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| SourceFile { name: (*name).into(), bytes: text.as_bytes().to_vec() })
        .collect();
    read(&files, Zone::Europe__Paris)
}

/// The problems of one file, each on a line: place, code, message, hint.
pub(crate) fn problems_of(text: &str) -> String {
    lines(&load(&[("a.yaml", text)]).problems)
}

/// Problems, each on a line.
pub(crate) fn lines(problems: &[Problem]) -> String {
    let line = |problem: &Problem| {
        let place = problem.place.as_ref().map_or_else(String::new, |place| {
            format!("{}:{}:{}+{} ", place.file, place.line, place.column, place.length)
        });
        let related: Vec<_> = problem
            .related
            .iter()
            .map(|related| format!(" [{} {}:{}]", related.label, related.place.file, related.place.line))
            .collect();
        let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{place}{}: {}{}{hint}", problem.code, problem.message, related.concat())
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}
