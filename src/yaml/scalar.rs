//! What a plain scalar means: the core schema of YAML 1.2.2 (10.3.2), where `NO`, `on` and `21:00`
//! are text; digits that begin with a zero are text too (`010` is an article number, not ten).

use serde_json::{Number, Value};

/// Characters of a text that a message shows.
const LONGEST_SHOWN: usize = 40;

/// Text as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, after escapes and folding.
    pub text: String,
    /// It stood without quotes, so it may be a number or a boolean.
    pub plain: bool,
}

impl Scalar {
    /// Whether it is nothing: empty, `~`, `null`.
    pub fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Option<bool> {
        match self.text.as_str() {
            "true" | "True" | "TRUE" if self.plain => Some(true),
            "false" | "False" | "FALSE" if self.plain => Some(false),
            _ => None,
        }
    }

    /// Whether it is a decimal number.
    pub fn is_number(&self) -> bool {
        self.plain && is_decimal(&self.text)
    }

    /// What it is, for messages: `` text `many` ``.
    pub fn describe(&self) -> String {
        let kind = match () {
            () if self.boolean().is_some() => "",
            () if self.is_number() => "the number ",
            () => "text ",
        };
        let mut shown: String = self.text.chars().take(LONGEST_SHOWN).collect();
        if shown.len() < self.text.len() {
            shown.push('…');
        }
        format!("{kind}`{shown}`")
    }

    /// The JSON value of it. What JSON has no exact number for (`.inf`, 30 digits) stays text.
    pub fn to_json(&self) -> Value {
        let text = || Value::String(self.text.clone());
        if let Some(boolean) = self.boolean() {
            return Value::Bool(boolean);
        }
        if !self.is_number() {
            return text();
        }
        if let Ok(whole) = self.text.parse::<i64>() {
            return Value::Number(whole.into());
        }
        if !self.text.contains(['.', 'e', 'E']) {
            return text();
        }
        self.text.parse().ok().and_then(Number::from_f64).map_or_else(text, Value::Number)
    }
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`, no zero before a digit.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && !leading_zero
        && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::Scalar;

    fn check(text: &str, json: &str) {
        let scalar = Scalar { text: text.to_owned(), plain: true };
        assert_eq!(scalar.to_json().to_string(), json, "{text}");
    }

    #[test]
    fn plain_scalars_mean_what_yaml_1_2_says() {
        for text in ["NO", "on", "yes", "010", "21:00", "2026-12-24", "0x1F", "-", ".", "1_000", "1e", "-010"]
        {
            check(text, &format!("\"{text}\""));
        }
        check("true", "true");
        check("12", "12");
        check("-0.5", "-0.5");
        check("1e3", "1000.0");
        check(".5", "0.5");
        check("0", "0");
        check(".inf", "\".inf\"");
        check("1e999", "\"1e999\"");
        check("99999999999999999999", "\"99999999999999999999\"");
    }
}
