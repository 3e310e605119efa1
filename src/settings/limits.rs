//! How fast mails leave by a server, and to each provider.

use super::keys::DOMAIN;
use crate::diagnostic::Problem;
use crate::domain::address::EmailAddress;
use crate::domain::pace::Pace;
use crate::domain::provider::{ProviderLimits, TransportLimits, of_address};
use crate::yaml::{Field, Fields, Reader};

/// The word that stands for all domains that are not named.
const OTHERS: &str = "others";

/// The limits among the keys of a server.
pub(super) fn read(reader: &mut Reader, smtp: &Fields<'_>, most_connections: u64) -> TransportLimits {
    let mut limits = TransportLimits { pace: pace(reader, smtp), ..TransportLimits::default() };
    let Some(field) = smtp.get("domains") else { return limits };
    for entry in reader.names(field).unwrap_or_default() {
        let name = &entry.key;
        let subject = format!("`{}`", name.text);
        let Some(fields) = Fields::read(reader, &entry.value, &subject, &name.place, &DOMAIN) else {
            continue;
        };
        let connections = fields.get("connections").and_then(|field| {
            let count = reader.whole(field.value, &field.subject(), 1, most_connections)?;
            usize::try_from(count).ok()
        });
        let own = ProviderLimits { pace: pace(reader, &fields), connections };
        if name.text == OTHERS {
            limits.others = own;
        } else if let Some(domain) = domain(&name.text) {
            limits.domains.insert(domain, own);
        } else {
            let message = format!("`{}` is no domain of addresses", name.text);
            let problem = Problem::error("wrong-name", message, name.place.clone());
            reader.report(problem.hint(format!("for example `{}`", field.key.example)));
        }
    }
    limits
}

/// So many mails an hour.
fn pace(reader: &mut Reader, fields: &Fields<'_>) -> Option<Pace> {
    let field: Field<'_> = fields.get("per_hour")?;
    let count = reader.whole(field.value, &field.subject(), 1, u32::MAX.into())?;
    u32::try_from(count).ok().map(Pace::per_hour)
}

/// A domain as it stands in addresses that are kept.
fn domain(text: &str) -> Option<String> {
    let address = EmailAddress::parse(&format!("x@{text}")).ok()?.folded();
    Some(of_address(&address).to_owned())
}
