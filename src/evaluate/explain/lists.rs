//! Lists that a test may answer the other way: with or without what it names, longer or shorter.

use crate::domain::condition::{Operator, Test};
use crate::domain::number::ONE;
use crate::domain::text::{compose, fold};
use crate::domain::value::Value;
use crate::evaluate::check::NumberTest;

/// No longer lists are made up.
const LONGEST: usize = 1_000;

/// Lists to try, those with the fewest changes first.
pub(super) fn candidates(test: &Test, now: &[String]) -> Vec<Vec<String>> {
    let same = |one: &str, other: &str| {
        if test.exact_case { compose(one) == compose(other) } else { fold(one) == fold(other) }
    };
    let has = |items: &[String], item: &str| items.iter().any(|one| same(one, item));
    let with = |base: &[String], more: &[String]| {
        let mut items = base.to_vec();
        items.extend(more.iter().filter(|item| !has(base, item)).cloned());
        items
    };
    let without = |base: &[String], less: &[String]| -> Vec<String> {
        base.iter().filter(|item| !has(less, item)).cloned().collect()
    };
    let mut bases: Vec<Vec<String>> = vec![now.to_vec(), Vec::new(), vec!["other".to_owned()]];
    for operator in &test.operators {
        let mut next = Vec::new();
        for base in &bases {
            match operator {
                Operator::ContainsAny(items) | Operator::ContainsNone(items) => {
                    next.extend(items.iter().map(|item| with(base, std::slice::from_ref(item))));
                    next.push(without(base, items));
                }
                Operator::ContainsAll(items) => {
                    next.push(with(base, items));
                    next.extend(items.iter().map(|item| without(base, std::slice::from_ref(item))));
                }
                Operator::Is(Value::List(items)) | Operator::IsNot(Value::List(items)) => {
                    next.push(items.clone());
                    next.push(with(items, &["other".to_owned()]));
                }
                _ => {}
            }
        }
        bases.append(&mut next);
        bases.truncate(LONGEST);
    }
    let sizes: Vec<usize> = test.operators.iter().flat_map(sizes).collect();
    let of_sizes: Vec<_> =
        bases.iter().flat_map(|base| sizes.iter().flat_map(|size| of_size(base, *size, &same))).collect();
    bases.extend(of_sizes);
    bases.sort_by_key(|items| changes(now, items));
    bases
}

/// How many items are added or removed.
pub(super) fn changes(now: &[String], items: &[String]) -> usize {
    let beyond = |one: &[String], other: &[String]| one.iter().filter(|item| !other.contains(item)).count();
    beyond(items, now) + beyond(now, items)
}

/// Whether it has an item that nobody named.
pub(super) fn is_made_up(items: &[String], now: &[String], test: &Test) -> bool {
    let named = |item: &String| {
        test.operators.iter().any(|operator| match operator {
            Operator::ContainsAny(items)
            | Operator::ContainsAll(items)
            | Operator::ContainsNone(items)
            | Operator::Is(Value::List(items))
            | Operator::IsNot(Value::List(items)) => items.contains(item),
            _ => false,
        })
    };
    items.iter().any(|item| !now.contains(item) && !named(item))
}

/// The sizes about the bounds of a test of the size.
fn sizes(operator: &Operator) -> Vec<usize> {
    let Operator::Size(test) = operator else { return Vec::new() };
    let mut sizes = vec![0, 1];
    for bound in NumberTest::compile(test).operands() {
        let whole = bound.millionths().div_euclid(ONE);
        sizes.extend(
            [whole - 1, whole, whole.saturating_add(1)]
                .into_iter()
                .filter_map(|size| usize::try_from(size).ok()),
        );
    }
    sizes.retain(|size| *size <= LONGEST);
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// A list with as many different items: its first, or its last ones, or with more that nobody named.
fn of_size(base: &[String], size: usize, same: &impl Fn(&str, &str) -> bool) -> [Vec<String>; 2] {
    let mut different: Vec<String> = Vec::new();
    for item in base {
        if !different.iter().any(|one| same(one, item)) {
            different.push(item.clone());
        }
    }
    let last = different.iter().rev().take(size).cloned().collect();
    different.truncate(size);
    let made_up = (1..).map(|number| format!("other {number}"));
    let missing = size - different.len();
    different.extend(made_up.take(missing));
    [different, last]
}
