//! One field of a cron line: a list of numbers, names, ranges and steps, read into a set.

use super::cron_line::InvalidCronLine;

/// What a field counts.
pub(super) struct Kind {
    noun: &'static str,
    plural: &'static str,
    lowest: u32,
    highest: u32,
    names: &'static [&'static str],
}

pub(super) const MINUTE: Kind =
    Kind { noun: "minute", plural: "minutes", lowest: 0, highest: 59, names: &[] };
pub(super) const HOUR: Kind = Kind { noun: "hour", plural: "hours", lowest: 0, highest: 23, names: &[] };
pub(super) const DAY: Kind =
    Kind { noun: "day of month", plural: "days of month", lowest: 1, highest: 31, names: &[] };
pub(super) const MONTH: Kind = Kind {
    noun: "month",
    plural: "months",
    lowest: 1,
    highest: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
/// 7 is Sunday too; it is folded into 0 once a range has been read.
pub(super) const WEEKDAY: Kind = Kind {
    noun: "weekday",
    plural: "weekdays",
    lowest: 0,
    highest: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
};

const SUNDAY: u32 = 0;
const SUNDAY_AGAIN: u32 = 7;

impl Kind {
    fn is_weekday(&self) -> bool {
        self.noun == WEEKDAY.noun
    }

    fn in_words(&self) -> String {
        let names = match self.names {
            [first, .., last] => format!(" or {first} to {last}"),
            _ => String::new(),
        };
        format!("{} are {} to {}{names}", self.plural, self.lowest, self.highest)
    }
}

/// The values that a field names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Bit `n` is set when `n` is named.
    values: u64,
    /// Whether it begins with `*`, which makes it no restriction beside the other day field.
    pub(super) starred: bool,
    weekday: bool,
}

impl Field {
    pub(super) fn read(text: &str, kind: &Kind) -> Result<Self, InvalidCronLine> {
        let mut values = 0;
        for item in text.split(',') {
            values |= read_item(item, text, kind)?;
        }
        Ok(Self { values, starred: text.starts_with('*'), weekday: kind.is_weekday() })
    }

    /// The values as a list that the `cron` crate reads; weekdays by name, because its numbers for
    /// them are others.
    pub(super) fn list(&self) -> String {
        let word = |value: u32| match WEEKDAY.names.get(value as usize) {
            Some(name) if self.weekday => (*name).to_owned(),
            _ => value.to_string(),
        };
        let words: Vec<String> =
            (0..u64::BITS).filter(|value| self.values >> value & 1 == 1).map(word).collect();
        words.join(",")
    }
}

/// A piece of user text as messages show it.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

fn read_item(item: &str, field: &str, kind: &Kind) -> Result<u64, InvalidCronLine> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(read_step(step, item, kind)?)),
        None => (item, None),
    };
    let (from, to) = if range == "*" {
        (kind.lowest, if kind.is_weekday() { SUNDAY_AGAIN - 1 } else { kind.highest })
    } else if let Some((from, to)) = range.split_once('-') {
        read_range(from, to, field, kind)?
    } else {
        let from = read_value(range, field, kind)?;
        match step {
            None => (from, from),
            // Other crons disagree on where such a week ends.
            Some(step) if kind.is_weekday() => {
                let saturday = if number_of(range).is_some() { "6" } else { "SAT" };
                return Err(InvalidCronLine::new(
                    format!("`{}`: a step needs a range of weekdays", shown(item)),
                    format!("write `{range}-{saturday}/{step}`, or list the days"),
                ));
            }
            Some(_) => (from, kind.highest),
        }
    };
    let values = (from..=to).step_by(step.unwrap_or(1) as usize);
    Ok(values.fold(0, |set, value| {
        let value = if kind.is_weekday() && value == SUNDAY_AGAIN { SUNDAY } else { value };
        set | 1 << value
    }))
}

fn read_range(from: &str, to: &str, field: &str, kind: &Kind) -> Result<(u32, u32), InvalidCronLine> {
    let (low, mut high) = (read_value(from, field, kind)?, read_value(to, field, kind)?);
    if kind.is_weekday() && high == SUNDAY && low > SUNDAY {
        high = SUNDAY_AGAIN;
    }
    if low > high {
        let (first, last) = (kind.lowest, if kind.is_weekday() { 6 } else { kind.highest });
        let hint = match low {
            SUNDAY_AGAIN if kind.is_weekday() => format!("write `0-{to}`"),
            _ => format!("write `{from}-{last},{first}-{to}` if it is to go round the end"),
        };
        return Err(InvalidCronLine::new(format!("the range `{from}-{to}` goes backwards"), hint));
    }
    Ok((low, high))
}

fn read_step(step: &str, item: &str, kind: &Kind) -> Result<u32, InvalidCronLine> {
    let longest = kind.highest - kind.lowest;
    let number = number_of(step).ok_or_else(|| unreadable(item, item, kind))?;
    if number == 0 {
        return Err(InvalidCronLine::new(
            format!("`{}`: a step of 0 goes nowhere", shown(item)),
            "write a step of 1 or more, as in `*/15`",
        ));
    }
    if number > longest {
        return Err(InvalidCronLine::new(
            format!("`{}`: the step is longer than the field, which starts anew each time", shown(item)),
            format!("write a step of at most {longest}, or a single {}", kind.noun),
        ));
    }
    Ok(number)
}

fn read_value(word: &str, field: &str, kind: &Kind) -> Result<u32, InvalidCronLine> {
    if let Some(number) = number_of(word) {
        if (kind.lowest..=kind.highest).contains(&number) {
            return Ok(number);
        }
        return Err(InvalidCronLine::new(format!("`{number}` is no {}", kind.noun), kind.in_words()));
    }
    let position = kind.names.iter().position(|name| name.eq_ignore_ascii_case(word));
    match position {
        Some(position) => Ok(kind.lowest + position as u32),
        None => Err(unreadable(word, field, kind)),
    }
}

/// A number of at most four ASCII digits.
fn number_of(word: &str) -> Option<u32> {
    let digits = (1..=4).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| word.parse().ok()).flatten()
}

/// Why a word means nothing, with a hint for what other dialects write there.
fn unreadable(word: &str, field: &str, kind: &Kind) -> InvalidCronLine {
    let message = if word.is_empty() {
        format!("something is missing in `{}`", shown(field))
    } else {
        format!("`{}` is no {}", shown(word), kind.noun)
    };
    let upper = word.to_ascii_uppercase();
    let meant = kind.names.iter().find(|name| upper.len() > 3 && upper.starts_with(**name));
    let hint = if field.contains('?') {
        "`?` is not known here; write `*`".to_owned()
    } else if field.contains('#') {
        "`#` (the n-th weekday of a month) is not known here; name the days of month or the weekdays"
            .to_owned()
    } else if let Some(name) = meant {
        format!("write `{name}`")
    } else if is_last_or_nearest(&upper, kind) {
        "`L` (last) and `W` (nearest working day) are not known here; name the day, such as 28, \
         which every month has"
            .to_owned()
    } else {
        format!("{}; ranges `1-5`, steps `*/2` and lists `1,3` are known", kind.in_words())
    };
    InvalidCronLine::new(message, hint)
}

/// Whether a word is one of Quartz's `L`, `LW`, `15W`, `5L`, `FRIL`.
fn is_last_or_nearest(upper: &str, kind: &Kind) -> bool {
    let stem = upper.strip_suffix("LW").or_else(|| upper.strip_suffix(['L', 'W']));
    stem.is_some_and(|stem| stem.is_empty() || number_of(stem).is_some() || kind.names.contains(&stem))
}
