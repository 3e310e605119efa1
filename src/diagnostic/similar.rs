//! The name that was probably meant.

/// The candidate that is nearest to `wrong`, if one is near enough to be a slip of the fingers:
/// one step (a letter more, less, other, or two swapped), and one more for each four letters; or
/// it differs in `_`, `-`, spaces and case only. Of equals the first.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody types that long a name, and the distance costs the product of the lengths.
    const LONGEST: usize = 100;
    if wrong.chars().take(LONGEST + 1).count() > LONGEST {
        return None;
    }
    let wrong = folded(wrong);
    let length = wrong.chars().count();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let folded = folded(candidate);
            let other = folded.chars().count();
            let shorter = length.min(other);
            let most = (1 + shorter / 4).min(shorter.max(1) - 1);
            // The distance is dear, and never less than the difference of the lengths.
            if length.abs_diff(other) > most {
                return None;
            }
            let distance = strsim::osa_distance(&wrong, &folded);
            (distance <= most).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A hint: ``did you mean `country`?``
pub fn did_you_mean<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(wrong, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// `` `a`, `b`, `c` ``, for "these do: …".
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn folded(name: &str) -> String {
    name.chars().filter(|char| !matches!(char, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    fn check(wrong: &str, expected: Option<&str>) {
        let candidates = ["country", "birth_date", "spend_12m", "vip", "at_least", "Europe/Paris"];
        assert_eq!(nearest(wrong, candidates), expected, "{wrong}");
    }

    #[test]
    fn a_slip_is_found_and_a_guess_is_not_made() {
        check("contry", Some("country"));
        check("coutnry", Some("country"));
        check("birthDate", Some("birth_date"));
        check("birth-date", Some("birth_date"));
        check("atleast", Some("at_least"));
        check("vpi", Some("vip"));
        check("Europe/Pairs", Some("Europe/Paris"));
        check("favourite", None);
        check("x", None);
        check("", None);
        check(&"country".repeat(100), None);
    }
}
