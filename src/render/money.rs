//! The filter `money`: an amount in the contact's language.
//!
//! `{{ 1234.5 | money(currency="EUR") }}` is €1,234.50, or 1 234,50 € in French.
//!
//! | argument | |
//! |---|---|
//! | `currency` | a code of ISO 4217; must be given |
//! | `decimals` | places behind the mark; what the currency uses unless given |
//! | `language` | instead of the contact's |
//!
//! Amounts are exact decimals and rounded half away from zero. Grouping, marks and the sign's place
//! follow the Unicode Common Locale Data Repository.

use tera::{Error, Kwargs, State, Value};

use super::limits;
use super::locale::Language;
use super::values;
use crate::domain::number::{Number, ONE};

const NO_BREAK_SPACE: char = '\u{a0}';
const NARROW_NO_BREAK_SPACE: char = '\u{202f}';

/// The filter.
#[expect(clippy::needless_pass_by_value, reason = "the signature is Tera's")]
pub(super) fn money(value: Value, arguments: Kwargs, _: &State<'_>) -> Result<String, Error> {
    let currency = arguments
        .get::<&str>("currency")?
        .ok_or_else(|| Error::message("`money` needs a currency: money(currency=\"EUR\")"))?;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Error::message(format!("`{currency}` is not a currency code such as EUR")));
    }
    let decimals = match arguments.get::<i64>("decimals")? {
        None => usual_decimals(currency),
        Some(decimals @ 0..=6) => decimals as u32,
        Some(decimals) => return Err(Error::message(format!("decimals={decimals} is not from 0 to 6"))),
    };
    let language = super::filters::language(&arguments)?.unwrap_or(limits::locale().language);
    let number = values::to_number(&value).ok_or_else(|| super::filters::wrong_type("number", &value))?;
    Ok(write(number, currency, decimals, language))
}

fn write(number: Number, currency: &str, decimals: u32, language: Language) -> String {
    let unit = ONE.unsigned_abs() / 10u64.pow(decimals);
    // Half away from zero. Cannot overflow: an i64 plus half a million fits a u64.
    let rounded = (number.millionths().unsigned_abs() + unit / 2) / unit;
    let sign = if number.millionths() < 0 && rounded > 0 { "-" } else { "" };
    let scale = 10u64.pow(decimals);
    let (group, mark) = match language {
        Language::English | Language::AmericanEnglish => (',', '.'),
        Language::French => (NARROW_NO_BREAK_SPACE, ','),
        Language::German | Language::Spanish | Language::Italian | Language::Dutch => ('.', ','),
    };
    // Spanish groups from five digits on.
    let group_from = if language == Language::Spanish { 5 } else { 4 };
    let mut amount = grouped(rounded / scale, group, group_from);
    if decimals > 0 {
        let fraction = (rounded % scale).to_string();
        amount.push(mark);
        amount.extend(std::iter::repeat_n('0', (decimals as usize).saturating_sub(fraction.len())));
        amount.push_str(&fraction);
    }
    let symbol = symbol(currency);
    match language {
        Language::English | Language::AmericanEnglish if symbol == currency => {
            format!("{sign}{symbol}{NO_BREAK_SPACE}{amount}")
        }
        Language::English | Language::AmericanEnglish => format!("{sign}{symbol}{amount}"),
        Language::Dutch => format!("{symbol}{NO_BREAK_SPACE}{sign}{amount}"),
        _ => format!("{sign}{amount}{NO_BREAK_SPACE}{symbol}"),
    }
}

fn grouped(whole: u64, group: char, group_from: usize) -> String {
    let digits = whole.to_string();
    let mut text = String::with_capacity(digits.len() * 2 + 8);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digits.len() >= group_from {
            text.push(group);
        }
        text.push(digit);
    }
    text
}

fn symbol(currency: &str) -> &str {
    match currency {
        "EUR" => "€",
        "USD" => "$",
        "GBP" => "£",
        "JPY" => "¥",
        other => other,
    }
}

/// Minor units of ISO 4217 where they are not two.
fn usual_decimals(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_people_write_them() {
        use Language::{AmericanEnglish, Dutch, English, French, German, Italian, Spanish};
        for (number, currency, decimals, language, expected) in [
            ("1234.5", "EUR", 2, English, "€1,234.50"),
            ("1234.5", "USD", 2, AmericanEnglish, "$1,234.50"),
            ("1234.5", "CHF", 2, English, "CHF\u{a0}1,234.50"),
            ("1234567.891", "EUR", 2, French, "1\u{202f}234\u{202f}567,89\u{a0}€"),
            ("1234.5", "EUR", 2, German, "1.234,50\u{a0}€"),
            ("1234.5", "EUR", 2, Spanish, "1234,50\u{a0}€"),
            ("12345.5", "EUR", 2, Spanish, "12.345,50\u{a0}€"),
            ("1234.5", "EUR", 2, Italian, "1.234,50\u{a0}€"),
            ("1234.5", "EUR", 2, Dutch, "€\u{a0}1.234,50"),
            ("-5", "EUR", 2, English, "-€5.00"),
            ("-5", "EUR", 2, Dutch, "€\u{a0}-5,00"),
            ("-5", "EUR", 2, French, "-5,00\u{a0}€"),
            ("15", "EUR", 0, English, "€15"),
            ("999.995", "EUR", 2, English, "€1,000.00"),
            ("0.125", "EUR", 2, English, "€0.13"),
            ("-0.125", "EUR", 2, English, "-€0.13"),
            ("-0.001", "EUR", 2, English, "€0.00"),
            ("0.5", "JPY", 0, English, "¥1"),
            ("0.000001", "KWD", 6, English, "KWD\u{a0}0.000001"),
            ("9223372036854.775807", "EUR", 2, English, "€9,223,372,036,854.78"),
        ] {
            let number = Number::parse(number).expect("a number");
            assert_eq!(write(number, currency, decimals, language), expected);
        }
    }
}
