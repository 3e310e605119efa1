//! Who entered and left the audience of a campaign: read from the log of passages.

use std::collections::HashMap;

use super::dialect::given_numbers;
use super::error::failed;
use super::memberships::{Passed, SegmentId};
use super::statement::{numbers_json, query, query_column, values};
use super::{ROWS, Result, Store};
use crate::domain::contact::ContactId;
use crate::domain::time::Timestamp;

/// In a `WHERE`: entries that make runs. Whatever brought a contact in, or only data and time.
const fn that_count(any_cause: bool) -> &'static str {
    if any_cause { "entered = 1" } else { "entered = 1 AND cause IN ('data', 'time')" }
}

/// The evaluations later than `after` at which somebody entered, oldest first. `any_cause`: also by a
/// changed declaration, a first evaluation or an import.
pub async fn instants(
    store: &Store,
    segment: SegmentId,
    after: Timestamp,
    any_cause: bool,
) -> Result<Vec<Timestamp>> {
    let text = format!(
        "SELECT DISTINCT at FROM membership_changes WHERE segment = $1 AND {} AND at > $2 ORDER BY at",
        that_count(any_cause)
    );
    let given = values![segment.0, after.micros()];
    let found: Vec<i64> = query_column(&store.database, "look for entries", &text, given).await?;
    Ok(found.into_iter().map(Timestamp::from_micros).collect())
}

/// Who entered at this evaluation, in the order of numbers.
pub async fn entered_at(
    store: &Store,
    segment: SegmentId,
    at: Timestamp,
    any_cause: bool,
) -> Result<Vec<ContactId>> {
    let text = format!(
        "SELECT contact FROM membership_changes WHERE segment = $1 AND {} AND at = $2 ORDER BY contact",
        that_count(any_cause)
    );
    let given = values![segment.0, at.micros()];
    let found: Vec<i64> = query_column(&store.database, "list who entered", &text, given).await?;
    Ok(found.into_iter().map(ContactId).collect())
}

/// The passages of these contacts up to `until`, oldest first.
pub async fn passages_of(
    store: &Store,
    segment: SegmentId,
    contacts: &[ContactId],
    until: Timestamp,
) -> Result<HashMap<ContactId, Vec<Passed>>> {
    let operation = "look for passages";
    let given = given_numbers(store.backend(), 2, "contact");
    let text = format!(
        "SELECT contact, at, entered FROM membership_changes
         WHERE contact IN (SELECT contact FROM {given} AS given) AND segment = $1 AND at <= $3
         ORDER BY contact, at, entered"
    );
    let mut found: HashMap<ContactId, Vec<Passed>> = HashMap::new();
    for part in contacts.chunks(ROWS) {
        let given = values![segment.0, numbers_json(part.iter().map(|contact| contact.0)), until.micros()];
        for row in query(&store.database, operation, &text, given).await? {
            let read = || -> Result<Passed, sea_orm::DbErr> {
                Ok(Passed {
                    contact: ContactId(row.try_get_by_index(0)?),
                    at: Timestamp::from_micros(row.try_get_by_index(1)?),
                    entered: row.try_get_by_index::<i64>(2)? != 0,
                })
            };
            let passed = read().map_err(failed(operation))?;
            found.entry(passed.contact).or_default().push(passed);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memberships::EntryCause;

    #[test]
    fn what_counts_is_what_the_statement_says() {
        for cause in EntryCause::ALL {
            let counts = that_count(false).contains(&format!("'{}'", cause.word()));
            assert_eq!(counts, cause.is_news(), "{}", cause.word());
        }
    }
}
