//! Decimal numbers with six places, so that sums of money are exact.

use std::fmt;

/// A decimal number with up to six places, kept as millionths.
///
/// Its range is about ±9.2 · 10¹². Sums are taken in [`i128`] by those who add, see
/// [`Number::millionths`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Number(i64);

/// Millionths in one.
pub const ONE: i64 = 1_000_000;

/// Why a text is no [`Number`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNumber {
    /// Not a decimal number at all.
    #[error("`{0}` is not a decimal number")]
    NotDecimal(String),
    /// More than about 9.2 · 10¹² in either direction.
    #[error("`{0}` is out of range: numbers reach from -9223372036854 to 9223372036854")]
    OutOfRange(String),
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// No number is less.
    pub const LEAST: Self = Self(i64::MIN);

    /// No number is greater.
    pub const GREATEST: Self = Self(i64::MAX);

    /// The number of this many millionths.
    pub const fn from_millionths(millionths: i64) -> Self {
        Self(millionths)
    }

    /// A whole number; `None` when it is out of range.
    pub const fn from_whole(whole: i64) -> Option<Self> {
        match whole.checked_mul(ONE) {
            Some(millionths) => Some(Self(millionths)),
            None => None,
        }
    }

    /// This number in millionths.
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// The nearest `f64`, for rates and charts only.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }

    /// Reads a decimal number: sign, digits, one point, exponent (`1e3`), spaces around it.
    /// What has more than six places is rounded half to even, since JSON clients send
    /// `0.30000000000000004`.
    pub fn parse(text: &str) -> Result<Self, InvalidNumber> {
        if let Some(number) = Self::parse_plain(text.as_bytes()) {
            return Ok(number);
        }
        let not_decimal = || InvalidNumber::NotDecimal(text.chars().take(60).collect());
        let out_of_range = || InvalidNumber::OutOfRange(text.chars().take(60).collect());
        let trimmed = text.trim();
        let (negative, unsigned) = match trimmed.as_bytes().first() {
            Some(b'-') => (true, &trimmed[1..]),
            Some(b'+') => (false, &trimmed[1..]),
            _ => (false, trimmed),
        };
        let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
            Some(position) => {
                let exponent: i32 = unsigned[position + 1..].parse().map_err(|_| not_decimal())?;
                (&unsigned[..position], exponent)
            }
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty()
            || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
        {
            return Err(not_decimal());
        }
        // Position of the point, counted from the first digit, after the exponent moved it,
        // plus the six places that are kept.
        let kept = i64::from(exponent) + whole.len() as i64 + 6;
        let mut millionths: i128 = 0;
        let mut rest = std::cmp::Ordering::Less; // of what is cut off, against one half
        for (index, digit) in whole.bytes().chain(fraction.bytes()).enumerate() {
            let index = index as i64;
            let digit = i128::from(digit - b'0');
            if index < kept {
                millionths = millionths * 10 + digit;
                if millionths > i128::from(i64::MAX) * 10 {
                    return Err(out_of_range());
                }
            } else if index == kept {
                rest = digit.cmp(&5);
            } else if digit != 0 && rest == std::cmp::Ordering::Equal {
                rest = std::cmp::Ordering::Greater;
            }
        }
        let digits = (whole.len() + fraction.len()) as i64;
        for _ in digits..kept {
            if millionths == 0 {
                break;
            }
            millionths *= 10;
            if millionths > i128::from(i64::MAX) * 10 {
                return Err(out_of_range());
            }
        }
        let half_up = match rest {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => millionths % 2 == 1,
            std::cmp::Ordering::Less => false,
        };
        if half_up {
            millionths += 1;
        }
        let signed = if negative { -millionths } else { millionths };
        i64::try_from(signed).map(Self).map_err(|_| out_of_range())
    }

    /// What amounts usually look like (`-12.50`), read fast; `None` means: read it slowly.
    #[inline]
    fn parse_plain(text: &[u8]) -> Option<Self> {
        let (negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        // At most 12 digits before the point and 6 behind it can't overflow.
        let (mut value, mut places) = (0_i64, None);
        for (index, byte) in digits.iter().enumerate() {
            match (byte, places) {
                (b'0'..=b'9', None) if index < 12 => value = value * 10 + i64::from(byte - b'0'),
                (b'0'..=b'9', Some(count)) if count < 6 => {
                    value = value * 10 + i64::from(byte - b'0');
                    places = Some(count + 1);
                }
                (b'.', None) if index > 0 => places = Some(0),
                _ => return None,
            }
        }
        let missing_places = 6 - places.unwrap_or(0);
        let millionths = (!digits.is_empty()).then_some(value * 10_i64.pow(missing_places))?;
        Some(Self(if negative { -millionths } else { millionths }))
    }
}

impl fmt::Display for Number {
    /// The shortest decimal text: `12`, `12.5`, `-0.000001`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let (whole, fraction) = (magnitude / ONE as u64, magnitude % ONE as u64);
        let sign = if self.0 < 0 { "-" } else { "" };
        if fraction == 0 {
            return write!(formatter, "{sign}{whole}");
        }
        let places = format!("{fraction:06}");
        write!(formatter, "{sign}{whole}.{}", places.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints() {
        for (text, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("12", "12"),
            ("12.50", "12.5"),
            (".5", "0.5"),
            ("5.", "5"),
            (" 1e3 ", "1000"),
            ("1.5E-2", "0.015"),
            ("-0.000001", "-0.000001"),
            ("0.0000005", "0"),
            ("0.0000015", "0.000002"),
            ("0.00000051", "0.000001"),
            ("0.30000000000000004", "0.3"),
            ("1e-400", "0"),
            ("0e400", "0"),
            ("5e-7", "0"),
            ("9223372036854.775807", "9223372036854.775807"),
        ] {
            assert_eq!(
                Number::parse(text).map(|number| number.to_string()),
                Ok(expected.to_owned()),
                "{text}"
            );
        }
        for text in ["", " ", "-", ".", "e", "1e", "1,5", "1_000", "0x10", "NaN", "inf", "1.2.3", "١", "--1"]
        {
            assert!(matches!(Number::parse(text), Err(InvalidNumber::NotDecimal(_))), "{text}");
        }
        for text in ["9223372036855", "1e13", "1e400", "-9223372036855"] {
            assert!(matches!(Number::parse(text), Err(InvalidNumber::OutOfRange(_))), "{text}");
        }
    }
}
