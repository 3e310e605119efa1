//! Who sends: what mail must carry, and where what cannot be delivered comes back to.

use super::Sender;
use super::keys::SENDER;
use crate::domain::address::EmailAddress;
use crate::yaml::{Field, Fields, Reader};

/// What a name may have so that a token fits behind it: RFC 5321 section 4.5.3.1.1 allows 64 bytes before the
/// `@`, and `+` and the token take 33.
const LONGEST_NAME: usize = 31;

pub(super) fn read(reader: &mut Reader, field: Field<'_>) -> Option<Sender> {
    let fields = Fields::read(reader, field.value, "`sender`", &field.name.place, &SENDER)?;
    let address = fields.require(reader, "postal_address")?;
    let postal_address = reader.filled(address.value, "`postal_address`")?.trim().to_owned();
    let bounces = match fields.get("bounces") {
        Some(field) => Some(bounces(reader, field)?),
        None => None,
    };
    Some(Sender { postal_address, bounces })
}

fn bounces(reader: &mut Reader, field: Field<'_>) -> Option<EmailAddress> {
    let text = reader.filled(field.value, "`bounces`")?;
    let address = match EmailAddress::parse(text) {
        Ok(address) => address,
        Err(error) => {
            reader.wrong_value(field.value, format!("`bounces`: {error}"));
            return None;
        }
    };
    let name = address.as_str().rsplit_once('@').map_or("", |(name, _)| name);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if name.len() > LONGEST_NAME || !name.bytes().all(is_plain) {
        let message = format!(
            "the name in `bounces` must be of letters, digits, `-`, `.` and `_`, at most {LONGEST_NAME} of them: \
             `+` and a token of 32 characters are added to it"
        );
        reader.wrong_value(field.value, message);
        return None;
    }
    Some(address)
}
